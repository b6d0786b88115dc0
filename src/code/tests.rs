//! Code from debugger listings, 32-bit and 64-bit, and damaged code.

use std::fmt::Write as _;

use super::*;

/// `nt` from 80800000 on with some symbols; other addresses have no names.
struct Archive;

impl Names for Archive {
    fn name(&self, address: u64) -> Option<String> {
        let symbols: [(u64, &str); 8] = [
            (0x7700_0000, "kernel32"),
            (0x77e4_103c, "kernel32!_imp__NtDeviceIoControlFile"),
            (0x77e4_15be, "kernel32!DeviceIoControl"),
            (0x8080_10a8, "nt!_imp_HalClearSoftwareInterrupt"),
            (0x8080_1104, "nt!_imp_KfLowerIrql"),
            (0x8083_1be8, "nt!KiRetireDpcList"),
            (0x8088_d258, "nt!KiIdleLoop"),
            (0xf6e7_40c6, "intelppm!KeQueryPerformanceCounter"),
        ];
        let (start, name) = symbols.into_iter().rev().find(|(start, _)| *start <= address)?;
        match address - start {
            0 => Some(name.to_owned()),
            offset if offset < 0x1_0000 => Some(format!("{name}+{offset:#x}")),
            _ => None,
        }
    }
}

/// No address has a name.
struct Nameless;

