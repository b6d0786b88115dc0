//! x86 and x64, with the crate iced-x86: control flow of instructions, and their text as WinDbg
//! prints it.

use iced_x86::{
    Decoder, DecoderOptions, FlowControl, FormatMnemonicOptions, Formatter, Instruction as Iced,
    MasmFormatter, MemorySizeOptions, Mnemonic, OpKind, Register, SymbolResolver, SymbolResult,
};

use super::{Flow, Instruction, Isa, LONGEST, Names, Text};

/// The interrupt that ends a process or the system (`__fastfail`).
const FAST_FAIL: u8 = 0x29;

const fn bits(isa: Isa) -> u32 {
    match isa {
        Isa::X86 => 32,
        Isa::X64 | Isa::Arm64 => 64,
    }
}

/// The instruction at an address; an invalid one is one byte long.
pub(super) fn decode(isa: Isa, address: u64, bytes: &[u8]) -> Option<Instruction> {
    let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
    let iced = iced(isa, address, bytes);
    if iced.is_invalid() {
        // The bytes may end inside the instruction.
        let is_cut = bytes.len() < LONGEST && iced.len() >= bytes.len();
        return (!is_cut && !bytes.is_empty())
            .then(|| Instruction::new(isa, address, bytes, 1, Flow::Invalid));
    }
    let mut instruction = Instruction::new(isa, address, bytes, iced.len(), flow(&iced));
    instruction.target = target(&iced);
    instruction.memory = memory(&iced);
    Some(instruction)
}

fn iced(isa: Isa, address: u64, bytes: &[u8]) -> Iced {
    Decoder::with_ip(bits(isa), bytes, address, DecoderOptions::NONE).decode()
}

fn flow(iced: &Iced) -> Flow {
    match iced.flow_control() {
        FlowControl::Call | FlowControl::IndirectCall if iced.mnemonic() == Mnemonic::Call => {
            Flow::Call
        }
        FlowControl::UnconditionalBranch | FlowControl::IndirectBranch => Flow::Jump,
        FlowControl::ConditionalBranch => Flow::Branch,
        FlowControl::Return => Flow::Return,
        FlowControl::Exception => Flow::Stop,
        FlowControl::Interrupt
            if iced.mnemonic() == Mnemonic::Int && iced.immediate8() == FAST_FAIL =>
        {
            Flow::Stop
        }
        _ => Flow::Next,
    }
}

fn target(iced: &Iced) -> Option<u64> {
    let is_near = matches!(
        iced.op0_kind(),
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64
    );
    is_near.then(|| iced.near_branch_target())
}

/// Whether the memory operand is an absolute or a RIP-relative address.
fn is_constant(iced: &Iced) -> bool {
    iced.is_ip_rel_memory_operand()
        || iced.memory_base() == Register::None && iced.memory_index() == Register::None
}

fn memory(iced: &Iced) -> Option<u64> {
    let has_memory = (0..iced.op_count()).any(|i| iced.op_kind(i) == OpKind::Memory);
    // The base of a segment register is unknown.
    let is_flat = !matches!(iced.memory_segment(), Register::FS | Register::GS);
    (has_memory && is_flat && is_constant(iced)).then(|| iced.memory_displacement64())
}

/// Mnemonic and operands.
pub(super) fn text(instruction: &Instruction, names: &dyn Names) -> Text {
    let iced = iced(instruction.isa, instruction.address, instruction.bytes());
    if iced.is_invalid() {
        return Text { mnemonic: "???".to_owned(), operands: String::new() };
    }
    let mut formatter = formatter(instruction.isa, &iced, names);
    let (mut mnemonic, mut operands) = (String::new(), String::new());
    if let Some(text) = string_instruction(&iced) {
        let prefixes = FormatMnemonicOptions::NO_MNEMONIC;
        formatter.format_mnemonic_options(&iced, &mut mnemonic, prefixes);
        let space = if mnemonic.is_empty() { "" } else { " " };
        return Text { mnemonic: format!("{mnemonic}{space}{}", text.0), operands: text.1 };
    }
    formatter.format_mnemonic(&iced, &mut mnemonic);
    formatter.format_all_operands(&iced, &mut operands);
    Text { mnemonic, operands }
}

fn formatter(isa: Isa, iced: &Iced, names: &dyn Names) -> MasmFormatter {
    let texts = (0..iced.op_count())
        .filter_map(|operand| Some((operand, operand_name(isa, iced, operand, names)?)))
        .collect();
    let mut formatter = MasmFormatter::with_options(Some(Box::new(Texts(texts))), None);
    let options = formatter.options_mut();
    options.set_uppercase_hex(true);
    options.set_small_hex_numbers_in_decimal(true);
    options.set_add_leading_zero_to_hex_numbers(true);
    options.set_space_after_operand_separator(false);
    options.set_memory_size_options(MemorySizeOptions::Always);
    options.set_show_branch_size(false);
    options.set_masm_symbol_displ_in_brackets(is_constant(iced));
    // `fs:[00000124h]`, but `[ebp+8]`.
    options.set_displacement_leading_zeros(isa == Isa::X86 && is_constant(iced));
    formatter
}

