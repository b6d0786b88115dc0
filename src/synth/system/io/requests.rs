//! IRPs.

use super::spec::{Device, Location, Request};
use crate::synth::layout::Object;
use crate::synth::system::build::Builder;
use crate::synth::system::objects::Objects;
use crate::synth::system::threads::Links;

fn sizes(builder: &Builder<'_>) -> (u64, u64) {
    let layout = builder.layout;
    (layout.size("_IRP") as u64, layout.size("_IO_STACK_LOCATION") as u64)
}

/// Allocates a pool block for every IRP and every MDL.
pub(super) fn allocate(builder: &mut Builder<'_>, requests: &mut [Request]) {
    let (packet, location) = sizes(builder);
    let mdl = builder.layout.size("_MDL") as u64;
    for request in requests {
        if request.address == 0 {
            let bytes = packet + (request.stack.len() as u64 + request.spare) * location;
            request.address = if request.is_verified {
                builder.special_pool(false, *b"Irp ", bytes)
            } else {
                builder.pool(false, *b"Irp ", bytes)
            };
        }
        if request.has_mdl && request.mdl == 0 {
            // One page, whose page frame number follows.
            request.mdl = builder.pool(false, *b"Mdl ", mdl + builder.width());
        }
    }
}

/// Writes the IRPs. Threads and devices link them later.
pub(super) fn write(
    builder: &mut Builder<'_>,
    objects: &Objects,
    links: &mut Links,
    requests: &[Request],
    devices: &[Device],
) {
    let (packet, location) = sizes(builder);
    for request in requests {
        let at = request.address;
        let count = request.stack.len() as u64;
        let thread = links.threads.get(&request.tid).filter(|_| request.tid != 0).copied();
        let mut object = builder.new_object("_IRP");
        object.set("Type", 6).set("Size", packet + (count + request.spare) * location);
        object.set("StackCount", count).set("CurrentLocation", request.current);
        let current = at + packet + request.current.saturating_sub(1) * location;
        object.set("Tail.Overlay.CurrentStackLocation", current);
        object.set("Tail.Overlay.Thread", thread.unwrap_or(0));
        object.empty_list("ThreadListEntry", at);
        object.set("Flags", request.flags).set("Cancel", u64::from(request.is_cancelled));
        object.set("CancelRoutine", request.cancel).set("UserEvent", request.event);
        object.set("AssociatedIrp.SystemBuffer", request.buffer).set("MdlAddress", request.mdl);
        object.set("IoStatus.Status", request.status.0);
        object.set("IoStatus.Information", request.status.1);
        builder.place(at, object);
        for (i, place) in (0..).zip(&request.stack) {
            let device = place.device.and_then(|index| devices.get(index));
            let mut object = builder.new_object("_IO_STACK_LOCATION");
            object.set("DeviceObject", device.map_or(0, |device| device.address));
            object.set("FileObject", objects.named.get(&place.file).copied().unwrap_or(0));
            fill(&mut object, place);
            let to = at + packet + i * location;
            let parameters = object.address("Parameters", to);
            builder.place(to, object);
            for (i, value) in (0..).zip(place.arguments) {
                builder.put_pointer(parameters + i * builder.width(), value);
            }
        }
        if request.mdl != 0 {
            let mut object = builder.new_object("_MDL");
            object.set("Size", builder.layout.size("_MDL") as u64 + builder.width());
            object.set("ByteCount", 0x1000).set("MdlFlags", 0x2).set("StartVa", 0x1_0000);
            let owner = links.process_of.get(&request.tid).copied().unwrap_or(0);
            object.set("Process", owner);
            builder.place(request.mdl, object);
        }
        links.requests.insert(at);
    }
}

fn fill(object: &mut Object<'_>, place: &Location) {
    object.set("MajorFunction", place.function.0).set("MinorFunction", place.function.1);
    object.set("Flags", place.flags.0).set("Control", place.flags.1);
    object.set("CompletionRoutine", place.completion.0).set("Context", place.completion.1);
}
