//! The encoding of lists and structures.
//!
//! A value is encoded as text whose byte order is the order of values; equal values have equal
//! texts. Code that sorts, groups, joins and compares texts therefore also works on lists and
//! structures. Elements are compared one after the other; two NULLs in values are equal and greater
//! than everything else; a list is less than a longer one that starts with it.
//!
//! | value | code |
//! |---|---|
//! | an element or a field | `\x02` and its code, or `\x03` for NULL |
//! | the end of a list | `\x01` |
//! | number | how many groups of seven bits it has, and the groups, the highest first |
//! | `DOUBLE` | ten groups of seven bits; there is one NaN and one zero |
//! | `VARCHAR`, `BLOB`, `UUID` | the text, in which `\x01\x01` stands for NUL and `\x01\x02` for `\x01`, and a NUL |

use std::borrow::Cow;

use super::{Ty, Value};

const END: char = '\u{1}';
const THERE: char = '\u{2}';
const NULL: char = '\u{3}';
/// The first byte of a number that is not negative is this plus its number of groups; that of a
/// negative one is the byte below this minus its number of groups.
const GROUPS: u8 = 0x20;
const SIGN: u64 = 1 << 63;

/// A list or a structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Nested<'a> {
    ty: Ty,
    code: Cow<'a, str>,
}

impl<'a> Nested<'a> {
    /// The value with this code.
    pub(crate) const fn of_code(ty: Ty, code: Cow<'a, str>) -> Self {
        Self { ty, code }
    }

    /// A list of values of the type `element`; values of another type become NULL. `None` if the
    /// type would be nested too deep.
    pub fn list<'v>(
        element: Ty,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Option<Nested<'static>> {
        let mut list = ListBuilder::new(element);
        for value in values {
            list.push(&value);
        }
        Some(list.finish(Ty::list_of(element)?))
    }

    /// A structure of type `ty` with these field values; values of another type become NULL.
    pub fn structure(ty: Ty, values: &[Value<'_>]) -> Nested<'static> {
        let mut code = String::new();
        if let Ty::Struct(of) = ty {
            for (at, (_, ty)) in of.fields().iter().enumerate() {
                append_element(values.get(at).unwrap_or(&Value::Null), *ty, &mut code);
            }
        }
        Nested { ty, code: Cow::Owned(code) }
    }

    /// The values in a code of type `ty`.
    pub(crate) fn read(code: &'a str, ty: Ty) -> Values<'a> {
        let ty = ty.spelled();
        let fields = if let Ty::Struct(of) = ty { of.fields() } else { &[] };
        Values { rest: code, element: ty.element().unwrap_or(Ty::Null), fields: fields.iter() }
    }

    /// The type: a list or a structure.
    pub const fn ty(&self) -> Ty {
        self.ty
    }

    /// The code of the value.
    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The elements of a list, or the values of the fields of a structure, in order.
    pub fn values(&self) -> Values<'_> {
        Nested::read(&self.code, self.ty)
    }

    /// Keys and values of a map, in order.
    pub fn entries(&self) -> impl Iterator<Item = (Value<'_>, Value<'_>)> {
        let entries = if let Ty::Map(map) = self.ty { map.entries().element() } else { None };
        let mut rest = self.code.as_ref();
        std::iter::from_fn(move || {
            let Ty::Struct(entry) = entries? else { return None };
            let [(_, key), (_, value)] = entry.fields() else { return None };
            if take(&mut rest)? != 2 {
                return None;
            }
            Some((read_element(&mut rest, *key)?, read_element(&mut rest, *value)?))
        })
    }

    /// The same values as a map, of a list of its entries; `None` for other lists.
    pub(crate) fn into_map(self, ty: Ty) -> Option<Self> {
        (self.ty == ty.spelled()).then_some(Self { ty, code: self.code })
    }

    /// The entries of a map as a list.
    pub(crate) fn into_entries(self) -> Self {
        Self { ty: self.ty.spelled(), code: self.code }
    }

    /// The number of elements, or of fields.
    pub fn len(&self) -> usize {
        self.values().count()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.values().next().is_none()
    }

    /// A copy that owns its code.
    pub fn into_owned(self) -> Nested<'static> {
        Nested { ty: self.ty, code: Cow::Owned(self.code.into_owned()) }
    }

    /// A borrowed copy.
    pub(crate) fn borrowed(&self) -> Nested<'_> {
        Nested { ty: self.ty, code: Cow::Borrowed(&self.code) }
    }
}

