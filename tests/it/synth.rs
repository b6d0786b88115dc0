//! Whole synthetic systems: every version, every form, the archive's numbers, and damage.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use dumpql::catalog::{Absent, HintOp, Value};
use dumpql::dump::Image;
use dumpql::model::{Condition, Emit, Unanswered, Want};
use dumpql::source;
use dumpql::symbol::{Search, Store};
use dumpql::synth::{self, Damage, Format, Lie, SystemSpec, ThreadState, Windows};
use dumpql::{Options, Session};

use crate::systems::{ALL, queued_for};

#[test]
fn every_version_has_every_field_that_is_laid_out() {
    let missing = |windows| (windows, synth::system(&synth::healthy(windows)).missing);
    let lacking = Windows::ALL.into_iter().map(missing).filter(|(_, missing)| !missing.is_empty());
    assert_eq!(lacking.collect::<Vec<_>>(), Vec::new());
}

#[test]
fn the_same_specification_gives_the_same_bytes() {
    let build = || synth::system(&synth::server_2003()).to_vec(Format::KernelSummary);
    assert_eq!(build(), build());
}

#[test]
fn no_two_objects_of_the_server_are_in_the_same_place() {
    let system = synth::system(&synth::server_2003());
    let processes = system.facts.processes.iter().map(|process| (process.eprocess, 0x278));
    let threads = system.facts.processes.iter().flat_map(|process| &process.threads);
    let mut places: Vec<(u64, u64)> =
        processes.chain(threads.clone().map(|thread| (thread.ethread, 0x250))).collect();
    places.sort_unstable();
    for pair in places.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{:x} and {:x}", pair[0].0, pair[1].0);
    }
    let mut ids: Vec<u64> = threads.map(|thread| thread.tid).filter(|tid| *tid != 0).collect();
    ids.extend(system.facts.processes.iter().map(|process| process.pid));
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "an id is used twice");
}

#[test]
fn a_file_of_any_size_is_mostly_holes() {
    let spec = SystemSpec { physical_pages: 0x20_0000, ..synth::healthy(Windows::Windows10) };
    let path = std::env::temp_dir().join(format!("dumpql-large-{}.dmp", std::process::id()));
    let file = std::fs::File::create(&path).unwrap();
    synth::system(&spec).write(Format::Full, &mut std::io::BufWriter::new(file)).unwrap();
    let session = Session::open_with(&[&path], &Options::default());
    let length = std::fs::metadata(&path).unwrap().len();
    std::fs::remove_file(&path).unwrap();
    assert!(session.is_ok());
    assert_eq!(length, 0x2000 + 0x20_0000 * 0x1000);
}

#[test]
fn damage_is_survived() {
    let path = std::env::temp_dir().join(format!("dumpql-damage-{}.dmp", std::process::id()));
    let ask = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let Ok(session) = Session::open_with(&[&path], &Options::default()) else { return };
        for table in [
            "dump",
            "processes",
            "threads",
            "modules",
            "unloaded_modules",
            "handles",
            "stacks",
            "raw_stack",
            "objects",
            "object_types",
            "vads",
            "sessions",
            "wait_objects",
            "ready_threads",
            "dpcs",
            "timers",
        ] {
            // An answer or an error, and in time.
            let _ = session.query(&format!("SELECT * FROM {table}"));
        }
    };
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        for damage in Damage::ALL {
            let mut system = synth::system(&synth::healthy(windows));
            system.damage(damage);
            ask(&system.to_vec(Format::BitmapKernel));
        }
        let system = synth::system(&synth::healthy(windows));
        for format in [Format::KernelSummary, Format::BitmapFull] {
            for lie in Lie::ALL {
                let mut file = system.to_vec(format);
                lie.tell(&mut file);
                ask(&file);
            }
        }
    }
    let _ = std::fs::remove_file(&path);
}

#[test]
fn a_crowd_has_as_many_threads_as_was_asked_for() {
    let spec = synth::crowded(Windows::Windows10, 60, 1500, 0x4_0000);
    let system = synth::system(&spec);
    let threads: usize = system.facts.processes.iter().skip(1).map(|p| p.threads.len()).sum();
    assert_eq!((system.facts.processes.len(), threads + 4), (60, 1500));
    assert!(system.missing.is_empty(), "{:?}", system.missing);
    let file = system.to_vec(Format::BitmapFull);
    assert!(file.len() < 24 << 20, "{} bytes", file.len());
}

