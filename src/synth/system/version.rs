//! Differences between the supported versions of Windows, besides their structure layouts.

use super::windows::Windows;
use crate::synth::memory::Paging;

/// Facts of one version.
#[derive(Debug, Clone, Copy)]
pub(in crate::synth) struct Version {
    pub(in crate::synth) build: u16,
    /// The revision of the build, if there are built-in layouts of several revisions.
    pub(in crate::synth) revision: u16,
    pub(in crate::synth) service_pack: u8,
    pub(in crate::synth) paging: Paging,
    pub(in crate::synth) system: (u16, u16),
    pub(in crate::synth) build_lab: &'static str,
    /// Name of the kernel's PDB, and its GUID if no symbol file gives one.
    pub(in crate::synth) pdb: (&'static str, &'static str),
    /// Default base and size of the kernel image.
    pub(in crate::synth) kernel: (u64, u32),
    /// Page frame of the page directory, and the index of its self-map entry.
    pub(in crate::synth) directory: (u64, u64),
    /// Start addresses of pools, stacks and system structures.
    pub(in crate::synth) nonpaged: u64,
    pub(in crate::synth) paged: u64,
    pub(in crate::synth) stacks: u64,
    pub(in crate::synth) fixed: u64,
    /// Address of the session structure in session space, and the range of session paged pool: the
    /// first address and the one after the last.
    pub(in crate::synth) session_space: u64,
    pub(in crate::synth) session_pool: (u64, u64),
    /// Start of special pool, for versions before the segment heap.
    pub(in crate::synth) special: u64,
    pub(in crate::synth) is_server: bool,
}

impl Version {
    pub(in crate::synth) const fn of(windows: Windows) -> &'static Self {
        match windows {
            Windows::XpSp2 => &XP_SP2,
            Windows::Xp => &XP,
            Windows::Server2003Rtm => &SERVER_2003_RTM,
            Windows::Server2003 => &SERVER_2003,
            Windows::Server2003Pae => &SERVER_2003_PAE,
            Windows::Server2003Sp2 => &SERVER_2003_SP2,
            Windows::Server2003X64Sp1 => &SERVER_2003_X64_SP1,
            Windows::Server2003X64 => &SERVER_2003_X64,
            Windows::VistaRtm => &VISTA_RTM,
            Windows::VistaRtmX64 => &VISTA_RTM_X64,
            Windows::Vista => &VISTA,
            Windows::VistaX64 => &VISTA_X64,
            Windows::Windows7RtmX86 => &WINDOWS_7_RTM_X86,
            Windows::Windows7Rtm => &WINDOWS_7_RTM,
            Windows::Windows7X86 => &WINDOWS_7_X86,
            Windows::Windows7 => &WINDOWS_7,
            Windows::Windows7UpdatedX86 => &WINDOWS_7_UPDATED_X86,
            Windows::Windows7Updated => &WINDOWS_7_UPDATED,
            Windows::Windows8X86 => &WINDOWS_8_X86,
            Windows::Windows8 => &WINDOWS_8,
            Windows::Windows81X86 => &WINDOWS_81_X86,
            Windows::Windows81 => &WINDOWS_81,
            Windows::Windows81Update => &WINDOWS_81_UPDATE,
            Windows::Windows10V1507X86 => &WINDOWS_10_V1507_X86,
            Windows::Windows10V1507 => &WINDOWS_10_V1507,
            Windows::Windows10V1607 => &WINDOWS_10_V1607,
            Windows::Windows10V1703X86 => &WINDOWS_10_V1703_X86,
            Windows::Windows10V1703 => &WINDOWS_10_V1703,
            Windows::Windows10V1809X86 => &WINDOWS_10_V1809_X86,
            Windows::Windows10V1809 => &WINDOWS_10_V1809,
            Windows::Windows10V1903 => &WINDOWS_10_V1903,
            Windows::Windows10X86 => &WINDOWS_10_X86,
            Windows::Windows10 => &WINDOWS_10,
            Windows::Server2022 => &SERVER_2022,
            Windows::Windows11 => &WINDOWS_11,
        }
    }

    pub(in crate::synth) const fn is_64_bit(&self) -> bool {
        matches!(self.paging, Paging::X64)
    }

    /// Whether type indexes in object headers are encoded with a cookie, as since Windows 10.
    pub(in crate::synth) const fn has_cookie(&self) -> bool {
        self.build >= 10240
    }

    /// The base of ntdll. Before Windows 8.1 user addresses have 43 bits.
    pub(in crate::synth) const fn ntdll(&self) -> u64 {
        match (self.is_64_bit(), self.build) {
            (false, _) => 0x7c80_0000,
            (true, 0..9600) => 0x77a0_0000,
            (true, _) => 0x7ff8_c0a0_0000,
        }
    }

    /// The address of `KUSER_SHARED_DATA` in kernel space.
    pub(in crate::synth) const fn shared_data(&self) -> u64 {
        if self.is_64_bit() { 0xffff_f780_0000_0000 } else { 0xffdf_0000 }
    }
}