/// Builds a list element by element.
#[derive(Debug)]
pub(crate) struct ListBuilder {
    element: Ty,
    code: String,
}

impl ListBuilder {
    pub(crate) const fn new(element: Ty) -> Self {
        Self { element, code: String::new() }
    }

    /// Appends an element; a value of another type becomes NULL.
    pub(crate) fn push(&mut self, value: &Value<'_>) {
        append_element(value, self.element, &mut self.code);
    }

    /// The number of bytes of the list so far.
    pub(crate) fn bytes(&self) -> usize {
        self.code.len()
    }

    /// The list; `ty` is its list type.
    pub(crate) fn finish(mut self, ty: Ty) -> Nested<'static> {
        self.code.push(END);
        Nested { ty, code: Cow::Owned(self.code) }
    }
}

/// The values in a list or a structure.
#[derive(Debug, Clone)]
pub struct Values<'n> {
    rest: &'n str,
    element: Ty,
    fields: std::slice::Iter<'static, (&'static str, Ty)>,
}

impl<'n> Iterator for Values<'n> {
    type Item = Value<'n>;

    fn next(&mut self) -> Option<Value<'n>> {
        let ty = match self.fields.next() {
            Some((_, ty)) => *ty,
            None => self.element,
        };
        read_element(&mut self.rest, ty)
    }
}

fn append_element(value: &Value<'_>, ty: Ty, code: &mut String) {
    let start = code.len();
    code.push(THERE);
    if !append(value, ty, code) {
        code.truncate(start);
        code.push(NULL);
    }
}

/// Appends the code of a value of type `ty`; `false` if it has another type.
fn append(value: &Value<'_>, ty: Ty, code: &mut String) -> bool {
    match (value, ty) {
        (Value::Bool(v), Ty::Bool) => code.push(if *v { '\u{1}' } else { '\0' }),
        (Value::Int(v), Ty::Int)
        | (Value::Time(v), Ty::Time)
        | (Value::Interval(v), Ty::Interval)
        | (Value::Date(v), Ty::Date)
        | (Value::TimeOfDay(v), Ty::TimeOfDay) => append_signed(*v, code),
        (Value::Decimal(v, own), Ty::Decimal(of)) if *own == of => append_signed(*v, code),
        (Value::Addr(v), Ty::Addr) => append_unsigned(*v, code),
        (Value::Double(v), Ty::Double) => append_groups(double_code(*v), 10, 0, code),
        (Value::Text(v), Ty::Text) | (Value::Uuid(v), Ty::Uuid) => append_text(v, code),
        (Value::Blob(v), Ty::Blob) => append_text(v.code(), code),
        (Value::List(v) | Value::Struct(v) | Value::Map(v), _) if v.ty == ty => {
            code.push_str(&v.code);
        }
        _ => return false,
    }
    true
}

fn append_signed(v: i64, code: &mut String) {
    if v >= 0 {
        return append_unsigned(v.cast_unsigned(), code);
    }
    let magnitude = (!v).cast_unsigned();
    let count = groups(magnitude);
    code.push(char::from(GROUPS - 1 - count));
    append_groups(magnitude, count, 0x7f, code);
}

fn append_unsigned(v: u64, code: &mut String) {
    let count = groups(v);
    code.push(char::from(GROUPS + count));
    append_groups(v, count, 0, code);
}

/// The number of groups of seven bits in a number.
fn groups(v: u64) -> u8 {
    let bits = u64::BITS - v.leading_zeros();
    u8::try_from(bits.div_ceil(7)).unwrap_or(10)
}