/// Rows of a table of a dump, through the source.
fn rows<R>(scan: impl FnOnce(Emit<'_, R>) -> Result<(), Unanswered>) -> Vec<R> {
    let mut rows = Vec::new();
    scan(&mut |row| {
        rows.push(row);
        ControlFlow::Continue(())
    })
    .expect("the dump answers");
    rows
}

/// The processes and threads that a dump of a system lists are those that it was built from, in
/// their order; Idle is on no list of the kernel, and its rows are left aside.
fn compare(what: &str, spec: &SystemSpec, format: Format) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let processes: Vec<_> = rows(|emit| source.processes(&Want::ALL, emit))
        .into_iter()
        .filter(|process| process.pid != Ok(0))
        .map(|p| (p.eprocess.ok(), p.pid.ok(), p.ppid.ok(), p.dtb.ok(), p.create_time.is_ok()))
        .collect();
    let listed = || system.facts.processes.iter().skip(1);
    let facts: Vec<_> = listed()
        .map(|p| {
            let has_time = p.create_time != 0;
            (Some(p.eprocess), signed(p.pid), signed(p.ppid), Some(p.dtb), has_time)
        })
        .collect();
    assert_eq!(processes, facts, "{what}: processes");
    let mut threads: Vec<_> = rows(|emit| source.threads(&Want::ALL, emit))
        .into_iter()
        .filter(|thread| thread.tid != Ok(0))
        .map(|t| (t.pid.ok(), t.tid.ok(), t.ethread.ok(), t.context_switches.ok(), t.priority.ok()))
        .collect();
    let mut facts: Vec<_> = listed()
        .flat_map(|p| p.threads.iter().map(move |t| (p.pid, t)))
        .map(|(pid, t)| {
            let switches = signed(t.context_switches);
            (signed(pid), signed(t.tid), Some(t.ethread), switches, signed(t.priority.0))
        })
        .collect();
    threads.sort_unstable();
    facts.sort_unstable();
    assert_eq!(threads, facts, "{what}: threads");
    let modules = rows(|emit| source.modules(&Want::ALL, emit));
    let bases: Vec<_> = modules.iter().filter_map(|module| module.base.ok()).collect();
    let kernel = std::iter::once(system.kernel.0);
    let facts = kernel.chain(system.facts.drivers.iter().skip(1).map(|driver| driver.base));
    assert_eq!(bases, facts.collect::<Vec<_>>(), "{what}: modules");
}

/// Whether threads wait at gates in their own way.
fn has_gates(windows: Windows) -> bool {
    (3790..7600).contains(&windows.build())
}

/// What waits, what is ready, what was unloaded and the numbers of the memory manager.
fn compare_lists(what: &str, spec: &SystemSpec, format: Format) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let listed = || system.facts.processes.iter().skip(1);
    let threads = || listed().flat_map(|p| p.threads.iter().map(move |t| (p.pid, t)));

    let mut ready: Vec<_> = rows(|emit| source.ready_threads(&Want::ALL, emit))
        .into_iter()
        .map(|r| (r.processor.ok(), r.priority.ok(), r.ethread.ok(), r.pid.ok(), r.tid.ok()))
        .collect();
    let mut facts: Vec<_> = threads()
        .filter(|(_, t)| matches!(t.state, ThreadState::Ready | ThreadState::ReadyShared))
        .map(|(pid, t)| {
            let cpu = queued_for(spec.windows, t).and_then(signed);
            let priority = signed(t.priority.0);
            (cpu, priority, Some(t.ethread), signed(pid), signed(t.tid))
        })
        .collect();
    ready.sort_unstable();
    facts.sort_unstable();
    assert_eq!(ready, facts, "{what}: ready threads");

    let mut waits: Vec<_> = rows(|emit| source.wait_objects(&Want::ALL, emit))
        .into_iter()
        .map(|w| (w.ethread.ok(), w.index.ok(), w.wait_type.ok()))
        .collect();
    let mut facts = Vec::new();
    for (_, thread) in threads() {
        if let ThreadState::Gate { .. } = &thread.state {
            // A gate has no wait block, and so no type of wait.
            let kind = (!has_gates(spec.windows)).then(|| "WaitAny".to_owned());
            facts.push((Some(thread.ethread), Some(0), kind));
        }
        if let ThreadState::Waiting { all, objects, .. } = &thread.state {
            let kind = if *all { "WaitAll" } else { "WaitAny" };
            for index in 0..objects.len().max(1) {
                facts.push((Some(thread.ethread), signed(index as u64), Some(kind.to_owned())));
            }
        }
    }
    waits.sort_unstable();
    facts.sort_unstable();
    assert_eq!(waits, facts, "{what}: objects that are waited for");

    let mut unloaded: Vec<_> = rows(|emit| source.unloaded_modules(&Want::ALL, emit))
        .into_iter()
        .map(|u| (u.name.ok(), u.start.ok(), u.end.ok(), u.unload_time.is_ok()))
        .collect();
    let of =
        |u: &synth::UnloadedDriver| (Some(u.name.clone()), Some(u.start), Some(u.end), u.time != 0);
    let mut facts: Vec<_> = system.facts.unloaded.iter().map(of).collect();
    unloaded.sort_unstable();
    facts.sort_unstable();
    assert_eq!(unloaded, facts, "{what}: unloaded drivers");

    let counters = rows(|emit| source.vm(&Want::ALL, emit));
    let pages = |name: &str| {
        let row = counters.iter().find(|row| row.name.as_deref() == Ok(name));
        row.and_then(|row| row.pages.ok())
    };
    let facts = &system.facts.counters;
    assert_eq!(pages("Available Pages"), signed(facts.available), "{what}");
    assert_eq!(pages("Committed pages"), signed(facts.committed), "{what}");
    assert_eq!(pages("Commit limit"), signed(facts.commit_limit), "{what}");
    assert_eq!(pages("NonPagedPool Max"), signed(facts.nonpaged_maximum), "{what}");
}

