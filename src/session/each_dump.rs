//! Runs saved queries on each of several dumps separately.

use super::cancel::Run;
use super::query::Prepared;
use super::state::State;
use super::{Params, ResultSet};
use crate::diag::{Code, Diagnostic};
use crate::exec;
use crate::lang::ast::Statement;

impl Prepared<'_> {
    /// Runs queries on each dump separately, and concatenates the results with a first column
    /// `dump`. A dump that has none of the tables gives no rows, as long as another dump has them.
    pub(super) fn of_each_dump(
        &self,
        state: &State,
        statements: &[Statement],
        params: &Params,
        run: &Run,
        receive: &mut dyn FnMut(ResultSet) -> bool,
    ) -> Result<bool, Vec<Diagnostic>> {
        for statement in statements {
            let stacked =
                self.bounded(state, run, |run| self.stacked(state, statement, params, run))?;
            if !receive(stacked) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn stacked(
        &self,
        state: &State,
        statement: &Statement,
        params: &Params,
        run: &Run,
    ) -> Result<ResultSet, Vec<Diagnostic>> {
        let limit = self.memory.unwrap_or(state.defined.settings.memory);
        let mut stacked = exec::Stacked::default();
        let mut missing = Vec::new();
        for (name, alone) in state.each_alone() {
            let planned = self.planned(&alone, statement, params, run);
            match planned.and_then(|planned| self.ran(&alone, &planned, run)) {
                Ok(result) => {
                    if !stacked.push(name, result) {
                        return Err(vec![differs(name)]);
                    }
                }
                Err(errors) if errors.iter().any(|error| error.code == Code::NoSource) => {
                    if missing.is_empty() {
                        missing = errors;
                    }
                }
                Err(errors) => return Err(errors),
            }
            if stacked.bytes() > limit {
                return Err(vec![too_much(limit)]);
            }
        }
        stacked.finish().ok_or(missing)
    }
}

/// The error for a saved query whose columns differ between dumps.
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