const SERVER_2003: Version = Version {
    build: 3790,
    revision: 0,
    service_pack: 1,
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

const SERVER_2003_RTM: Version = Version {
    service_pack: 0,
    build_lab: "3790.srv03_rtm.030324-2048",
    pdb: ("ntkrnlmp.pdb", "9A1C66E2B5D64D0C8E1AF5C3D2B77A10"),
    kernel: (0x804d_e000, 0x0023_b000),
    ..SERVER_2003
};

const SERVER_2003_SP2: Version = Version {
    service_pack: 2,
    build_lab: "3790.srv03_sp2_rtm.070216-1710",
    pdb: ("ntkrpamp.pdb", "C41D2F0E7B6A4B9D9D54E8C0F1A23B61"),
    ..SERVER_2003_PAE
};

const XP_SP2: Version = Version {
    build: 2600,
    service_pack: 2,
    system: (5, 1),
    build_lab: "2600.xpsp_sp2_rtm.040803-2158",
    pdb: ("ntoskrnl.pdb", "32962337F0F646388B39535CD8DD70E8"),
    // As on a machine with little memory: the base is not aligned to a large page.
    kernel: (0x804d_7000, 0x0021_4000),
    nonpaged: 0x8180_0000,
    is_server: false,
    ..SERVER_2003
};

const XP: Version = Version {
    service_pack: 3,
    paging: Paging::Pae,
    build_lab: "2600.xpsp.080413-2111",
    pdb: ("ntkrpamp.pdb", "270E083F57714738A48D2F9D30F0A96B"),
    directory: (0x2fe, 3),
    ..XP_SP2
};

const SERVER_2003_X64: Version = Version {
    service_pack: 2,
    paging: Paging::X64,
    build_lab: "3790.srv03_sp2_rtm.070216-1710",
    pdb: ("ntkrnlmp.pdb", "EC4E76B2C1FD4A0DA5F30A9AC6B1DCA3"),
    kernel: (0xffff_f800_0100_0000, 0x0047_e000),
    directory: (0x147, 0x1ed),
    nonpaged: 0xffff_fadf_c000_0000,
    paged: 0xffff_fa80_0020_0000,
    stacks: 0xffff_fadf_9000_0000,
    fixed: 0xffff_fadf_8800_0000,
    session_space: 0xffff_f900_0000_0000,
    session_pool: (0xffff_f900_c000_0000, 0xffff_f920_c000_0000),
    special: 0xffff_fa90_0000_0000,
    ..SERVER_2003
};

const SERVER_2003_X64_SP1: Version = Version {
    service_pack: 1,
    build_lab: "3790.srv03_sp1_rtm.050324-1447",
    pdb: ("ntkrnlmp.pdb", "B2B3F1A05C8E4B6E87F14D0A6C51E9D2"),
    ..SERVER_2003_X64
};

const VISTA: Version = Version {
    build: 6002,
    revision: 0,
    service_pack: 2,
    paging: Paging::Pae,
    system: (6, 0),
    build_lab: "6002.18005.x86fre.lh_sp2rtm.090410-1830",
    pdb: ("ntkrpamp.pdb", "37D328E3BAE5460F8E662756ED80951D"),
    kernel: (0x8180_0000, 0x003b_9000),
    directory: (0x122, 3),
    nonpaged: 0x8280_0000,
    paged: 0x9280_0000,
    stacks: 0xba00_0000,
    fixed: 0xf900_0000,
    session_space: 0xbf70_0000,
    session_pool: (0xbc00_0000, 0xbe00_0000),
    special: 0xb180_0000,
    is_server: false,
};

const VISTA_RTM: Version = Version {
    build: 6000,
    service_pack: 0,
    build_lab: "6000.16386.x86fre.vista_rtm.061101-2205",
    pdb: ("ntkrpamp.pdb", "5FD2B1C7D6A24E6C9F2B1A6D1F4C0E53"),
    ..VISTA
};

const VISTA_X64: Version = Version {
    paging: Paging::X64,
    build_lab: "6002.18005.amd64fre.lh_sp2rtm.090410-1830",
    pdb: ("ntkrnlmp.pdb", "0BF0B6F0B2B24E0C9E8B1C9E3E4F7A25"),
    kernel: (0xffff_f800_0180_0000, 0x0051_8000),
    directory: (0x124, 0x1ed),
    nonpaged: 0xffff_fa80_0180_0000,
    paged: 0xffff_f880_0020_0000,
    stacks: 0xffff_fa60_0300_0000,
    fixed: 0xffff_fa60_005e_0000,
    session_space: 0xffff_f900_0000_0000,
    session_pool: (0xffff_f900_c000_0000, 0xffff_f920_c000_0000),
    special: 0xffff_f8c0_0000_0000,
    ..VISTA
};

const VISTA_RTM_X64: Version = Version {
    build: 6000,
    service_pack: 0,
    build_lab: "6000.16386.amd64fre.vista_rtm.061101-2205",
    pdb: ("ntkrnlmp.pdb", "A3C1B0E4E1F54D7BB6A5D2A0F4B9C8E7"),
    ..VISTA_X64
};

const WINDOWS_7: Version = Version {
    build: 7601,
    service_pack: 1,
    system: (6, 1),
    build_lab: "7601.17514.amd64fre.win7sp1_rtm.101119-1850",
    pdb: ("ntkrnlmp.pdb", "3844DBB920174967BE7AA4A2C20430FA"),
    kernel: (0xffff_f800_0260_0000, 0x005e_a000),
    directory: (0x187, 0x1ed),
    nonpaged: 0xffff_fa80_0180_0000,
    paged: 0xffff_f8a0_0020_0000,
    stacks: 0xffff_f880_0300_0000,
    fixed: 0xffff_f880_009e_0000,
    ..VISTA_X64
};

const WINDOWS_7_RTM: Version = Version {
    build: 7600,
    service_pack: 0,
    build_lab: "7600.16385.amd64fre.win7_rtm.090713-1255",
    pdb: ("ntkrnlmp.pdb", "F8E2A8B5C9BF4BF4A6E4A48F18009994"),
    ..WINDOWS_7
};

const WINDOWS_7_UPDATED: Version = Version {
    revision: 24000,
    build_lab: "7601.24000.amd64fre.win7sp1_ldr.171231-1547",
    pdb: ("ntkrnlmp.pdb", "6B1E0C7D3F2A4D5E9C8B7A6F5E4D3C2B"),
    ..WINDOWS_7
};

const WINDOWS_7_X86: Version = Version {
    build_lab: "7601.17514.x86fre.win7sp1_rtm.101119-1850",
    pdb: ("ntkrpamp.pdb", "684DA42A30CC450F81C535B4D18944B1"),
    service_pack: 1,
    build: 7601,
    system: (6, 1),
    // The base is random, so it is not aligned to a large page.
    kernel: (0x8281_0000, 0x0041_2000),
    directory: (0x185, 3),
    nonpaged: 0x8480_0000,
    paged: 0x9480_0000,
    ..VISTA
};

const WINDOWS_7_RTM_X86: Version = Version {
    build: 7600,
    service_pack: 0,
    build_lab: "7600.16385.x86fre.win7_rtm.090713-1255",
    pdb: ("ntkrpamp.pdb", "5B308B4ED6464159B87117C711E7340C"),
    ..WINDOWS_7_X86
};

const WINDOWS_7_UPDATED_X86: Version = Version {
    revision: 24000,
    build_lab: "7601.24000.x86fre.win7sp1_ldr.171231-1547",
    pdb: ("ntkrpamp.pdb", "7C2F1D8E4A3B4E6F8D9C8B706F5E4D3C"),
    ..WINDOWS_7_X86
};

const WINDOWS_8: Version = Version {
    build: 9200,
    service_pack: 0,
    system: (6, 2),
    build_lab: "9200.16384.amd64fre.win8_rtm.120725-1247",
    pdb: ("ntkrnlmp.pdb", "724821001C1C4A03AED8C4C71C2E8D1D"),
    kernel: (0xffff_f802_a580_0000, 0x0074_c000),
    ..WINDOWS_7
};

const WINDOWS_8_X86: Version = Version {
    build: 9200,
    service_pack: 0,
    system: (6, 2),
    build_lab: "9200.16384.x86fre.win8_rtm.120725-1247",
    pdb: ("ntkrpamp.pdb", "D9DBF0C0E2764DA0B0D7F0C0A5F3E3B1"),
    kernel: (0x8140_6000, 0x0056_9000),
    ..WINDOWS_7_X86
};

const WINDOWS_81: Version = Version {
    build: 9600,
    system: (6, 3),
    build_lab: "9600.16384.amd64fre.winblue_rtm.130821-1623",
    pdb: ("ntkrnlmp.pdb", "FD3D00D28EDC4D24829B6A5A5E6B8B3D"),
    kernel: (0xffff_f801_c420_0000, 0x0079_1000),
    directory: (0x1a7, 0x1ed),
    nonpaged: 0xffff_e000_0120_0000,
    paged: 0xffff_c000_0340_0000,
    stacks: 0xffff_d000_2100_0000,
    fixed: 0xffff_d000_2060_0000,
    session_pool: (0xffff_f901_4000_0000, 0xffff_f921_4000_0000),
    ..WINDOWS_8
};

const WINDOWS_81_UPDATE: Version = Version {
    service_pack: 1,
    build_lab: "9600.17031.amd64fre.winblue_gdr.140221-1952",
    pdb: ("ntkrnlmp.pdb", "A9BBA3C139724A738BE17665DB4393CA"),
    ..WINDOWS_81
};

const WINDOWS_81_X86: Version = Version {
    build: 9600,
    system: (6, 3),
    build_lab: "9600.16384.x86fre.winblue_rtm.130821-1623",
    pdb: ("ntkrpamp.pdb", "9C3CEEBDC8F84B8D8D0E0A5DF2D86F32"),
    ..WINDOWS_8_X86
};

const WINDOWS_10: Version = Version {
    build: 19041,
    revision: 804,
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

const WINDOWS_10_V1507: Version = Version {
    build: 10240,
    system: (10, 0),
    build_lab: "10240.16384.amd64fre.th1.150709-1700",
    pdb: ("ntkrnlmp.pdb", "C68AF22C5B9B4B4E8E4D2B6F0F2C5A17"),
    kernel: (0xffff_f803_1a60_0000, 0x0081_e000),
    ..WINDOWS_81
};

const WINDOWS_10_V1607: Version = Version {
    build: 14393,
    revision: 6343,
    build_lab: "14393.6343.amd64fre.rs1_release.230913-1727",
    pdb: ("ntkrnlmp.pdb", "1D2E3F405162738495A6B7C8D9EAFB0C"),
    kernel: (0xffff_f800_3d20_0000, 0x0087_1000),
    ..WINDOWS_10
};

const WINDOWS_10_V1703: Version = Version {
    build: 15063,
    revision: 0,
    build_lab: "15063.0.amd64fre.rs2_release.170317-1834",
    pdb: ("ntkrnlmp.pdb", "2E3F405162738495A6B7C8D9EAFB0C1D"),
    kernel: (0xffff_f803_0120_0000, 0x008c_2000),
    ..WINDOWS_10
};

const WINDOWS_10_V1809: Version = Version {
    build: 17763,
    revision: 0,
    build_lab: "17763.1.amd64fre.rs5_release.180914-1434",
    pdb: ("ntkrnlmp.pdb", "3F405162738495A6B7C8D9EAFB0C1D2E"),
    kernel: (0xffff_f802_5ea0_0000, 0x00a7_0000),
    ..WINDOWS_10
};

const WINDOWS_10_V1903: Version = Version {
    build: 18362,
    revision: 836,
    build_lab: "18362.836.amd64fre.19h1_release_svc_prod1.200504-1520",
    pdb: ("ntkrnlmp.pdb", "405162738495A6B7C8D9EAFB0C1D2E3F"),
    kernel: (0xffff_f806_0fa0_0000, 0x00ab_6000),
    ..WINDOWS_10
};

const WINDOWS_10_V1507_X86: Version = Version {
    build: 10240,
    system: (10, 0),
    build_lab: "10240.16384.x86fre.th1.150709-1700",
    pdb: ("ntkrpamp.pdb", "5162738495A6B7C8D9EAFB0C1D2E3F40"),
    kernel: (0x8140_6000, 0x005c_b000),
    ..WINDOWS_81_X86
};

const WINDOWS_10_V1703_X86: Version = Version {
    build: 15063,
    build_lab: "15063.0.x86fre.rs2_release.170317-1834",
    pdb: ("ntkrpamp.pdb", "62738495A6B7C8D9EAFB0C1D2E3F4051"),
    ..WINDOWS_10_V1507_X86
};

const WINDOWS_10_V1809_X86: Version = Version {
    build: 17763,
    build_lab: "17763.1.x86fre.rs5_release.180914-1434",
    pdb: ("ntkrpamp.pdb", "738495A6B7C8D9EAFB0C1D2E3F405162"),
    ..WINDOWS_10_V1507_X86
};

const WINDOWS_10_X86: Version = Version {
    build: 19041,
    build_lab: "19041.1.x86fre.vb_release.191206-1406",
    pdb: ("ntkrpamp.pdb", "8495A6B7C8D9EAFB0C1D2E3F40516273"),
    ..WINDOWS_10_V1507_X86
};

const SERVER_2022: Version = Version {
    build: 20348,
    revision: 2529,
    build_lab: "20348.1.amd64fre.fe_release.210507-1500",
    pdb: ("ntkrnlmp.pdb", "95A6B7C8D9EAFB0C1D2E3F4051627384"),
    is_server: true,
    ..WINDOWS_10
};

const WINDOWS_11: Version = Version {
    build: 22000,
    revision: 2538,
    build_lab: "22000.1.amd64fre.co_release.210604-1628",
    pdb: ("ntkrnlmp.pdb", "0CE4A95C0CD782A7596B034D8648E585"),
    kernel: (0xffff_f804_1a20_0000, 0x0104_7000),
    directory: (0x1ae, 0x1d3),
    ..WINDOWS_10
};