#[test]
fn lists_and_numbers_are_those_that_the_system_was_built_with() {
    for windows in ALL {
        compare_lists(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull);
    }
    compare_lists("the server", &synth::server_2003(), Format::KernelSummary);
}

/// Every block of pool that was made is listed and nothing else is, and so are big ones by themselves.
fn compare_pool(what: &str, spec: &SystemSpec, format: Format, symbols: Option<&Path>) {
    let has_symbols = symbols.is_some();
    let system = synth::system(spec);
    assert_eq!(system.missing, Vec::<String>::new(), "{what}");
    let image = Image::from_bytes("it", system.to_vec(format));
    let search =
        Search { paths: symbols.map(Path::to_owned).into_iter().collect(), ..Search::default() };
    let store = Store::new(&search).unwrap();
    let source = source::open(image, &store).expect("it is a kernel dump");
    let state = |block: &synth::PoolBlock| match block.state {
        synth::PoolState::Free => "free",
        synth::PoolState::Protected => "allocated, protected",
        synth::PoolState::Used => "allocated",
    };
    // What is free in a segment heap keeps no tag.
    let tag = |block: &synth::PoolBlock| {
        String::from_utf8_lossy(&block.tag).trim_matches('\0').to_owned()
    };
    let kind = |block: &synth::PoolBlock| match (block.is_paged, block.session.is_some()) {
        (true, false) => "paged",
        (false, false) => "nonpaged",
        (true, true) => "paged session",
        (false, true) => "nonpaged session",
    };
    // Sessions see their pools at the same addresses, one after the other.
    let pool_of = |block: &synth::PoolBlock| block.session.filter(|_| block.is_paged);
    // Before Vista only symbols say where the big allocations of sessions are.
    let is_old = spec.windows.build() < 6000;
    let is_shown = |block: &&synth::PoolBlock| {
        let is_named = block.is_big && pool_of(block).is_some();
        has_symbols || !is_old || !is_named
    };
    assert!(system.pool.iter().filter(|block| block.is_special).count() >= 5, "{what}");
    let mut facts: Vec<_> = system
        .pool
        .iter()
        .filter(is_shown)
        .map(|b| (pool_of(b), b.address, signed(b.bytes), tag(b), kind(b), state(b), b.is_big))
        .collect();
    facts.sort_unstable();
    let blocks = rows(|emit| source.pool_allocations(&Want::ALL, emit));
    let listed: Vec<_> = blocks
        .iter()
        .map(|b| {
            let text = |cell: &Result<String, _>| cell.clone().unwrap_or_default();
            let of = (text(&b.tag), text(&b.pool_type), text(&b.state));
            (b.address.unwrap(), b.size_bytes.ok(), of, b.is_big.unwrap())
        })
        .collect();
    let expected: Vec<_> = facts
        .iter()
        .map(|(_, at, size, tag, kind, state, big)| {
            (*at, *size, (tag.clone(), (*kind).to_owned(), (*state).to_owned()), *big)
        })
        .collect();
    let odd: Vec<_> = listed.iter().filter(|row| !expected.contains(row)).take(3).collect();
    let missed: Vec<_> = expected.iter().filter(|row| !listed.contains(row)).take(3).collect();
    assert!(odd.is_empty() && missed.is_empty(), "{what}: {odd:x?} and not {missed:x?}");
    assert_eq!(listed, expected, "{what}: the order");
    let charged: Vec<_> =
        blocks.iter().filter_map(|b| Some((b.address.ok()?, b.eprocess.ok()?))).collect();
    let mut facts: Vec<_> =
        system.pool.iter().filter(|b| b.process != 0).map(|b| (b.address, b.process)).collect();
    facts.sort_unstable();
    // Since Windows 8 a number that only symbols name hides the process.
    let is_hidden = !has_symbols && spec.windows.build() >= 9200;
    assert!(!facts.is_empty());
    assert_eq!(charged, if is_hidden { Vec::new() } else { facts }, "{what}: charged processes");
    let big: Vec<_> = rows(|emit| source.big_pool(&Want::ALL, emit))
        .into_iter()
        .map(|b| (b.session.ok(), b.address.ok(), b.size_bytes.ok(), b.is_free.ok()))
        .collect();
    let mut facts: Vec<_> = system
        .pool
        .iter()
        .filter(|b| b.is_big && is_shown(b))
        .map(|b| (pool_of(b), b.address, signed(b.bytes), b.state == synth::PoolState::Free))
        .collect();
    facts.sort_unstable();
    let facts: Vec<_> = facts
        .into_iter()
        .map(|(session, at, size, free)| (session.map(i64::from), Some(at), size, Some(free)))
        .collect();
    assert_eq!(big, facts, "{what}: big blocks");
}

