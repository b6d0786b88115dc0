//! Properties of reads: a read that is split anywhere gives the same bytes, and page table walks
//! agree with an independent walker.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Gva, Machine, Mode, PAGE, PageMap, Region, Regions, Run, Runs};

const FILE: usize = 4096;

fn file() -> Vec<u8> {
    (0..FILE).map(|i| (i * 31 % 251) as u8).collect()
}

/// Regions close to each other, so that some touch, some overlap and some lie beyond the end of the
/// file.
fn regions() -> impl Strategy<Value = Vec<Region>> {
    let region = (0u64..600, 1u64..120, 0u64..FILE as u64 + 64);
    let region = region.prop_map(|(start, len, offset)| Region { start, len, offset });
    vec(region, 1..12)
}

/// The byte at an address, by examining every region: the region that starts first wins; of two
/// that start together the first of the list.
fn slowly(regions: &[Region], file: &[u8], at: u64) -> Option<u8> {
    let holds = |region: &&Region| region.start <= at && at < region.start + region.len;
    let mut all: Vec<&Region> = regions.iter().filter(holds).collect();
    all.sort_by_key(|region| region.start);
    // A region that starts earlier but ends before the address gives way.
    let region = all.first()?;
    file.get((region.offset + at - region.start) as usize).copied()
}

proptest! {
    #[test]
    fn a_read_split_anywhere_is_one_read(
        regions in regions(),
        at in 0u64..700,
        len in 0usize..200,
        cuts in vec(0usize..200, 0..4),
    ) {
        let file = file();
        let regions = Regions::new(regions);
        let mut whole = vec![0; len];
        let at_once = regions.read(&file, Gva(at), &mut whole);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(len)).chain([0, len]).collect();
        cuts.sort_unstable();
        let mut parts = vec![0; len];
        let split = cuts.windows(2).all(|cut| {
            regions.read(&file, Gva(at + cut[0] as u64), &mut parts[cut[0]..cut[1]]).is_ok()
        });
        prop_assert_eq!(at_once.is_ok(), split);
        if split {
            prop_assert_eq!(whole, parts);
        }
    }

    #[test]
    fn regions_give_the_bytes_of_the_first_that_holds_them(list in regions(), at in 0u64..800) {
        let file = file();
        let mut byte = [0];
        let found = Regions::new(list.clone()).read(&file, Gva(at), &mut byte).ok().map(|()| byte[0]);
        let starts_apart = list.iter().all(|a| list.iter().filter(|b| a.start == b.start).count() == 1);
        prop_assume!(starts_apart);
        // Where regions overlap, the one that starts first keeps the address.
        prop_assert_eq!(found, slowly(&list, &file, at));
    }

    #[test]
    fn page_tables_agree_with_the_independent_walker(
        entries in vec((0usize..4, 0usize..512, 0u64..8, any::<bool>(), any::<bool>()), 1..200),
        indexes in vec((0u64..512, 0u64..512, 0u64..512, 0u64..512), 1..40),
        used in vec(0usize..200, 0..40),
    ) {
        // Four tables at pages 0 to 3, data at 4 to 7; entries lead to any of them.
        let mut file = vec![0; 8 * PAGE as usize];
        for &(table, index, page, present, large) in &entries {
            let entry = (page * PAGE) | u64::from(present) | (u64::from(large) << 7);
            let at = table * PAGE as usize + index * 8;
            file[at..at + 8].copy_from_slice(&entry.to_le_bytes());
        }
        let runs = vec![Run { first: 0, pages: 8, offset: 0 }];
        let map = PageMap::Runs(Runs::new(runs, file.len() as u64));
        let machine = Machine::new(map, Mode::X64, 0);
        let chosen = used.iter().filter_map(|i| entries.get(*i)).map(|entry| entry.1 as u64);
        let chosen: Vec<u64> = chosen.collect();
        let paths = chosen.windows(4).map(|way| (way[0], way[1], way[2], way[3]));
        for (a, b, c, d) in indexes.into_iter().chain(paths) {
            let at = (a << 39 | b << 30 | c << 21 | d << 12) | 0x123;
            let at = (at << 16).cast_signed() >> 16;
            let at = at.cast_unsigned();
            let entry = |table: u64, index: u64| {
                let start = usize::try_from(table + index * 8).ok()?;
                let bytes = file.get(start..start + 8)?;
                Some(u64::from_le_bytes(bytes.try_into().ok()?))
            };
            // Here only the lowest bit decides about an entry, because the other bits with a
            // meaning are never set.
            let walk = || {
                let mut table = 0;
                for (level, index) in [(4, a), (3, b), (2, c), (1, d)] {
                    let found = entry(table, index)?;
                    if found & 1 == 0 {
                        return None;
                    }
                    let size = 1u64 << (12 + 9 * (level - 1));
                    if level == 1 || level < 4 && found & 0x80 != 0 {
                        return Some((found & 0xf_ffff_ffff_f000) / size * size + at % size);
                    }
                    table = found & 0xf_ffff_ffff_f000;
                }
                None
            };
            let found = machine.translate(&file, machine.kernel(), Gva(at)).ok();
            prop_assert_eq!(found.map(|found| found.address.0), walk());
        }
    }
}
