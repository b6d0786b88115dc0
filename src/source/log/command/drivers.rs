//! `!drvobj`, `!devobj`, `!devstack` and `!devnode`: drivers and their devices.

use super::{Context, Fills, Reader, Signature};
use crate::catalog::{Absent, Cell, names};
use crate::model::{Device, Dispatch, Driver};
use crate::source::log::line::{Line, Lines};
use crate::source::log::scan::{
    address, after, between, dec, found, hex, hex_int, number, pointer, text, word,
};
use crate::source::log::sink::Sink;

/// The reader of `!drvobj`.
pub(super) static DRVOBJ: Reader = Reader {
    name: "!drvobj",
    is_named: |name| name == "!drvobj",
    signatures: &[Signature { literal: "Driver object (", check: |_| true }],
    contains: &[],
    fills: &[Fills::rows::<Driver>(), Fills::rows::<Dispatch>(), Fills::rows::<Device>()],
    read: read_driver,
};

/// The reader of `!devobj`, `!devstack` and `!devnode`.
pub(super) static DEVOBJ: Reader = Reader {
    name: "!devobj",
    is_named: |name| matches!(name, "!devobj" | "!devstack" | "!devnode"),
    signatures: &[
        Signature { literal: "Device object (", check: |_| true },
        Signature { literal: "!DevObj", check: |line| line.contains("!DrvObj") },
        Signature { literal: "DevNode 0x", check: |line| node(line.trim()).is_some() },
    ],
    contains: &[],
    fills: &[Fills::rows::<Device>()],
    read: read_devices,
};

/// An address and a symbol after a label.
fn routine(rest: &str) -> (Cell<u64>, Cell<String>) {
    let Some((at, symbol)) = word(rest) else {
        return (Err(Absent::NotApplicable), Err(Absent::NotApplicable));
    };
    (found(hex(at)).and_then(pointer), text(symbol))
}

/// `[00] IRP_MJ_CREATE                      fffff80117b49a20             portcls!DispatchCreate`.
fn dispatch(line: &str, driver: &Driver) -> Option<Dispatch> {
    let inside = between(line, "[", "]").filter(|_| line.starts_with('['))?;
    let major = hex_int(inside)?;
    let rest = line.get(line.find(']')? + 1..)?;
    let (name, rest) = word(rest)?;
    let (at, symbol) = routine(rest);
    Some(Dispatch {
        driver_object: driver.driver_object,
        driver: driver.driver.clone(),
        major: Ok(major),
        major_name: u8::try_from(major)
            .ok()
            .and_then(names::irp_major)
            .map_or_else(|| text(name), |name| Ok(name.to_owned())),
        address: at,
        symbol,
        ..Dispatch::default()
    })
}

fn read_driver(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut row: Option<(u64, Driver)> = None;
    let mut in_devices = false;
    for line in lines {
        let trimmed = line.trimmed();
        if trimmed.starts_with("Driver object (") {
            emit(row.take(), sink);
            let at = between(trimmed, "(", ")").and_then(hex);
            row = Some((line.number, Driver { driver_object: found(at), ..Driver::default() }));
            in_devices = false;
        } else if let Some((_, driver)) = &mut row {
            if let Some(dispatch) = dispatch(trimmed, driver) {
                sink.row(&line, dispatch);
            } else if trimmed.starts_with("Device Object list") {
                in_devices = true;
                driver.device_count = Ok(0);
            } else if in_devices
                && trimmed.split_whitespace().all(|w| address(w).is_some())
                && !line.is_blank()
            {
                for at in trimmed.split_whitespace().filter_map(address) {
                    driver.device_count = driver.device_count.map(|n| n + 1);
                    sink.row(
                        &line,
                        Device {
                            device_object: Ok(at),
                            driver_object: driver.driver_object,
                            driver: driver.driver.clone(),
                            ..Device::default()
                        },
                    );
                }
            } else if !(driver_detail(trimmed, driver) || is_aside(trimmed)) {
                sink.unread(&line);
            }
        } else if !line.is_blank() {
            sink.unread(&line);
        }
    }
    emit(row, sink);
}

/// `(fffff801c0d83100 ffffe00142cb5010)` of the list of extensions, and the command that `!drvobj 4`
/// runs itself.
fn is_aside(line: &str) -> bool {
    let inside = line.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let is_pair =
        inside.is_some_and(|inside| inside.split_whitespace().all(|w| address(w).is_some()));
    is_pair || line.starts_with("!devstack ") || line.starts_with("Device Object stacks")
}

