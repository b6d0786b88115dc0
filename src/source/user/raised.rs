//! What the parameters of a user-mode exception mean: the type that C++ code threw, the HRESULT of
//! a CLR exception or a stowed exception, the damage that a heap reports, the library that a
//! delayed load did not find.
//!
//! The offsets follow the public headers of the C++ runtime (`ehdata.h`), of delay loading
//! (`delayimp.h`) and of stowed exceptions, and the failure record that `ntdll` keeps for heaps. No
//! pointer is trusted.

use super::core::Core;
use crate::catalog::names;
use crate::dump::bytes::{text, u32_at, unsigned_at};

const CPP: u32 = 0xe06d_7363;
const CLR: u32 = 0xe043_4352;
const HEAP: u32 = 0xc000_0374;
const STOWED: u32 = 0xc000_027b;
const NO_MODULE: u32 = 0xc06d_007e;
const NO_FUNCTION: u32 = 0xc06d_007f;
/// The first parameter of a C++ exception, by version of the runtime.
const CPP_MAGIC: std::ops::RangeInclusive<u64> = 0x1993_0520..=0x1993_0522;
/// The bug check whose first parameter uses the same heap failure codes.
const HEAP_CORRUPTION: u32 = 0x13a;
/// Upper limits on the base types of a type, and on the length of a name or a text.
const MAX_TYPES: u32 = 64;
const MAX_TEXT: usize = 1024;

/// HRESULTs of CLR exceptions, as `corerror.h` names them.
const RESULTS: [(u32, &str); 26] = [
    (0x8000_4001, "E_NOTIMPL"),
    (0x8000_4002, "E_NOINTERFACE"),
    (0x8000_4003, "E_POINTER"),
    (0x8002_0012, "DISP_E_DIVBYZERO"),
    (0x8007_0002, "COR_E_FILENOTFOUND"),
    (0x8007_000e, "E_OUTOFMEMORY"),
    (0x8007_0057, "E_INVALIDARG"),
    (0x8007_03e9, "COR_E_STACKOVERFLOW"),
    (0x8013_1500, "COR_E_EXCEPTION"),
    (0x8013_1501, "COR_E_SYSTEM"),
    (0x8013_1502, "COR_E_ARGUMENTOUTOFRANGE"),
    (0x8013_1505, "COR_E_TIMEOUT"),
    (0x8013_1506, "COR_E_EXECUTIONENGINE"),
    (0x8013_1508, "COR_E_INDEXOUTOFRANGE"),
    (0x8013_1509, "COR_E_INVALIDOPERATION"),
    (0x8013_1513, "COR_E_MISSINGMETHOD"),
    (0x8013_1515, "COR_E_NOTSUPPORTED"),
    (0x8013_1516, "COR_E_OVERFLOW"),
    (0x8013_1522, "COR_E_TYPELOAD"),
    (0x8013_1534, "COR_E_TYPEINITIALIZATION"),
    (0x8013_1537, "COR_E_FORMAT"),
    (0x8013_1577, "COR_E_KEYNOTFOUND"),
    (0x8013_1604, "COR_E_TARGETINVOCATION"),
    (0x8013_1620, "COR_E_IO"),
    (0x8013_1622, "COR_E_OBJECTDISPOSED"),
    (0x8013_1623, "COR_E_FAILFAST"),
];

/// The memory of a process.
trait Bytes {
    fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>>;
}

/// The process of a dump.
struct Program<'a>(&'a Core);

impl Bytes for Program<'_> {
    fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        let Self(core) = self;
        core.memory().prefix(&core.streams, address, len).ok().filter(|held| !held.is_empty())
    }
}

/// What the parameters of an exception mean; `None` for exceptions without a known meaning.
pub(super) fn details(core: &Core, code: u32, parameters: &[u64]) -> Option<String> {
    let width = if core.pointer_bytes() == 4 { 4 } else { 8 };
    words(&Program(core), code, parameters, width)
}

fn words(memory: &dyn Bytes, code: u32, parameters: &[u64], width: usize) -> Option<String> {
    let first = parameters.first().copied();
    match code {
        CPP => thrown(memory, parameters, width),
        CLR => Some(result(u32::try_from(first? & 0xffff_ffff).ok()?)),
        HEAP => heap(memory, first?, width),
        STOWED => stowed(memory, first?, *parameters.get(1)?, width),
        NO_MODULE => Some(format!("the library {} was not found", library(memory, first?, width)?)),
        NO_FUNCTION => {
            let name = library(memory, first?, width)?;
            Some(format!("a function of the library {name} was not found"))
        }
        _ => None,
    }
}

fn number(memory: &dyn Bytes, at: u64, width: usize) -> Option<u64> {
    unsigned_at(&memory.bytes(at, width)?, 0, width)
}

fn zero_ended(memory: &dyn Bytes, at: u64) -> Option<String> {
    let text = text(&memory.bytes(at, MAX_TEXT)?);
    (!text.is_empty()).then_some(text)
}

