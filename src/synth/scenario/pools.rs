//! Pool usage of the scenarios, with the numbers of published listings.

use crate::synth::system::TagUse;

/// Non-paged pool of a workstation that is well.
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

/// Pool of a server whose registry and antivirus product use much, and one of whose drivers does not
/// free what it allocates.
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
