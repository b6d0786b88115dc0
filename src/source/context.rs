//! The context records (`CONTEXT`) of Windows: where the registers are, and which of them the
//! record's flags declare valid. Minidumps and kernel dumps hold the same records.

/// The processors whose context records are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cpu {
    X86,
    X64,
    Arm,
    Arm64,
}

/// A register: name, offset, size in bytes, and the flag that declares it valid.
struct RegisterSlot(&'static str, usize, usize, u32);

struct Layout {
    flags_at: usize,
    /// The flags that identify the processor; one of them must be set.
    owner: u32,
    /// A processor flag whose writers leave the other flags unset; then all registers are valid.
    all_valid: u32,
    places: &'static [RegisterSlot],
    sp: &'static str,
    ip: &'static str,
}

const CONTROL: u32 = 1;
const INTEGER: u32 = 2;
const SEGMENTS: u32 = 4;
const DEBUG: u32 = 0x10;

static X86: Layout = Layout {
    flags_at: 0,
    owner: 0x1_0000,
    all_valid: 0,
    sp: "esp",
    ip: "eip",
    places: &[
        RegisterSlot("eax", 0xb0, 4, INTEGER),
        RegisterSlot("ebx", 0xa4, 4, INTEGER),
        RegisterSlot("ecx", 0xac, 4, INTEGER),
        RegisterSlot("edx", 0xa8, 4, INTEGER),
        RegisterSlot("esi", 0xa0, 4, INTEGER),
        RegisterSlot("edi", 0x9c, 4, INTEGER),
        RegisterSlot("eip", 0xb8, 4, CONTROL),
        RegisterSlot("esp", 0xc4, 4, CONTROL),
        RegisterSlot("ebp", 0xb4, 4, CONTROL),
        RegisterSlot("efl", 0xc0, 4, CONTROL),
        RegisterSlot("cs", 0xbc, 2, CONTROL),
        RegisterSlot("ss", 0xc8, 2, CONTROL),
        RegisterSlot("ds", 0x98, 2, SEGMENTS),
        RegisterSlot("es", 0x94, 2, SEGMENTS),
        RegisterSlot("fs", 0x90, 2, SEGMENTS),
        RegisterSlot("gs", 0x8c, 2, SEGMENTS),
        RegisterSlot("dr0", 0x04, 4, DEBUG),
        RegisterSlot("dr1", 0x08, 4, DEBUG),
        RegisterSlot("dr2", 0x0c, 4, DEBUG),
        RegisterSlot("dr3", 0x10, 4, DEBUG),
        RegisterSlot("dr6", 0x14, 4, DEBUG),
        RegisterSlot("dr7", 0x18, 4, DEBUG),
    ],
};

static X64: Layout = Layout {
    flags_at: 0x30,
    owner: 0x10_0000,
    all_valid: 0,
    sp: "rsp",
    ip: "rip",
    places: &[
        RegisterSlot("rax", 0x78, 8, INTEGER),
        RegisterSlot("rbx", 0x90, 8, INTEGER),
        RegisterSlot("rcx", 0x80, 8, INTEGER),
        RegisterSlot("rdx", 0x88, 8, INTEGER),
        RegisterSlot("rsi", 0xa8, 8, INTEGER),
        RegisterSlot("rdi", 0xb0, 8, INTEGER),
        RegisterSlot("rip", 0xf8, 8, CONTROL),
        RegisterSlot("rsp", 0x98, 8, CONTROL),
        RegisterSlot("rbp", 0xa0, 8, INTEGER),
        RegisterSlot("r8", 0xb8, 8, INTEGER),
        RegisterSlot("r9", 0xc0, 8, INTEGER),
        RegisterSlot("r10", 0xc8, 8, INTEGER),
        RegisterSlot("r11", 0xd0, 8, INTEGER),
        RegisterSlot("r12", 0xd8, 8, INTEGER),
        RegisterSlot("r13", 0xe0, 8, INTEGER),
        RegisterSlot("r14", 0xe8, 8, INTEGER),
        RegisterSlot("r15", 0xf0, 8, INTEGER),
        RegisterSlot("efl", 0x44, 4, CONTROL),
        RegisterSlot("cs", 0x38, 2, CONTROL),
        RegisterSlot("ss", 0x42, 2, CONTROL),
        RegisterSlot("ds", 0x3a, 2, SEGMENTS),
        RegisterSlot("es", 0x3c, 2, SEGMENTS),
        RegisterSlot("fs", 0x3e, 2, SEGMENTS),
        RegisterSlot("gs", 0x40, 2, SEGMENTS),
        RegisterSlot("dr0", 0x48, 8, DEBUG),
        RegisterSlot("dr1", 0x50, 8, DEBUG),
        RegisterSlot("dr2", 0x58, 8, DEBUG),
        RegisterSlot("dr3", 0x60, 8, DEBUG),
        RegisterSlot("dr6", 0x68, 8, DEBUG),
        RegisterSlot("dr7", 0x70, 8, DEBUG),
    ],
};

static ARM: Layout = Layout {
    flags_at: 0,
    owner: 0x20_0000,
    // Breakpad on Linux sets only this flag.
    all_valid: 0x4000_0000,
    sp: "sp",
    ip: "pc",
    places: &[
        RegisterSlot("r0", 0x04, 4, INTEGER),
        RegisterSlot("r1", 0x08, 4, INTEGER),
        RegisterSlot("r2", 0x0c, 4, INTEGER),
        RegisterSlot("r3", 0x10, 4, INTEGER),
        RegisterSlot("r4", 0x14, 4, INTEGER),
        RegisterSlot("r5", 0x18, 4, INTEGER),
        RegisterSlot("r6", 0x1c, 4, INTEGER),
        RegisterSlot("r7", 0x20, 4, INTEGER),
        RegisterSlot("r8", 0x24, 4, INTEGER),
        RegisterSlot("r9", 0x28, 4, INTEGER),
        RegisterSlot("r10", 0x2c, 4, INTEGER),
        RegisterSlot("r11", 0x30, 4, INTEGER),
        RegisterSlot("r12", 0x34, 4, INTEGER),
        RegisterSlot("sp", 0x38, 4, CONTROL),
        RegisterSlot("lr", 0x3c, 4, CONTROL),
        RegisterSlot("pc", 0x40, 4, CONTROL),
        RegisterSlot("psr", 0x44, 4, CONTROL),
    ],
};

static ARM64: Layout = Layout {
    flags_at: 0,
    owner: 0x40_0000,
    all_valid: 0,
    sp: "sp",
    ip: "pc",
    places: &[
        RegisterSlot("x0", 0x08, 8, INTEGER),
        RegisterSlot("x1", 0x10, 8, INTEGER),
        RegisterSlot("x2", 0x18, 8, INTEGER),
        RegisterSlot("x3", 0x20, 8, INTEGER),
        RegisterSlot("x4", 0x28, 8, INTEGER),
        RegisterSlot("x5", 0x30, 8, INTEGER),
        RegisterSlot("x6", 0x38, 8, INTEGER),
        RegisterSlot("x7", 0x40, 8, INTEGER),
        RegisterSlot("x8", 0x48, 8, INTEGER),
        RegisterSlot("x9", 0x50, 8, INTEGER),
        RegisterSlot("x10", 0x58, 8, INTEGER),
        RegisterSlot("x11", 0x60, 8, INTEGER),
        RegisterSlot("x12", 0x68, 8, INTEGER),
        RegisterSlot("x13", 0x70, 8, INTEGER),
        RegisterSlot("x14", 0x78, 8, INTEGER),
        RegisterSlot("x15", 0x80, 8, INTEGER),
        RegisterSlot("x16", 0x88, 8, INTEGER),
        RegisterSlot("x17", 0x90, 8, INTEGER),
        RegisterSlot("x18", 0x98, 8, INTEGER),
        RegisterSlot("x19", 0xa0, 8, INTEGER),
        RegisterSlot("x20", 0xa8, 8, INTEGER),
        RegisterSlot("x21", 0xb0, 8, INTEGER),
        RegisterSlot("x22", 0xb8, 8, INTEGER),
        RegisterSlot("x23", 0xc0, 8, INTEGER),
        RegisterSlot("x24", 0xc8, 8, INTEGER),
        RegisterSlot("x25", 0xd0, 8, INTEGER),
        RegisterSlot("x26", 0xd8, 8, INTEGER),
        RegisterSlot("x27", 0xe0, 8, INTEGER),
        RegisterSlot("x28", 0xe8, 8, INTEGER),
        RegisterSlot("fp", 0xf0, 8, CONTROL),
        RegisterSlot("lr", 0xf8, 8, CONTROL),
        RegisterSlot("sp", 0x100, 8, CONTROL),
        RegisterSlot("pc", 0x108, 8, CONTROL),
        RegisterSlot("psr", 0x04, 4, CONTROL),
    ],
};

/// A record whose processor flag was checked.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    layout: &'static Layout,
    bytes: &'a [u8],
    flags: u32,
}