fn append_groups(v: u64, count: u8, flip: u8, code: &mut String) {
    for group in (0..count).rev() {
        let bits = u8::try_from(v >> (7 * u32::from(group)) & 0x7f).unwrap_or(0);
        code.push(char::from(bits ^ flip));
    }
}

/// A number that orders as doubles do: NaN is greatest, and both zeros are equal.
fn double_code(v: f64) -> u64 {
    let bits = if v.is_nan() { f64::NAN.to_bits() & !SIGN } else { (v + 0.0).to_bits() };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

const fn double_of(code: u64) -> f64 {
    f64::from_bits(if code & SIGN == 0 { !code } else { code & !SIGN })
}

fn append_text(text: &str, code: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['\0', '\u{1}']) {
        let (plain, from) = rest.split_at(at);
        code.push_str(plain);
        code.push_str(if from.starts_with('\0') { "\u{1}\u{1}" } else { "\u{1}\u{2}" });
        rest = from.get(1..).unwrap_or_default();
    }
    code.push_str(rest);
    code.push('\0');
}

/// Reads an element; `None` at the end of a list, and if the code is invalid.
fn read_element<'n>(rest: &mut &'n str, ty: Ty) -> Option<Value<'n>> {
    match take(rest)? {
        2 => read(rest, ty),
        3 => Some(Value::Null),
        _ => None,
    }
}

fn read<'n>(rest: &mut &'n str, ty: Ty) -> Option<Value<'n>> {
    Some(match ty {
        Ty::Null => return None,
        Ty::Bool => Value::Bool(take(rest)? == 1),
        Ty::Int | Ty::Time | Ty::Interval | Ty::Decimal(_) | Ty::Date | Ty::TimeOfDay => {
            Value::of_number(read_signed(rest)?, ty)
        }
        Ty::Addr => {
            let count = take(rest)?.checked_sub(GROUPS)?;
            Value::Addr(read_groups(rest, count, 0)?)
        }
        Ty::Double => Value::Double(double_of(read_groups(rest, 10, 0)?)),
        Ty::Text | Ty::Blob | Ty::Uuid => Value::of_code(read_text(rest)?, ty),
        Ty::List(_) | Ty::Struct(_) | Ty::Map(_) => {
            let before = *rest;
            skip(rest, ty)?;
            let code = before.get(..before.len() - rest.len())?;
            Value::of_nested(Nested::of_code(ty, Cow::Borrowed(code)))
        }
    })
}

/// Skips a value of type `ty`.
fn skip(rest: &mut &str, ty: Ty) -> Option<()> {
    match ty.spelled() {
        Ty::List(list) => loop {
            match take(rest)? {
                1 => return Some(()),
                2 => skip(rest, list.element())?,
                _ => {}
            }
        },
        Ty::Struct(of) => {
            for (_, ty) in of.fields() {
                if take(rest)? == 2 {
                    skip(rest, *ty)?;
                }
            }
            Some(())
        }
        Ty::Text | Ty::Blob | Ty::Uuid => {
            let end = rest.find('\0')?;
            *rest = rest.get(end + 1..)?;
            Some(())
        }
        other => read(rest, other).map(drop),
    }
}

fn take(rest: &mut &str) -> Option<u8> {
    let first = *rest.as_bytes().first()?;
    *rest = rest.get(1..)?;
    Some(first)
}

fn read_signed(rest: &mut &str) -> Option<i64> {
    let first = take(rest)?;
    if let Some(count) = first.checked_sub(GROUPS) {
        return Some(read_groups(rest, count, 0)?.cast_signed());
    }
    let count = (GROUPS - 1).checked_sub(first)?;
    Some(!read_groups(rest, count, 0x7f)?.cast_signed())
}

fn read_groups(rest: &mut &str, count: u8, flip: u8) -> Option<u64> {
    let (groups, after) = rest.split_at_checked(usize::from(count))?;
    *rest = after;
    Some(groups.bytes().fold(0, |v, group| v << 7 | u64::from(group ^ flip)))
}

