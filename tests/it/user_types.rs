//! Structures, critical sections and the 32-bit part of user minidumps.

use std::collections::BTreeSet;
use std::path::PathBuf;

use dumpql::internals::dump::Image;
use dumpql::{Options, Session};

use crate::corpus;
use crate::system::ask;

fn path(name: &str) -> Option<PathBuf> {
    Some(corpus::folder()?.join("dumps/user").join(name))
}

fn open(name: &str) -> Option<Session> {
    Some(Session::open_with(&[&path(name)?], &Options::default()).unwrap())
}

fn refused(session: &Session, sql: &str) -> String {
    session.query(sql).unwrap_err().render(None, false)
}

/// A process of 32-bit code in Windows 7 with all its memory.
const WOW64: &str = "llvm-lldb_fizzbuzz_wow64.dmp";

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn ntdll_structures_use_the_layout_of_their_build() {
    let Some(session) = open(WOW64) else { return };
    let peb =
        "SELECT OSBuildNumber, ImageBaseAddress, BeingDebugged FROM struct('_PEB', 0x7efdf000)";
    assert_eq!(ask(&session, peb), ["7601|0x0000000000e30000|0"]);
    let teb = "SELECT CAST(\"ClientId.UniqueThread\" AS BIGINT), ProcessEnvironmentBlock, \
               \"NtTib.Self\" FROM struct('ntdll!_TEB', 0x7efdb000)";
    assert_eq!(ask(&session, teb), ["13456|0x000000007efdf000|0x000000007efdb000"]);
    // The loader's list has the images of 64-bit code, as the dump's own list does.
    let loader = ask(&session, "SELECT Ldr FROM struct('_PEB', 0x7efdf000)");
    let sql = format!("SELECT InLoadOrderModuleList FROM struct('_PEB_LDR_DATA', {})", loader[0]);
    let head = ask(&session, &sql);
    let sql = format!(
        "SELECT DllBase, SizeOfImage FROM list({}, '_LDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks')",
        head[0]
    );
    let listed: BTreeSet<String> = ask(&session, &sql).into_iter().collect();
    let modules: BTreeSet<String> =
        ask(&session, "SELECT base, size_bytes FROM modules").into_iter().collect();
    assert_eq!(listed.len(), 5);
    assert!(listed.is_subset(&modules), "{listed:?}");
    // Each byte of an array is where it belongs.
    let sql = "SELECT address FROM array('_LIST_ENTRY', 0x77c0f650, 3)";
    let at = |address: u64| format!("{address:#018x}");
    assert_eq!(ask(&session, sql), [at(0x77c0_f650), at(0x77c0_f660), at(0x77c0_f670)]);
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn structures_of_32_bit_code_have_narrow_pointers() {
    let Some(session) = open(WOW64) else { return };
    // The first pointer of a 64-bit environment block of a thread leads to the 32-bit one.
    let teb = ask(&session, "SELECT poi(0x7efdb000)");
    let sql = format!(
        "SELECT \"NtTib.Self\", ProcessEnvironmentBlock FROM struct('ntdll32!_TEB', {})",
        teb[0]
    );
    let row = &ask(&session, &sql)[0];
    let (own, peb) = row.split_once('|').unwrap();
    assert_eq!(own, teb[0]);
    let sql =
        format!("SELECT OSBuildNumber, ImageBaseAddress, Ldr FROM struct('ntdll32!_PEB', {peb})");
    let row = &ask(&session, &sql)[0];
    let (facts, loader) = row.rsplit_once('|').unwrap();
    assert_eq!(facts, "7601|0x0000000000e30000");
    let sql =
        format!("SELECT InLoadOrderModuleList FROM struct('ntdll32!_PEB_LDR_DATA', {loader})");
    let head = ask(&session, &sql);
    let sql = format!(
        "SELECT DllBase, BaseDllName FROM list({}, 'ntdll32!_LDR_DATA_TABLE_ENTRY', \
         'InLoadOrderLinks')",
        head[0]
    );
    let listed = ask(&session, &sql);
    assert_eq!(listed.len(), 11, "{listed:?}");
    assert_eq!(listed[1], "0x0000000077cc0000|ntdll.dll");
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_call_on_a_process_that_fails_gives_the_reason() {
    let Some(session) = open(WOW64) else { return };
    for (sql, expected) in [
        ("SELECT * FROM struct('_PEX', 0x1000)", "no type `_PEX`"),
        ("SELECT * FROM struct('_PEB', 0x1000, 0x2000)", "the dump is of one process"),
        ("SELECT * FROM struct('nosuch!_X', 0x1000)", "no module `nosuch`"),
        ("SELECT * FROM struct('kernel32!_X', 0x1000)", "it has no symbols of `kernel32`"),
        ("SELECT * FROM list(0x1000, '_PEB', 'Mutant.x')", "no field"),
    ] {
        let said = refused(&session, sql);
        assert!(said.contains(expected), "{sql}: {said}");
    }
    let absent = "SELECT why(Ldr) FROM struct('_PEB', 0x7fffffff0000)";
    assert_eq!(ask(&session, absent), ["not in dump"]);
    let Some(session) = open("google-breakpad_linux_overflow.dmp") else { return };
    let said = refused(&session, "SELECT * FROM struct('_PEB', 0x1000)");
    assert!(said.contains("its system is not Windows"), "{said}");
}

/// If the nearest layouts are of another build, this is reported; if they are of the same build,
/// nothing is.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn a_layout_of_another_build_is_reported() {
    let sql = "SELECT reason FROM problems WHERE reason LIKE 'structures of ntdll%'";
    for (name, build) in [
        // Build 26200 has the system files of 26100.
        ("KindTis-DumpAnalysisMCP_CppConsoleApplication.dmp", None),
        ("google-breakpad_tiny-exe-with-cet-xsave.dmp", None),
        ("google-breakpad_minidump1.dmp", None),
        ("llvm-lldb_sigsegv.dmp", None),
        // No 32-bit layout is later than 19041.
        ("google-breakpad_tiny-exe-with-cet-xsave-x86.dmp", Some(22631)),
    ] {
        let Some(session) = open(name) else { return };
        let said = ask(&session, sql);
        assert_eq!(said.len(), usize::from(build.is_some()), "{name}: {said:?}");
        if let Some(build) = build {
            let end = format!("of another build than {build}");
            assert!(said[0].ends_with(&end), "{name}: {said:?}");
        }
    }
}

/// A number as it is shown, in hex or not.
fn parsed(text: &str) -> u64 {
    let hex = text.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16));
    hex.unwrap_or_else(|| text.parse()).unwrap()
}