/// For every page with pool what a map shows of it, by the session that it is of.
fn pool_map(system: &synth::System) -> BTreeMap<(i64, u64), char> {
    let is_old = system.facts.windows.build() < 6000;
    let has_own_place = system.facts.windows.build() < 18362;
    let mut pages = BTreeMap::new();
    for block in &system.pool {
        let session = block.session.filter(|_| block.is_paged).map_or(-1, i64::from);
        // Before the segment heap special pool has no place in the others, and before Vista without
        // symbols nothing says how pages of sessions lie.
        let is_unknown = is_old && session >= 0;
        if has_own_place && block.is_special {
            continue;
        }
        if !block.is_big {
            let last = block.address + block.bytes - 1;
            let all = block.address >> 12..=last >> 12;
            pages.extend(all.map(|page| ((session, page << 12), 'O')));
        } else if block.state != synth::PoolState::Free {
            let count = block.bytes / 0x1000;
            for page in 0..count {
                let marks = if block.paged_out.contains(&page) { "P{-}" } else { "O<=>" };
                let place = match (page, count) {
                    (_, 1) => 0,
                    (0, _) => 1,
                    _ if page + 1 == count => 3,
                    _ => 2,
                };
                let mark = if is_unknown { '?' } else { char::from(marks.as_bytes()[place]) };
                pages.insert((session, block.address + page * 0x1000), mark);
            }
        }
    }
    pages
}

#[test]
fn the_map_of_the_pool_is_what_was_made() {
    for windows in ALL {
        let system = synth::system(&synth::healthy(windows));
        let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
        let session = Session::from_images(vec![image], &Options::default()).unwrap();
        let facts = pool_map(&system);
        let rows: BTreeSet<(i64, u64)> =
            facts.keys().map(|(session, page)| (*session, page & !0x3_ffff)).collect();
        let expected: Vec<String> = rows
            .into_iter()
            .map(|(session, row)| {
                let mark = |i: u64| facts.get(&(session, row + i * 0x1000)).copied().unwrap_or('.');
                let part = |part: u64| (part * 16..part * 16 + 16).map(mark).collect::<String>();
                let parts = (0..4).map(part).collect::<Vec<_>>().join(" ");
                format!("{session} {row:X}: {parts}")
            })
            .collect();
        let sql = include_str!("../../queries/pool-map.sql");
        let sql = format!(
            "SELECT coalesce(session, -1) || ' ' || ltrim(hex(address), '0x') || ': ' || map \
             FROM ({}) ORDER BY coalesce(session, -1), address",
            sql.trim_end().trim_end_matches(';')
        );
        let result = session.query(&sql).unwrap();
        let shown: Vec<String> =
            result.rows().map(|row| row.get(0).as_text().unwrap().to_owned()).collect();
        assert_eq!(shown, expected, "{windows:?}");
        assert!(shown.iter().any(|row| row.contains("<--}") || row.contains("<-->")), "{shown:?}");
    }
}