fn read_text<'n>(rest: &mut &'n str) -> Option<Cow<'n, str>> {
    let end = rest.find('\0')?;
    let text = rest.get(..end)?;
    *rest = rest.get(end + 1..)?;
    if !text.contains('\u{1}') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\u{1}' {
            plain.push(c);
        } else if chars.next() == Some('\u{1}') {
            plain.push('\0');
        } else {
            plain.push('\u{1}');
        }
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::*;

    fn code(element: Ty, value: &Value<'static>) -> Nested<'static> {
        Nested::list(element, [value.clone()]).unwrap()
    }

    fn check(element: Ty, ordered: &[Value<'static>]) {
        let codes: Vec<Nested<'_>> = ordered.iter().map(|v| code(element, v)).collect();
        for (at, (value, list)) in ordered.iter().zip(&codes).enumerate() {
            let back: Vec<Value<'_>> = list.values().collect();
            assert_eq!(back.as_slice(), std::slice::from_ref(value));
            for (other, list2) in codes.iter().enumerate() {
                assert_eq!(list.code().cmp(list2.code()), at.cmp(&other), "{value:?}");
            }
        }
    }

    #[test]
    fn codes_are_ordered_like_values_and_decode_to_them() {
        let ints = [
            i64::MIN,
            i64::MIN + 1,
            -(1 << 40),
            -129,
            -128,
            -127,
            -1,
            0,
            1,
            63,
            127,
            128,
            1 << 40,
            i64::MAX,
        ];
        check(Ty::Int, &ints.map(Value::Int));
        check(Ty::Time, &ints.map(Value::Time));
        check(Ty::Addr, &[0, 1, 127, 128, 1 << 63, u64::MAX].map(Value::Addr));
        let inf = f64::INFINITY;
        check(Ty::Double, &[-inf, -1e300, -1.5, -5e-324, 0.0, 5e-324, 1.0, inf].map(Value::Double));
        check(Ty::Bool, &[Value::Bool(false), Value::Bool(true), Value::Null]);
        let texts = [
            "", "\0", "\0\0", "\0\u{1}", "\u{1}", "\u{1}\0", "\u{2}", "a", "a\0", "ab", "ä", "日本",
        ];
        check(Ty::Text, &texts.map(|t| Value::text(t.to_owned())));
        let nan = code(Ty::Double, &Value::Double(f64::NAN));
        assert_eq!(nan, code(Ty::Double, &Value::Double(-f64::NAN)));
        assert_eq!(nan.code().cmp(code(Ty::Double, &Value::Double(inf)).code()), Ordering::Greater);
    }

    #[test]
    fn lists_of_lists_and_structures_are_ordered_from_the_left() {
        let int = |v: &[Option<i64>]| {
            let values = v.iter().map(|v| v.map_or(Value::Null, Value::Int));
            Value::List(Nested::list(Ty::Int, values).unwrap())
        };
        let lists = [
            int(&[]),
            int(&[Some(1)]),
            int(&[Some(1), Some(2)]),
            int(&[Some(2)]),
            int(&[None]),
            Value::Null,
        ];
        check(Ty::INTS, &lists);
        let ty = Ty::struct_of(&[("a".to_owned(), Ty::Text), ("b".to_owned(), Ty::INTS)]).unwrap();
        let of = |a: &str, b: &Value<'static>| {
            Value::Struct(Nested::structure(ty, &[Value::text(a.to_owned()), b.clone()]))
        };
        check(
            ty,
            &[of("", &lists[5]), of("a", &lists[0]), of("a", &lists[3]), of("a\0", &lists[0])],
        );
    }

    #[test]
    fn an_invalid_code_has_no_values() {
        for text in ["", "\u{2}", "\u{2}\u{29}", "x", "\u{2}\u{7f}ab", "\u{2}ä"] {
            for ty in [
                Ty::INTS,
                Ty::TEXTS,
                Ty::BOOLS,
                Ty::list_of(Ty::Double).unwrap(),
                Ty::list_of(Ty::INTS).unwrap(),
            ] {
                assert!(Nested::of_code(ty, Cow::Borrowed(text)).len() <= 1);
            }
        }
    }
}