/// A number of the dump, little-endian.
fn number(session: &Session, address: u64, width: usize) -> Option<u64> {
    let call = if width == 8 { "u64" } else { "u32" };
    let found = ask(session, &format!("SELECT CAST({call}({address:#x}) AS BIGINT)"));
    found[0].parse().ok()
}

/// Every pair of a section and its debug information that point to each other, by the words of the
/// file itself: `winnt.h` says where these are.
fn pairs(name: &str, session: &Session) -> BTreeSet<u64> {
    let file = std::fs::read(path(name).unwrap()).unwrap();
    let sql = "SELECT start, size_bytes, file_offset FROM coverage";
    let ranges: Vec<[u64; 3]> = ask(session, sql)
        .iter()
        .map(|row| {
            let mut numbers = row.split('|').map(parsed);
            [numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap()]
        })
        .collect();
    let read = |address: u64, width: usize| -> Option<u64> {
        let [start, size, offset] =
            *ranges.iter().find(|[start, size, _]| (*start..start + size).contains(&address))?;
        let into = address - start;
        let at = usize::try_from(offset + into).unwrap();
        let held = file.get(at..at + width).filter(|_| into + width as u64 <= size)?;
        Some(held.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    };
    let mut found = BTreeSet::new();
    for [start, size, _] in &ranges {
        for width in [4usize, 8] {
            for at in (*start..start + size).step_by(width) {
                let debug = read(at, width).filter(|debug| *debug > 0x1_0000 && *debug != at);
                let Some(debug) = debug else { continue };
                // The kind, 0 for a section and 1 for one of a resource, and a number stand before
                // the pointer back; behind it are the links of the list.
                let Some(end) = debug.checked_add(32) else { continue };
                let kind = read(debug, 2);
                let back = read(end - 32 + width as u64, width);
                let entry = debug + 2 * width as u64;
                let next = read(entry, width).and_then(|next| next.checked_add(width as u64));
                let is_linked = next.and_then(|back| read(back, width)) == Some(entry);
                // Two pointers to the same place are an entry of a list of its own, as heaps have.
                let is_list = read(at + width as u64, width) == Some(debug);
                let is_debug = back == Some(at) && matches!(kind, Some(0 | 1)) && is_linked;
                if is_debug && !is_list {
                    found.insert(at);
                }
            }
        }
    }
    found
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn critical_sections_need_debug_information_that_points_back() {
    let Some(session) = open(WOW64) else { return };
    let rows = ask(&session, "SELECT address FROM critical_sections");
    let listed: BTreeSet<u64> = rows.iter().map(|row| parsed(row)).collect();
    assert_eq!(listed.len(), rows.len(), "none is listed twice");
    let all = pairs(WOW64, &session);
    let missing: Vec<_> = all.difference(&listed).map(|at| format!("{at:#x}")).collect();
    let odd: Vec<_> = listed.difference(&all).map(|at| format!("{at:#x}")).collect();
    assert!(missing.is_empty() && odd.is_empty(), "not {missing:?}, and {odd:?}");
    assert!(listed.len() > 100, "{}", listed.len());
    // That of the loader is on the list, wherever the list begins.
    let loader = "SELECT count(*) FROM critical_sections \
                  WHERE address = (SELECT LoaderLock FROM struct('_PEB', 0x7efdf000))";
    assert_eq!(ask(&session, loader), ["1"]);
    let counts = "SELECT count(*) FROM critical_sections WHERE lock_count <> -1 OR is_locked \
                  OR spin_count NOT IN (0, 4000) OR owner_tid IS NOT NULL";
    // The last chance handler has locked one.
    let busy: usize = ask(&session, counts)[0].parse().unwrap();
    assert!(busy <= 2, "{busy}");
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn without_its_list_critical_sections_are_not_answered() {
    let Some(session) = open("google-breakpad_minidump1.dmp") else { return };
    let said = refused(&session, "SELECT * FROM critical_sections");
    assert!(said.contains("the list of critical sections is not in the dump"), "{said}");
}

/// Behind the frames of the layer that runs 32-bit code are those of the code itself, down to where
/// every thread starts, which was given the entry point of the program.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn stacks_include_32_bit_code() {
    let Some(session) = open(WOW64) else { return };
    let rows = ask(&session, "SELECT frame, module, \"offset\", trust FROM stacks WHERE is_wow64");
    let modules: Vec<&str> = rows.iter().map(|row| row.split('|').nth(1).unwrap()).collect();
    assert_eq!(rows[0].split('|').next(), Some("7"), "{rows:?}");
    assert_eq!(rows[0], format!("7|ntdll|{}|context", 0x201fd), "{rows:?}");
    assert_eq!(modules[1], "KERNELBASE", "the wait returns to who asked for it: {rows:?}");
    assert!(modules[2..modules.len() - 2].iter().all(|module| *module == "kernel32"), "{rows:?}");
    assert_eq!(modules[modules.len() - 2..], ["ntdll"; 2], "{rows:?}");
    assert!(!rows.iter().any(|row| row.ends_with("scan")), "{rows:?}");
    let last = ask(
        &session,
        "SELECT return_address, CAST(arg1 AS BIGINT) FROM stacks WHERE is_wow64 \
         ORDER BY frame DESC LIMIT 1",
    );
    let header = 0xe3_0000 + number(&session, 0xe3_003c, 4).unwrap();
    let entry = 0xe3_0000 + number(&session, header + 0x28, 4).unwrap();
    assert_eq!(last, [format!("0x0000000000000000|{entry}")]);
    let below = ask(&session, "SELECT count(*) FROM stacks WHERE NOT is_wow64");
    assert_eq!(below, ["7"]);
    let words = "SELECT count(*) FROM raw_stack WHERE address BETWEEN 0x37f5b8 AND 0x37ffff";
    assert_ne!(ask(&session, words), ["0"]);
}

/// Sections, structures and stacks of damaged dumps end.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn damage_behind_pointers_does_no_harm() {
    let Some(path) = path(WOW64) else { return };
    let whole = std::fs::read(path).unwrap();
    for seed in 0..6u64 {
        let mut bytes = whole.clone();
        let mut state = seed;
        let mut random = |most: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
            usize::try_from(state >> 33).unwrap() % most
        };
        for _ in 0..200_000 {
            let at = 0x4000 + random(bytes.len() - 0x4000);
            bytes[at] = random(256).to_le_bytes()[0];
        }
        let image = Image::from_bytes("edited", bytes);
        let Ok(session) = Session::from_images(vec![image], &Options::default()) else { continue };
        for sql in [
            "SELECT count(*) FROM critical_sections",
            "SELECT count(*) FROM stacks",
            "SELECT count(*) FROM list(0x77c0f650, '_LDR_DATA_TABLE_ENTRY', 'InLoadOrderLinks')",
            "SELECT count(*) FROM struct('ntdll32!_PEB', 0x7efde000)",
        ] {
            let _ = session.query(sql);
        }
    }
}

#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn types_of_a_program_come_from_its_own_file() {
    let Some(dump) = path("llvm-lldb_sigsegv.dmp") else { return };
    let file = corpus::folder().unwrap().join("dumps/pdb/llvm-lldb_sigsegv.pdb");
    let options = Options::default().symbols([file]);
    let session = Session::open_with(&[&dump], &options).unwrap();
    for module in ["sigsegv!", ""] {
        let name = format!("{module}__vc_attributes::threadingAttribute");
        let sql = format!("SELECT address, value FROM struct('{name}', 0x7ff7a1310000)");
        let rows = ask(&session, &sql);
        // An image begins with `MZ`, and its last page count.
        assert!(rows[0].starts_with("0x00007ff7a1310000|"), "{rows:?}");
        assert_eq!(rows.len(), 1, "{module}");
    }
    // The program's file says nothing of the loader.
    let peb = ask(&session, "SELECT peb FROM processes");
    let sql = format!("SELECT OSBuildNumber FROM struct('_PEB', {})", peb[0]);
    assert_eq!(ask(&session, &sql), ["16299"]);
}