/// An operand that is an address, as `nt!KiIdleLoop+0xa (8088d262)`.
fn operand_name(isa: Isa, iced: &Iced, operand: u32, names: &dyn Names) -> Option<String> {
    let digits = |address: u64| isa.address(address);
    let named = |address: u64| Some(format!("{} ({})", names.name(address)?, digits(address)));
    // Displacements from a base register are not addresses, and neither are those in a segment.
    let is_flat = iced.memory_base() == Register::None
        && !matches!(iced.memory_segment(), Register::FS | Register::GS);
    match iced.op_kind(operand) {
        OpKind::NearBranch16 | OpKind::NearBranch32 | OpKind::NearBranch64 => {
            let target = iced.near_branch_target();
            Some(named(target).unwrap_or_else(|| digits(target)))
        }
        OpKind::Memory if iced.is_ip_rel_memory_operand() => {
            let at = iced.memory_displacement64();
            Some(named(at).unwrap_or_else(|| digits(at)))
        }
        OpKind::Memory if is_flat => named(iced.memory_displacement64()),
        OpKind::Immediate32 if isa == Isa::X86 => named(iced.immediate32().into()),
        OpKind::Immediate64 => named(iced.immediate64()),
        _ => None,
    }
}

/// The texts of operands that have names.
struct Texts(Vec<(u32, String)>);

impl SymbolResolver for Texts {
    fn symbol(
        &mut self,
        _: &Iced,
        _: u32,
        operand: Option<u32>,
        address: u64,
        _: u32,
    ) -> Option<SymbolResult<'_>> {
        let (_, text) = self.0.iter().find(|(of, _)| Some(*of) == operand)?;
        Some(SymbolResult::with_str(address, text))
    }
}

/// String instructions have their operands spelt out: `movs dword ptr es:[edi],dword ptr [esi]`.
fn string_instruction(iced: &Iced) -> Option<(&'static str, String)> {
    use Mnemonic as M;
    let (name, size) = match iced.mnemonic() {
        M::Movsb => ("movs", "byte"),
        M::Movsw => ("movs", "word"),
        M::Movsd if iced.is_string_instruction() => ("movs", "dword"),
        M::Movsq => ("movs", "qword"),
        M::Stosb => ("stos", "byte"),
        M::Stosw => ("stos", "word"),
        M::Stosd => ("stos", "dword"),
        M::Stosq => ("stos", "qword"),
        M::Lodsb => ("lods", "byte"),
        M::Lodsw => ("lods", "word"),
        M::Lodsd => ("lods", "dword"),
        M::Lodsq => ("lods", "qword"),
        M::Scasb => ("scas", "byte"),
        M::Scasw => ("scas", "word"),
        M::Scasd => ("scas", "dword"),
        M::Scasq => ("scas", "qword"),
        M::Cmpsb => ("cmps", "byte"),
        M::Cmpsw => ("cmps", "word"),
        M::Cmpsd if iced.is_string_instruction() => ("cmps", "dword"),
        M::Cmpsq => ("cmps", "qword"),
        M::Insb => ("ins", "byte"),
        M::Insw => ("ins", "word"),
        M::Insd => ("ins", "dword"),
        M::Outsb => ("outs", "byte"),
        M::Outsw => ("outs", "word"),
        M::Outsd => ("outs", "dword"),
        _ => return None,
    };
    let operand = |index: u32| string_operand(iced, index, size);
    let all = match name {
        "movs" | "cmps" => format!("{},{}", operand(0)?, operand(1)?),
        "ins" => format!("{},dx", operand(0)?),
        "outs" => format!("dx,{}", operand(1)?),
        "lods" | "scas" => operand(1)?,
        _ => operand(0)?,
    };
    Some((name, all))
}

fn string_operand(iced: &Iced, index: u32, size: &str) -> Option<String> {
    let (register, is_destination) = match iced.op_kind(index) {
        OpKind::MemorySegSI => ("si", false),
        OpKind::MemorySegESI => ("esi", false),
        OpKind::MemorySegRSI => ("rsi", false),
        OpKind::MemoryESDI => ("di", true),
        OpKind::MemoryESEDI => ("edi", true),
        OpKind::MemoryESRDI => ("rdi", true),
        _ => return None,
    };
    let is_64 = iced.code_size() == iced_x86::CodeSize::Code64;
    let segment = match iced.segment_prefix() {
        _ if is_destination && is_64 => "",
        _ if is_destination => "es:",
        Register::FS => "fs:",
        Register::GS => "gs:",
        _ => "",
    };
    Some(format!("{size} ptr {segment}[{register}]"))
}
