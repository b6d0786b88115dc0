//! The kind of each bug check parameter, according to Microsoft's bug check reference.

/// The kind of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lead {
    /// An address in the code or data of the suspected module.
    Code,
    /// A device object; its driver is suspected.
    Device,
    /// A physical device object; the drivers of all devices above it are involved.
    DeviceStack,
    /// A driver object.
    Driver,
    /// An IRP; the driver that holds it is suspected.
    Irp,
    /// The name of a driver, as `UNICODE_STRING`.
    Name,
    /// A thread; its stack is examined.
    Thread,
    /// A `_KPRCB`; the stack of its current thread is examined.
    Processor,
    /// A process that exited.
    Process,
    /// The address of a damaged pool block.
    Block,
    /// A pool tag.
    Tag,
}

/// Bug check code, value of the first parameter if the rule needs one, index of the parameter, and
/// its kind.
pub(super) struct Rule(pub(super) u32, pub(super) Option<u64>, pub(super) usize, pub(super) Lead);

pub(super) const RULES: &[Rule] = &[
    Rule(0x0a, None, 3, Lead::Code),
    Rule(0x19, Some(0x02), 1, Lead::Block),
    Rule(0x19, Some(0x03), 1, Lead::Block),
    Rule(0x19, Some(0x05), 1, Lead::Block),
    Rule(0x19, Some(0x05), 3, Lead::Block),
    Rule(0x19, Some(0x06), 3, Lead::Block),
    Rule(0x19, Some(0x07), 3, Lead::Block),
    Rule(0x19, Some(0x08), 3, Lead::Block),
    Rule(0x19, Some(0x09), 3, Lead::Block),
    Rule(0x19, Some(0x20), 1, Lead::Block),
    Rule(0x19, Some(0x21), 1, Lead::Block),
    Rule(0x19, Some(0x22), 1, Lead::Block),
    Rule(0x1e, None, 1, Lead::Code),
    Rule(0x3b, None, 1, Lead::Code),
    Rule(0x48, None, 1, Lead::Code),
    Rule(0x4a, None, 0, Lead::Code),
    Rule(0x50, None, 2, Lead::Code),
    Rule(0x76, Some(0), 1, Lead::Process),
    Rule(0x7e, None, 1, Lead::Code),
    Rule(0x8e, None, 1, Lead::Code),
    Rule(0x96, None, 3, Lead::Code),
    Rule(0x9e, None, 0, Lead::Process),
    Rule(0x9f, Some(1), 1, Lead::Device),
    Rule(0x9f, Some(2), 2, Lead::Device),
    Rule(0x9f, Some(2), 3, Lead::Driver),
    Rule(0x9f, Some(3), 3, Lead::Irp),
    Rule(0x9f, Some(3), 1, Lead::DeviceStack),
    Rule(0x9f, Some(4), 2, Lead::Thread),
    Rule(0x9f, Some(5), 1, Lead::DeviceStack),
    Rule(0x9f, Some(0x500), 3, Lead::Device),
    Rule(0xa0, Some(0x08), 2, Lead::Device),
    Rule(0xa0, Some(0x300), 2, Lead::Device),
    Rule(0xa0, Some(0x301), 2, Lead::Device),
    Rule(0xa0, Some(0x400), 3, Lead::Device),
    Rule(0xa0, Some(0x404), 3, Lead::Device),
    Rule(0xa0, Some(0x500), 3, Lead::Device),
    Rule(0xa0, Some(0x600), 1, Lead::Device),
    Rule(0xc1, None, 0, Lead::Block),
    Rule(0xc2, Some(0x01), 1, Lead::Block),
    Rule(0xc2, Some(0x02), 1, Lead::Block),
    Rule(0xc2, Some(0x04), 1, Lead::Block),
    Rule(0xc2, Some(0x06), 2, Lead::Block),
    Rule(0xc2, Some(0x07), 3, Lead::Block),
    Rule(0xc2, Some(0x0a), 2, Lead::Tag),
    Rule(0xc2, Some(0x0b), 2, Lead::Tag),
    Rule(0xc2, Some(0x0c), 2, Lead::Tag),
    Rule(0xc2, Some(0x0d), 2, Lead::Tag),
    Rule(0xc2, Some(0x9b), 3, Lead::Code),
    Rule(0xc2, Some(0x9c), 3, Lead::Code),
    Rule(0xc2, Some(0x9d), 3, Lead::Code),
    Rule(0xc4, Some(0x62), 1, Lead::Name),
    Rule(0xc4, Some(0xc1), 1, Lead::Code),
    Rule(0xc4, Some(0xc3), 1, Lead::Code),
    Rule(0xc4, Some(0xc5), 1, Lead::Code),
    Rule(0xc4, Some(0xc6), 1, Lead::Code),
    Rule(0xc4, Some(0xda), 1, Lead::Code),
    Rule(0xc4, Some(0xdb), 1, Lead::Device),
    Rule(0xc4, Some(0xdd), 2, Lead::Code),
    Rule(0xc4, Some(0xe3), 1, Lead::Code),
    Rule(0xc4, Some(0xe4), 1, Lead::Code),
    Rule(0xc4, Some(0xe6), 1, Lead::Code),
    Rule(0xc4, Some(0xf6), 3, Lead::Code),
    Rule(0xc4, Some(0xfa), 1, Lead::Code),
    Rule(0xc4, Some(0xfb), 1, Lead::Code),
    Rule(0xc4, Some(0x110), 1, Lead::Code),
    Rule(0xc4, Some(0x111), 1, Lead::Code),
    Rule(0xc4, Some(0x115), 1, Lead::Thread),
    Rule(0xc4, Some(0x135), 1, Lead::Irp),
    Rule(0xc5, None, 3, Lead::Code),
    Rule(0xc7, Some(2), 1, Lead::Code),
    Rule(0xc7, Some(4), 1, Lead::Code),
    Rule(0xc7, Some(5), 1, Lead::Code),
    Rule(0xc8, None, 1, Lead::Code),
    Rule(0xc9, Some(0x04), 1, Lead::Device),
    Rule(0xc9, Some(0x05), 1, Lead::Device),
    Rule(0xc9, Some(0x07), 1, Lead::Code),
    Rule(0xc9, Some(0x0a), 1, Lead::Device),
    Rule(0xc9, Some(0x11), 1, Lead::Code),
    Rule(0xc9, Some(0x12), 1, Lead::Code),
    Rule(0xca, Some(1), 1, Lead::Device),
    Rule(0xca, Some(2), 2, Lead::Driver),
    Rule(0xca, Some(3), 1, Lead::Device),
    Rule(0xca, Some(4), 1, Lead::Device),
    Rule(0xca, Some(5), 1, Lead::Device),
    Rule(0xca, Some(8), 1, Lead::Device),
    Rule(0xca, Some(0x0a), 1, Lead::Driver),
    Rule(0xcb, None, 0, Lead::Code),
    Rule(0xcc, None, 2, Lead::Code),
    Rule(0xcd, None, 2, Lead::Code),
    Rule(0xce, None, 2, Lead::Code),
    Rule(0xcf, None, 2, Lead::Code),
    Rule(0xd0, None, 3, Lead::Code),
    Rule(0xd1, None, 3, Lead::Code),
    Rule(0xd3, None, 3, Lead::Code),
    Rule(0xd4, None, 3, Lead::Code),
    Rule(0xd5, None, 2, Lead::Code),
    Rule(0xd6, None, 2, Lead::Code),
    Rule(0xd8, None, 0, Lead::Name),
    Rule(0xdb, None, 3, Lead::Code),
    Rule(0xdf, None, 0, Lead::Code),
    Rule(0xe1, None, 0, Lead::Code),
    Rule(0xe4, Some(2), 2, Lead::Code),
    Rule(0xe6, Some(0x26), 1, Lead::Device),
    Rule(0xea, None, 2, Lead::Name),
    Rule(0xea, None, 0, Lead::Thread),
    Rule(0xef, None, 0, Lead::Process),
    Rule(0xf2, None, 0, Lead::Code),
    Rule(0xf4, Some(3), 1, Lead::Process),
    Rule(0xf9, None, 0, Lead::Device),
    Rule(0x101, None, 2, Lead::Processor),
    Rule(0x102, None, 1, Lead::Processor),
    Rule(0x103, Some(3), 3, Lead::Driver),
    Rule(0x10d, Some(4), 2, Lead::Code),
    Rule(0x10d, Some(0x0f), 1, Lead::Code),
    Rule(0x116, None, 1, Lead::Code),
    Rule(0x117, None, 1, Lead::Code),
    Rule(0x11b, None, 1, Lead::Code),
    Rule(0x128, None, 0, Lead::Code),
    Rule(0x129, None, 0, Lead::Code),
    Rule(0x135, None, 2, Lead::Code),
    Rule(0x141, None, 1, Lead::Code),
    Rule(0x144, Some(1), 3, Lead::Device),
    Rule(0x144, Some(3), 3, Lead::Device),
    Rule(0x15b, None, 0, Lead::Code),
    Rule(0x17c, None, 0, Lead::Thread),
    Rule(0x19a, None, 0, Lead::Code),
    Rule(0x1a1, None, 0, Lead::Thread),
    Rule(0x1a2, None, 0, Lead::Thread),
    Rule(0x1a3, None, 1, Lead::Thread),
    Rule(0x1c9, None, 0, Lead::Process),
    Rule(0x1d5, None, 2, Lead::Thread),
    Rule(0x1d6, None, 0, Lead::Code),
];

/// Bug checks that are raised on whichever thread was interrupted: the stack of that thread is
/// evidence only if there is no other.
pub(super) const BYSTANDERS: [u32; 14] =
    [0x80, 0x9c, 0x9e, 0x9f, 0x101, 0x116, 0x117, 0x124, 0x12b, 0x141, 0x17c, 0x1a1, 0x1a3, 0x1d5];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::names;

    #[test]
    fn rules_are_of_known_bug_checks_and_parameters() {
        for Rule(code, value, index, lead) in RULES {
            assert!(names::bugcheck(*code).is_some(), "{code:#x}");
            assert!(*index < 4, "{code:#x} {lead:?}");
            // The catalog describes the value that a rule needs.
            let is_known = value.is_none_or(|value| names::bugcheck_value(*code, value).is_some());
            assert!(is_known, "{code:#x} {value:x?}");
        }
        assert!(RULES.is_sorted_by_key(|rule| rule.0));
        assert!(BYSTANDERS.is_sorted());
    }
}
