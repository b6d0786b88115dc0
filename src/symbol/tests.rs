//! The store: which layouts may fit, and messages about paths.

use super::*;

fn wanted(build: u32, service_pack: u8, arch: &str) -> Wanted<'_> {
    Wanted { build, service_pack, arch, revision: None, pdb: None }
}

fn asked(path: &str) -> Search {
    Search { paths: vec![path.into()], ..Search::default() }
}

#[test]
fn without_a_path_the_nearest_built_in_layouts_are_there() {
    let store = Store::default();
    let labels = |wanted: &Wanted<'_>| -> Vec<String> {
        store.candidates(wanted).into_iter().map(|candidate| candidate.label).collect()
    };
    assert_eq!(labels(&wanted(19045, 0, "x64"))[0], "built-in layout 10.0.19041.3570 x64");
    let revision = |revision| Wanted { revision: Some(revision), ..wanted(19045, 0, "x64") };
    assert_eq!(labels(&revision(1200))[0], "built-in layout 10.0.19041.1237 x64");
    let guid = "5278AFF86C341677D7D7835C85B7B844";
    let id = PdbId { name: "ntkrnlmp.pdb".to_owned(), guid: guid.to_owned(), age: 1 };
    let same = Wanted { pdb: Some(&id), ..wanted(19041, 0, "x64") };
    assert_eq!(store.candidates(&same)[0].closeness, Closeness::SamePdb);
    assert_eq!(labels(&same)[0], "built-in layout 10.0.19041.804 x64");
    let later = labels(&wanted(27000, 0, "x64"));
    let builds = ["26100", "22621.2428", "22000.2538", "20348.2529"];
    assert_eq!(later, builds.map(|build| format!("built-in layout 10.0.{build} x64")));
    assert_eq!(labels(&wanted(22000, 0, "arm64"))[0], "built-in layout 10.0.22000 arm64");
    let (pack, _) = pack::find(7601, 1, "x86").unwrap();
    let candidate = &store.candidates(&wanted(7601, 1, "x86"))[0];
    let label = format!("built-in layout {} x86", pack.version_text());
    let is_there = |all: &[Candidate]| all.iter().any(|candidate| candidate.label == label);
    assert!(is_there(&store.candidates(&wanted(7601, 1, "x86"))));
    assert!(!is_there(&Store::without(pack).candidates(&wanted(7601, 1, "x86"))));
    let layout = store.load(candidate).unwrap();
    assert_eq!(layout.field("_ETHREAD", "Tcb.Teb").map(|field| field.offset), Some(0x88));
    assert!(Arc::ptr_eq(&layout, &store.load(candidate).unwrap()));
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let error = Store::new(&asked("no/such/folder")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/folder: "), "{error}");
}

#[test]
fn missing_entries_of_a_path_are_ignored() {
    let here = env!("CARGO_MANIFEST_DIR");
    assert!(!Store::new(&asked(&format!("no/such/folder;{here}"))).unwrap().is_empty());
    let error = Store::new(&asked("no/such/folder;nor/this")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/folder: "), "{error}");
}

#[test]
fn a_named_file_that_is_no_layout_is_an_error() {
    let error = Store::new(&asked(file!())).unwrap_err().to_string();
    assert!(error.contains("no layout file"), "{error}");
}

#[test]
fn a_file_of_another_build_than_its_name_says_is_not_used() {
    let guid = "0123456789ABCDEF0123456789ABCDEF";
    let id = PdbId { name: "a.pdb".to_owned(), guid: guid.to_owned(), age: 1 };
    let folder = std::env::temp_dir().join(format!("dumpql-misnamed-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("a.pdb")).unwrap();
    let file = folder.join("a.pdb").join(format!("{guid}-1.json"));
    let names = |inside: &str| {
        let text = format!(
            r#"{{"metadata": {{"windows": {{"pdb": {{"GUID": "{inside}", "age": 1}}}}}},
                 "user_types": {{"_A": {{"kind": "struct", "size": 8, "fields": {{}}}}}},
                 "symbols": {{"Start": {{"address": 4096}}}}}}"#
        );
        std::fs::write(&file, text).unwrap();
        let store = Store::new(&asked(&folder.display().to_string())).unwrap();
        assert_eq!(store.find(&id).status, Status::Isf);
        store.names(&id).and_then(|names| names.address("Start"))
    };
    let (right, wrong) = (names(guid), names("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((right, wrong), (Some(4096), None));
}
