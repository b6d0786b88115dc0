//! `stack` and `disassemble`.

use std::collections::BTreeMap;

use rmcp::schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, Caps, Outcome, Tool};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::mcp::call::{Budget, Reply};
use crate::mcp::text;
use crate::session::{self, Params};

/// The frames of one thread; by default, of the thread that crashed.
const FRAMES: &str = "\
-- optional: exception, bugcheck
SELECT s.tid, s.frame, s.symbol, s.offset, s.return_address, s.sp, s.trust, s.source_file, s.line
FROM stacks AS s
WHERE s.frame < $frames
  AND ($tid >= 0 AND s.tid = $tid
   OR $thread <> 0x0 AND s.ethread = $thread
   OR $tid < 0 AND $thread = 0x0
      AND (s.tid IN (SELECT tid FROM exception) OR s.ethread IN (SELECT ethread FROM bugcheck)))
ORDER BY s.tid, s.frame";

pub(super) struct Stack;

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct StackArguments {
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// The thread: its id in decimal (`1904`) or the address of its object (`0x86d4c770`); by
    /// default the thread that crashed.
    thread: Option<String>,
    /// The maximum number of frames (default 50).
    frames: Option<u32>,
}

impl Tool for Stack {
    type Arguments = StackArguments;
    const NAME: &'static str = "stack";
    const DOC: &'static str = "The call stack of a thread, innermost frame first. The column trust says how each frame \
        was found; a frame found by scanning may be left over from an earlier call.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let (mut tid, mut thread) = (Value::Int(-1), Value::Addr(0));
        if let Some(given) = arguments.thread.as_deref().map(str::trim) {
            if let Ok(number) = given.parse::<i64>() {
                tid = Value::Int(number);
            } else if let Some(address @ Value::Addr(_)) = Value::parse(given, Ty::Addr) {
                thread = address;
            } else {
                let message =
                    format!("`{}` is neither a thread id nor an address", text::name(given));
                return Err(Diagnostic::new(Code::BadArguments, message).into());
            }
        }
        let frames = i64::from(arguments.frames.unwrap_or(50).clamp(1, 1000));
        let params = Params::from([
            ("tid".to_owned(), tid),
            ("thread".to_owned(), thread),
            ("frames".to_owned(), Value::Int(frames)),
        ]);
        let results = call.ask(&dump, FRAMES, &params, Budget::default())?;
        let mut reply = Reply::default();
        let caps = Caps { rows: 1000, ..Caps::default() };
        call.tell_all(results, caps, &mut reply);
        Ok(reply)
    }
}

pub(super) struct Disassemble;

/// Which instructions are disassembled.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(rename_all = "lowercase")]
enum Direction {
    /// From the address on.
    #[default]
    Forward,
    /// The instructions before the address.
    Back,
    /// The whole function.
    Function,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
#[serde(deny_unknown_fields)]
pub(super) struct CodeArguments {
    /// An address such as `0xfffff801a972c530`, or a symbol such as `nt!KiIdleLoop`.
    at: String,
    /// The id of the dump; optional if only one is open.
    dump: Option<String>,
    /// Which instructions.
    #[serde(default)]
    direction: Direction,
    /// How many instructions (default 16); a function is returned as a whole.
    count: Option<u32>,
}

impl Tool for Disassemble {
    type Arguments = CodeArguments;
    const NAME: &'static str = "disassemble";
    const DOC: &'static str = "Machine code at an address or a symbol, as instructions: from there on, before it, or the \
        whole function.";

    fn run(call: &Call<'_>, arguments: Self::Arguments) -> Outcome {
        let dump = call.state.dumps.find(arguments.dump.as_deref())?;
        let name = match arguments.direction {
            Direction::Forward => "u",
            Direction::Back => "ub",
            Direction::Function => "uf",
        };
        let query = session::find_query(name)?;
        let count = arguments.count.unwrap_or(16).clamp(1, 2000).to_string();
        let given = BTreeMap::from([
            ("address".to_owned(), arguments.at.trim().to_owned()),
            ("count".to_owned(), count),
        ]);
        let known =
            given.into_iter().filter(|(name, _)| query.params.iter().any(|p| p.name == *name));
        let params = session::parameters(query, &known.collect())?;
        let results = call.ask(&dump, &query.text, &params, Budget::default())?;
        let mut reply = Reply::default();
        let caps = Caps { rows: 2000, ..Caps::default() };
        call.tell_all(results, caps, &mut reply);
        Ok(reply)
    }
}
