//! Hand-built stacks and images, undamaged and damaged.

use std::cell::RefCell;

use super::*;

const BASE: u64 = 0x1_4000_0000;
const STACK: u64 = 0x7000;
const TOP: u64 = 0x8000;
const TEXT: u32 = 0x1000;
const INFO: u32 = 0x3000;
const TABLE: u32 = 0x4000;
const SIZE: u32 = 0x5000;

/// An image at [`BASE`] and a stack below [`TOP`].
struct Made {
    image: Vec<u8>,
    stack: Vec<u8>,
    has_image: bool,
    reads: RefCell<usize>,
}

impl Target for Made {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        *self.reads.borrow_mut() += 1;
        let (bytes, start) = match address {
            STACK..TOP => (&self.stack, STACK),
            BASE.. if self.has_image => (&self.image, BASE),
            _ => return false,
        };
        let start = usize::try_from(address - start).expect("a small number");
        let Some(found) = bytes.get(start..start + buffer.len()) else { return false };
        buffer.copy_from_slice(found);
        true
    }

    fn module(&self, address: u64) -> Option<Span> {
        let end = BASE + u64::from(SIZE);
        (BASE..end).contains(&address).then_some(Span { base: BASE, end, space: 0 })
    }
}

impl Made {
    /// An image of calls only: every address in its code is a return address.
    fn new(machine: u16) -> Self {
        let mut image = vec![0; SIZE as usize];
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, b"MZ");
        put(0x3c, &0x80u32.to_le_bytes());
        put(0x80, b"PE\0\0");
        put(0x84, &machine.to_le_bytes());
        put(0x86, &2u16.to_le_bytes());
        put(0x94, &0xf0u16.to_le_bytes());
        put(0x98, &0x20bu16.to_le_bytes());
        put(0x98 + 0x6c, &16u32.to_le_bytes());
        put(0x98 + 0x70 + 3 * 8, &TABLE.to_le_bytes());
        for (i, (start, flags)) in [(TEXT, 0x6000_0020u32), (INFO, 0x4000_0040)].iter().enumerate()
        {
            let at = 0x188 + 40 * i;
            put(at + 8, &0x2000u32.to_le_bytes());
            put(at + 12, &start.to_le_bytes());
            put(at + 36, &flags.to_le_bytes());
        }
        for at in (TEXT as usize..INFO as usize).step_by(2) {
            put(at, &[0xff, 0xd0]);
        }
        Self { image, stack: vec![0; 0x1000], has_image: true, reads: RefCell::new(0) }
    }

    fn put(&mut self, at: u32, bytes: &[u8]) {
        let at = at as usize;
        self.image[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Adds x64 functions: start, end, unwind info.
    fn functions(&mut self, all: &[(u32, u32, u32)]) {
        for (i, entry) in (0..).zip(all) {
            for (j, number) in [entry.0, entry.1, entry.2].into_iter().enumerate() {
                let j = u32::try_from(j).expect("a small number");
                self.put(TABLE + 12 * i + 4 * j, &number.to_le_bytes());
            }
        }
        let size = u32::try_from(12 * all.len()).expect("a small number");
        self.put(0x98 + 0x70 + 3 * 8 + 4, &size.to_le_bytes());
    }

    fn push(&mut self, at: u64, word: u64) {
        let at = usize::try_from(at - STACK).expect("a small number");
        self.stack[at..at + 8].copy_from_slice(&word.to_le_bytes());
    }

    fn walk(&self, registers: Registers) -> Vec<Frame> {
        Walker::new(self).walk(registers, &(STACK..TOP), MAX_FRAMES)
    }

    fn places(&self, registers: Registers) -> Vec<(u64, u64, Trust)> {
        let frames = self.walk(registers);
        frames.iter().map(|f| (f.ip.wrapping_sub(BASE), f.sp, f.trust)).collect()
    }
}

fn x64(ip: u64, sp: u64, more: &[(&str, u64)]) -> Registers {
    let all = [("rip", BASE + ip), ("rsp", sp)];
    Registers::named(Cpu::X64, all.into_iter().chain(more.iter().copied()))
}

/// `push rbx; sub rsp, 0x20` at 0x1000; a frame pointer in rbp behind `push rbp; sub rsp, 0x30` at
/// 0x1100, which saves rsi; a machine frame with an error code at 0x1200.
fn usual() -> Made {
    let mut made = Made::new(0x8664);
    made.functions(&[
        (0x1000, 0x1100, INFO),
        (0x1100, 0x1200, INFO + 0x40),
        (0x1200, 0x1300, INFO + 0x80),
        (0x1400, 0x1500, INFO + 0xc0),
    ]);
    made.put(INFO, &[1, 5, 2, 0, 5, 0x32, 1, 0x30]);
    made.put(INFO + 0x40, &[1, 14, 5, 0x25, 14, 0x64, 5, 0, 10, 0x03, 5, 0x52, 1, 0x50]);
    made.put(INFO + 0x80, &[1, 0, 1, 0, 0, 0x1a]);
    // Chained unwind info: a part of the first function, which saved rdi in the space that the
    // first part allocated.
    made.put(INFO + 0xc0, &[1 | 4 << 3, 4, 2, 0, 4, 0x74, 1, 0]);
    let first = [0x1000u32, 0x1100, INFO].map(u32::to_le_bytes).concat();
    made.put(INFO + 0xc0 + 8, &first);
    made
}

#[test]
fn x64_unwind_data_leads_from_frame_to_frame() {
    let mut made = usual();
    // Frames, innermost first: in the first function; in the second, whose stack pointer has moved;
    // in the interrupted first function.
    made.push(0x7020, 0x1b);
    made.push(0x7028, BASE + 0x1180);
    // The frame of the second starts at 0x7100: rbp points 0x20 into it.
    made.push(0x7100 + 0x28, 0x5151);
    made.push(0x7130, 0x7f00);
    made.push(0x7138, BASE + 0x1250);
    made.push(0x7140, 0);
    made.push(0x7148, BASE + 0x1003);
    made.push(0x7160, 0x7200);
    // The interrupted function had pushed rbx, and had not allocated its stack space yet.
    made.push(0x7200, 0x2b);
    made.push(0x7208, 0);
    let frames = made.walk(x64(0x1080, 0x7000, &[("rbp", 0x7120)]));
    let places: Vec<_> = frames.iter().map(|f| (f.ip - BASE, f.sp, f.is_exact)).collect();
    assert_eq!(
        places,
        [
            (0x1080, 0x7000, true),
            (0x1180, 0x7030, false),
            (0x1250, 0x7140, false),
            (0x1003, 0x7200, true)
        ]
    );
    assert!(frames[1..3].iter().all(|f| f.trust == Trust::Unwind));
    assert_eq!(frames[3].trust, Trust::TrapFrame);
    assert_eq!(frames[0].arguments, Some(0x7030));
    assert_eq!(frames[2].arguments, None, "nobody called");
    assert_eq!(frames[3].return_address, Some(0), "the end of the stack");
}

#[test]
fn chained_unwind_info_leads_to_the_part_that_made_the_frame() {
    let mut made = usual();
    made.push(0x7008, 0xd1d1);
    made.push(0x7020, 0x1b);
    made.push(0x7028, BASE + 0x1300);
    let places = made.places(x64(0x1480, 0x7000, &[]));
    assert_eq!(places[1], (0x1300, 0x7030, Trust::Unwind));
}

#[test]
fn epilogues_are_decoded() {
    for (code, at, pushed) in [
        (&[0x48, 0x83, 0xc4, 0x20, 0x5b, 0xc3][..], 0x7000, 0x7028),
        (&[0x5b, 0xc3], 0x7020, 0x7028),
        (&[0xc3], 0x7028, 0x7028),
        (&[0xe9, 0, 1, 0, 0], 0x7028, 0x7028),
    ] {
        let mut made = usual();
        made.put(0x1080, code);
        made.push(pushed, BASE + 0x1390);
        let places = made.places(x64(0x1080, at, &[]));
        assert_eq!(places[1], (0x1390, pushed + 8, Trust::Unwind), "{code:x?}");
    }
}

#[test]
fn circular_unwind_chains_end() {
    let mut made = usual();
    // Unwind info that chains to itself, and an indirect entry that refers to itself.
    let own = [0x1000u32, 0x1100, INFO].map(u32::to_le_bytes).concat();
    made.put(INFO, &[1 | 4 << 3, 0, 0, 0]);
    made.put(INFO + 4, &own);
    made.push(0x7040, BASE + 0x1300);
    assert_eq!(made.places(x64(0x1080, 0x7000, &[]))[1], (0x1300, 0x7048, Trust::Scan));
    let mut made = usual();
    made.functions(&[(0x1000, 0x1100, TABLE | 1)]);
    made.push(0x7040, BASE + 0x1300);
    assert_eq!(made.places(x64(0x1080, 0x7000, &[]))[1], (0x1300, 0x7048, Trust::Scan));
}

#[test]
fn stack_scans_are_bounded() {
    let mut made = usual();
    made.has_image = false;
    made.push(0x7100, BASE + 0x1234);
    // Too far from a frame that is not certain.
    made.push(0x7108 + 8 * 40, BASE + 0x1300);
    let places = made.places(x64(0x1080, 0x7000, &[]));
    assert_eq!(places, [(0x1080, 0x7000, Trust::Context), (0x1234, 0x7108, Trust::Scan)]);
    // A word that points to the headers, and one that is not behind a call.
    let mut made = usual();
    made.put(0x1230, &[0x90; 8]);
    made.functions(&[]);
    made.push(0x7008, BASE + 0x80);
    made.push(0x7010, BASE + 0x1236);
    made.push(0x7018, BASE + 0x3010);
    made.push(0x7020, BASE + 0x1300);
    assert_eq!(made.places(x64(0x1080, 0x7000, &[]))[1], (0x1300, 0x7028, Trust::Scan));
}

#[test]
fn x86_frames() {
    let mut made = Made::new(0x14c);
    let mut word = |at: u64, word: u32| {
        let at = usize::try_from(at - STACK).expect("a small number");
        made.stack[at..at + 4].copy_from_slice(&word.to_le_bytes());
    };
    // The image is too high for 32 bits: its code is missing, as for code generated at run time.
    word(0x7020, 0x7040);
    word(0x7024, 0x0040_1234);
    word(0x7040, 0);
    word(0x7044, 0);
    word(0x7048, 7);
    let registers =
        Registers::named(Cpu::X86, [("eip", 0x0040_1000), ("esp", 0x7000), ("ebp", 0x7020)]);
    let frames = made.walk(registers);
    let places: Vec<_> = frames.iter().map(|f| (f.ip, f.sp, f.arguments)).collect();
    assert_eq!(places, [(0x0040_1000, 0x7020, Some(0x7028)), (0x0040_1234, 0x7040, Some(0x7048))]);
    assert_eq!(frames[1].trust, Trust::FramePointer);
    assert_eq!(frames[1].return_address, Some(0));
}

fn arm64(ip: u64, more: &[(&str, u64)]) -> Registers {
    let all = [("pc", BASE + ip), ("sp", 0x7000)];
    Registers::named(Cpu::Arm64, all.into_iter().chain(more.iter().copied()))
}

/// An image of `blr` instructions with these functions: start, and packed unwind data or the
/// address of its `.xdata` record.
fn arm_image(functions: &[(u32, u32)]) -> Made {
    let mut made = Made::new(0xaa64);
    for at in (TEXT..INFO).step_by(4) {
        made.put(at, &0xd63f_0100u32.to_le_bytes());
    }
    for (i, (start, data)) in (0..).zip(functions) {
        made.put(TABLE + 8 * i, &start.to_le_bytes());
        made.put(TABLE + 8 * i + 4, &data.to_le_bytes());
    }
    let size = u32::try_from(8 * functions.len()).expect("a small number");
    made.put(0x98 + 0x70 + 3 * 8 + 4, &size.to_le_bytes());
    made
}

#[test]
fn packed_arm64_unwind_data() {
    // `stp x19, x20, [sp, -0x20]!; stp x21, lr, [sp, 0x10]; sub sp, sp, 0x20`, 64 instructions;
    // then a function that keeps a frame record: `stp fp, lr, [sp, -0x30]!; mov fp, sp`.
    let first = 1 | 64 << 2 | 3 << 16 | 1 << 21 | 4 << 23;
    let second = 1 | 64 << 2 | 3 << 21 | 3 << 23;
    let mut made = arm_image(&[(0x1000, first), (0x1100, second)]);
    made.push(0x7020, 19);
    made.push(0x7038, BASE + 0x1180);
    made.push(0x7050, 0);
    made.push(0x7058, BASE + 0x1044);
    let places = made.places(arm64(0x1080, &[("fp", 0x7050), ("lr", 1)]));
    assert_eq!(
        places[..3],
        [
            (0x1080, 0x7000, Trust::Context),
            (0x1180, 0x7040, Trust::Unwind),
            (0x1044, 0x7080, Trust::Unwind)
        ]
    );
    // Before the prologue has run nothing is on the stack.
    let places = made.places(arm64(0x1000, &[("lr", BASE + 0x1190)]));
    assert_eq!(places[1], (0x1190, 0x7000, Trust::Unwind));
    // On the return the epilogue has run.
    let places = made.places(arm64(0x10fc, &[("lr", BASE + 0x1190)]));
    assert_eq!(places[1], (0x1190, 0x7000, Trust::Unwind));
}

#[test]
fn full_arm64_unwind_data() {
    // 16 instructions, a word of codes: `sub sp, 0x40`, `stp fp, lr, [sp, 0x10]`,
    // `add fp, sp, 0x10` in reverse.
    let mut made = arm_image(&[(0x1000, INFO)]);
    made.put(INFO, &(16u32 | 2 << 27).to_le_bytes());
    made.put(INFO + 4, &[0xe2, 2, 0x42, 0x04, 0xe4, 0, 0, 0]);
    made.push(0x7010, 0x7fff);
    made.push(0x7018, BASE + 0x1200);
    let places = made.places(arm64(0x1020, &[("fp", 0x7010), ("lr", 1)]));
    assert_eq!(places[1], (0x1200, 0x7040, Trust::Unwind));
    // After the first instruction only stack space was allocated.
    let places = made.places(arm64(0x1004, &[("fp", 0x7010), ("lr", BASE + 0x1300)]));
    assert_eq!(places[1], (0x1300, 0x7040, Trust::Unwind));
}

#[test]
fn walks_over_damaged_data_end() {
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let images = [usual(), arm_image(&[(0x1000, INFO), (0x1100, 0x1_0441), (0x1200, 0x60_0105)])];
    for (round, image) in (0..10_000).zip(images.iter().cycle()) {
        let mut made = Made {
            image: image.image.clone(),
            stack: (0..0x1000).map(|_| next().to_le_bytes()[0]).collect(),
            has_image: true,
            reads: RefCell::new(0),
        };
        for at in (0..0x1000).step_by(8) {
            match next() % 4 {
                0 => made.push(STACK + at, BASE + next() % u64::from(SIZE)),
                1 => made.push(STACK + at, STACK + next() % 0x1000),
                _ => {}
            }
        }
        for _ in 0..next() % 24 {
            let ranges = [(0x80, 0x180), (INFO as usize, 0x100), (TABLE as usize, 0x40)];
            let (start, len) = ranges[usize::try_from(next() % 3).expect("a small number")];
            let at = start + usize::try_from(next()).expect("64 bits") % len;
            made.image[at] = next().to_le_bytes()[0];
        }
        let ip = 0x1000 + next() % 0x500;
        let sp = STACK + next() % 0x800;
        let registers = match round % 3 {
            0 => x64(ip, sp, &[("rbp", STACK + next() % 0x1000)]),
            1 => arm64(ip & !3, &[("fp", STACK + next() % 0x1000), ("lr", BASE + next() % 0x2000)]),
            _ => Registers::named(Cpu::X86, [("eip", ip), ("esp", sp), ("ebp", sp + next() % 64)]),
        };
        let frames = made.walk(registers);
        assert!(!frames.is_empty() && frames.len() <= MAX_FRAMES);
        assert!(*made.reads.borrow() < 200_000, "{} reads", made.reads.borrow());
    }
}

/// Kernel addresses: everything of [`Made`] is moved up by this.
const HIGH: u64 = 0xffff_8000_0000_0000;
/// Offsets of the machine frame and of the saved frame pointer in a trap frame.
const PUSHED: u64 = 0x168;
const SAVED: u64 = 0x158;

/// A kernel without unwind data, whose stacks may contain trap frames.
struct Kernel(Made);

impl Target for Kernel {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        address.checked_sub(HIGH).is_some_and(|address| self.0.read(address, buffer))
    }

    fn module(&self, address: u64) -> Option<Span> {
        let Span { base, end, space } = self.0.module(address.checked_sub(HIGH)?)?;
        Some(Span { base: base + HIGH, end: end + HIGH, space })
    }

    fn machine_frame_offset(&self) -> Option<u64> {
        Some(PUSHED)
    }

    fn interrupted_frame_pointer(&self, trap_frame: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read(trap_frame + SAVED, &mut bytes).then(|| u64::from_le_bytes(bytes))
    }
}

