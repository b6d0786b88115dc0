//! `string_agg`.

use super::Input;
use crate::exec::col::Col;

impl Input<'_> {
    /// The values with separators between them; a comma if none is given.
    pub(super) fn string_agg(&self, arg: &Col) -> Col {
        let Col::Text(texts) = arg else { return Col::Null(self.groups) };
        let separators = self.args.get(1);
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
        Col::text(joined.iter().map(Option::as_deref))
    }
}
