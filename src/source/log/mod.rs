//! Debugger logs as a source: text that a debugger printed.
//!
//! A log is indexed once (where its commands are). For each requested table it is read again, but
//! only the commands whose readers fill that table, so a log of any size takes little memory. A log
//! contains no facts beyond the output of its commands.

mod code;
mod command;
mod commands;
mod context;
mod foreign;
mod frame;
mod frames;
mod html;
mod index;
mod layout;
mod line;
mod prompt;
mod scan;
mod signature;
mod sink;
mod symbol;
mod tabular;
mod text;
mod time;
mod words;

use std::borrow::Cow;
use std::cell::Cell as StdCell;
use std::sync::{Arc, OnceLock};

use self::command::{Context, Reader};
use self::commands::shown;
use self::index::LogSection;
use self::line::{Line, Lines};
use self::sink::{Ask, Only, Sink, Take, Unread};
use self::text::Text;
use crate::catalog::{Absent, PointerWidth, SourceKind, Value};
use crate::dump::{Error, Image};
use crate::model::{
    Answers, CoverageRange, DumpInfo, DynTable, Emit, Flow, LogCommand, Machine, Refused, Row,
    Source, Unanswered, Want,
};

/// How many lines are examined to determine the width of addresses.
const SAMPLE: usize = 20_000;
/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    text: Text,
    sections: Vec<LogSection>,
    machine: OnceLock<Machine>,
}

/// Opens a log.
///
/// # Errors
/// [`Error::NotADump`] if nothing in the text is a command or its output.
pub(crate) fn open(image: Image) -> Result<Box<dyn Source>, Error> {
    let page = html::text(image.whole());
    let text = Text::new(match page {
        Some(page) => Image::from_bytes(image.path(), page),
        None => image,
    });
    if let Some(found) = foreign::describe(&text) {
        return Err(Error::NotADump {
            path: text.path().to_owned(),
            found: format!(
                "{found}, which is not read; expected a Windows kernel dump, a minidump or a \
                 debugger log"
            ),
        });
    }
    let sections = index::sections(&text);
    if !sections.iter().any(LogSection::is_command) {
        return Err(Error::NotADump {
            path: text.path().to_owned(),
            found: "a text file in which no output of a debugger was found; expected a Windows \
                    kernel dump, a minidump or a debugger log"
                .to_owned(),
        });
    }
    let log = Arc::new(Log { text, sections, machine: OnceLock::new() });
    Ok(Box::new(LogSource { answers: answers(&log), log }))
}