/// What a search found is kept, belongs to its file, and is not believed when it is damaged.
#[test]
fn an_index_gives_what_the_search_gave() {
    let folder = std::env::temp_dir().join(format!("dumpql-index-{}", std::process::id()));
    let (path, cache) = (folder.join("a.dmp"), folder.join("cache"));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |spec: &SystemSpec| {
        std::fs::write(&path, synth::system(spec).to_vec(Format::BitmapFull)).unwrap();
    };
    let blocks = |cache: Option<&Path>, sql: &str| {
        let options = Options { cache: cache.map(Path::to_owned), ..Options::default() };
        let session = Session::open_with(&[&path], &options).unwrap();
        let result = session.query(sql).unwrap();
        let row = |row| (0..result.fields().len()).map(|column| result.text(row, column)).collect();
        (0..result.len()).map(row).collect::<Vec<Vec<String>>>()
    };
    let kept_of = |is_of_pages: bool| -> Vec<std::path::PathBuf> {
        let Ok(files) = std::fs::read_dir(&cache) else { return Vec::new() };
        let files = files.map(|file| file.unwrap().path());
        let is_asked = |path: &std::path::PathBuf| {
            path.to_string_lossy().contains("poolpages-") == is_of_pages
        };
        files.filter(is_asked).collect()
    };
    let kept = || kept_of(false);
    let all = "SELECT * FROM pool_allocations";
    let some = "SELECT * FROM pool_allocations WHERE tag = 'Ddk '";
    let map = "SELECT * FROM pool_pages";
    let row = "SELECT * FROM (SELECT * FROM pool_pages) WHERE state = 'unused' LIMIT 70";
    let objects = "SELECT driver, is_listed FROM drivers UNION ALL SELECT found_in, true FROM irps";
    write(&synth::healthy(Windows::Windows10));
    let (searched, searched_some) = (blocks(None, all), blocks(None, some));
    let others = [map, row, objects];
    let searched_others = others.map(|sql| blocks(None, sql));
    let same_others = || {
        for (sql, searched) in others.iter().zip(&searched_others) {
            assert_eq!(blocks(Some(&cache), sql), *searched, "{sql}");
        }
    };
    assert!(kept().is_empty(), "nothing is kept unasked");
    // A search that ends early keeps nothing; one with a condition keeps all.
    blocks(Some(&cache), "SELECT * FROM pool_allocations LIMIT 3");
    assert!(kept().is_empty());
    assert_eq!(blocks(Some(&cache), some), searched_some);
    let index = kept().pop().expect("an index was kept");
    assert_eq!(blocks(Some(&cache), all), searched);
    same_others();
    // A condition on addresses finds the same with an index.
    let address = |part: usize| &searched_others[0][searched_others[0].len() / 8 * part][0];
    let (from, at) = (address(2), address(5));
    for condition in [format!("= {at}"), format!("> {at}"), format!("BETWEEN {from} AND {at}")] {
        let sql = format!("SELECT * FROM pool_pages WHERE address {condition}");
        let found = blocks(Some(&cache), &sql);
        assert!(!found.is_empty() && found == blocks(None, &sql), "{sql}");
    }
    let sql = format!("SELECT * FROM pool_pages WHERE address BETWEEN {from} AND {at}");
    let eighth = searched_others[0].len() / 8;
    assert_eq!(blocks(None, &sql), searched_others[0][2 * eighth..=5 * eighth]);
    // Whatever the first question is, it serves all.
    std::fs::remove_dir_all(&cache).unwrap();
    assert_eq!(blocks(Some(&cache), map), searched_others[0]);
    assert_eq!((kept().len(), kept_of(true).len()), (1, 1));
    let pages = kept_of(true).pop().unwrap();
    let whole = std::fs::read(&pages).unwrap();
    for at in [3, 20, 33, 44, 60, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&pages, &damaged).unwrap();
        same_others();
        assert_eq!(std::fs::read(&pages).unwrap(), whole, "byte {at}");
    }
    let whole = std::fs::read(&index).unwrap();
    assert!(whole.len() > 48 + 32 * searched.len() / 2);
    for at in [3, 20, 33, 44, 60, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        std::fs::write(&index, &damaged).unwrap();
        assert_eq!(blocks(Some(&cache), all), searched, "byte {at}");
        // The search has put a sound one in its place.
        assert_eq!(std::fs::read(&index).unwrap(), whole, "byte {at}");
    }
    std::fs::write(&index, &whole[..whole.len() - 32]).unwrap();
    assert_eq!(blocks(Some(&cache), all), searched, "cut off");
    // Another file of the same name has an index of its own.
    let spec = synth::healthy(Windows::Windows10);
    let pool = spec.pool.iter().filter(|request| request.tag != *b"Ddk ").cloned().collect();
    write(&SystemSpec { pool, ..spec });
    assert_eq!(blocks(Some(&cache), some), Vec::<Vec<String>>::new());
    assert_eq!(kept().len(), 2);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_search_says_how_far_it_is_and_ends_when_told() {
    use dumpql::model::Progress;
    use std::sync::atomic::{AtomicBool, Ordering};

    let system = synth::system(&synth::healthy(Windows::Windows10));
    let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
    let source = source::open(image, &Store::default()).unwrap();
    let (progress, cancelled) = (Progress::default(), AtomicBool::new(false));
    let want = Want::ALL.telling(&progress).until(&cancelled);
    let (mut rows, mut seen) = (0, Vec::new());
    let mut count = |_: dumpql::model::PoolBlock| {
        rows += 1;
        seen.push(progress.searched().expect("a search is going on"));
        std::ops::ControlFlow::Continue(())
    };
    source.pool_allocations(&want, &mut count).unwrap();
    assert_eq!(progress.searched(), None);
    assert!(seen.iter().all(|(done, all)| done <= all && *all > 0));
    assert!(seen.is_sorted() && seen.last().is_some_and(|(done, all)| done == all));
    // Blocks that are handed over once the query is cancelled are those of one batch.
    assert!(rows > 0);
    let mut count = |_: dumpql::model::PoolPage| {
        cancelled.store(true, Ordering::Relaxed);
        std::ops::ControlFlow::Continue(())
    };
    source.pool_pages(&want, &mut count).unwrap();
    assert!(cancelled.load(Ordering::Relaxed));
    assert_eq!(progress.searched(), None);
    source.pool_pages(&want, &mut |_| panic!("nobody waits for pages")).unwrap();
}