impl Names for Nameless {
    fn name(&self, _: u64) -> Option<String> {
        None
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

fn line(instruction: &Instruction) -> String {
    let text = instruction.text(&Archive);
    format!("{:08x} {:<7} {}", instruction.address, text.mnemonic, text.operands).trim().to_owned()
}

fn fetch_of(base: u64, code: &[u8]) -> impl Fn(u64, &mut [u8]) -> usize {
    move |address, buffer| {
        let at = address.checked_sub(base).and_then(|at| usize::try_from(at).ok());
        let rest = at.and_then(|at| code.get(at..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }
}

#[test]
fn a_function_of_the_archive() {
    let code = bytes(
        "51 6a00 e82e040000 8b0c24 8901 895104 fb f4 6a00 e81d040000 59 894108 89510c 33c0 c3 cc",
    );
    let found = function(Isa::X86, 0xf6e7_3c90, &fetch_of(0xf6e7_3c90, &code), &|_| true);
    assert_eq!(found.len(), 1);
    let lines: Vec<_> = found[0].instructions.iter().map(line).collect();
    let expected = [
        "f6e73c90 push    ecx",
        "f6e73c91 push    0",
        "f6e73c93 call    intelppm!KeQueryPerformanceCounter (f6e740c6)",
        "f6e73c98 mov     ecx,dword ptr [esp]",
        "f6e73c9b mov     dword ptr [ecx],eax",
        "f6e73c9d mov     dword ptr [ecx+4],edx",
        "f6e73ca0 sti",
        "f6e73ca1 hlt",
        "f6e73ca2 push    0",
        "f6e73ca4 call    intelppm!KeQueryPerformanceCounter (f6e740c6)",
        "f6e73ca9 pop     ecx",
        "f6e73caa mov     dword ptr [ecx+8],eax",
        "f6e73cad mov     dword ptr [ecx+0Ch],edx",
        "f6e73cb0 xor     eax,eax",
        "f6e73cb2 ret",
    ];
    assert_eq!(lines, expected);
}

/// The first three blocks of `nt!KiIdleLoop`, with an artificial end.
const IDLE: &str = "eb08 8d8bc00e0000 ff11 f390 fb 90 90 fa 8b834c0a0000 0b83880a0000 0b83100c0000
    7413 b102 ff15a8108080 8d8b20010000 e85949faff 83bb2801000000 c3";

#[test]
fn blocks_begin_where_branches_lead() {
    let code = bytes(IDLE);
    let found = function(Isa::X86, 0x8088_d258, &fetch_of(0x8088_d258, &code), &|_| true);
    let starts: Vec<u64> = found.iter().map(|block| block.start).collect();
    // The branch that leads to the second block of the listing is cut off here.
    assert_eq!(starts, [0x8088_d258, 0x8088_d262, 0x8088_d27c, 0x8088_d28f]);
    let lines: Vec<_> = found.iter().flat_map(|block| &block.instructions).map(line).collect();
    for expected in [
        "8088d258 jmp     nt!KiIdleLoop+0xa (8088d262)",
        "8088d268 mov     eax,dword ptr [ebx+0A4Ch]",
        "8088d27a je      nt!KiIdleLoop+0x37 (8088d28f)",
        "8088d27e call    dword ptr [nt!_imp_HalClearSoftwareInterrupt (808010a8)]",
        "8088d28a call    nt!KiRetireDpcList (80831be8)",
        "8088d28f cmp     dword ptr [ebx+128h],0",
    ] {
        assert!(lines.iter().any(|line| line == expected), "{expected} in {lines:#?}");
    }
}

/// The code before `kernel32!DeviceIoControl+0x133`, beginning with the last byte of an
/// instruction.
const DEVICE: &str = "00 8d45d8 50 53 53 53 ff7508 0f8408010000 ff153c10e477";

#[test]
fn instructions_before_a_return_address() {
    let code = bytes(DEVICE);
    let base = 0x77e4_16f1 - code.len() as u64;
    let fetch = fetch_of(base, &code);
    let expected = [
        "77e416db lea     eax,[ebp-28h]",
        "77e416de push    eax",
        "77e416df push    ebx",
        "77e416e0 push    ebx",
        "77e416e1 push    ebx",
        "77e416e2 push    dword ptr [ebp+8]",
        "77e416e5 je      kernel32!DeviceIoControl+0x235 (77e417f3)",
        "77e416eb call    dword ptr [kernel32!_imp__NtDeviceIoControlFile (77e4103c)]",
    ];
    for (known, alignment) in [(Some(0x77e4_16db), Alignment::Known), (None, Alignment::Likely)] {
        let (all, how) = before(Isa::X86, 0x77e4_16f1, 8, known, &fetch);
        assert_eq!(
            (all.iter().map(line).collect::<Vec<_>>(), how),
            (expected.map(str::to_owned).to_vec(), alignment)
        );
    }
    assert_eq!(is_return_address(Isa::X86, 0x77e4_16f1, &fetch), Some(true));
    assert_eq!(is_return_address(Isa::X86, 0x77e4_16e5, &fetch), Some(false));
    assert_eq!(is_return_address(Isa::X86, 0x77e4_0000, &fetch), None);
}

fn one(isa: Isa, hex: &str) -> String {
    let code = bytes(hex);
    let found = decode(isa, 0x8088_d000, &code).unwrap();
    assert_eq!(found.bytes().len(), code.len(), "{hex}");
    let text = found.text(&Archive);
    format!("{} {}", text.mnemonic, text.operands).trim().to_owned()
}

#[test]
fn text_is_that_of_debuggers() {
    let x86 = [
        ("64a124010000", "mov eax,dword ptr fs:[00000124h]"),
        ("a118304000", "mov eax,dword ptr ds:[00403018h]"),
        ("a104118080", "mov eax,dword ptr [nt!_imp_KfLowerIrql (80801104)]"),
        ("6804118080", "push offset nt!_imp_KfLowerIrql (80801104)"),
        ("ff248504118080", "jmp dword ptr nt!_imp_KfLowerIrql (80801104)[eax*4]"),
        ("f3a5", "rep movs dword ptr es:[edi],dword ptr [esi]"),
        ("aa", "stos byte ptr es:[edi]"),
        ("f00fbaab7c0a000000", "lock bts dword ptr [ebx+0A7Ch],0"),
        ("6aff", "push 0FFFFFFFFh"),
        ("c22400", "ret 24h"),
        ("cc", "int 3"),
        ("dcff", "fdiv st(7),st"),
    ];
    for (code, expected) in x86 {
        assert_eq!(one(Isa::X86, code), expected);
    }
    let x64 = [
        ("48895c2408", "mov qword ptr [rsp+8],rbx"),
        ("4881ecf0000000", "sub rsp,0F0h"),
        ("4883c8ff", "or rax,0FFFFFFFFFFFFFFFFh"),
        ("65488b042588010000", "mov rax,qword ptr gs:[188h]"),
        ("f348a5", "rep movs qword ptr [rdi],qword ptr [rsi]"),
        ("6644393442", "cmp word ptr [rdx+rax*2],r14w"),
        ("0f22e1", "mov cr4,rcx"),
        ("ff15c90f0000", "call qword ptr [nt!KiIdleLoop+0xd77 (00000000`8088dfcf)]"),
    ];
    for (code, expected) in x64 {
        assert_eq!(one(Isa::X64, code), expected);
    }
    assert_eq!(decode(Isa::X64, 0, &bytes("0e")).map(|i| i.flow), None);
    let padded = bytes("0e0000000000000000000000000000");
    let invalid = decode(Isa::X64, 0, &padded).unwrap();
    assert_eq!((invalid.flow, invalid.size()), (Flow::Invalid, 1));
    assert_eq!(invalid.text(&Nameless).mnemonic, "???");
}

#[test]
fn flow_and_targets() {
    let flow = |isa, hex: &str| {
        let found = decode(isa, 0x1000, &bytes(hex)).unwrap();
        (found.flow, found.target, found.memory)
    };
    assert_eq!(flow(Isa::X64, "e8fbffffff"), (Flow::Call, Some(0x1000), None));
    assert_eq!(flow(Isa::X64, "ff1500100000"), (Flow::Call, None, Some(0x2006)));
    assert_eq!(flow(Isa::X64, "ffd0"), (Flow::Call, None, None));
    assert_eq!(flow(Isa::X64, "0f05"), (Flow::Next, None, None));
    assert_eq!(flow(Isa::X64, "cd29"), (Flow::Stop, None, None));
    assert_eq!(flow(Isa::X64, "7402"), (Flow::Branch, Some(0x1004), None));
    assert_eq!(flow(Isa::X86, "ff2504118080"), (Flow::Jump, None, Some(0x8080_1104)));
    assert_eq!(flow(Isa::X86, "64a118000000"), (Flow::Next, None, None));
    assert_eq!(flow(Isa::X64, "f3c3"), (Flow::Return, None, None));
    assert_eq!(flow(Isa::Arm64, "ffffff97"), (Flow::Call, Some(0xffc), None));
    assert_eq!(flow(Isa::Arm64, "c0035fd6"), (Flow::Return, None, None));
    assert_eq!(flow(Isa::Arm64, "40000054"), (Flow::Branch, Some(0x1008), None));
    assert_eq!(flow(Isa::Arm64, "00000090"), (Flow::Next, None, Some(0x1000)));
}

#[test]
fn calls_before_return_addresses() {
    let is = |hex: &str| {
        let code = bytes(hex);
        is_return(Isa::X64, 0x1000, &code).is_some()
    };
    for call in [
        "9090e801020304",
        "ffd0",
        "41ffd3",
        "ff1501020304",
        "ff5018",
        "ff542430",
        "ff9001020304",
        "ff942401020304",
        "ff14c8",
        "41ff942401020304",
    ] {
        assert!(is(call), "{call}");
    }
    for other in ["cccccccccccccc", "ff2501020304", "c3", "", "e8010203", "ff1801020304"] {
        assert!(!is(other), "{other}");
    }
}

/// Deterministic pseudorandom bytes.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn noise_neither_hangs_nor_panics() {
    let code = noise(20_000);
    for isa in [Isa::X86, Isa::X64, Isa::Arm64] {
        let fetch = fetch_of(0x1000, &code);
        for start in (0x1000..0x1000 + 20_000).step_by(97) {
            let found = function(isa, start, &fetch, &|at| (0x1000..0x6000).contains(&at));
            assert!(found.iter().all(|block| !block.instructions.is_empty()));
            let (all, _) = before(isa, start, 8, Some(start.saturating_sub(33)), &fetch);
            assert!(all.windows(2).all(|pair| pair[0].end() == pair[1].address));
            is_return_address(isa, start, &fetch);
            for instruction in all {
                instruction.text(&Archive);
            }
        }
    }
}

/// How many random bytes of each instruction set are compared with capstone.
const COMPARED: usize = 500_000;

#[test]
fn listings_agree_with_capstone() {
    let python = std::env::var("DUMPQL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let has = std::process::Command::new(&python).args(["-c", "import capstone"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: {python} with the module capstone not found (set DUMPQL_PYTHON)");
        return;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/capstone_compare.py");
    let folder = std::env::temp_dir().join(format!("dumpql-capstone-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (code, listing) = (folder.join("code"), folder.join("listing"));
    let data = noise(COMPARED + LONGEST);
    std::fs::write(&code, &data).unwrap();
    for (isa, mode) in [(Isa::X86, "x86"), (Isa::X64, "x64")] {
        let mut lines = String::new();
        for (at, bytes) in data.windows(LONGEST).take(COMPARED).enumerate() {
            let found = decode(isa, 0x1000_0000 + at as u64, bytes).unwrap();
            let text = found.text(&Nameless);
            let (mnemonic, operands) = (&text.mnemonic, &text.operands);
            writeln!(lines, "{}\t{mnemonic}\t{operands}", found.size()).unwrap();
        }
        std::fs::write(&listing, lines).unwrap();
        let mut command = std::process::Command::new(&python);
        let output = command.arg(script).arg(mode).arg(&code).arg(&listing).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{mode}:\n{said}{failed}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
