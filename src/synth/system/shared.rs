//! `KUSER_SHARED_DATA`, the page that the kernel shares with every process: times, version,
//! product.

use super::build::Builder;
use super::spec::SystemSpec;
use crate::synth::bytes::utf16;

/// The address of the page in user mode.
const USER: u64 = 0x7ffe_0000;
/// The length of a clock tick in 100 ns units.
const TICK: u64 = 156_250;

/// Writes the page, and maps it into every address space.
pub(super) fn write(builder: &mut Builder<'_>, spec: &SystemSpec) {
    let version = builder.version;
    let mut data = builder.new_object("_KUSER_SHARED_DATA");
    data.set("TickCountMultiplier", 0x0fa0_0000).set("TimeZoneBias.LowPart", 0);
    time(&mut data, "InterruptTime", spec.ticks * TICK);
    time(&mut data, "SystemTime", spec.system_time);
    time(&mut data, "TickCount", spec.ticks);
    data.set_any(&["TickCountLowDeprecated", "TickCountLow"], spec.ticks & 0xffff_ffff);
    data.put("NtSystemRoot", &utf16("C:\\WINDOWS"));
    data.opt("NtBuildNumber", version.build.into());
    data.set("NtMajorVersion", version.system.0.into());
    data.set("NtMinorVersion", version.system.1.into());
    data.set("NtProductType", if version.is_server { 3 } else { 1 }).set("ProductTypeIsValid", 1);
    data.set("SuiteMask", 0x112).set("NumberOfPhysicalPages", spec.physical_pages);
    data.opt("ActiveProcessorCount", spec.processors.len() as u64);
    data.opt("QpcFrequency", 10_000_000);
    let at = version.shared_data();
    builder.place(at, data);
    let frame = builder.memory.commit(builder.dtb, at);
    for process in spec.processes.iter().filter(|process| process.peb != 0) {
        builder.memory.map(process.dtb, USER, frame);
    }
    let width = builder.width();
    let ticks = builder.variable("KeTickCount", 12);
    builder.put(ticks, &spec.ticks.to_le_bytes());
    builder.put_u32(ticks + width.max(8), spec.ticks >> 32);
}

/// A time of three words: low, high, and high again.
fn time(data: &mut crate::synth::layout::Object<'_>, path: &str, value: u64) {
    data.set(&format!("{path}.LowPart"), value & 0xffff_ffff);
    data.set(&format!("{path}.High1Time"), value >> 32);
    data.set(&format!("{path}.High2Time"), value >> 32);
}
