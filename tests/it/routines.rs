//! Callbacks, system services, interrupts and Driver Verifier's stack traces of whole synthetic
//! systems, with and without a symbol file.

use std::ops::ControlFlow;
use std::path::PathBuf;

use dumpql::internals::dump::Image;
use dumpql::internals::model::{
    Callback, InterruptVector, Source, SystemCall, VerifierFrame, Want,
};
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Format, KernelFile, System, SystemSpec, Windows};
use dumpql::{Options, Session};
use serde_json::{Map, Value, json};

use crate::corpus;
use crate::systems::{ALL, rows};

/// A folder with a file of the symbols of a system's kernel, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn of(name: &str, system: &System) -> Self {
        let folder = std::env::temp_dir().join(format!("dumpql-{name}-{}", std::process::id()));
        let (pdb, guid, age) = system.pdb();
        let place = folder.join("windows").join(pdb);
        std::fs::create_dir_all(&place).unwrap();
        let symbols: Map<String, Value> = system
            .symbols
            .iter()
            .map(|(name, at)| (name.clone(), json!({ "address": at - system.kernel.0 })))
            .collect();
        let nothing = json!({ "kind": "struct", "size": 4, "fields": {} });
        let file = json!({
            "base_types": {},
            "enums": {},
            "metadata": {
                "format": "6.1.0",
                "windows": { "pdb": { "GUID": guid, "age": age, "database": pdb } },
            },
            "symbols": symbols,
            "user_types": { "_NOTHING": nothing },
        });
        std::fs::write(place.join(format!("{guid}-{age}.json")), file.to_string()).unwrap();
        Self(folder)
    }

    fn search(&self) -> Search {
        Search { paths: vec![self.0.clone()], ..Search::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(system: &System, store: &Store) -> Box<dyn Source> {
    let image = Image::from_bytes("it", system.to_vec(Format::BitmapKernel));
    source::open(image, store).expect("it is a kernel dump")
}

/// A system of each version and the busy server, with and without the symbols of its kernel.
fn each_system(name: &str, mut show: impl FnMut(&str, &System, &dyn Source, &dyn Source)) {
    let healthy = ALL.map(|windows| (format!("{windows:?}"), synth::healthy(windows)));
    let server = ("the server".to_owned(), synth::server_2003());
    for (number, (what, spec)) in healthy.into_iter().chain([server]).enumerate() {
        let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..spec });
        let folder = Folder::of(&format!("{name}-{number}"), &system);
        let store = Store::new(&folder.search()).unwrap();
        show(&what, &system, &*open(&system, &store), &*open(&system, &Store::default()));
    }
}

/// Kind, routine and detail of every callback of a system; the first part needs no symbols.
fn callbacks(system: &System) -> [Vec<(String, u64, Option<String>)>; 2] {
    let facts = &system.facts.routines;
    let row = |kind: &str, at: u64, detail: Option<String>| (kind.to_owned(), at, detail);
    let mut stated = Vec::new();
    for (at, component) in &facts.bugcheck {
        stated.push(row("KeBugCheckCallbackListHead", *at, Some(component.clone())));
    }
    for (path, all) in &facts.callbacks {
        stated.extend(all.iter().map(|at| row("ExRegisterCallback", *at, Some(path.clone()))));
    }
    let mut named = Vec::new();
    for (kind, all) in [
        ("PspCreateProcessNotifyRoutine", &facts.processes),
        ("PspCreateThreadNotifyRoutine", &facts.threads),
        ("PspLoadImageNotifyRoutine", &facts.images),
    ] {
        named.extend(all.iter().map(|at| row(kind, *at, None)));
    }
    let is_old = system.facts.windows.build() < 6000;
    for (at, altitude) in &facts.registry {
        named.push(if is_old {
            row("CmRegisterCallback", *at, None)
        } else {
            row("CmRegisterCallbackEx", *at, Some(format!("Altitude: {altitude}")))
        });
    }
    for (at, component) in &facts.bugcheck_reason {
        named.push(row("KeBugCheckReasonCallbackListHead", *at, Some(component.clone())));
    }
    let io = &system.facts.io;
    for number in &facts.shutdown {
        let driver = io.drivers.iter().find(|d| d.path == io.devices[*number].driver).unwrap();
        let path = Some(driver.path.clone());
        named.push(row("IoRegisterShutdownNotification", driver.major[16], path));
    }
    for (path, at) in &facts.file_systems {
        named.push(row("IoRegisterFsRegistrationChange", *at, Some(path.clone())));
    }
    [stated, named]
}

