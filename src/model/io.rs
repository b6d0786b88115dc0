//! Drivers, devices and I/O request packets.

use super::row;

row! {
    /// A driver object.
    pub Driver in "drivers" {
        /// Address of the `_DRIVER_OBJECT`.
        driver_object: u64,
        /// Name (`\Driver\Ntfs`).
        driver: String,
        /// Name of the service.
        service_key: String,
        /// Base of the image.
        start: u64,
        /// Size of the image.
        size_bytes: i64,
        /// Address of the entry point.
        init: u64,
        /// Symbol of the entry point.
        init_symbol: String,
        /// Address of the StartIo routine.
        start_io: u64,
        /// Symbol of the StartIo routine.
        start_io_symbol: String,
        /// Address of the unload routine.
        unload: u64,
        /// Symbol of the unload routine.
        unload_symbol: String,
        /// Address of the AddDevice routine.
        add_device: u64,
        /// Symbol of the AddDevice routine.
        add_device_symbol: String,
        /// Number of its devices.
        device_count: i64,
        /// Module of the image.
        module: String,
        /// Whether an object directory lists it; the others were found only in the pool.
        is_listed: bool,
    }
}

row! {
    /// A dispatch routine of a driver object.
    pub Dispatch in "driver_dispatch" {
        /// Address of the `_DRIVER_OBJECT`.
        driver_object: u64,
        /// Name of the driver.
        driver: String,
        /// Major function code.
        major: i64,
        /// Its name (`IRP_MJ_READ`).
        major_name: String,
        /// Address of the routine.
        address: u64,
        /// Symbol of the routine.
        symbol: String,
        /// Whether the routine is neither in the driver's image nor in the kernel.
        is_outside_module: bool,
    }
}

row! {
    /// A device object.
    pub Device in "devices" {
        /// Address of the `_DEVICE_OBJECT`.
        device_object: u64,
        /// Name of the device.
        name: String,
        /// Address of the `_DRIVER_OBJECT`.
        driver_object: u64,
        /// Name of the driver.
        driver: String,
        /// Type, as in `FILE_DEVICE_…`.
        device_type: i64,
        /// Flags (`DO_…`).
        flags: i64,
        /// Characteristics (`FILE_…`).
        characteristics: i64,
        /// Address of the device extension.
        device_extension: u64,
        /// Device that is attached on top of it.
        attached_device_object: u64,
        /// Device that it is attached to.
        attached_to: u64,
        /// Position in its device stack, 0 for the lowest.
        stack_depth: i64,
        /// Lowest device of its stack.
        lowest_device_object: u64,
        /// References.
        reference_count: i64,
        /// IRP that the StartIo routine is processing.
        current_irp: u64,
        /// Entries in its device queue.
        queue_length: i64,
        /// Address of the `_DEVICE_NODE`, of physical devices.
        device_node: u64,
        /// Instance path of the device node.
        instance_path: String,
        /// Service of the device node.
        service: String,
    }
}

row! {
    /// An I/O request packet (IRP).
    pub Irp in "irps" {
        /// Address of the `_IRP`.
        irp: u64,
        /// Where it was found: `thread`, `device`, `pool`; several are separated by a space.
        found_in: String,
        /// Thread that issued it.
        ethread: u64,
        /// Id of that thread.
        tid: i64,
        /// Id of the thread's process.
        pid: i64,
        /// Name of the thread's process.
        process: String,
        /// Number of stack locations.
        stack_count: i64,
        /// Number of the current stack location; greater than the
        /// stack count after completion.
        current_location: i64,
        /// Whether it is completed.
        is_completed: bool,
        /// Major function code of the current location.
        major: i64,
        /// Minor function code.
        minor: i64,
        /// Name of the major function.
        major_name: String,
        /// Name of the minor function, where the major one has any.
        minor_name: String,
        /// Device that has it.
        device_object: u64,
        /// Driver of that device.
        driver_object: u64,
        /// Name of that driver.
        driver: String,
        /// File that it is for.
        file_object: u64,
        /// Name of the file.
        file_name: String,
        /// Address of the `_MDL`.
        mdl: u64,
        /// Process that owns the pages of the MDL.
        mdl_process: u64,
        /// Flags (`IRP_…`).
        flags: i64,
        /// Whether cancellation was requested.
        is_cancelled: bool,
        /// Whether the current location is marked pending.
        is_pending: bool,
        /// Address of the cancel routine.
        cancel_routine: u64,
        /// Symbol of the cancel routine.
        cancel_symbol: String,
        /// Event that is set when it completes.
        user_event: u64,
        /// Address of the system buffer.
        system_buffer: u64,
        /// Status of the I/O status block.
        status: i64,
        /// `Information` of the I/O status block.
        information: u64,
        /// Age, if it is known.
        age_ms: i64,
    }
}

row! {
    /// A stack location of an I/O request packet (IRP).
    pub IrpLocation in "irp_stack" {
        /// Address of the `_IRP`.
        irp: u64,
        /// Number of the location, from 1 for the lowest.
        index: i64,
        /// Whether it is the current one.
        is_current: bool,
        /// Major function code.
        major: i64,
        /// Minor function code.
        minor: i64,
        /// Name of the major function.
        major_name: String,
        /// Name of the minor function, where the major one has any.
        minor_name: String,
        /// Flags.
        flags: i64,
        /// Control flags.
        control: i64,
        /// First parameter.
        arg1: u64,
        /// Second parameter.
        arg2: u64,
        /// Third parameter.
        arg3: u64,
        /// Fourth parameter.
        arg4: u64,
        /// Device of the location.
        device_object: u64,
        /// Name of the device's driver.
        driver: String,
        /// File of the location.
        file_object: u64,
        /// Name of the file.
        file_name: String,
        /// Address of the completion routine.
        completion_routine: u64,
        /// Symbol of the completion routine.
        completion_symbol: String,
        /// Context argument of the completion routine.
        context: u64,
        /// When the routine is called: `success`, `error`, `cancel`, separated by spaces.
        completes_on: String,
    }
}
