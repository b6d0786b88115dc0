//! Structures that no kernel's type information contains: registration records, which drivers and
//! the kernel share, and tables that the processor's entry code reads.
//!
//! The order and types of their fields are known and have not changed since they were introduced;
//! the offsets follow from the compiler's alignment rules for the pointer size. Values that are
//! read through them are accepted only if the surrounding pointers agree.

use crate::source::kernel::core::Core;

use crate::catalog::{Absent, Cell};

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// A pointer, or a pointer-sized number.
    Pointer,
    /// Two pointers.
    List,
    /// A `_UNICODE_STRING`: two lengths and a pointer.
    Unicode,
    /// A number of 32 bits.
    U32,
    /// A number of 64 bits.
    U64,
}

/// The fields of a structure in order.
pub(crate) type Declared = &'static [(&'static str, FieldKind)];

/// The target of an element of the notify routine arrays.
pub(crate) const ROUTINE_BLOCK: Declared = &[
    ("RundownProtect", FieldKind::Pointer),
    ("Function", FieldKind::Pointer),
    ("Context", FieldKind::Pointer),
];
/// `KBUGCHECK_CALLBACK_RECORD`.
pub(crate) const BUGCHECK: Declared = &[
    ("Entry", FieldKind::List),
    ("Function", FieldKind::Pointer),
    ("Buffer", FieldKind::Pointer),
    ("Length", FieldKind::U32),
    ("Component", FieldKind::Pointer),
];
/// `KBUGCHECK_REASON_CALLBACK_RECORD`.
pub(crate) const BUGCHECK_REASON: Declared = &[
    ("Entry", FieldKind::List),
    ("Function", FieldKind::Pointer),
    ("Component", FieldKind::Pointer),
];
/// A device that is notified of shutdown.
pub(crate) const SHUTDOWN: Declared =
    &[("Entry", FieldKind::List), ("DeviceObject", FieldKind::Pointer)];
/// A driver that is notified of file system registrations.
pub(crate) const FILE_SYSTEMS: Declared = &[
    ("Entry", FieldKind::List),
    ("DriverObject", FieldKind::Pointer),
    ("Function", FieldKind::Pointer),
];
/// A registry callback, since Windows Vista.
pub(crate) const REGISTRY: Declared = &[
    ("Entry", FieldKind::List),
    ("Reserved", FieldKind::U32),
    ("Cookie", FieldKind::U64),
    ("Context", FieldKind::Pointer),
    ("Function", FieldKind::Pointer),
    ("Altitude", FieldKind::Unicode),
];
/// A `Callback` object.
pub(crate) const CALLBACK: Declared = &[
    ("Signature", FieldKind::U32),
    ("Lock", FieldKind::Pointer),
    ("RegisteredCallbacks", FieldKind::List),
];
/// A registration with a callback object.
pub(crate) const REGISTRATION: Declared = &[
    ("Entry", FieldKind::List),
    ("CallbackObject", FieldKind::Pointer),
    ("Function", FieldKind::Pointer),
];
/// A system service table.
pub(crate) const SERVICES: Declared = &[
    ("Base", FieldKind::Pointer),
    ("Counters", FieldKind::Pointer),
    ("Limit", FieldKind::U32),
    ("Arguments", FieldKind::Pointer),
];

impl FieldKind {
    /// Size and alignment in bytes.
    const fn room(self, pointer: u64) -> (u64, u64) {
        match self {
            Self::Pointer => (pointer, pointer),
            Self::List | Self::Unicode => (2 * pointer, pointer),
            Self::U32 => (4, 4),
            Self::U64 => (8, 8),
        }
    }
}

/// The offset of a field for a pointer size.
fn offset(declared: Declared, field: &str, pointer: u64) -> Option<u64> {
    let mut at = 0u64;
    for (name, kind) in declared {
        let (size, alignment) = kind.room(pointer);
        at = at.next_multiple_of(alignment);
        if *name == field {
            return Some(at);
        }
        at += size;
    }
    None
}

/// The size of a structure for a pointer size.
pub(crate) fn size(declared: Declared, pointer: u64) -> u64 {
    let end = declared.iter().fold(0u64, |at, (_, kind)| {
        let (size, alignment) = kind.room(pointer);
        at.next_multiple_of(alignment) + size
    });
    end.next_multiple_of(pointer)
}

impl Core {
    /// The address of a field of a declared structure.
    pub(crate) fn declared_at(&self, declared: Declared, address: u64, field: &str) -> Cell<u64> {
        let offset = offset(declared, field, self.header.width.bytes() as u64);
        address.checked_add(offset.ok_or(Absent::NoSymbols)?).ok_or(Absent::Unreadable)
    }

    /// A pointer of a declared structure; a null pointer has no value.
    pub(crate) fn declared_pointer(
        &self,
        declared: Declared,
        address: u64,
        field: &str,
    ) -> Cell<u64> {
        match self.pointer_at(self.declared_at(declared, address, field)?)? {
            0 => Err(Absent::NotApplicable),
            pointer => Ok(pointer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_fields_have_the_compilers_offsets() {
        let both = |declared, field| [4, 8].map(|pointer| offset(declared, field, pointer));
        assert_eq!(both(ROUTINE_BLOCK, "Function"), [Some(4), Some(8)]);
        assert_eq!(both(BUGCHECK, "Component"), [Some(20), Some(40)]);
        assert_eq!(both(BUGCHECK_REASON, "Component"), [Some(12), Some(24)]);
        assert_eq!(both(REGISTRY, "Function"), [Some(28), Some(40)]);
        assert_eq!(both(REGISTRY, "Altitude"), [Some(32), Some(48)]);
        assert_eq!(both(CALLBACK, "RegisteredCallbacks"), [Some(8), Some(16)]);
        assert_eq!(both(SERVICES, "Limit"), [Some(8), Some(16)]);
        assert_eq!([4, 8].map(|pointer| size(SERVICES, pointer)), [16, 32]);
        assert_eq!(offset(SERVICES, "Nothing", 8), None);
    }
}