fn emit(row: Option<(u64, Driver)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn driver_detail(line: &str, row: &mut Driver) -> bool {
    if line.starts_with('\\') {
        row.driver = text(line);
        row.service_key = text(line.rsplit('\\').next().unwrap_or_default());
        return true;
    }
    let Some((label, rest)) = line.split_once(':') else { return line.is_empty() };
    match label.trim() {
        "DriverEntry" => (row.init, row.init_symbol) = routine(rest),
        "DriverStartIo" => (row.start_io, row.start_io_symbol) = routine(rest),
        "DriverUnload" => (row.unload, row.unload_symbol) = routine(rest),
        "AddDevice" => (row.add_device, row.add_device_symbol) = routine(rest),
        label => {
            return label.starts_with("Driver Extension List")
                || label.starts_with("Dispatch routines")
                || label.starts_with("Fast I/O")
                || label.starts_with("Device Object");
        }
    }
    true
}

/// `DevNode 0xff0cfe88 for PDO 0xff0cf030 at level 0x3`.
fn node(line: &str) -> Option<Device> {
    let rest = line.strip_prefix("DevNode ")?;
    let (at, rest) = word(rest)?;
    let pdo = after(rest, "for PDO")?;
    Some(Device { device_node: Ok(hex(at)?), device_object: Ok(hex(pdo)?), ..Device::default() })
}

/// `!DevNode fffffa8001133a00 :`, the device node of the lowest device of the stack above.
fn node_of_stack(line: &str) -> Option<u64> {
    address(word(line.strip_prefix("!DevNode ")?)?.0)
}

/// A row of `!devstack`: `> ffffe00089c575a0  \Driver\PnpManager  00000000  0000004e`.
fn stack_row(line: &str) -> Option<Device> {
    let (at, rest) = word(line.trim_start_matches(['>', ' ']))?;
    let at = address(at)?;
    let (driver, rest) = word(rest)?;
    let is_stack = driver.starts_with('\\') || driver.starts_with("***");
    // A device name may look like an address; it precedes the driver.
    if !is_stack || rest.starts_with("DriverObject") {
        return None;
    }
    let (extension, name) = word(rest)?;
    Some(Device {
        device_object: Ok(at),
        driver: text(driver),
        device_extension: found(hex(extension)).and_then(pointer),
        name: text(name.trim_start_matches("Cannot read info offset from nt!ObpInfoMaskToOffset")),
        ..Device::default()
    })
}

/// Takes a line of `!devobj` or `!devnode`.
fn device_detail(line: &str, row: &mut Device) -> bool {
    if let Some(rest) = line.strip_prefix("InstancePath is") {
        row.instance_path = text(rest.trim().trim_matches('"'));
    } else if let Some(rest) = line.strip_prefix("DeviceInst is") {
        row.instance_path = text(rest.trim().trim_matches('"'));
    } else if let Some(rest) = line.strip_prefix("ServiceName is") {
        row.service = text(rest.trim().trim_matches('"'));
    } else if line.contains("DriverObject ") && !line.starts_with("Current Irp") {
        let before = line.split("DriverObject").next().unwrap_or_default();
        let driver_at = before.find('\\').unwrap_or(before.len());
        let (name, driver) = before.split_at_checked(driver_at).unwrap_or((before, ""));
        row.name = text(name);
        row.driver = text(driver);
        row.driver_object = found(after(line, "DriverObject").and_then(hex));
    } else if line.starts_with("Current Irp") {
        row.current_irp = found(after(line, "Current Irp").and_then(hex)).and_then(pointer);
        row.reference_count = found(after(line, "RefCount").and_then(dec));
        row.device_type = found(after(line, "Type").and_then(hex_int));
        // Published logs may have lost the space after the flags.
        let flags = after(line, "Flags").and_then(|flags| flags.get(..8.min(flags.len())));
        row.flags = found(flags.and_then(hex_int));
        if line.contains("AttachedDev ") {
            row.attached_device_object =
                found(after(line, "AttachedDev ").and_then(hex)).and_then(pointer);
        }
    } else if line.contains("DevExt ") {
        row.device_extension = found(after(line, "DevExt").and_then(hex)).and_then(pointer);
        row.device_node = found(after(line, "DevNode").and_then(hex)).and_then(pointer);
    } else if line.starts_with("Characteristics") {
        row.characteristics = found(between(line, "(", ")").and_then(number));
    } else if line.starts_with("AttachedDevice") {
        row.attached_device_object = found(after(line, ") ").and_then(hex)).and_then(pointer);
    } else if line.starts_with("AttachedTo") {
        row.attached_to = found(after(line, ") ").and_then(hex)).and_then(pointer);
    } else {
        const STARTS: &[&str] = &[
            "ExtensionFlags",
            "Device queue",
            "SecurityDescriptor",
            "Vpb ",
            "Dacl ",
            "DeviceQueue",
            "State",
            "Previous State",
            "StateHistory",
            "Parent ",
            "InterfaceType",
            "TargetDeviceNotify",
            "Flags (",
            "CmResourceList",
            "Entry ",
            "Range ",
            "Level ",
            "IoResList",
            "Reserved",
            "Alternative",
            "Preferred",
            "Data:",
            "DNF_",
            "Unknown flags",
            "BootResourcesList",
            "DisableableDepends",
            "UserFlags",
            "CapabilityFlags",
            "Problem",
            "Arbitrated",
        ];
        return STARTS.iter().any(|start| line.starts_with(start));
    }
    true
}

/// Emits the rows of a device stack, top first.
fn finish_stack(mut rows: Vec<(u64, Device)>, sink: &mut Sink<'_>) {
    let count = rows.len();
    for (index, (_, row)) in rows.iter_mut().enumerate() {
        row.stack_depth = i64::try_from(count - 1 - index).map_err(|_| Absent::Unreadable);
    }
    for (at, row) in rows {
        sink.row_at(at, row);
    }
}

fn read_devices(_: &Context<'_>, lines: &mut Lines<'_>, sink: &mut Sink<'_>) {
    let mut stack: Vec<(u64, Device)> = Vec::new();
    let mut row: Option<(u64, Device)> = None;
    for line in lines {
        let trimmed = line.trimmed();
        if trimmed.starts_with("Device object (") {
            push(row.take(), sink);
            let at = between(trimmed, "(", ")").and_then(hex);
            row = Some((line.number, Device { device_object: found(at), ..Device::default() }));
        } else if let (Some(at), Some((_, lowest))) = (node_of_stack(trimmed), stack.last_mut()) {
            lowest.device_node = Ok(at);
        } else if let Some(device) = node(trimmed) {
            // Below a device stack, the device node of its lowest device follows.
            push(row.take(), sink);
            row = stack.is_empty().then_some((line.number, device));
        } else if let Some(device) = stack_row(trimmed) {
            stack.push((line.number, device));
        } else {
            let is_read = match (&mut row, stack.last_mut()) {
                (Some((_, row)), _) | (None, Some((_, row))) => {
                    device_detail(trimmed, row) || in_values(&line)
                }
                (None, None) => false,
            };
            if !is_read && !is_heading(&line) {
                sink.unread(&line);
            }
        }
    }
    push(row, sink);
    finish_stack(stack, sink);
}

/// Lists of flags continue on deeply indented lines.
fn in_values(line: &Line<'_>) -> bool {
    line.indent() >= 16
        || line.trimmed().contains(" byte range with alignment")
        || line.trimmed().contains(" - 0x")
}

fn push(row: Option<(u64, Device)>, sink: &mut Sink<'_>) {
    if let Some((at, row)) = row {
        sink.row_at(at, row);
    }
}

fn is_heading(line: &Line<'_>) -> bool {
    let text = line.trimmed();
    line.is_blank()
        || text.starts_with("!DevObj")
        || text.starts_with("!DevNode")
        || text.starts_with("Dumping IopRootDeviceNode")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers() {
        let mut row = Driver::default();
        assert!(driver_detail("\\Driver\\sysvad_tabletaudiosample", &mut row));
        assert!(driver_detail(
            "DriverEntry:   fffff80114b45310  tabletaudiosample!FxDriverEntry",
            &mut row
        ));
        assert!(driver_detail("DriverStartIo: 00000000 ", &mut row));
        assert_eq!(
            (row.init, row.start_io),
            (Ok(0xffff_f801_14b4_5310), Err(Absent::NotApplicable))
        );
        let entry = dispatch("[0e] IRP_MJ_DEVICE_CONTROL              fffff80115e27480               ks!DispatchDeviceIoControl", &row).unwrap();
        assert_eq!(
            (entry.major, entry.major_name.as_deref(), entry.symbol.as_deref()),
            (Ok(14), Ok("IRP_MJ_DEVICE_CONTROL"), Ok("ks!DispatchDeviceIoControl"))
        );
    }

    #[test]
    fn devices() {
        let mut row = Device::default();
        assert!(device_detail(
            "0000004e \\Driver\\PnpManager DriverObject ffffe00082d47e60",
            &mut row
        ));
        assert!(device_detail(
            "Current Irp 00000000 RefCount 65 Type 0000001d Flags 00001040",
            &mut row
        ));
        assert!(device_detail(
            "AttachedDevice (Upper) ffffe00088386a50 \\Driver\\sysvad_tabletaudiosample",
            &mut row
        ));
        assert_eq!(
            (row.name.as_deref(), row.driver.as_deref(), row.reference_count),
            (Ok("0000004e"), Ok("\\Driver\\PnpManager"), Ok(65))
        );
        assert_eq!(
            (row.device_type, row.flags, row.attached_device_object),
            (Ok(0x1d), Ok(0x1040), Ok(0xffff_e000_8838_6a50))
        );
        assert_eq!(
            node("DevNode 0xff0cfe88 for PDO 0xff0cf030 at level 0x3").unwrap().device_object,
            Ok(0xff0c_f030)
        );
    }
}
