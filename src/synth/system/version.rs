//! What differs between the versions of Windows that are built, beside their structures.

use super::spec::Windows;
use crate::synth::memory::Paging;

/// Facts of one version.
#[derive(Debug)]
pub(in crate::synth) struct Version {
    pub(in crate::synth) build: u16,
    pub(in crate::synth) service_pack: u8,
    pub(in crate::synth) arch: &'static str,
    pub(in crate::synth) paging: Paging,
    pub(in crate::synth) system: (u16, u16),
    pub(in crate::synth) build_lab: &'static str,
    /// Name of the kernel's PDB, and a GUID for it when no file gives one.
    pub(in crate::synth) pdb: (&'static str, &'static str),
    /// Where the kernel is by default, and how large it is.
    pub(in crate::synth) kernel: (u64, u32),
    /// Frame of the page directory, and the index of the entry by which it maps itself.
    pub(in crate::synth) directory: (u64, u64),
    /// Where pools, stacks and structures of the system begin.
    pub(in crate::synth) nonpaged: u64,
    pub(in crate::synth) paged: u64,
    pub(in crate::synth) stacks: u64,
    pub(in crate::synth) fixed: u64,
    /// Where every session sees its own structure, and its paged pool: the first address and the
    /// one after the last.
    pub(in crate::synth) session_space: u64,
    pub(in crate::synth) session_pool: (u64, u64),
    /// Where blocks with pages of their own are, where they have a place of their own.
    pub(in crate::synth) special: u64,
    pub(in crate::synth) is_server: bool,
}

impl Version {
    pub(in crate::synth) const fn of(windows: Windows) -> &'static Self {
        match windows {
            Windows::Server2003 => &SERVER_2003,
            Windows::Server2003Pae => &SERVER_2003_PAE,
            Windows::Windows7 => &WINDOWS_7,
            Windows::Windows81 => &WINDOWS_81,
            Windows::Windows10 => &WINDOWS_10,
            Windows::Windows11 => &WINDOWS_11,
        }
    }

    pub(in crate::synth) const fn is_64_bit(&self) -> bool {
        matches!(self.paging, Paging::X64)
    }

    /// Whether type indexes in object headers are hidden behind a cookie, as since Windows 10.
    pub(in crate::synth) const fn has_cookie(&self) -> bool {
        self.build >= 10240
    }

    /// Where the page is that the kernel shares with all processes.
    pub(in crate::synth) const fn shared_data(&self) -> u64 {
        if self.is_64_bit() { 0xffff_f780_0000_0000 } else { 0xffdf_0000 }
    }
}

const SERVER_2003: Version = Version {
    build: 3790,
    service_pack: 1,
    arch: "x86",
    paging: Paging::X86,
    system: (5, 2),
    build_lab: "3790.srv03_sp1_rtm.050324-1447",
    pdb: ("ntkrnlmp.pdb", "5B54C8A7E0D14FBFB1E9E1F0A9C4D103"),
    kernel: (0x8080_0000, 0x0027_1000),
    directory: (0x39, 0x300),
    nonpaged: 0x8280_0000,
    paged: 0xe180_0000,
    stacks: 0xba00_0000,
    fixed: 0xf900_0000,
    session_space: 0xbf70_0000,
    session_pool: (0xbc00_0000, 0xbe00_0000),
    special: 0xb180_0000,
    is_server: true,
};

const SERVER_2003_PAE: Version = Version {
    paging: Paging::Pae,
    pdb: ("ntkrpamp.pdb", "4DA9F8D5E9514B3F9E3E0A8B4F8A6E72"),
    directory: (0x39, 3),
    ..SERVER_2003
};

const WINDOWS_7: Version = Version {
    build: 7601,
    service_pack: 1,
    arch: "x64",
    paging: Paging::X64,
    system: (6, 1),
    build_lab: "7601.24540.amd64fre.win7sp1_ldr_escrow.191216-1544",
    pdb: ("ntkrnlmp.pdb", "339E74133576439CBCDF7E0229DA3773"),
    kernel: (0xffff_f800_0260_0000, 0x005e_a000),
    directory: (0x187, 0x1ed),
    nonpaged: 0xffff_fa80_0180_0000,
    paged: 0xffff_f8a0_0020_0000,
    stacks: 0xffff_f880_0300_0000,
    fixed: 0xffff_f880_009e_0000,
    session_space: 0xffff_f900_0000_0000,
    session_pool: (0xffff_f900_c000_0000, 0xffff_f920_c000_0000),
    special: 0,
    is_server: false,
};

const WINDOWS_81: Version = Version {
    build: 9600,
    service_pack: 0,
    system: (6, 3),
    build_lab: "9600.19913.amd64fre.winblue_ltsb_escrow.201207-1920",
    pdb: ("ntkrnlmp.pdb", "22597D0B40394E23936F6A24C6C52D5B"),
    kernel: (0xffff_f801_c420_0000, 0x0079_1000),
    directory: (0x1a7, 0x1ed),
    nonpaged: 0xffff_e000_0120_0000,
    paged: 0xffff_c000_0340_0000,
    stacks: 0xffff_d000_2100_0000,
    fixed: 0xffff_d000_2060_0000,
    session_pool: (0xffff_f901_4000_0000, 0xffff_f921_4000_0000),
    ..WINDOWS_7
};

const WINDOWS_10: Version = Version {
    build: 19041,
    system: (10, 0),
    build_lab: "19041.1.amd64fre.vb_release.191206-1406",
    pdb: ("ntkrnlmp.pdb", "5278AFF86C341677D7D7835C85B7B844"),
    kernel: (0xffff_f801_2e60_0000, 0x0104_6000),
    directory: (0x1ad, 0x1e9),
    nonpaged: 0xffff_c08b_d8c0_0000,
    paged: 0xffff_e50a_4a20_0000,
    stacks: 0xffff_850a_1c00_0000,
    fixed: 0xffff_9b80_7a20_0000,
    session_space: 0xffff_b201_0000_0000,
    session_pool: (0xffff_b224_0000_0000, 0xffff_b244_0000_0000),
    ..WINDOWS_81
};

const WINDOWS_11: Version = Version {
    build: 22000,
    build_lab: "22000.1.amd64fre.co_release.210604-1628",
    pdb: ("ntkrnlmp.pdb", "32C1A669D5FFEFD41091F636CFDB6E99"),
    kernel: (0xffff_f804_1a20_0000, 0x0104_7000),
    directory: (0x1ae, 0x1d3),
    ..WINDOWS_10
};
