//! The container of a kernel triage dump: header, triage block, and everything that it points to.
//!
//! This is written from published facts about `DUMP_HEADER32/64` and `TRIAGE_DUMP32/64`,
//! independently of the readers.

use super::bytes::{Bytes, len32, low32, utf16};
use super::context;
use super::form::{FORM32, FORM64, Form};
use super::layout::Layout;
use super::objects::{self, Built};
use super::spec::{Arch, Block, Driver, ExceptionRecord, TriageSpec};

/// The bytes of a kernel triage dump.
pub fn triage(spec: &TriageSpec) -> Vec<u8> {
    build(spec).0
}

/// The bytes, and the fields of structures that this version of Windows does not have.
pub(super) fn build(spec: &TriageSpec) -> (Vec<u8>, Vec<String>) {
    let form = if spec.arch == Arch::X86 { &FORM32 } else { &FORM64 };
    let layout = Layout::of(spec.build, spec.service_pack, spec.arch.name());
    let objects = structures(spec, layout.as_ref());
    let mut file = Bytes::filler(form.header);
    header(&mut file, spec, form, layout.as_ref());
    let at = form.header;
    file.put(at, &vec![0; form.triage]);
    file.u32(at + 0xc, len32(form.context));
    file.u32(at + 0x10, len32(form.exception));
    let memory = file.append(&[0; 0x50], 8);
    file.u32(memory, 1);
    file.u32(memory + 4, 0x50);
    file.u32(at + 0x14, len32(memory));
    let list = unloaded(spec, form);
    let list = file.append(&list, 8);
    file.u32(at + 0x18, len32(list));
    crash_objects(&mut file, spec, form, &objects);
    stack(&mut file, spec, form, layout.as_ref());
    if spec.has_debugger_data {
        let data = objects::debugger_data(spec, layout.as_ref());
        let place = file.append(&data, 8);
        file.u32(at + form.debugger_block, len32(place));
        file.u32(at + form.debugger_block + 4, len32(data.len()));
    }
    drivers(&mut file, spec, form);
    if spec.has_data_blocks {
        let mut blocks = objects.blocks;
        blocks.extend(objects::variables(spec, form.width));
        blocks.extend(spec.blocks.iter().cloned());
        data_blocks(&mut file, form, &blocks);
    }
    file.u32(at + 0x44, u32::MAX);
    let valid = file.append(b"TRGD", 4);
    let end = file.len();
    file.u32(at + 4, len32(end));
    file.u32(at + 8, len32(valid));
    file.u64(form.required, end as u64);
    (file.into_vec(), objects.missing)
}

fn structures(spec: &TriageSpec, layout: Option<&Layout>) -> Built {
    let mut all = Built::default();
    let Some(layout) = layout else { return all };
    let cpus = spec.cpus.iter().enumerate().map(|(i, cpu)| objects::cpu(layout, i, cpu, spec));
    let threads = spec.threads.iter().map(|thread| objects::thread(layout, thread));
    let processes = spec.processes.iter().map(|process| objects::process(layout, process));
    for built in cpus.chain(threads).chain(processes) {
        all.blocks.extend(built.blocks);
        all.missing.extend(built.missing);
    }
    all
}

fn header(file: &mut Bytes, spec: &TriageSpec, form: &Form, layout: Option<&Layout>) {
    let width = form.width;
    file.put(0, if width == 8 { b"PAGEDU64" } else { b"PAGEDUMP" });
    file.u32(8, 15);
    file.u32(0xc, u32::from(spec.build));
    let (modules, processes) = objects::list_heads(spec);
    for (i, pointer) in [spec.dtb, 0, modules, processes].into_iter().enumerate() {
        file.uint(form.pointers + i * width, pointer, width);
    }
    let machine = match spec.arch {
        Arch::X86 => 0x14c,
        Arch::X64 => 0x8664,
        Arch::Arm64 => 0xaa64,
    };
    file.u32(form.machine, machine);
    file.u32(form.machine + 4, spec.processors);
    file.u32(form.bugcheck, spec.bugcheck);
    for (i, parameter) in spec.parameters.into_iter().enumerate() {
        file.uint(form.parameters + i * width, parameter, width);
    }
    if width == 4 {
        file.put(0x5c, &[1, 0]);
    }
    if spec.has_debugger_data {
        file.uint(form.debugger_data, objects::debugger_data_address(spec), width);
    }
    file.put(form.context, &vec![0; if width == 8 { 3000 } else { 1200 }]);
    file.put(form.context, &context::build(spec, layout));
    exception(file, spec.exception.as_ref(), form);
    if !spec.comment.is_empty() {
        let mut comment: Vec<u8> = spec.comment.bytes().take(127).collect();
        comment.push(0);
        file.put(form.comment, &comment);
    }
    file.u32(form.dump_type, 4);
    file.u32(form.fields, 0xcff);
    file.u64(form.system_time, spec.system_time);
    file.u64(form.uptime, spec.uptime);
}