/// What was found in the output of a command.
struct Reading {
    /// Rows of all tables.
    rows: u64,
    /// Their tables.
    tables: Vec<&'static str>,
    /// What was not recognised.
    unread: Vec<Unread>,
    /// Lines of noise by kind.
    noise: Vec<(&'static str, u64)>,
    /// Whether more is wanted.
    flow: Flow,
}

impl Log {
    /// The lines of a section's output.
    fn output<'a>(&'a self, section: &'a LogSection, stopped: &'a StdCell<bool>) -> Lines<'a> {
        let (mut start, mut number) = (section.start, section.line);
        let mut first = None;
        if !section.prompt.is_empty() || !section.starts_at_once {
            // The line of the prompt belongs to the command, not to its output, unless output
            // follows the command on it.
            if let Some(line) = self.text.line(start) {
                (start, number) = (line.next, number + 1);
                if section.starts_at_once {
                    first = Some((self.text.shown(line.text).into_owned(), section.line));
                }
            }
        }
        let mut lines =
            Lines::new(&self.text, start..section.end, number, &section.prefix, stopped);
        if let Some((text, number)) = first {
            let rest = prompt::find(&text).map_or("", |p| p.rest).to_owned();
            lines.push_front(Line { number, text: Cow::Owned(rest) });
        }
        lines
    }

    /// Reads a section and returns what was found in it.
    fn read(&self, section: &LogSection, ask: Ask, take: &mut dyn Take) -> Reading {
        let stopped = StdCell::new(false);
        let mut sink =
            Sink::new(ask, (Arc::clone(&section.command), section.target), &stopped, take);
        let mut lines = self.output(section, &stopped);
        match section.reader() {
            Some(reader) => {
                let cx = Context {
                    command: &section.command,
                    is_kernel: section.is_kernel,
                    number: section.number(),
                };
                (reader.read)(&cx, &mut lines, &mut sink);
                // Lines that a reader leaves were not recognised.
                for line in lines.by_ref() {
                    sink.unread(&line);
                }
            }
            None if ask == Ask::Count => lines.by_ref().for_each(|line| sink.unread(&line)),
            None => {}
        }
        let flow = if stopped.get() { Flow::Break(()) } else { Flow::Continue(()) };
        Reading {
            rows: sink.rows,
            tables: sink.tables,
            unread: sink.unread,
            noise: lines.noise().to_vec(),
            flow,
        }
    }

    /// The rows of one table in line order.
    fn rows<R: Row>(&self, _: &Want<'_, R>, emit: Emit<'_, R>) -> Result<(), Unanswered> {
        let makes = |section: &&LogSection| section.reader().is_some_and(Reader::makes::<R>);
        let mut sections = self.sections.iter().filter(makes).peekable();
        if sections.peek().is_none() {
            return Err(Self::lacks::<R>());
        }
        let mut take = Only(emit);
        for section in sections {
            if self.read(section, Ask::of::<R>(), &mut take).flow.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The facts about the target from all commands.
    #[allow(clippy::unnecessary_wraps, reason = "what a reader of a table gives")]
    fn dump_row(&self, _: &Want<'_, DumpInfo>, emit: Emit<'_, DumpInfo>) -> Result<(), Unanswered> {
        let mut row = DumpInfo::default();
        let mut said = None;
        // Several commands print facts about the same target; the first value of a fact is used. If
        // there are several targets, the first one with facts is the source's.
        for section in self.commands() {
            let is_asked = section.reader().is_some_and(Reader::makes::<DumpInfo>);
            if !is_asked || said.is_some_and(|target| target != section.target) {
                continue;
            }
            let mut take = |found: DumpInfo| {
                said = Some(section.target);
                row.complete_with(found);
                Flow::Continue(())
            };
            self.read(section, Ask::of::<DumpInfo>(), &mut Only(&mut take));
        }
        row.path = Ok(self.text.path().to_owned());
        row.format = Ok("debugger log".to_owned());
        row.file_bytes = i64::try_from(self.text.len()).map_err(|_| Absent::Unreadable);
        if row.arch.is_err() && !self.machine().arch.is_empty() {
            row.arch = Ok(self.machine().arch.to_owned());
        }
        let _ = emit.row(row);
        Ok(())
    }

    /// The commands of the log.
    #[allow(clippy::unnecessary_wraps, reason = "what a reader of a table gives")]
    fn command_rows(
        &self,
        _: &Want<'_, LogCommand>,
        emit: Emit<'_, LogCommand>,
    ) -> Result<(), Unanswered> {
        for (n, section) in (1..).zip(self.commands()) {
            if emit.row(self.command_row(n, section)).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Where the output of each command is in the file.
    #[allow(clippy::unnecessary_wraps, reason = "what a reader of a table gives")]
    fn coverage_rows(
        &self,
        _: &Want<'_, CoverageRange>,
        emit: Emit<'_, CoverageRange>,
    ) -> Result<(), Unanswered> {
        for section in self.commands() {
            let int = |n: usize| i64::try_from(n).map_err(|_| Absent::Unreadable);
            let row = CoverageRange {
                space: Ok("log".to_owned()),
                size_bytes: int(section.end - section.start),
                file_offset: int(section.start),
                kind: scan::text(&section.command),
                ..CoverageRange::default()
            };
            if emit.row(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The output of command `n` as a table, whatever the command is.
    fn table_of(&self, n: i64) -> Result<DynTable<'_>, Refused> {
        let index = usize::try_from(n).ok().and_then(|n| n.checked_sub(1));
        let section = index.and_then(|index| self.commands().nth(index)).ok_or_else(|| {
            let count = self.commands().count();
            Refused::argument(0, format!("no command {n}; the log has {count}, see log_commands"))
        })?;
        let stopped = StdCell::new(false);
        let shape = tabular::shape(&mut self.output(section, &stopped)).ok_or_else(|| {
            Refused::because(format!("command {n}, {}, printed nothing", shown(&section.command)))
        })?;
        Ok(DynTable {
            columns: shape.columns(),
            rows: Box::new(move |_, emit| {
                let stopped = StdCell::new(false);
                shape.rows(&mut self.output(section, &stopped), &mut |row| emit.row(row));
            }),
        })
    }

    /// The commands that a log needs to fill a table.
    fn lacks<R: Row>() -> Unanswered {
        let mut names: Vec<&str> =
            command::ALL.iter().filter(|r| r.makes::<R>()).map(|reader| reader.name).collect();
        names.dedup();
        Unanswered::because(format!("the log holds no output of {}", names.join(", ")))
    }

    /// Whether addresses are 64 bits wide: from the log's own banner, else from the numbers in it.
    fn machine(&self) -> Machine {
        *self.machine.get_or_init(|| {
            let (mut wide, mut narrow, mut arch) = (0usize, 0usize, None);
            let mut at = self.text.start();
            for _ in 0..SAMPLE {
                let Some(line) = self.text.line(at) else { break };
                arch = arch.or_else(|| arch_of(&line.text));
                for word in line.text.split(|c: char| !c.is_ascii_hexdigit() && c != '`') {
                    let is_wide = word.len() == 16 || word.as_bytes().get(8) == Some(&b'`');
                    wide += usize::from(is_wide && word.len() >= 16);
                    narrow += usize::from(word.len() == 8 && scan::hex(word).is_some());
                }
                at = line.next;
            }
            let width = match arch {
                Some("x86") => PointerWidth::Bits32,
                Some(_) => PointerWidth::Bits64,
                None if wide * 4 > narrow => PointerWidth::Bits64,
                None => PointerWidth::Bits32,
            };
            Machine { width, arch: arch.unwrap_or_default() }
        })
    }
}

/// The processor architecture in a banner or in the output of `vertarget`.
fn arch_of(line: &str) -> Option<&'static str> {
    if !line.contains("Windows") {
        return None;
    }
    if line.contains(" x86 compatible") {
        Some("x86")
    } else if line.contains(" Free x64") || line.contains(" Checked x64") {
        Some("x64")
    } else if line.contains("ARM 64") {
        Some("arm64")
    } else if line.contains(" IA64") {
        Some("ia64")
    } else {
        None
    }
}

/// The tables that a log fills: the row types of its readers, and its own tables.
fn answers(log: &Arc<Log>) -> Answers {
    let fills = command::ALL.iter().flat_map(|reader| reader.fills);
    fills
        .fold(Answers::of(log), |answers, fills| (fills.register)(answers))
        .with(Log::dump_row)
        .with(Log::command_rows)
        .with(Log::coverage_rows)
        .with(|log, _, emit| {
            let _ = log.each_problem(emit);
            Ok(())
        })
        .build()
}

/// An open log and the tables that it fills.
#[derive(Debug)]
struct LogSource {
    log: Arc<Log>,
    answers: Answers,
}

impl Source for LogSource {
    fn kind(&self) -> SourceKind {
        SourceKind::Log
    }

    fn machine(&self) -> Machine {
        self.log.machine()
    }

    fn answers(&self) -> &Answers {
        &self.answers
    }

    fn table_function(&self, name: &str, args: &[Value<'static>]) -> Result<DynTable<'_>, Refused> {
        if name != "log_table" {
            return Err(Refused::KIND);
        }
        let Some(Value::Int(n)) = args.first() else {
            return Err(Refused::argument(0, "expected the number of a command"));
        };
        self.log.table_of(*n)
    }
}