#[test]
fn callbacks_match_the_system() {
    each_system("callbacks", |what, system, source, nameless| {
        let found = |source: &dyn Source| {
            let rows = rows(|emit| source.answers().read::<Callback>(&Want::ALL, emit));
            let of = |row: dumpql::internals::model::Callback| {
                assert_eq!(row.module.is_ok(), row.symbol.is_ok(), "{what}");
                (row.kind.unwrap(), row.address.unwrap(), row.detail.ok())
            };
            let mut found: Vec<_> = rows.into_iter().map(of).collect();
            found.sort();
            found
        };
        let [mut stated, named] = callbacks(system);
        stated.sort();
        assert!(stated.len() >= 2 && named.len() > 8, "{what}");
        assert_eq!(found(nameless), stated, "{what}: without symbols");
        stated.extend(named);
        stated.sort();
        assert_eq!(found(source), stated, "{what}");
    });
}

#[test]
fn system_services_match_the_system() {
    each_system("services", |what, system, source, _| {
        let facts = &system.facts.routines;
        let own = (0..).zip(&facts.services);
        let window = (0x1000..).zip(&facts.window_services);
        let expected: Vec<_> =
            own.chain(window).map(|(index, at)| (Some(index), Some(*at), Some(false))).collect();
        let found: Vec<_> = rows(|emit| source.answers().read::<SystemCall>(&Want::ALL, emit))
            .into_iter()
            .map(|row| (row.index.ok(), row.address.ok(), row.is_outside_module.ok()))
            .collect();
        assert!(found.len() >= 296, "{what}");
        assert_eq!(found, expected, "{what}");
    });
    let server = synth::system(&synth::server_2003());
    assert!(!server.facts.routines.window_services.is_empty());
}

#[test]
fn interrupt_vectors_have_the_drivers_routines() {
    each_system("interrupts", |what, system, _, source| {
        let facts = &system.facts;
        let is_own = |at: u64| {
            let hal = facts.drivers.iter().find(|d| d.path.ends_with("hal.dll")).unwrap();
            let ranges = [system.kernel, (hal.base, hal.size)];
            ranges.iter().any(|(base, size)| (*base..base + u64::from(*size)).contains(&at))
        };
        let mut expected = Vec::new();
        for processor in 0..i64::try_from(facts.processors.len()).unwrap() {
            for vector in &facts.routines.vectors {
                let number = i64::try_from(vector.number).unwrap();
                if vector.objects.is_empty() {
                    let handler = Some(vector.handler);
                    let outside = Some(!is_own(vector.handler));
                    expected.push((processor, number, handler, None, outside));
                }
                for (at, routine) in vector.objects.iter().zip(&vector.services) {
                    let outside = Some(!is_own(*routine));
                    expected.push((processor, number, Some(*routine), Some(*at), outside));
                }
            }
        }
        let found: Vec<_> = rows(|emit| source.answers().read::<InterruptVector>(&Want::ALL, emit))
            .into_iter()
            .map(|row| {
                let outside = row.is_outside_module.ok();
                let address = (row.address.ok(), row.interrupt_object.ok());
                (row.processor.unwrap(), row.vector.unwrap(), address.0, address.1, outside)
            })
            .collect();
        assert_eq!(found, expected, "{what}");
        assert!(found.iter().any(|row| row.3.is_some()), "{what}: no interrupt of a device");
    });
}

