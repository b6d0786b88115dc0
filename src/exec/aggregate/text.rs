//! `string_agg`.

use super::Input;
use crate::diag::Diagnostic;
use crate::exec::col::Col;

impl Input<'_> {
    /// The values with separators between them; a comma if none is given.
    pub(super) fn string_agg(&self, arg: &Col) -> Result<Col, Diagnostic> {
        let Col::Text(texts) = arg else { return Ok(Col::Null(self.groups)) };
        let separators = self.args.get(1);
        let mut bytes = 0usize;
        self.each_valid(arg, |_, row| {
            let separator = match separators {
                Some(Col::Text(s)) => s.value(row).len(),
                _ => 1,
            };
            bytes = bytes.saturating_add(texts.value(row).len()).saturating_add(separator);
        });
        self.engine.make(self.call.span, bytes)?;
        let mut joined: Vec<Option<String>> = vec![None; self.groups];
        self.each_valid(arg, |group, row| {
            let separator = match separators {
                None => ",",
                Some(Col::Text(s)) if !separators.is_some_and(|c| c.is_null(row)) => s.value(row),
                Some(_) => "",
            };
            match &mut joined[group] {
                Some(text) => {
                    text.push_str(separator);
                    text.push_str(texts.value(row));
                }
                empty => *empty = Some(texts.value(row).to_owned()),
            }
        });
        Ok(Col::text(joined.iter().map(Option::as_deref)))
    }
}
