//! A saved query over several dumps answers for each by itself.

use super::cancel::Run;
use super::query::Prepared;
use super::state::State;
use super::{Params, ResultSet};
use crate::diag::{Code, Diagnostic};
use crate::exec;
use crate::lang::ast::Statement;

impl Prepared<'_> {
    /// Runs queries over each dump by itself, and stacks what they give under a first column `dump`.
    /// A dump that has none of the tables gives no rows, as long as another has them.
    pub(super) fn of_each_dump(
        &self,
        state: &State,
        statements: &[Statement],
        params: &Params,
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Vec<Diagnostic>> {
        for statement in statements {
            let mut stacked = exec::Stacked::default();
            let mut missing = None;
            for source in &state.sources {
                let alone = state.alone(source);
                let result = self.planned(&alone, statement, params, run).and_then(|planned| {
                    match alone.defined.settings.timeout {
                        Some(timeout) => self.timed(&alone, &planned, run, timeout),
                        None => self.within(&alone, &run.flag, |cx| {
                            exec::run(&planned, cx).map_err(|error| vec![error])
                        }),
                    }
                });
                match result {
                    Ok(result) => {
                        if !stacked.push(&source.name, result) {
                            return Err(vec![differs(&source.name)]);
                        }
                    }
                    Err(errors) if errors.iter().any(|error| error.code == Code::NoSource) => {
                        missing.get_or_insert(errors);
                    }
                    Err(errors) => return Err(errors),
                }
                let limit = self.memory.unwrap_or(alone.defined.settings.memory);
                if stacked.bytes() > limit {
                    return Err(vec![too_much(limit)]);
                }
            }
            match (stacked.finish(), missing) {
                (Some(result), _) => {
                    if !receive(result) {
                        return Ok(false);
                    }
                }
                (None, Some(errors)) => return Err(errors),
                (None, None) => (),
            }
        }
        Ok(true)
    }
}

/// The columns of a saved query over several dumps are not the same for all.
fn differs(dump: &str) -> Diagnostic {
    Diagnostic::new(Code::BadQuery, format!("the query gives other columns for `{dump}`"))
        .help("a saved query over several dumps runs for each; `-- dumps: together` in its header runs it once over all")
}

fn too_much(limit: usize) -> Diagnostic {
    let megabytes = limit >> 20;
    let message =
        format!("the results of all dumps need more than the {megabytes} MB that are allowed");
    Diagnostic::new(Code::Limit, message)
        .help("open fewer dumps, or raise the limit with `--memory`")
}