/// The rows of a shipped query, as text.
fn ask(session: &Session, query: &str) -> Vec<Vec<String>> {
    let query = dumpql::internals::session::find_query(query).expect("it is shipped");
    let given = std::collections::BTreeMap::new();
    let params = dumpql::internals::session::parameters(query, &given).unwrap();
    let result = session.query_with(&query.text, &params).unwrap_or_else(|e| panic!("{e}"));
    let columns = 0..result.fields().len();
    let row = |row| columns.clone().map(|column| result.text(row, column)).collect();
    (0..result.len()).map(row).collect()
}

#[test]
fn hooks_are_listed_and_a_healthy_system_has_none() {
    for windows in ALL {
        for (spec, is_sick) in [(synth::healthy(windows), false), (synth::hooked(windows), true)] {
            let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..spec });
            let folder = Folder::of(&format!("hooked-{windows:?}-{is_sick}"), &system);
            let bytes = system.to_vec(Format::BitmapKernel);
            let options = Options::default().symbols(folder.search().paths);
            let session =
                Session::from_images(vec![Image::from_bytes("made", bytes)], &options).unwrap();
            let dispatch = ask(&session, "hooked-dispatch");
            let other = ask(&session, "hooks");
            if !is_sick {
                assert_eq!((dispatch.len(), other.len()), (0, 0), "{windows:?}");
                continue;
            }
            let named: Vec<_> = dispatch.iter().map(|row| (&*row[0], &*row[1], &*row[4])).collect();
            assert_eq!(named[0].0, r"\Driver\Tcpip", "{windows:?}: {named:?}");
            assert_eq!((named[0].1, named[0].2), ("IRP_MJ_DEVICE_CONTROL", "AvFilter"));
            assert_eq!((named[1].0, named[1].1), (r"\FileSystem\Ntfs", "IRP_MJ_DIRECTORY_CONTROL"));
            assert_eq!(named.len(), 2, "{windows:?}");
            let kinds: Vec<_> = other.iter().map(|row| (&*row[0], &*row[1])).collect();
            assert_eq!(&kinds[..4], [("interrupt", "3"); 4], "{windows:?}");
            assert_eq!(&kinds[4..], [("service", "17")], "{windows:?}");
        }
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn verifier_stacks_have_the_irps() {
    let Some(corpus) = corpus::folder() else { return };
    let kernels = [
        (Windows::Windows81, "22597D0B40394E23936F6A24C6C52D5B"),
        (Windows::Windows10, "5278AFF86C341677D7D7835C85B7B844"),
    ];
    for (windows, guid) in kernels {
        let path = format!("layouts/isf/windows/ntkrnlmp.pdb/{guid}-1.json.xz");
        let mut text = String::new();
        let file = std::fs::File::open(corpus.join(path)).unwrap();
        let mut reader = liblzma::read::XzDecoder::new(file);
        std::io::Read::read_to_string(&mut reader, &mut text).unwrap();
        let kernel = Some(std::sync::Arc::new(KernelFile::parse(&text).unwrap()));
        let spec = SystemSpec { kernel, physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let search = Search { paths: vec![corpus.join("layouts/isf")], ..Search::default() };
        let source = open(&system, &Store::new(&search).unwrap());
        let facts = &system.facts;
        let kinds = ["allocation", "cancellation", "completion"];
        let mut expected = Vec::new();
        for (trace, kind) in facts.routines.traces.iter().zip(kinds).rev() {
            for (frame, address) in (0..).zip(&trace.frames) {
                let irp = facts.io.requests[trace.request].address;
                expected.push((Ok(kind.to_owned()), Ok(irp), Ok(frame), Ok(*address)));
            }
        }
        let found: Vec<_> = rows(|emit| source.answers().read::<VerifierFrame>(&Want::ALL, emit))
            .into_iter()
            .map(|row| (row.kind, row.object, row.frame, row.address))
            .collect();
        assert_eq!(found, expected, "{windows:?}");
        let nameless = open(&system, &Store::default());
        let why = nameless
            .answers()
            .read::<VerifierFrame>(&Want::ALL, &mut |_| ControlFlow::Continue(()));
        assert!(why.unwrap_err().because.unwrap().contains("symbols"), "{windows:?}");
    }
}