/// An HRESULT with its name.
fn result(code: u32) -> String {
    match RESULTS.iter().find(|(known, _)| *known == code) {
        Some((_, name)) => format!("HRESULT {code:#010x} ({name})"),
        None => format!("HRESULT {code:#010x}"),
    }
}

/// The throw record: in 32-bit code it contains pointers, in 64-bit code offsets from a base, which
/// is the last parameter.
struct Throw<'a> {
    memory: &'a dyn Bytes,
    base: u64,
    width: usize,
}

impl Throw<'_> {
    fn place(&self, at: u64) -> Option<u64> {
        let stated = number(self.memory, at, 4).filter(|stated| *stated != 0)?;
        self.base.checked_add(stated)
    }

    /// The decorated names of the types by which a handler may catch the exception, its own type
    /// first.
    fn types(&self, record: u64) -> Option<Vec<String>> {
        let array = self.place(record.checked_add(12)?)?;
        let count = u32::try_from(number(self.memory, array, 4)?).ok()?.min(MAX_TYPES);
        let name = |i: u32| {
            let entry = array.checked_add(4)?.checked_add(u64::from(i).checked_mul(4)?)?;
            let descriptor = self.place(self.place(entry)?.checked_add(4)?)?;
            zero_ended(self.memory, descriptor.checked_add(2 * self.width as u64)?)
        };
        Some((0..count).map_while(name).collect())
    }
}

fn thrown(memory: &dyn Bytes, parameters: &[u64], width: usize) -> Option<String> {
    let [magic, object, record, rest @ ..] = parameters else { return None };
    if !CPP_MAGIC.contains(magic) || *record == 0 {
        return None;
    }
    // 32-bit code throws with three parameters, also in a 64-bit process.
    let (base, width) = rest.first().map_or((0, 4), |base| (*base, width));
    let types = Throw { memory, base, width }.types(*record)?;
    let name = type_name(types.first()?);
    let is_standard = types.iter().any(|name| name == ".?AVexception@std@@");
    let said = || {
        let message = number(memory, object.checked_add(width as u64)?, width)?;
        zero_ended(memory, message)
    };
    let said = said().filter(|_| is_standard).map(|said| format!(": {said}"));
    Some(format!("threw {name}{}", said.unwrap_or_default()))
}

/// The type as source code writes it; a decorated name that is not simple is returned unchanged.
fn type_name(decorated: &str) -> String {
    const SIMPLE: [(&str, &str); 8] = [
        (".H", "int"),
        (".I", "unsigned int"),
        (".N", "double"),
        (".J", "long"),
        (".PAD", "char *"),
        (".PEAD", "char *"),
        (".PBD", "const char *"),
        (".PEBD", "const char *"),
    ];
    if let Some((_, name)) = SIMPLE.iter().find(|(known, _)| *known == decorated) {
        return (*name).to_owned();
    }
    let plain = ["V", "U", "W4"].into_iter().find_map(|kind| {
        let rest = decorated.strip_prefix(".?A")?.strip_prefix(kind)?.strip_suffix("@@")?;
        let is_name = |part: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
            part.chars().all(is_part) && part.chars().next().is_some_and(|c| !c.is_ascii_digit())
        };
        let parts: Vec<&str> = rest.split('@').collect();
        parts
            .iter()
            .all(|part| is_name(part))
            .then(|| parts.into_iter().rev().collect::<Vec<_>>().join("::"))
    });
    plain.unwrap_or_else(|| decorated.to_owned())
}

/// The failure record of heaps: the failure, the heap, and the address.
fn heap(memory: &dyn Bytes, at: u64, width: usize) -> Option<String> {
    let bytes = memory.bytes(at, 0x10 + 2 * width)?;
    let kind = u64::from(u32_at(&bytes, 8)?);
    let first = if width == 8 { 0x10 } else { 0xc };
    let heap = unsigned_at(&bytes, first, width)?;
    let place = unsigned_at(&bytes, first.checked_add(width)?, width)?;
    let [meaning, ..] = names::bugcheck_value(HEAP_CORRUPTION, kind)?;
    Some(format!("{meaning}, heap {heap:#x}, at {place:#x}"))
}

/// Stowed exceptions: their count, and the HRESULT of the first.
fn stowed(memory: &dyn Bytes, at: u64, count: u64, width: usize) -> Option<String> {
    let first = number(memory, at, width)?;
    let bytes = memory.bytes(first, 12)?;
    // The signature is "SE01" or "SE02", stored as a number.
    let signature = u32_at(&bytes, 4)?.to_be_bytes();
    if !signature.starts_with(b"SE0") {
        return None;
    }
    Some(format!("stowed exceptions: {count}, the first with {}", result(u32_at(&bytes, 8)?)))
}