/// Writes the exception record.
pub(super) fn exception(file: &mut Bytes, record: Option<&ExceptionRecord>, form: &Form) {
    let Some(record) = record else { return };
    let (at, width) = (form.exception, form.width);
    file.u32(at, record.code);
    file.u32(at + 4, record.flags);
    file.uint(at + 8, 0, width);
    file.uint(at + 8 + width, record.address, width);
    let count = at + 8 + 2 * width;
    file.u32(count, len32(record.parameters.len().min(15)));
    let first = (count + 4).next_multiple_of(width);
    for (i, parameter) in record.parameters.iter().take(15).enumerate() {
        file.uint(first + i * width, *parameter, width);
    }
}

fn unloaded(spec: &TriageSpec, form: &Form) -> Vec<u8> {
    let (width, mut list) = (form.width, Bytes::default());
    let entry = if width == 8 { 56 } else { 40 };
    list.uint(0, spec.unloaded.len() as u64, width);
    for (i, driver) in spec.unloaded.iter().enumerate() {
        let at = width + i * entry;
        let name: Vec<u8> = utf16(&driver.name).into_iter().take(24).collect();
        list.put(at, &vec![0; entry]);
        list.u16(at, u16::try_from(name.len()).unwrap_or(24));
        list.u16(at + 2, u16::try_from(name.len()).unwrap_or(24));
        list.put(at + 2 * width, &name);
        list.uint(at + 2 * width + 24, driver.start, width);
        list.uint(at + 3 * width + 24, driver.end, width);
    }
    list.into_vec()
}

/// Copies of the `_KPRCB`, `_ETHREAD` and `_EPROCESS` of the crashing processor.
fn crash_objects(file: &mut Bytes, spec: &TriageSpec, form: &Form, objects: &Built) {
    let Some(cpu) = spec.cpus.get(spec.crash_cpu) else { return };
    let thread = spec.threads.iter().find(|thread| thread.ethread == cpu.threads.0);
    let process = thread.map_or(0, |thread| thread.eprocess);
    for (field, address) in [(0x1c, cpu.prcb), (0x20, process), (0x24, cpu.threads.0)] {
        if let Some(block) = objects.blocks.iter().find(|block| block.address == address) {
            let place = file.append(&block.bytes, 8);
            file.u32(form.header + field, len32(place));
        }
    }
}

fn stack(file: &mut Bytes, spec: &TriageSpec, form: &Form, layout: Option<&Layout>) {
    let mut words = Bytes::default();
    for (i, word) in spec.stack.iter().enumerate() {
        words.uint(i * form.width, *word, form.width);
    }
    if let (Some((address, registers)), Some(layout)) = (&spec.trap_frame, layout) {
        let offset = usize::try_from(address.saturating_sub(spec.stack_pointer));
        words.put(offset.unwrap_or(0), &context::trap_frame(layout, registers));
    }
    let place = file.append(words.as_slice(), 8);
    file.u32(form.header + 0x28, len32(place));
    file.u32(form.header + 0x2c, len32(words.len()));
    file.uint(form.header + form.stack_top, spec.stack_pointer, form.width);
}

/// The driver list and the names that its entries point to.
fn drivers(file: &mut Bytes, spec: &TriageSpec, form: &Form) {
    let entry = if form.width == 8 { 0x90 } else { 0x4c };
    let list = file.append(&vec![0; entry * spec.drivers.len()], 8);
    let pool = file.append(&[], 8);
    for (i, driver) in spec.drivers.iter().enumerate() {
        let mut name = len32(driver.path.encode_utf16().count()).to_le_bytes().to_vec();
        name.extend(utf16(&driver.path));
        name.extend([0, 0]);
        let name = file.append(&name, 8);
        driver_entry(file, list + i * entry, name, driver, form.width);
    }
    let end = file.len();
    for (field, value) in
        [(0x30, list), (0x34, spec.drivers.len()), (0x38, pool), (0x3c, end - pool)]
    {
        file.u32(form.header + field, len32(value));
    }
}

fn driver_entry(file: &mut Bytes, at: usize, name: usize, driver: &Driver, width: usize) {
    file.u32(at, len32(name));
    let (base, size, checksum, timestamp) =
        if width == 8 { (0x38, 0x48, 0x80, 0x88) } else { (0x1c, 0x24, 0x44, 0x48) };
    file.uint(at + base, driver.base, width);
    file.u32(at + size, driver.size);
    file.u32(at + checksum, driver.checksum);
    file.u32(at + timestamp, driver.timestamp);
}

/// The list of data blocks, followed by their contents.
fn data_blocks(file: &mut Bytes, form: &Form, blocks: &[Block]) {
    let list = file.append(&vec![0; 16 * blocks.len()], 8);
    for (i, block) in blocks.iter().enumerate() {
        let place = file.append(&block.bytes, 1);
        let high = form.width == 4 && block.address & 0x8000_0000 != 0;
        let address = if high { block.address | !0xffff_ffff } else { block.address };
        file.u32(list + 16 * i, low32(address));
        file.u32(list + 16 * i + 4, low32(address >> 32));
        file.u32(list + 16 * i + 8, len32(place));
        file.u32(list + 16 * i + 12, len32(block.bytes.len()));
    }
    file.u32(form.header + form.debugger_block + 8, len32(list));
    file.u32(form.header + form.debugger_block + 12, len32(blocks.len()));
}
