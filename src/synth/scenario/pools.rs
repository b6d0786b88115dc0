//! Pool usage of the scenarios, with the numbers of published listings.

use crate::synth::system::{
    Counters, PoolMap, PoolRequest, PoolState, SystemSpec, TagUse, Windows,
};

/// Nonpaged pool of a healthy workstation.
pub(super) fn healthy() -> Vec<TagUse> {
    [
        (*b"EtwB", 304, 134, 6_550_080),
        (*b"File", 32_630_649, 32_618_671, 3_752_928),
        (*b"Pool", 16, 11, 3_363_472),
        (*b"Ntfr", 204_791, 187_152, 2_258_704),
        (*b"FMsl", 199_039, 187_685, 2_179_968),
        (*b"MmCa", 250_092, 240_351, 2_134_368),
        (*b"ViMm", 135_503, 134_021, 1_783_824),
        (*b"Cont", 53, 12, 1_567_664),
        (*b"Thre", 72_558, 71_527, 1_234_064),
        (*b"VoSm", 872, 851, 1_220_544),
        (*b"NtFs", 8_122_505, 8_110_933, 1_190_960),
        (*b"AmlH", 1, 0, 1_048_576),
        (*b"SaSc", 20_281, 14_820, 1_048_512),
        (*b"RaRS", 1000, 0, 960_000),
    ]
    .map(|(tag, allocs, frees, bytes)| TagUse::nonpaged(tag, allocs, frees, bytes))
    .to_vec()
}

/// Pool usage of a session, besides the blocks that are built.
pub(super) fn session(id: u32) -> Vec<TagUse> {
    let more = u64::from(id) * 17;
    vec![
        TagUse::paged(*b"Gla5", 12_310 + more, 12_004, 214_016),
        TagUse::paged(*b"Gcac", 903 + more, 611, 402_944).and_nonpaged(3, 1, 512),
        TagUse::paged(*b"Usti", 77_001 + more, 76_020, 98_304),
        TagUse::paged(*b"Ttfd", 41 + more, 12, 61_440),
    ]
}

/// Pool usage of a session of the server; one session leaks drawing objects.
pub(super) fn of_user(id: u32) -> Vec<TagUse> {
    let mut tags = session(id);
    if id == 9 {
        tags.push(TagUse::paged(*b"Gh05", 912_345, 800_112, 27_262_976));
        tags.push(TagUse::paged(*b"Usqu", 41_220, 40_998, 3_145_728));
    }
    tags
}

/// Pool usage of a server whose registry and antivirus product use much pool, and one of whose
/// drivers leaks.
pub(super) fn sick() -> Vec<TagUse> {
    vec![
        TagUse::paged(*b"CM  ", 11_045, 0, 47_915_424).and_nonpaged(85, 0, 5_440),
        TagUse::paged(*b"MyAV", 186, 0, 14_391_520),
        TagUse::paged(*b"MmSt", 11_795, 0, 13_235_744),
        TagUse::paged(*b"Obtb", 2_712, 0, 11_108_352).and_nonpaged(709, 0, 90_752),
        TagUse::paged(*b"Ntff", 9_886, 0, 8_541_504).and_nonpaged(5, 0, 1_120),
        TagUse::nonpaged(*b"Ddk ", 9_074_558, 3_859_522, 41_720_288),
        TagUse::nonpaged(*b"MmCm", 43_787, 42_677, 4_546_560),
        TagUse::nonpaged(*b"LSwi", 1, 0, 3_072),
        TagUse::nonpaged(*b"TCPt", 3_281_838, 3_281_808, 53_440),
    ]
}

/// Blocks of every kind, besides those of the system's own objects.
pub(super) fn blocks() -> Vec<PoolRequest> {
    let request = |tag: &[u8; 4], count, bytes, is_paged| PoolRequest {
        tag: *tag,
        count,
        bytes,
        is_paged,
        ..PoolRequest::default()
    };
    let mut all = vec![
        request(b"CM25", 5, 0x2468, true),
        PoolRequest { paged_out: 1..3, ..request(b"MmSt", 2, 0x4000, true) },
        request(b"Ddk ", 24, 0x30, false),
        PoolRequest { is_lfh: true, ..request(b"AlMs", 80, 0x60, false) },
        PoolRequest { pid: 4, ..request(b"Even", 9, 0x48, false) },
        PoolRequest { state: PoolState::Protected, ..request(b"Mmdl", 3, 0x68, false) },
        PoolRequest { state: PoolState::Free, ..request(b"Ntfx", 7, 0x120, true) },
        request(b"MyAV", 2, 0x5000, false),
        PoolRequest { pid: 4, ..request(b"CcSc", 6, 0x138, true) },
        PoolRequest { state: PoolState::Free, ..request(b"NDpb", 1, 0x3000, false) },
    ];
    for session in 0..2 {
        let request = |tag, count, bytes, is_paged| PoolRequest {
            session: Some(session),
            ..request(tag, count, bytes, is_paged)
        };
        all.extend([
            request(b"Gh05", 30 + 3 * u64::from(session), 0x118, true),
            request(b"Usqu", 4, 0x68, true),
            PoolRequest { state: PoolState::Free, ..request(b"Gtmp", 3, 0x230, true) },
            request(b"Gla1", 2, 0x3800, true),
            request(b"Uspi", 5, 0x90, false),
            PoolRequest { is_lfh: true, ..request(b"Gfnt", 40, 0x50, true) },
        ]);
    }
    all.extend([
        PoolRequest { is_special: true, ..request(b"SpcA", 3, 0x1e4, false) },
        PoolRequest { is_special: true, ..request(b"SpcB", 2, 0x38, true) },
    ]);
    all
}