/// With the symbols of the kernel nothing of its pool is hidden.
#[test]
fn symbols_show_the_rest_of_the_pool() {
    let Some(folder) = crate::corpus::folder() else { return };
    for (windows, guid) in [
        (Windows::Windows7, "339E74133576439CBCDF7E0229DA3773"),
        (Windows::Windows81, "22597D0B40394E23936F6A24C6C52D5B"),
        (Windows::Windows10, "5278AFF86C341677D7D7835C85B7B844"),
        (Windows::Windows11, "32C1A669D5FFEFD41091F636CFDB6E99"),
    ] {
        let isf = folder.join(format!("layouts/isf/windows/ntkrnlmp.pdb/{guid}-1.json.xz"));
        let file = synth::KernelFile::parse(&crate::volatility::unpack(&isf)).unwrap();
        let kernel = Some(std::sync::Arc::new(file));
        let spec = SystemSpec { kernel, ..synth::healthy(windows) };
        compare_pool(&format!("{windows:?} with symbols"), &spec, Format::BitmapFull, Some(&isf));
    }
}

#[test]
fn conditions_on_blocks_of_pool_leave_out_nothing() {
    let system = synth::system(&synth::healthy(Windows::Windows7));
    let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
    let session = Session::from_images(vec![image], &Options::default()).unwrap();
    let addresses = |sql: &str| -> Vec<String> {
        let result = session.query(sql).unwrap();
        (0..result.len()).map(|row| result.text(row, 0)).collect()
    };
    let some = system.pool.iter().find(|block| block.tag == *b"Ddk ").unwrap().address;
    for condition in [
        "tag = 'Ddk '".to_owned(),
        "tag IN ('CM25', 'Even', 'none')".to_owned(),
        "pool_type = 'paged' AND state = 'free'".to_owned(),
        format!("address BETWEEN {some:#x} AND {some:#x} + 0x1800"),
        format!("address > {some:#x} AND tag = 'MyAV'"),
        format!("address = {some:#x}"),
        "address IN (1, 2)".to_owned(),
    ] {
        let hinted = addresses(&format!("SELECT address FROM pool_allocations WHERE {condition}"));
        // A condition over all rows is no hint to the scan.
        let all = addresses(&format!(
            "SELECT address FROM (SELECT * FROM pool_allocations LIMIT 1000000) WHERE {condition}"
        ));
        assert_eq!(hinted, all, "{condition}");
        assert_eq!(hinted.is_empty(), condition.contains("(1, 2)"), "{condition}");
    }
}

