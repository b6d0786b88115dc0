//! Random missing pages: pages of whole systems are left out, so that every reader meets missing
//! memory in the middle of what it reads.

use dumpql::internals::dump::Image;
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::{Code, Options, Session};
use rayon::prelude::*;

use crate::system::Names;
use crate::watchdog::watch;

const PAGE: usize = 0x1000;

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

fn number(file: &[u8], at: usize) -> usize {
    let bytes = file[at..at + 8].try_into().expect("eight bytes");
    usize::try_from(u64::from_le_bytes(bytes)).expect("a small number")
}

/// A dump with a bitmap (type 5) without one in `share` of its pages.
fn with_holes(file: &[u8], header: usize, share: u64, seed: u64) -> Vec<u8> {
    let (first, bits, map) =
        (number(file, header + 0x20), number(file, header + 0x30), header + 0x38);
    let mut random = Random(seed);
    let mut out = file[..first].to_vec();
    let (mut from, mut kept) = (first, 0u64);
    for bit in 0..bits {
        let (byte, mask) = (map + bit / 8, 1 << (bit % 8));
        if file[byte] & mask == 0 {
            continue;
        }
        if random.below(share) == 0 {
            out[byte] &= !mask;
        } else {
            out.extend_from_slice(&file[from..from + PAGE]);
            kept += 1;
        }
        from += PAGE;
    }
    out[header + 0x28..header + 0x30].copy_from_slice(&kept.to_le_bytes());
    out
}

#[test]
fn missing_pages_cause_no_panic_and_every_null_has_a_reason() {
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let system = synth::system(&SystemSpec { physical_pages: 0x2000, ..synth::sick(windows) });
        let names = Names::of(&system);
        let options = Options::default().symbols([names.path()]);
        let file = system.to_vec(Format::BitmapFull);
        let header = if windows.is_64_bit() { 0x2000 } else { 0x1000 };
        let shares = [(2, 1), (5, 2), (20, 3), (100, 4), (500, 5), (2000, 6)];
        shares.into_par_iter().for_each(|(share, seed)| {
            let what = format!("{windows:?}, one of {share} pages missing");
            let _watched = watch(what.as_str());
            let holed = with_holes(&file, header, share, seed);
            let bytes = holed.len();
            let image = Image::from_bytes("holes", holed);
            // Without the pages of its tables a dump may not open.
            let Ok(session) = Session::from_images(vec![image], &options) else { return };
            for (table, columns) in tables(&session) {
                let wrong: Vec<String> = columns
                    .iter()
                    .map(|c| {
                        format!(
                            "count(CASE WHEN ({c} IS NULL) <> (why({c}) IS NOT NULL) THEN 1 END)"
                        )
                    })
                    .collect();
                let sql = format!("SELECT count(*), {} FROM {table}", wrong.join(" + "));
                let found = match session.query(&sql) {
                    Ok(found) => found,
                    Err(error) if error.code() == Code::NoSource => continue,
                    Err(error) => panic!("{what}: {sql}: {error}"),
                };
                let rows = found.value(0, 0).as_int().unwrap();
                assert!(usize::try_from(rows).unwrap() <= bytes, "{what}: {table}: {rows} rows");
                assert_eq!(found.text(0, 1), "0", "{what}: {table}");
            }
        });
    }
}

/// The tables that are read from sources, with their columns.
fn tables(session: &Session) -> Vec<(String, Vec<String>)> {
    let sql = "SELECT \"table\", name FROM meta.columns WHERE \"table\" NOT LIKE 'meta.%'";
    let found = session.query(sql).expect("the columns are known");
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for row in 0..found.len() {
        let (table, column) = (found.text(row, 0), format!("\"{}\"", found.text(row, 1)));
        match all.last_mut() {
            Some((last, columns)) if *last == table => columns.push(column),
            _ => all.push((table, vec![column])),
        }
    }
    all
}
