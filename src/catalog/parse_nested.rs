//! Parses text as lists and structures, in the notation in which values are shown: `[1, 2]`, `{'a':
//! 1, b: x}`, `(1, x)`.

use super::{ListBuilder, MapTy, Nested, Ty, Value};

/// The list or structure in `text`; `None` if the text is invalid for the type.
pub(super) fn parse(text: &str, ty: Ty) -> Option<Value<'static>> {
    let mut reader = Reader { rest: text.trim() };
    let value = reader.value(ty)?;
    reader.rest.trim().is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn take(&mut self, mark: char) -> bool {
        let after = self.rest.trim_start().strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn value(&mut self, ty: Ty) -> Option<Value<'static>> {
        match ty {
            Ty::List(of) => self.list(of.element(), ty),
            Ty::Struct(_) => self.structure(ty),
            Ty::Map(of) => self.map(of, ty),
            _ => {
                let (text, quoted) = self.word()?;
                if !quoted && text.eq_ignore_ascii_case("null") {
                    return Some(Value::Null);
                }
                Value::parse(&text, ty)
            }
        }
    }

    /// A value within another one, where NULL may be written.
    fn within(&mut self, ty: Ty) -> Option<Value<'static>> {
        let rest = self.rest.trim_start();
        if ty.is_nested() && rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("null")) {
            self.rest = rest.get(4..)?;
            return Some(Value::Null);
        }
        self.value(ty)
    }

    fn list(&mut self, element: Ty, ty: Ty) -> Option<Value<'static>> {
        if !self.take('[') {
            return None;
        }
        let mut list = ListBuilder::new(element);
        if self.take(']') {
            return Some(Value::List(list.finish(ty)));
        }
        loop {
            list.push(&self.within(element)?);
            if self.take(']') {
                return Some(Value::List(list.finish(ty)));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    fn structure(&mut self, ty: Ty) -> Option<Value<'static>> {
        let Ty::Struct(of) = ty else { return None };
        let named = self.take('{');
        if !named && !self.take('(') {
            return None;
        }
        let end = if named { '}' } else { ')' };
        let mut values = vec![Value::Null; of.fields().len()];
        let mut next = 0;
        loop {
            let (at, field) = if named {
                let (name, _) = self.word()?;
                if !self.take(':') {
                    return None;
                }
                of.field(&name)?
            } else {
                (next, of.fields().get(next)?.1)
            };
            next += 1;
            let value = self.within(field)?;
            *values.get_mut(at)? = value;
            if self.take(end) {
                return Some(Value::Struct(Nested::structure(ty, &values)));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// `{a=1, b=2}`, of which the last value of a key counts as an error.
    fn map(&mut self, of: &MapTy, ty: Ty) -> Option<Value<'static>> {
        if !self.take('{') {
            return None;
        }
        let entry = of.entries().element()?;
        let mut list = ListBuilder::new(entry);
        let mut keys = Vec::new();
        if self.take('}') {
            return Some(Value::Map(list.finish(of.entries()).into_map(ty)?));
        }
        loop {
            let key = self.key(of.key())?;
            if !self.take('=') || keys.contains(&key) {
                return None;
            }
            let value = self.within(of.value())?;
            list.push(&Value::Struct(Nested::structure(entry, &[key.clone(), value])));
            keys.push(key);
            if self.take('}') {
                return Some(Value::Map(list.finish(of.entries()).into_map(ty)?));
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// A key, which ends before `=`.
    fn key(&mut self, ty: Ty) -> Option<Value<'static>> {
        let rest = self.rest.trim_start();
        if ty.is_nested() || rest.starts_with(['\'', '"']) {
            return self.value(ty).filter(|key| !key.is_null());
        }
        let (word, _) = rest.split_once('=')?;
        self.rest = rest.get(word.len()..)?;
        Value::parse(word.trim_end(), ty)
    }

    /// The text up to the next delimiter, or in quotes, where a backslash escapes the next
    /// character.
    fn word(&mut self) -> Option<(String, bool)> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let Some(quote) = quote else {
            let is_mark = |c: char| matches!(c, ',' | ']' | '}' | ')' | ':');
            // A colon does not end the text, because times contain colons.
            let end = rest.find([',', ']', '}', ')']).unwrap_or(rest.len());
            let word = rest.get(..end)?;
            let name = word.split_once(": ").map_or(word, |(name, _)| name);
            let name = name.strip_suffix(':').unwrap_or(name);
            self.rest = rest.get(name.len()..)?;
            let name = name.trim_end();
            return (!name.is_empty() && !name.starts_with(is_mark))
                .then(|| (name.to_owned(), false));
        };
        let mut text = String::new();
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.rest = rest.get(at + 1..)?;
                return Some((text, true));
            }
            text.push(if c == '\\' { chars.next()?.1 } else { c });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Format, PointerWidth};

    #[test]
    fn nested_values_are_parsed_as_they_are_formatted() {
        for (name, text, shown) in [
            ("INTEGER[]", "[1, 2,NULL ,3]", "[1, 2, NULL, 3]"),
            ("INTEGER[]", " [ ] ", "[]"),
            (
                "VARCHAR[]",
                "[a b, \"c\", 'it\\'s', NULL, 'NULL']",
                "[a b, c, 'it\\'s', NULL, 'NULL']",
            ),
            ("INTEGER[][]", "[[1], NULL, []]", "[[1], NULL, []]"),
            ("STRUCT(a INTEGER, b VARCHAR)", "{'a': 1, b: x y}", "{'a': 1, 'b': x y}"),
            ("STRUCT(a INTEGER, b VARCHAR)", "{B: x}", "{'a': NULL, 'b': x}"),
            ("TUPLE(INTEGER, VARCHAR[])", "(1, [x])", "(1, [x])"),
            ("TIMESTAMP[]", "[2024-01-01 10:00:00]", "[2024-01-01 10:00:00]"),
            ("MAP(VARCHAR, INTEGER)", "{ a =1, 'b='=NULL}", "{a=1, 'b='=NULL}"),
            ("MAP(INTEGER, DATE[])", "{1=[2024-01-01], 2=[]}", "{1=[2024-01-01], 2=[]}"),
        ] {
            let value = parse(text, Ty::from_name(name).unwrap())
                .map(|v| Format::Plain.render(&v, PointerWidth::Bits64));
            assert_eq!(value.as_deref(), Some(shown), "{text}");
            let again = parse(shown, Ty::from_name(name).unwrap())
                .map(|v| Format::Plain.render(&v, PointerWidth::Bits64));
            assert_eq!(again.as_deref(), Some(shown));
        }
        for (name, text) in [
            ("INTEGER[]", "1"),
            ("INTEGER[]", "[1"),
            ("INTEGER[]", "[1,]"),
            ("INTEGER[]", "[x]"),
            ("INTEGER[]", "[1] 2"),
            ("INTEGER[]", ""),
            ("STRUCT(a INTEGER)", "{}"),
            ("STRUCT(a INTEGER)", "{b: 1}"),
            ("STRUCT(a INTEGER)", "{a}"),
            ("VARCHAR[]", "['a]"),
            ("TUPLE(INTEGER)", "(1, 2)"),
        ] {
            assert_eq!(parse(text, Ty::from_name(name).unwrap()), None, "{text}");
        }
    }
}