impl Kernel {
    fn new() -> Self {
        Self(Made::new(0x8664))
    }

    /// A trap frame of code at an offset of the image.
    fn trap(&mut self, at: u64, ip: u64, sp: u64) {
        let pushed = [HIGH + BASE + ip, 0x10, 0x10246, HIGH + sp, 0x18];
        for (i, word) in (0..).zip(pushed) {
            self.0.push(at + PUSHED + 8 * i, word);
        }
        self.0.push(at + SAVED, 0x5151);
        // Registers that the trap frame saved look like return addresses.
        self.0.push(at + 0x30, HIGH + BASE + 0x1800);
    }

    fn places(&self, ip: u64, sp: u64) -> Vec<(u64, u64, Trust)> {
        let registers = [("rip", HIGH + BASE + ip), ("rsp", HIGH + sp)];
        let stack = HIGH + STACK..HIGH + TOP;
        let frames =
            Walker::new(self).walk(Registers::named(Cpu::X64, registers), &stack, MAX_FRAMES);
        frames.iter().map(|f| (f.ip - HIGH - BASE, f.sp - HIGH, f.trust)).collect()
    }
}

#[test]
fn a_scan_stops_at_a_trap_frame_and_continues_at_the_interrupted_code() {
    let mut kernel = Kernel::new();
    kernel.0.push(0x7040, HIGH + BASE + 0x1100);
    kernel.trap(0x7100, 0x1234, 0x7400);
    kernel.0.push(0x7408, HIGH + BASE + 0x1300);
    let places = kernel.places(0x1000, 0x7000);
    let expected = [
        (0x1000, 0x7000, Trust::Context),
        (0x1100, 0x7048, Trust::Scan),
        (0x1234, 0x7400, Trust::TrapFrame),
        (0x1300, 0x7410, Trust::Scan),
    ];
    assert_eq!(places, expected);
}

