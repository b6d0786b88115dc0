//! What a process keeps about itself in user-mode memory: its process environment block (PEB) and
//! its process parameters.
//!
//! Only dumps that hold the pages of the process have them. The process itself can write all of
//! this memory.

use crate::catalog::{Absent, Cell};
use crate::dump::bytes::u16_at;
use crate::source::kernel::core::Core;
use crate::source::kernel::core::memory::Space;
use crate::source::kernel::core::structure::Structure;

const PEB: &str = "_PEB";
const PARAMETERS: &str = "_RTL_USER_PROCESS_PARAMETERS";
/// Upper limit on a command line, in bytes.
const MAX_COMMAND_LINE: usize = 0xfffe;
/// How far an environment is read, in bytes. Before Windows Vista it is limited to 64 KB.
const MAX_ENVIRONMENT: usize = 1 << 20;
const EARLY_ENVIRONMENT: usize = 1 << 16;

/// The memory of a process.
fn space<'a>(core: &'a Core, process: &Structure<'_>) -> Cell<Space<'a>> {
    // A triage dump has no process memory.
    core.pages.as_ref().ok_or(Absent::NotInDump)?;
    Ok(core.space(process.pointer("Pcb.DirectoryTableBase")?))
}

/// The process parameters. System processes have none.
fn parameters<'a>(core: &'a Core, process: &Structure<'_>) -> Cell<Structure<'a>> {
    let peb = process.pointer("Peb")?;
    space(core, process)?.structure(PEB, peb).follow("ProcessParameters", PARAMETERS)
}

/// The command line of a process.
pub(crate) fn command_line(core: &Core, process: &Structure<'_>) -> Cell<String> {
    parameters(core, process)?.long_unicode("CommandLine", MAX_COMMAND_LINE)
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// How many bytes of environments are read from a dump. No environment is in a dump twice, but
/// damaged processes may all point to the same one.
pub(crate) fn most_read(core: &Core) -> usize {
    core.image.len().max(MAX_ENVIRONMENT)
}

/// The variables of a process in the order of its environment; at most this many bytes are read. If
/// a part of the environment is not in the dump, the last item is the reason.
pub(crate) fn environment(
    core: &Core,
    process: &Structure<'_>,
    left: &mut usize,
) -> Vec<Cell<Variable>> {
    let block = || {
        let parameters = parameters(core, process)?;
        let at = parameters.pointer("Environment")?;
        let stated = parameters.unsigned("EnvironmentSize").map(usize::try_from);
        let size = match stated {
            Ok(Ok(size)) if size != 0 => size.min(MAX_ENVIRONMENT),
            _ => EARLY_ENVIRONMENT,
        };
        Ok((space(core, process)?, at, size.min(*left)))
    };
    let (space, at, size) = match block() {
        Ok(block) => block,
        Err(absent) => return vec![Err(absent)],
    };
    let bytes = match space.prefix(at, size) {
        Ok(bytes) => bytes,
        Err(absent) => return vec![Err(absent)],
    };
    *left = left.saturating_sub(bytes.len());
    let (variables, is_whole) = variables(&bytes);
    let mut all: Vec<Cell<Variable>> = variables.into_iter().map(Ok).collect();
    if !is_whole {
        let missing = at.checked_add(bytes.len() as u64).ok_or(Absent::Unreadable);
        let reason = missing.and_then(|at| space.page(at).map(|_| ()));
        all.push(Err(reason.err().unwrap_or(Absent::Unreadable)));
    }
    all
}

/// The variables in a block of null-terminated strings, and whether the block contains its end: an
/// empty string.
fn variables(block: &[u8]) -> (Vec<Variable>, bool) {
    let mut found = Vec::new();
    let mut text = Vec::new();
    for at in (0..block.len()).step_by(2) {
        let Some(unit) = u16_at(block, at) else { break };
        if unit != 0 {
            text.push(unit);
            continue;
        }
        if text.is_empty() {
            return (found, true);
        }
        found.extend(variable(&String::from_utf16_lossy(&text)));
        text.clear();
    }
    // The rest is the start of a string that was cut off.
    (found, false)
}

/// Name and value. The name of a drive's current directory begins with an equals sign (`=C:`).
fn variable(text: &str) -> Option<Variable> {
    let sign = text.char_indices().skip(1).find(|(_, c)| *c == '=').map(|(at, _)| at)?;
    let (name, value) = (text.get(..sign)?, text.get(sign + 1..)?);
    Some(Variable { name: name.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn read(text: &str) -> (Vec<(String, String)>, bool) {
        let (found, is_whole) = variables(&block(text));
        (found.into_iter().map(|one| (one.name, one.value)).collect(), is_whole)
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn variables_end_with_an_empty_text() {
        let text = "=C:=C:\\temp\0Path=a;b=c\0Empty=\0\0Behind=1\0\0";
        let expected = vec![pair("=C:", "C:\\temp"), pair("Path", "a;b=c"), pair("Empty", "")];
        assert_eq!(read(text), (expected, true));
        assert_eq!(read("\0"), (Vec::new(), true));
    }

    #[test]
    fn a_truncated_block_gives_no_truncated_value() {
        assert_eq!(read("A=1\0B=twen"), (vec![pair("A", "1")], false));
        assert_eq!(read(""), (Vec::new(), false));
        assert_eq!(variables(&[0x41]), (Vec::new(), false));
        assert_eq!(read("no sign\0=\0A=1\0\0"), (vec![pair("A", "1")], true));
    }
}