#[test]
fn blocks_of_pool_are_those_that_were_made() {
    for windows in ALL {
        compare_pool(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull, None);
    }
    compare_pool("the server", &synth::server_2003(), Format::KernelSummary, None);
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

#[test]
fn tables_list_what_the_system_was_built_from() {
    for windows in ALL {
        compare(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull);
    }
    let forms = [Format::KernelSummary, Format::BitmapKernel];
    for format in forms {
        compare(&format!("the server as {format:?}"), &synth::server_2003(), format);
    }
    for format in [Format::KernelMemory, Format::KernelAndUserMemory, Format::CompleteMemory] {
        compare(&format!("{format:?}"), &synth::healthy(Windows::Windows10), format);
    }
}

/// The stacks of every thread, frame by frame; of dumps without the pages of processes as far as the
/// place where the kernel was entered.
fn compare_stacks(what: &str, spec: &SystemSpec, format: Format, has_user: bool) {
    let system = synth::system(spec);
    let image = Image::from_bytes("it", system.to_vec(format));
    let source = source::open(image, &Store::default()).expect("it is a kernel dump");
    let frames = rows(|emit| source.stacks(&Want::ALL, emit));
    let is_64_bit = source.machine().arch == "x64";
    let processes = system.facts.processes.iter().skip(1);
    let threads = processes.flat_map(|process| &process.threads);
    let mut walked = 0;
    for thread in threads.filter(|thread| !thread.frames.is_empty()) {
        let found: Vec<_> = frames.iter().filter(|f| f.ethread == Ok(thread.ethread)).collect();
        let is_kernels =
            |ip: u64| ip > u64::from(u32::MAX) && ip >> 47 != 0 || !is_64_bit && ip >> 31 == 1;
        let first_below = thread.frames.iter().position(|(ip, _)| !is_kernels(*ip));
        let wanted = match first_below {
            Some(first) if !has_user => &thread.frames[..=first],
            _ => &thread.frames[..],
        };
        let ips: Vec<u64> = found.iter().map(|frame| frame.ip.unwrap()).collect();
        let facts: Vec<u64> = wanted.iter().map(|(ip, _)| *ip).collect();
        assert_eq!(ips, facts, "{what}: thread {:#x}", thread.tid);
        if is_64_bit {
            let sps: Vec<u64> = found.iter().map(|frame| frame.sp.unwrap()).collect();
            let facts: Vec<u64> = wanted.iter().map(|(_, sp)| *sp).collect();
            assert_eq!(sps, facts, "{what}: thread {:#x}", thread.tid);
            let unwound = found[1..].iter().all(|f| f.trust.as_deref() == Ok("unwind"));
            assert!(unwound, "{what}: thread {:#x}", thread.tid);
        }
        let scanned = found.iter().any(|f| f.trust.as_deref() == Ok("scan"));
        assert!(!scanned, "{what}: thread {:#x}", thread.tid);
        if wanted.len() == thread.frames.len() {
            assert_eq!(found.last().unwrap().return_address, Ok(0), "{what}: the end");
        }
        let modules: Vec<_> = found.iter().filter_map(|f| f.module.as_deref().ok()).collect();
        assert_eq!(modules[0], "nt");
        if has_user && first_below.is_some() {
            assert_eq!(modules.last(), Some(&"ntdll"), "{what}: thread {:#x}", thread.tid);
        }
        walked += 1;
    }
    assert!(walked > 20, "{what}: {walked} threads");
}

#[test]
fn stacks_are_those_of_the_calls_that_were_made() {
    let with_stacks = |windows| SystemSpec { stacks: true, ..synth::healthy(windows) };
    for windows in ALL {
        let spec = with_stacks(windows);
        compare_stacks(&format!("{windows:?}"), &spec, Format::BitmapFull, true);
    }
    for windows in [Windows::Server2003, Windows::Server2003Pae, Windows::Windows10] {
        let spec = with_stacks(windows);
        for format in [Format::KernelSummary, Format::BitmapKernel] {
            compare_stacks(&format!("{windows:?} as {format:?}"), &spec, format, false);
        }
    }
    let spec = with_stacks(Windows::Windows11);
    for format in [Format::Full, Format::KernelAndUserMemory, Format::CompleteMemory, Format::Raw] {
        let spec = SystemSpec { physical_pages: 0x2000, ..spec.clone() };
        compare_stacks(&format!("{format:?}"), &spec, format, true);
    }
}

#[test]
fn stacks_with_damage_end() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let spec = SystemSpec { stacks: true, physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let whole = system.to_vec(Format::BitmapFull);
        let words: Vec<u64> = system
            .facts
            .processes
            .iter()
            .flat_map(|process| &process.threads)
            .flat_map(|thread| thread.frames.iter().flat_map(|(ip, sp)| [*ip, *sp]))
            .collect();
        // Where words of stacks stand in the file, and with them most of what a walk follows.
        let width = if windows == Windows::Windows10 { 8 } else { 4 };
        let places: Vec<usize> = (0x2000..whole.len() - width)
            .step_by(width)
            .filter(|at| {
                let mut word = [0; 8];
                word[..width].copy_from_slice(&whole[*at..at + width]);
                words.contains(&u64::from_le_bytes(word))
            })
            .collect();
        assert!(places.len() > 100, "{} places", places.len());
        for _ in 0..100 {
            let mut edited = whole.clone();
            for _ in 0..50 {
                let near = places[usize::try_from(next()).unwrap() % places.len()];
                let at = near + 8 * (usize::try_from(next()).unwrap() % 8);
                let word = words[usize::try_from(next()).unwrap() % words.len()];
                let word = if next() % 3 == 0 { next() } else { word };
                if let Some(place) = edited.get_mut(at..at + width) {
                    place.copy_from_slice(&word.to_le_bytes()[..width]);
                }
            }
            let source = source::open(Image::from_bytes("it", edited), &Store::default());
            let frames = rows(|emit| source.as_ref().unwrap().stacks(&Want::ALL, emit));
            assert!(frames.iter().all(|frame| frame.frame.unwrap() < 1024));
        }
    }
}

