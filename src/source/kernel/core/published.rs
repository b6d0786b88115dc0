//! Structures whose layout cannot change.
//!
//! The headers of the Windows driver kit publish them (wdm.h, ntddk.h, ntifs.h, winternl.h), or
//! every debugger extension and every driver that is compiled against them reads them, so Windows
//! cannot move their fields. None of the fields that are read here has moved between the built-in
//! layouts 7600 and 26100. `_KWAIT_BLOCK`, which is published and which Windows 8 changed all the
//! same, is left out.

/// Their names, sorted.
const PUBLISHED: &[&str] = &[
    "_ACL",
    "_CLIENT_ID",
    "_CONTEXT",
    "_CURDIR",
    "_DEVICE_OBJECT",
    "_DISPATCHER_HEADER",
    "_DRIVER_EXTENSION",
    "_DRIVER_OBJECT",
    "_ERESOURCE",
    "_EXCEPTION_RECORD",
    "_EX_FAST_REF",
    "_FAST_IO_DISPATCH",
    "_FAST_MUTEX",
    "_FILE_OBJECT",
    "_GUID",
    "_IMAGE_DOS_HEADER",
    "_IMAGE_NT_HEADERS",
    "_IMAGE_NT_HEADERS64",
    "_IO_STACK_LOCATION",
    "_IO_STATUS_BLOCK",
    "_IRP",
    "_KAPC",
    "_KDEVICE_QUEUE",
    "_KDPC",
    "_KEVENT",
    "_KMUTANT",
    "_KQUEUE",
    "_KSEMAPHORE",
    "_KTIMER",
    "_KTRAP_FRAME",
    "_KUSER_SHARED_DATA",
    "_LARGE_INTEGER",
    "_LIST_ENTRY",
    "_LUID",
    "_MDL",
    "_NT_TIB",
    "_OBJECT_NAME_INFORMATION",
    "_OWNER_ENTRY",
    "_PEB",
    "_PEB_LDR_DATA",
    "_RTL_USER_PROCESS_PARAMETERS",
    "_SECTION_OBJECT_POINTERS",
    "_SID",
    "_SINGLE_LIST_ENTRY",
    "_SLIST_HEADER",
    "_STRING",
    "_TEB",
    "_UNICODE_STRING",
    "_VPB",
    "_WORK_QUEUE_ITEM",
];

/// Whether a structure is one of them.
pub(super) fn is_published(ty: &str) -> bool {
    PUBLISHED.binary_search(&ty).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::symbol::{Layout, pack};

    #[test]
    fn the_names_are_sorted() {
        assert!(PUBLISHED.is_sorted());
        assert!(is_published("_IRP") && !is_published("_MMPAGING_FILE"));
    }

    #[test]
    fn their_fields_stay_where_they_are() {
        let fields = [
            ("_DEVICE_OBJECT", "AttachedDevice"),
            ("_DRIVER_OBJECT", "MajorFunction"),
            ("_ERESOURCE", "OwnerTable"),
            ("_FILE_OBJECT", "FileName"),
            ("_IRP", "Tail.Overlay.CurrentStackLocation"),
            ("_KDPC", "DeferredRoutine"),
            ("_KMUTANT", "OwnerThread"),
            ("_KTIMER", "DueTime"),
            ("_KTRAP_FRAME", "Rip"),
            ("_PEB", "ProcessParameters"),
            ("_VPB", "RealDevice"),
        ];
        let mut places = BTreeMap::new();
        let mut compared = 0;
        for pack in pack::all().iter().filter(|pack| pack.version[2] >= 7600) {
            let layout = Layout::of_pack(pack).unwrap();
            for (ty, path) in fields.into_iter().filter(|(ty, _)| is_published(ty)) {
                let Some(field) = layout.field(ty, path) else { continue };
                let first = places.entry((pack.arch, ty, path)).or_insert(field.offset);
                assert_eq!(*first, field.offset, "{ty}.{path} of {}", pack.version_text());
                compared += 1;
            }
        }
        assert!(compared > 300, "{compared}");
    }
}