/// A Windows Server 2003 whose nonpaged pool is nearly exhausted, with parts of its published page
/// map, and the number of pages in use.
pub fn mapped() -> SystemSpec {
    let mut spec = super::healthy(Windows::Server2003Pae);
    spec.physical_pages = 851_775;
    spec.counters = Counters {
        available: 147_274,
        resident_available: 769_287,
        locked_io: 118,
        free_system_ptes: 184_910,
        free_nonpaged_ptes: 110,
        free_special: 0,
        modified: 168,
        modified_page_file: 168,
        nonpaged: 64_445,
        nonpaged_maximum: 64_640,
        paged: vec![21_912, 691, 706, 704, 708],
        paged_usage: 24_721,
        paged_maximum: 134_144,
        pool_failures: 429,
        shared_commit: 5_274,
        special_pool: 0,
        process_commit: 3_958,
        paged_commit: 24_785,
        driver_commit: 19_289,
        committed: 646_282,
        commit_limit: 1_860_990,
        ..spec.counters
    };
    if let Some(file) = spec.page_files.first_mut() {
        file.pages = (4_190_208 / 4, 4_175_708 / 4, 4_190_208 / 4, 4_190_208 / 4);
    }
    spec.pool.retain(|request| !request.is_special);
    spec.pool_tags = sick();
    spec.pool_map = PoolMap {
        start: 0x8278_0000,
        blocks: 0x9000_0000,
        paged: 0xc200_0000,
        rows: MAP.iter().map(|(at, text)| (*at, text.replace(' ', ""))).collect(),
        pages: 36_721,
    };
    spec
}

/// Parts of a page map of the nonpaged pool, 64 pages per row.
const MAP: [(u64, &str); 23] = [
    (0x8278_0000, "..OO.OO.OO..O.OO .O..OO.OO.OO..O. OO.O..OO.O..OO.. ..OO.O..OO.OO.OO"),
    (0x827c_0000, ".O..OO....OO..O. OO.OO.OO....OO.. O....O..OO....OO .O..OO.O..OO..O."),
    (0x8280_0000, "..O............. ................ ................ ................"),
    (0x8284_0000, "................ ................ ................ ................"),
    (0x8288_0000, "......O.....O... ..O.O.....O..... O.....O.....O... ..O.....O......."),
    (0x828c_0000, "..O.........O... ......OOO.....O. ....O.....O..... O.....O........."),
    (0x8290_0000, ".O.........OO... O....O........O. ......OO........ OO.O..O........."),
    (0x8294_0000, "...............O ..O.OO........OO ................ ...O.....O......"),
    (0x8298_0000, "O.........O..O.. ....O.........O. ........O.....O. ..O.........O..."),
    (0x829c_0000, "........O....... ..O...........O. .O..O...O..O.... ..O.........O..."),
    (0x82a0_0000, "......O..O...... O.........O..... ....O.........O. ................"),
    (0x82a4_0000, "............O... O..O.O......OO.. ......O.....O... ..O.....O...O.OO"),
    (0x893c_0000, "................ ................ ................ ................"),
    (0x8940_0000, "..........=..=.. ....=.....=..... =..=......=..=.. ....=..=......=."),
    (0x8944_0000, "..=............. ............=... =..=.....=..=... =...=.=.....==.."),
    (0x8948_0000, "....==......=.=. .........=...... ====.=.=........ ................"),
    (0x894c_0000, "................ ................ ..........=.=... ...==..........."),
    (0x8950_0000, "..=............. ..=............. ..=............. ..=............."),
    (0x8954_0000, "..=............. ..=............. ..=............. ..=...=.....=..="),
    (0x8958_0000, "......=..=...... =..=......=.==== ==..==.=....=... .=....=....=.==."),
    (0x895c_0000, "=.....==........ ..=............. =..=......=...=. ................"),
    (0x8960_0000, "........=...=..= .....=......=..= ==....=......... .........=....=."),
    (0x8964_0000, "..=...===...=... ==......=..=..=. ..=..=......=... ......=.=.....=."),
];
