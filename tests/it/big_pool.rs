//! The table of big pool allocations with random damage: undamaged entries are listed, with and
//! without symbols.

use dumpql::internals::dump::Image;
use dumpql::internals::model::{BigBlock, Want};
use dumpql::internals::source;
use dumpql::internals::symbol::{Search, Store};
use dumpql::internals::synth::{self, Format, PoolState, SystemSpec, Windows};

use crate::system::Names;
use crate::systems::rows;

const EDITS: usize = 1_000;

#[test]
fn damaged_entries_hide_no_other_entry() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % end as u64).unwrap()
    };
    for windows in [Windows::Server2003Pae, Windows::Windows10] {
        let spec = SystemSpec { physical_pages: 0x4000, ..synth::healthy(windows) };
        let built = synth::system(&spec);
        let names = Names::of(&built);
        let named = Search { paths: vec![names.path().to_owned()], ..Search::default() };
        let stores = [Store::new(&named).unwrap(), Store::default()];
        let whole = built.to_vec(Format::BitmapFull);
        let width = if windows == Windows::Windows10 { 8 } else { 4 };
        let facts: Vec<_> = built
            .pool
            .iter()
            .filter(|block| block.is_big && block.session.is_none())
            .map(|block| {
                let free = u64::from(block.state == PoolState::Free);
                let mut entry = (block.address | free).to_le_bytes()[..width].to_vec();
                entry.extend(block.tag);
                let at = whole.windows(entry.len()).position(|bytes| bytes == entry);
                (at.expect("it has an entry"), block.address, i64::try_from(block.bytes).unwrap())
            })
            .collect();
        assert!(facts.len() > 8, "{windows:?}");
        for edit in 0..EDITS {
            let mut edited = whole.clone();
            // Half of the damage is where an entry is.
            let near = facts[below(facts.len())].0;
            let page = near & !0xfff;
            let from = if edit % 2 == 0 { near } else { page + below(0xfc0) } + below(24);
            let to = from + 1 + below(64);
            for byte in &mut edited[from..to] {
                *byte = u8::try_from(below(256)).unwrap();
            }
            let image = Image::from_bytes("it", edited);
            let source = source::open(image, &stores[edit / 2 % 2]).expect("it is a kernel dump");
            let found: Vec<_> = rows(|emit| source.answers().read::<BigBlock>(&Want::ALL, emit))
                .into_iter()
                .map(|block| (block.address.ok(), block.size_bytes.ok()))
                .collect();
            for (at, address, bytes) in &facts {
                let is_touched = from < at + 24 && to > *at;
                let is_listed = found.contains(&(Some(*address), Some(*bytes)));
                assert!(is_touched || is_listed, "{windows:?} {edit}: {address:#x} is hidden");
            }
        }
    }
}
