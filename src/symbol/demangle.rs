//! Names as debuggers show them: undecorated, without parameters and calling conventions.

use std::borrow::Cow;

use msvc_demangler::DemangleFlags;

/// Longer names are not undecorated: compilers hash names of more than 4,096 characters, and
/// undecorating recurses as deep as the name nests.
const MAX_NAME: usize = 1024;

/// The undecorated form of a C++ name; any other name unchanged.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    if !name.starts_with('?') || name.len() > MAX_NAME {
        return Cow::Borrowed(name);
    }
    // Each level of nesting needs one of these characters.
    if name.bytes().filter(|b| matches!(b, b'?' | b'P' | b'Q' | b'A' | b'$')).count() > 400 {
        return Cow::Borrowed(name);
    }
    match msvc_demangler::demangle(name, DemangleFlags::NAME_ONLY) {
        Ok(text) if !text.is_empty() => Cow::Owned(text),
        _ => Cow::Borrowed(name),
    }
}

/// `_KeBugCheckEx@20` and `@KfLowerIrql@4` without the decoration of their calling conventions.
pub(super) fn without_marks(name: &str) -> &str {
    let bare = name.strip_prefix(['_', '@']).unwrap_or(name);
    match bare.rsplit_once('@') {
        Some((bare, count)) if count.bytes().all(|b| b.is_ascii_digit()) => bare,
        _ if name.starts_with('@') => name,
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpp_names_are_undecorated() {
        assert_eq!(shown("?crash@@YAXXZ"), "crash");
        assert_eq!(shown("??1ios_base@std@@UEAA@XZ"), "std::ios_base::~ios_base");
        assert_eq!(shown("?Run@Task@app@@QEAAHPEBD@Z"), "app::Task::Run");
        assert_eq!(shown("KeBugCheckEx"), "KeBugCheckEx");
        assert_eq!(shown("?"), "?");
        assert_eq!(shown("?broken"), "?broken");
        let deep = format!("?f@@YAX{}H@Z", "PA".repeat(600));
        assert_eq!(shown(&deep), deep);
    }

    #[test]
    fn decoration_of_calling_conventions() {
        assert_eq!(without_marks("_KeBugCheckEx@20"), "KeBugCheckEx");
        assert_eq!(without_marks("@KfLowerIrql@4"), "KfLowerIrql");
        assert_eq!(without_marks("_KiIdleLoop"), "KiIdleLoop");
        assert_eq!(without_marks("KeX@abc"), "KeX@abc");
    }
}
