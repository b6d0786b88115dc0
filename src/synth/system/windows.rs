//! The Windows versions of which whole systems can be built: one for each kernel with a built-in
//! layout, and two if the layout serves two paging modes.

use super::version::Version;

/// A version of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Windows {
    /// Windows XP SP2, 32-bit, with two levels of page tables.
    XpSp2,
    /// Windows XP SP3, 32-bit, with physical address extension.
    Xp,
    /// Windows Server 2003 without service pack, 32-bit.
    Server2003Rtm,
    /// Windows Server 2003 SP1, 32-bit, with two levels of page tables.
    Server2003,
    /// The same with physical address extension.
    Server2003Pae,
    /// Windows Server 2003 SP2, 32-bit, with physical address extension.
    Server2003Sp2,
    /// Windows Server 2003 SP1, 64-bit.
    Server2003X64Sp1,
    /// Windows Server 2003 SP2, 64-bit; Windows XP of that kind is the same kernel.
    Server2003X64,
    /// Windows Vista without service pack, 32-bit.
    VistaRtm,
    /// The same, 64-bit.
    VistaRtmX64,
    /// Windows Vista SP2, 32-bit; as all 32-bit versions after it with physical address extension.
    Vista,
    /// The same, 64-bit.
    VistaX64,
    /// Windows 7 without service pack, 32-bit.
    Windows7RtmX86,
    /// The same, 64-bit.
    Windows7Rtm,
    /// Windows 7 SP1, 32-bit.
    Windows7X86,
    /// Windows 7 SP1, 64-bit.
    Windows7,
    /// Windows 7 SP1 with updates since 2018, which moved fields, 32-bit.
    Windows7UpdatedX86,
    /// The same, 64-bit.
    Windows7Updated,
    /// Windows 8, 32-bit.
    Windows8X86,
    /// Windows 8, 64-bit.
    Windows8,
    /// Windows 8.1, 32-bit.
    Windows81X86,
    /// Windows 8.1, 64-bit.
    Windows81,
    /// Windows 8.1 Update 1, 64-bit.
    Windows81Update,
    /// Windows 10 1507, 32-bit.
    Windows10V1507X86,
    /// Windows 10 1507, 64-bit.
    Windows10V1507,
    /// Windows 10 1607, 64-bit.
    Windows10V1607,
    /// Windows 10 1703, 32-bit.
    Windows10V1703X86,
    /// Windows 10 1703, 64-bit.
    Windows10V1703,
    /// Windows 10 1809, 32-bit.
    Windows10V1809X86,
    /// Windows 10 1809, 64-bit.
    Windows10V1809,
    /// Windows 10 1903, 64-bit.
    Windows10V1903,
    /// Windows 10 2004, 32-bit.
    Windows10X86,
    /// Windows 10 2004, 64-bit.
    #[default]
    Windows10,
    /// Windows Server 2022, 64-bit.
    Server2022,
    /// Windows 11 21H2, 64-bit.
    Windows11,
}

impl Windows {
    /// Every version, the oldest first.
    pub const ALL: [Self; 35] = [
        Self::XpSp2,
        Self::Xp,
        Self::Server2003Rtm,
        Self::Server2003,
        Self::Server2003Pae,
        Self::Server2003Sp2,
        Self::Server2003X64Sp1,
        Self::Server2003X64,
        Self::VistaRtm,
        Self::VistaRtmX64,
        Self::Vista,
        Self::VistaX64,
        Self::Windows7RtmX86,
        Self::Windows7Rtm,
        Self::Windows7X86,
        Self::Windows7,
        Self::Windows7UpdatedX86,
        Self::Windows7Updated,
        Self::Windows8X86,
        Self::Windows8,
        Self::Windows81X86,
        Self::Windows81,
        Self::Windows81Update,
        Self::Windows10V1507X86,
        Self::Windows10V1507,
        Self::Windows10V1607,
        Self::Windows10V1703X86,
        Self::Windows10V1703,
        Self::Windows10V1809X86,
        Self::Windows10V1809,
        Self::Windows10V1903,
        Self::Windows10X86,
        Self::Windows10,
        Self::Server2022,
        Self::Windows11,
    ];

    /// The build number.
    pub const fn build(self) -> u16 {
        Version::of(self).build
    }

    /// Whether its kernel is 64-bit.
    pub const fn is_64_bit(self) -> bool {
        Version::of(self).is_64_bit()
    }

    /// Major and minor version, build, revision and service pack, as far as layouts distinguish
    /// them.
    pub const fn version(self) -> ([u16; 4], u8) {
        let version = Version::of(self);
        let (major, minor) = version.system;
        ([major, minor, version.build, version.revision], version.service_pack)
    }

    /// Default base and size of its kernel image.
    pub(in crate::synth) const fn kernel(self) -> (u64, u32) {
        Version::of(self).kernel
    }

    /// The base of ntdll.
    pub(in crate::synth) const fn ntdll(self) -> u64 {
        Version::of(self).ntdll()
    }

    /// The pointer size of its kernel in bytes.
    pub const fn pointer_bytes(self) -> usize {
        if self.is_64_bit() { 8 } else { 4 }
    }
}
