//! Pool blocks and pool pages of whole synthetic systems.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dumpql::internals::dump::Image;
use dumpql::internals::model::{BigBlock, Control, PoolBlock, PoolPage, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::{Options, Session};

use crate::systems::{ALL, rows};

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// Every pool block of the system and no other is listed, and so are the big allocations.
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
    let blocks = rows(|emit| source.answers().read::<PoolBlock>(&Want::ALL, emit));
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
    // Since Windows 8 the pointer to the charged process is encoded with a value that only symbols
    // name.
    let is_hidden = !has_symbols && spec.windows.build() >= 9200;
    assert!(!facts.is_empty());
    assert_eq!(charged, if is_hidden { Vec::new() } else { facts }, "{what}: charged processes");
    let big: Vec<_> = rows(|emit| source.answers().read::<BigBlock>(&Want::ALL, emit))
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

/// For every pool page the character of a map, by session.
fn pool_map(system: &synth::System) -> BTreeMap<(i64, u64), char> {
    let is_old = system.facts.windows.build() < 6000;
    let has_own_place = system.facts.windows.build() < 18362;
    let mut pages = BTreeMap::new();
    for block in &system.pool {
        let session = block.session.filter(|_| block.is_paged).map_or(-1, i64::from);
        // Before the segment heap special pool has ranges of its own, and before Vista the layout
        // of session pages is unknown without symbols.
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
fn the_pool_map_matches_the_system() {
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

/// The results of a search are cached, belong to their file, and are not used if they are damaged.
#[test]
fn an_index_gives_the_results_of_the_search() {
    let folder = std::env::temp_dir().join(format!("dumpql-index-{}", std::process::id()));
    let (path, cache) = (folder.join("a.dmp"), folder.join("cache"));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |spec: &SystemSpec| {
        std::fs::write(&path, synth::system(spec).to_vec(Format::BitmapFull)).unwrap();
    };
    let blocks = |cache: Option<&Path>, sql: &str| {
        let options = cache.map_or_else(Options::default, |at| Options::default().cache(at));
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
fn a_search_reports_progress_and_can_be_cancelled() {
    use dumpql::internals::model::Progress;
    use std::sync::atomic::{AtomicBool, Ordering};

    let system = synth::system(&synth::healthy(Windows::Windows10));
    let image = Image::from_bytes("it", system.to_vec(Format::BitmapFull));
    let source = source::open(image, &Store::default()).unwrap();
    let (progress, cancelled) = (Progress::default(), AtomicBool::new(false));
    let control = Control::NONE.telling(&progress).until(&cancelled);
    let (mut rows, mut seen) = (0, Vec::new());
    let mut count = |_: PoolBlock| {
        rows += 1;
        seen.push(progress.searched().expect("a search is going on"));
        std::ops::ControlFlow::Continue(())
    };
    source.answers().read(&Want::ALL.by(control), &mut count).unwrap();
    assert_eq!(progress.searched(), None);
    assert!(seen.iter().all(|(done, all)| done <= all && *all > 0));
    assert!(seen.is_sorted() && seen.last().is_some_and(|(done, all)| done == all));
    // Blocks that are handed over once the query is cancelled are those of one batch.
    assert!(rows > 0);
    let mut count = |_: PoolPage| {
        cancelled.store(true, Ordering::Relaxed);
        std::ops::ControlFlow::Continue(())
    };
    source.answers().read(&Want::ALL.by(control), &mut count).unwrap();
    assert!(cancelled.load(Ordering::Relaxed));
    assert_eq!(progress.searched(), None);
    let mut nobody = |_: PoolPage| panic!("nobody waits for pages");
    source.answers().read(&Want::ALL.by(control), &mut nobody).unwrap();
}

/// With kernel symbols the whole pool is visible.
#[test]
#[ignore = "needs the corpus (DUMPQL_CORPUS)"]
fn symbols_give_the_ranges_of_the_pool() {
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
fn conditions_on_pool_blocks_lose_no_match() {
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
fn pool_blocks_match_the_system() {
    for windows in ALL {
        compare_pool(&format!("{windows:?}"), &synth::healthy(windows), Format::BitmapFull, None);
    }
    compare_pool("the server", &synth::server_2003(), Format::KernelSummary, None);
}
