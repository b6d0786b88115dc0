//! Names of types as text: `INTEGER`, `VARCHAR[]`, `STRUCT(a INTEGER, "b c" DOUBLE[])`.

use super::Ty;

/// The type with that name, ignoring case; `None` if there is none.
pub(super) fn parse(name: &str) -> Option<Ty> {
    let mut reader = Reader { rest: name.trim() };
    let ty = reader.ty(0)?;
    reader.rest.is_empty().then_some(ty)
}

/// Whether a word names exact numbers.
fn is_decimal(word: &str) -> bool {
    ["decimal", "numeric", "dec"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn ty(&mut self, depth: usize) -> Option<Ty> {
        if depth > Ty::MAX_DEPTH {
            return None;
        }
        let word = self.word()?;
        let mut ty =
            if matches!(word.to_ascii_lowercase().as_str(), "struct" | "tuple") && self.take('(') {
                self.fields(depth)?
            } else if word.eq_ignore_ascii_case("map") && self.take('(') {
                self.map(depth)?
            } else if is_decimal(&word) && self.take('(') {
                self.decimal()?
            } else if word.eq_ignore_ascii_case("double") {
                let before = self.rest;
                if !self.word().is_some_and(|next| next.eq_ignore_ascii_case("precision")) {
                    self.rest = before;
                }
                Ty::Double
            } else {
                Ty::from_word(&word)?
            };
        while self.take('[') {
            if !self.take(']') {
                return None;
            }
            ty = Ty::list_of(ty)?;
        }
        Some(ty)
    }

    /// Width and scale of a decimal.
    fn decimal(&mut self) -> Option<Ty> {
        let width = self.word()?.parse().ok()?;
        let scale = if self.take(',') { self.word()?.parse().ok()? } else { 0 };
        self.take(')').then(|| Ty::decimal(width, scale))?
    }

    fn map(&mut self, depth: usize) -> Option<Ty> {
        let key = self.ty(depth + 1)?;
        let value = self.take(',').then(|| self.ty(depth + 1))??;
        self.take(')').then(|| Ty::map_of(key, value))?
    }

    fn fields(&mut self, depth: usize) -> Option<Ty> {
        let mut fields = Vec::new();
        loop {
            fields.push(self.field(depth)?);
            if self.take(')') {
                return Ty::struct_of(&fields);
            }
            if !self.take(',') {
                return None;
            }
        }
    }

    /// A name and a type, or a type alone.
    fn field(&mut self, depth: usize) -> Option<(String, Ty)> {
        let before = self.rest;
        let name = self.word()?;
        if self.rest.starts_with([',', ')', '[', '(']) {
            self.rest = before;
            return Some((String::new(), self.ty(depth + 1)?));
        }
        Some((name, self.ty(depth + 1)?))
    }

    fn take(&mut self, mark: char) -> bool {
        let after = self.rest.trim_start().strip_prefix(mark);
        self.rest = after.map_or(self.rest, str::trim_start);
        after.is_some()
    }

    /// A word, or anything in double quotes.
    fn word(&mut self) -> Option<String> {
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            let mut name = String::new();
            loop {
                let end = self.rest.find('"')?;
                name.push_str(self.rest.get(..end)?);
                self.rest = self.rest.get(end + 1..)?;
                match self.rest.strip_prefix('"') {
                    Some(rest) => {
                        name.push('"');
                        self.rest = rest;
                    }
                    None => break,
                }
            }
            self.rest = self.rest.trim_start();
            return Some(name);
        }
        let is_part = |c: char| c == '_' || c == '$' || c.is_alphanumeric();
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest.trim_start();
        (!word.is_empty()).then(|| word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_types_are_read_as_they_are_written() {
        for name in [
            "INTEGER",
            "VARCHAR[]",
            "DOUBLE[][]",
            "DATE",
            "BLOB[]",
            "MAP(UUID, TIME[])",
            "DECIMAL(18,3)",
            "STRUCT(a DECIMAL(5,2)[])",
            "STRUCT(a INTEGER, \"b \"\"c\" VARCHAR[])[]",
        ] {
            assert_eq!(parse(name).map(Ty::name), Some(name));
        }
        assert_eq!(
            parse("struct( x  double precision ,y int [ ] )").map(Ty::name),
            Some("STRUCT(x DOUBLE, y INTEGER[])")
        );
        for wrong in [
            "",
            "[]",
            "DECIMAL(19, 2)",
            "DECIMAL(2,3)",
            "DECIMAL(2",
            "INTEGER[",
            "INTEGER]",
            "STRUCT()",
            "STRUCT(a INT, A INT)",
            "INT INT",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(parse(&format!("INT{}", "[]".repeat(16))).map(Ty::depth), Some(16));
        assert_eq!(parse(&format!("INT{}", "[]".repeat(17))), None);
    }
}