#[test]
fn implausible_values_are_not_a_trap_frame() {
    for (index, word) in [(1, 0x11), (2, 0x1_0000_0246), (2, 0x244), (3, 0x7401), (4, 0x19)] {
        let mut kernel = Kernel::new();
        kernel.trap(0x7100, 0x1234, 0x7400);
        kernel.0.push(0x7100 + PUSHED + 8 * index, word);
        let places = kernel.places(0x1000, 0x7000);
        assert!(places.iter().all(|(_, _, trust)| *trust != Trust::TrapFrame), "{index} {word:#x}");
    }
}

#[test]
fn an_interrupt_stack_leads_to_the_interrupted_stack() {
    let mut kernel = Kernel::new();
    // The interrupt's stack is the upper part; a word near its end points to the trap frame.
    kernel.trap(0x7100, 0x1234, 0x7400);
    kernel.0.push(0x7408, HIGH + BASE + 0x1300);
    kernel.0.push(0x7f40, HIGH + BASE + 0x1100);
    kernel.0.push(0x7ff0, HIGH + 0x7100);
    let places = kernel.places(0x1000, 0x7f00);
    assert_eq!(places[..2], [(0x1000, 0x7f00, Trust::Context), (0x1100, 0x7f48, Trust::Scan)]);
    assert_eq!(places[2..4], [(0x1234, 0x7400, Trust::TrapFrame), (0x1300, 0x7410, Trust::Scan)]);
}

#[test]
fn the_start_of_an_image_is_not_a_return_address() {
    /// A second image follows the first without a gap.
    struct Two(Made);
    impl Target for Two {
        fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
            self.0.read(address, buffer)
        }
        fn module(&self, address: u64) -> Option<Span> {
            let (base, end) = (BASE + 0x3000, BASE + u64::from(SIZE));
            let second = Span { base, end, space: 0 };
            let first = Span { base: BASE, end: base, space: 0 };
            [first, second].into_iter().find(|span| (span.base..span.end).contains(&address))
        }
    }
    let two = Two(Made::new(0x8664));
    let mut walker = Walker::new(&two);
    assert!(walker.may_return_to(Cpu::X64, BASE + 0x2ffe));
    assert!(!walker.may_return_to(Cpu::X64, BASE + 0x3000));
}