impl<'a> Context<'a> {
    /// Takes a little-endian record; `None` if its flags name another processor.
    pub(crate) fn new(cpu: Cpu, bytes: &'a [u8]) -> Option<Self> {
        let layout = match cpu {
            Cpu::X86 => &X86,
            Cpu::X64 => &X64,
            Cpu::Arm => &ARM,
            Cpu::Arm64 => &ARM64,
        };
        let flags = u32::try_from(number(bytes, layout.flags_at, 4)?).ok()?;
        // Some writers fill the whole record and set the processor's flag alone.
        let is_whole = flags & layout.all_valid != 0 || flags == layout.owner;
        let flags = if is_whole { u32::MAX } else { flags };
        (flags & layout.owner != 0).then_some(Self { layout, bytes, flags })
    }

    /// The valid registers in the order in which debuggers print them.
    pub(crate) fn registers(self) -> impl Iterator<Item = (&'static str, u64)> + use<'a> {
        let Self { layout, bytes, flags } = self;
        let valid = layout.places.iter().filter(move |place| flags & place.3 != 0);
        valid.filter_map(move |&RegisterSlot(name, at, size, _)| {
            Some((name, number(bytes, at, size)?))
        })
    }

    /// The instruction pointer, if valid.
    pub(crate) fn ip(self) -> Option<u64> {
        self.register(self.layout.ip)
    }

    /// The stack pointer, if valid.
    pub(crate) fn sp(self) -> Option<u64> {
        self.register(self.layout.sp)
    }

    fn register(self, name: &str) -> Option<u64> {
        self.registers().find_map(|(n, value)| (n == name).then_some(value))
    }
}

fn number(bytes: &[u8], offset: usize, size: usize) -> Option<u64> {
    let bytes = bytes.get(offset..offset.checked_add(size)?)?;
    Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_flags_decide_which_registers_are_valid() {
        let mut bytes = vec![0; 0x4d0];
        bytes[0x98..0xa0].copy_from_slice(&0x1234_5678_9abc_def0u64.to_le_bytes());
        assert!(Context::new(Cpu::X64, &bytes).is_none(), "no owner");
        bytes[0x32] = 0x10;
        bytes[0x30] = 1;
        let context = Context::new(Cpu::X64, &bytes).expect("an x64 record");
        let names: Vec<_> = context.registers().map(|(name, _)| name).collect();
        assert_eq!(names, ["rip", "rsp", "efl", "cs", "ss"]);
        assert_eq!((context.sp(), context.ip()), (Some(0x1234_5678_9abc_def0), Some(0)));
    }

    #[test]
    fn the_flag_of_the_processor_alone_declares_the_whole_record_valid() {
        let mut bytes = vec![0; 0x4d0];
        bytes[0x32] = 0x10;
        bytes[0xf8] = 0x77;
        let context = Context::new(Cpu::X64, &bytes).expect("an x64 record");
        assert_eq!((context.registers().count(), context.ip()), (X64.places.len(), Some(0x77)));
    }

    #[test]
    fn a_truncated_record_gives_the_registers_it_holds() {
        let mut bytes = vec![0; 0xb4];
        bytes[0..4].copy_from_slice(&0x1_001fu32.to_le_bytes());
        let context = Context::new(Cpu::X86, &bytes).expect("an x86 record");
        assert_eq!(context.sp(), None);
        assert!(context.registers().any(|(name, _)| name == "eax"));
        assert!(Context::new(Cpu::X86, &bytes[..3]).is_none());
    }
}