/// The words of every stack, and what a stack says of its thread.
#[test]
fn words_and_verdicts_of_stacks_are_those_of_the_calls() {
    for windows in [Windows::Server2003Pae, Windows::Windows7, Windows::Windows11] {
        let spec = SystemSpec { stacks: true, physical_pages: 0x2000, ..synth::healthy(windows) };
        let system = synth::system(&spec);
        let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
        let source = source::open(image, &Store::default()).expect("it is a kernel dump");
        let words = rows(|emit| source.raw_stack(&Want::ALL, emit));
        let threads = rows(|emit| source.threads(&Want::ALL, emit));
        let processes = system.facts.processes.iter().skip(1);
        let built = || processes.clone().flat_map(|p| p.threads.iter().map(move |t| (p, t)));
        for (_, thread) in built().filter(|(_, t)| !t.frames.is_empty()) {
            let mine: Vec<_> = words.iter().filter(|w| w.ethread == Ok(thread.ethread)).collect();
            let last = mine.last().expect("words").address.unwrap();
            assert!(last < thread.stack.2 && last >= thread.stack.2 - 8, "up to the base");
            // Each call of the kernel but the innermost left its return address there.
            let kernels = thread.frames.iter().filter(|(ip, _)| source.locate(*ip).is_ok());
            let kernels = kernels.filter(|(ip, _)| source.locate(*ip).unwrap().module == "nt");
            for (ip, _) in kernels.skip(1) {
                let word = mine.iter().find(|word| word.value == Ok(*ip));
                let entry = thread.frames.iter().position(|(at, _)| at == ip).unwrap();
                let is_entry = thread.trap_frame != 0
                    && thread
                        .frames
                        .get(entry + 1)
                        .is_some_and(|(ip, _)| source.locate(*ip).is_err());
                let Some(word) = word else {
                    assert!(is_entry || thread.state == ThreadState::Running, "{ip:#x} is missing");
                    continue;
                };
                assert_eq!(word.is_return_address, Ok(true));
                assert!(word.symbol.as_deref().unwrap().starts_with("nt"));
            }
        }
        // A condition on the thread leaves the words of others out.
        let (_, one) = built().find(|(_, t)| !t.frames.is_empty()).unwrap();
        let op = HintOp::In(vec![Value::Addr(one.ethread)]);
        let conditions = [Condition { column: "ethread", op: &op }];
        let want = Want::ALL.with(&conditions);
        let few = rows(|emit| source.raw_stack(&want, emit));
        assert!(!few.is_empty() && few.iter().all(|word| word.ethread == Ok(one.ethread)));
        // Threads share a number if they stand in the same calls of the same modules.
        let mut known = std::collections::BTreeMap::new();
        for (process, thread) in built().filter(|(_, t)| !t.frames.is_empty()) {
            let row = threads.iter().find(|t| t.ethread == Ok(thread.ethread)).unwrap();
            let ips: Vec<u64> = thread.frames.iter().map(|(ip, _)| *ip).collect();
            let has_user = thread.trap_frame != 0;
            let program = if has_user { process.name.as_str() } else { "" };
            let id = row.stack_id.expect("a number");
            assert_eq!(*known.entry((program, ips)).or_insert(id), id);
            // The kernel has no symbols here: what is not in it nor in ntdll is the program.
            match row.blocker.as_deref() {
                Ok(blocker) => {
                    assert!(!program.is_empty() && !blocker.starts_with("nt"), "{blocker}");
                }
                Err(reason) => assert_eq!((program, *reason), ("", Absent::NoSymbols)),
            }
        }
        let mut ids: Vec<u64> = known.values().copied().collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), known.len(), "other stacks have other numbers");
    }
}