/// The name of the library that a delayed load did not find.
fn library(memory: &dyn Bytes, at: u64, width: usize) -> Option<String> {
    // The name follows the size, the descriptor and the address of the pointer.
    let name = number(memory, at.checked_add(3 * width as u64)?, width)?;
    zero_ended(memory, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Made(BTreeMap<u64, Vec<u8>>);

    impl Made {
        fn put(&mut self, at: u64, bytes: &[u8]) -> &mut Self {
            self.0.insert(at, bytes.to_vec());
            self
        }

        fn words(&mut self, at: u64, words: &[u32]) -> &mut Self {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.put(at, &bytes)
        }
    }

    impl Bytes for Made {
        fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>> {
            let (start, bytes) = self.0.range(..=address).next_back()?;
            let from = usize::try_from(address - start).unwrap();
            let held = bytes.get(from..).filter(|held| !held.is_empty())?;
            Some(held[..len.min(held.len())].to_vec())
        }
    }

    const BASE: u64 = 0x7ff6_0000_0000;

    /// A 64-bit throw that can be caught as these types.
    fn throw64(types: &[&str]) -> Made {
        let mut made = Made::default();
        made.words(BASE + 0x100, &[0, 0, 0, 0x200]);
        let mut array = vec![u32::try_from(types.len()).unwrap()];
        for (i, name) in (0u32..).zip(types) {
            let (catchable, descriptor) = (0x300 + 0x20 * i, 0x1000 + 0x100 * i);
            array.push(catchable);
            made.words(BASE + u64::from(catchable), &[0, descriptor]);
            let mut bytes = vec![0; 16];
            bytes.extend(name.bytes().chain([0]));
            made.put(BASE + u64::from(descriptor), &bytes);
        }
        made.words(BASE + 0x200, &array);
        made
    }

    fn of(made: &Made, code: u32, parameters: &[u64]) -> Option<String> {
        words(made, code, parameters, 8)
    }

    #[test]
    fn a_cpp_exception_gives_its_type_and_message() {
        let mut made = throw64(&[".?AVConfigError@app@@", ".?AVexception@std@@"]);
        made.put(0x9000, &[0; 8]).put(0x9008, &0xa000u64.to_le_bytes());
        made.put(0xa000, b"no such key\0");
        let throw = [0x1993_0520, 0x9000, BASE + 0x100, BASE];
        let text = of(&made, CPP, &throw);
        assert_eq!(text.as_deref(), Some("threw app::ConfigError: no such key"));
        // Only types derived from `std::exception` have a message.
        let mut made = throw64(&[".?AUFailure@@"]);
        made.put(0x9000, &[0; 8]).put(0x9008, &0xa000u64.to_le_bytes()).put(0xa000, b"x\0");
        assert_eq!(of(&made, CPP, &throw).as_deref(), Some("threw Failure"));
        let made = throw64(&[".PEBD"]);
        assert_eq!(of(&made, CPP, &throw).as_deref(), Some("threw const char *"));
        assert_eq!(of(&made, CPP, &[0x1993_0520, 0, 0, BASE]), None);
        assert_eq!(of(&made, CPP, &[1, 0, BASE + 0x100, BASE]), None);
        assert_eq!(of(&Made::default(), CPP, &throw), None);
    }

    #[test]
    fn template_names_stay_decorated() {
        assert_eq!(type_name(".?AVbad_alloc@std@@"), "std::bad_alloc");
        assert_eq!(type_name(".?AW4Kind@a@b@@"), "b::a::Kind");
        let template = ".?AV?$holder@H@@";
        assert_eq!(type_name(template), template);
        assert_eq!(type_name(""), "");
    }

    #[test]
    fn parameters_of_other_exceptions_are_explained() {
        let made = Made::default();
        let clr = of(&made, CLR, &[0xffff_ffff_8013_1509]);
        assert_eq!(clr.as_deref(), Some("HRESULT 0x80131509 (COR_E_INVALIDOPERATION)"));
        let mut made = Made::default();
        made.words(0x5000, &[2, 0x138, 8, 0, 0x1234_0000, 0, 0x1234_5678, 0]);
        let heap = "0x8: a block is freed that is not busy, heap 0x12340000, at 0x12345678";
        assert_eq!(of(&made, HEAP, &[0x5000]).as_deref(), Some(heap));
        let mut made = Made::default();
        made.put(0x5000, &0x6000u64.to_le_bytes());
        made.words(0x6000, &[0x40, 0x5345_3032, 0x8000_4003]);
        let stowed = "stowed exceptions: 1, the first with HRESULT 0x80004003 (E_POINTER)";
        assert_eq!(of(&made, STOWED, &[0x5000, 1]).as_deref(), Some(stowed));
        let mut made = Made::default();
        made.put(0x5000, &[0; 24]).put(0x5018, &0x7000u64.to_le_bytes());
        made.put(0x7000, b"engine.dll\0");
        let missing = "the library engine.dll was not found";
        assert_eq!(of(&made, NO_MODULE, &[0x5000]).as_deref(), Some(missing));
        assert_eq!(of(&made, 0xc000_0005, &[0, 0]), None);
        assert_eq!(of(&Made::default(), HEAP, &[]), None);
    }

    #[test]
    fn hresults_are_sorted() {
        assert!(RESULTS.is_sorted_by_key(|(code, _)| *code));
    }
}
