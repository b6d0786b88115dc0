//! Registered callback routines, each with its registration record.

use super::spec::Routines;
use crate::synth::bytes::Bytes;
use crate::synth::system::SystemSpec;
use crate::synth::system::build::Builder;
use crate::synth::system::objects::{Objects, Wanted};

/// Creates the callback objects.
pub(super) fn allocate(builder: &mut Builder<'_>, objects: &mut Objects, routines: &Routines) {
    if !routines.callbacks.is_empty() {
        objects.directory(builder, r"\Callback");
    }
    for (path, _) in &routines.callbacks {
        objects.make(builder, &Wanted { kind: "Callback", size: 0x40, path, address: 0 });
    }
}

/// Writes every record.
pub(super) fn write(builder: &mut Builder<'_>, objects: &Objects, spec: &SystemSpec) {
    let routines = &spec.routines;
    let is_old = builder.version.build < 6000;
    let slots = if is_old { 8 } else { 64 };
    array(builder, "PspCreateProcessNotifyRoutine", slots, &routines.processes);
    array(builder, "PspCreateThreadNotifyRoutine", slots, &routines.threads);
    array(builder, "PspLoadImageNotifyRoutine", slots, &routines.images);
    builder.number("CmpCallBackCount", 4, routines.registry.len() as u64);
    if is_old {
        let all: Vec<u64> = routines.registry.iter().map(|(at, _)| *at).collect();
        array(builder, "CmpCallBackVector", 100, &all);
    } else {
        let entries: Vec<u64> =
            routines.registry.iter().map(|entry| registry(builder, entry)).collect();
        list(builder, "CallbackListHead", &entries);
    }
    let entries: Vec<u64> =
        routines.bugcheck.iter().map(|entry| bugcheck(builder, entry, true)).collect();
    list(builder, "KeBugCheckCallbackListHead", &entries);
    let entries: Vec<u64> =
        routines.bugcheck_reason.iter().map(|entry| bugcheck(builder, entry, false)).collect();
    list(builder, "KeBugCheckReasonCallbackListHead", &entries);
    let devices = routines.shutdown.iter().filter_map(|number| spec.io.devices.get(*number));
    let entries: Vec<u64> =
        devices.map(|device| record(builder, *b"IoSh", &[0, 0, device.address])).collect();
    list(builder, "IopNotifyShutdownQueueHead", &entries);
    list(builder, "IopNotifyLastChanceShutdownQueueHead", &[]);
    let driver = |path: &str| {
        let found = spec.io.drivers.iter().find(|driver| driver.path == path);
        found.map_or(0, |driver| driver.address)
    };
    let file_systems = routines.file_systems.iter();
    let entries: Vec<u64> = file_systems
        .map(|(path, at)| record(builder, *b"IoFs", &[0, 0, driver(path), *at]))
        .collect();
    list(builder, "IopFsNotifyChangeQueueHead", &entries);
    for (path, registered) in &routines.callbacks {
        let object = objects.named.get(path).copied().unwrap_or(0);
        callback(builder, object, registered);
    }
}

/// A record of pointers in pool.
fn record(builder: &mut Builder<'_>, tag: [u8; 4], words: &[u64]) -> u64 {
    let width = builder.width();
    let at = builder.pool(false, tag, words.len() as u64 * width);
    for (i, word) in (0..).zip(words) {
        builder.put_pointer(at + i * width, *word);
    }
    at
}

/// An array of fast references (`_EX_FAST_REF`) to blocks; their lowest bits are counts.
fn array(builder: &mut Builder<'_>, name: &str, slots: u64, routines: &[u64]) {
    let width = builder.width();
    let array = builder.variable(name, slots * width);
    for (slot, routine) in (0..slots).zip(routines) {
        // The first word is the rundown protection of the block.
        let block = record(builder, *b"Cbrb", &[0x20, *routine, 0]);
        builder.put_pointer(array + slot * width, block | (2 * width - 1));
    }
}

fn list(builder: &mut Builder<'_>, head: &str, entries: &[u64]) {
    let head = builder.variable(head, 16);
    builder.link(head, entries);
}

/// A registry callback: links, a number, a cookie, its argument, the routine, its altitude.
fn registry(builder: &mut Builder<'_>, (routine, altitude): &(u64, String)) -> u64 {
    let width = if builder.width() == 8 { 8usize } else { 4 };
    let (text, len) = builder.text(altitude);
    let mut bytes = Bytes::zeroed(0);
    bytes.uint(2 * width, 0, 4);
    // The cookie is a 64-bit number, aligned to eight bytes.
    let cookie = (2 * width + 4).next_multiple_of(8);
    bytes.u64(cookie, 0x01d7_0512_a3f4_0000 + *routine % 0x1000);
    bytes.uint(cookie + 8, 0x1000, width);
    bytes.uint(cookie + 8 + width, *routine, width);
    let name = cookie + 8 + 2 * width;
    bytes.u16(name, u16::try_from(len).unwrap_or(0));
    bytes.u16(name + 2, u16::try_from(len + 2).unwrap_or(0));
    bytes.uint(name + width, text, width);
    bytes.uint(name + 3 * width, 0, width);
    let at = builder.pool(false, *b"CMcb", bytes.len() as u64);
    builder.put(at, bytes.as_slice());
    at
}

/// A bug check callback, with a buffer or with a reason.
fn bugcheck(
    builder: &mut Builder<'_>,
    (routine, component): &(u64, String),
    has_buffer: bool,
) -> u64 {
    let text = [component.as_bytes(), &[0]].concat();
    let name = builder.pool(false, *b"Bugs", text.len() as u64);
    builder.put(name, &text);
    let width = builder.width();
    // A 32-bit length takes a whole word, because the next field is aligned.
    let words: Vec<u64> = if has_buffer {
        let (buffer, length) = (name, text.len() as u64);
        let sum = routine.wrapping_add(buffer).wrapping_add(length).wrapping_add(name);
        vec![0, 0, *routine, buffer, length, name, sum, 1]
    } else {
        let sum = routine.wrapping_add(1).wrapping_add(name);
        vec![0, 0, *routine, name, sum, 1, 1]
    };
    let mask = if width == 8 { u64::MAX } else { 0xffff_ffff };
    let words: Vec<u64> = words.into_iter().map(|word| word & mask).collect();
    record(builder, *b"Bugc", &words)
}

/// A callback object and its registrations, which point back to it.
fn callback(builder: &mut Builder<'_>, object: u64, routines: &[u64]) {
    let width = builder.width();
    builder.put(object, b"Call");
    builder.put_pointer(object + width, 0);
    let entries: Vec<u64> = routines
        .iter()
        .map(|routine| record(builder, *b"CbRe", &[0, 0, object, *routine, 0x1000, 0]))
        .collect();
    builder.link(object + 2 * width, &entries);
    builder.put_u32(object + 4 * width, 1);
}
