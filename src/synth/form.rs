//! Offsets in the two forms of the header of a kernel dump.

/// The offsets in one form of the header.
pub(super) struct Form {
    pub(super) width: usize,
    pub(super) header: usize,
    /// Page directory, page frame database, module list, process list: pointers from here on.
    pub(super) pointers: usize,
    pub(super) machine: usize,
    pub(super) bugcheck: usize,
    pub(super) parameters: usize,
    pub(super) debugger_data: usize,
    pub(super) context: usize,
    pub(super) exception: usize,
    pub(super) comment: usize,
    pub(super) dump_type: usize,
    pub(super) fields: usize,
    pub(super) required: usize,
    pub(super) system_time: usize,
    pub(super) uptime: usize,
    /// `TopOfStack` in the triage block, and debugger data and data blocks.
    pub(super) stack_top: usize,
    pub(super) debugger_block: usize,
    pub(super) triage: usize,
}

pub(super) const FORM64: Form = Form {
    width: 8,
    header: 0x2000,
    pointers: 0x10,
    machine: 0x30,
    bugcheck: 0x38,
    parameters: 0x40,
    debugger_data: 0x80,
    context: 0x348,
    exception: 0xf00,
    comment: 0xfb0,
    dump_type: 0xf98,
    fields: 0x1038,
    required: 0xfa0,
    system_time: 0xfa8,
    uptime: 0x1030,
    stack_top: 0x48,
    debugger_block: 0x70,
    triage: 0x80,
};

pub(super) const FORM32: Form = Form {
    width: 4,
    header: 0x1000,
    pointers: 0x10,
    machine: 0x20,
    bugcheck: 0x28,
    parameters: 0x2c,
    debugger_data: 0x60,
    context: 0x320,
    exception: 0x7d0,
    comment: 0x820,
    dump_type: 0xf88,
    fields: 0xf8c,
    required: 0xfa0,
    system_time: 0xfc0,
    uptime: 0xfb8,
    stack_top: 0x48,
    debugger_block: 0x58,
    triage: 0x68,
};
