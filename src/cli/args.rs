//! The command line arguments, and invalid combinations of them.

mod formats;

pub(super) use formats::{Format, Mode, size};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::commands;
use crate::export::FileFormat;
use crate::export::chart::{ChartKind, Spec};
use crate::session::{Options, Urls};

const EXAMPLES: &str = "\
Examples:
  dumpql MEMORY.DMP                                    ask questions at a prompt
  dumpql MEMORY.DMP -c 'SELECT name, base FROM modules LIMIT 5'
  dumpql crash/*.dmp -q buckets -o buckets.xlsx        one query over many dumps, to Excel
  dumpql MEMORY.DMP -c '!locks' -c '!irpfind'          debugger commands, answered by saved queries
  dumpql a.dmp -c 'FROM threads' --format csv | sort   no colour, no progress, nothing cut
  dumpql MEMORY.DMP -q irp-distribution --chart        its chart, in the terminal; -o irps.png as a picture
  dumpql MEMORY.DMP --report report.html               patterns that match, with evidence and charts
  dumpql a.dmp -f mine.sql -p pid=4                    a saved query with its parameter
  dumpql upload.zip -q overview                        the dumps in a .zip, .7z, .cab, .gz, .zst or .xz
  dumpql https://host/MEMORY.DMP -q overview           a dump on a server, of which little is read
  dumpql doctor MEMORY.DMP                             what opened, what is missing, which symbols would help
  dumpql extract crash/ --tables threads,modules -o out  tables of many dumps as Parquet; see extract --help
  dumpql mcp --root crash/                             serve assistants that investigate dumps; see mcp --help
  dumpql --sample                                      the dump of a busy server, built in, to try things on
  dumpql --describe threads                            what a table holds

Several -c, -f and -q run in the order in which they are written; one that fails does not keep the
next from running. With -o, several results make one workbook (.xlsx), page (.html) or document
(.md); formats that hold one table a file are numbered: x.csv, x-2.csv, …

Exit code: 0 done, 1 a query or a source failed, 2 the command line is wrong.";

/// The memory limit of a query if none is given: a person who exports a large table has more memory than
/// a program that embeds the library may want to spend.
const MEMORY: usize = 1 << 30;

/// Query Windows crash dumps in SQL
#[derive(Debug, Parser)]
#[command(name = "dumpql", version, about, after_help = EXAMPLES, max_term_width = 100)]
#[allow(clippy::struct_excessive_bools, reason = "switches of a command line")]
pub(super) struct Args {
    /// Dumps to open, also in archives, and URLs of dumps. Every table covers all of them; its
    /// column `dump` tells them apart. `-` is standard input. CSV and TSV files become tables named
    /// after the files
    #[arg(value_name = "DUMP")]
    pub(super) dumps: Vec<PathBuf>,

    /// Run SQL; `-` reads it from standard input
    #[arg(short = 'c', long = "command", value_name = "SQL", allow_hyphen_values = true)]
    pub(super) commands: Vec<String>,

    /// Run the SQL of a file
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,

    /// Run a saved query by its name (see --queries) or by a debugger command: '!locks'
    #[arg(short = 'q', long = "query", value_name = "NAME", allow_hyphen_values = true)]
    pub(super) queries: Vec<String>,

    /// Add your own saved queries: a file, or a folder of .sql files; may be repeated. The variable
    /// `DUMPQL_LIBRARY` names such paths too
    #[arg(long, value_name = "PATH")]
    pub(super) library: Vec<PathBuf>,

    /// Set the query parameter `$NAME`
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(super) params: Vec<(String, String)>,

    /// The format of results; the default is a table, or the format of the -o file name
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        hide_possible_values = true,
        long_help = "How results are written: table, line, auto, csv, tsv, json, jsonl, md, html, \
                       xlsx, parquet, svg or png. The default is a table, or what the name of -o ends in.\n\
                       csv: RFC 4180, UTF-8, lines end in LF, NULL is empty and empty text is \"\".\n\
                       json, jsonl: addresses are hex text, timestamps ISO 8601."
    )]
    pub(super) format: Option<Format>,

    /// Write CSV for Excel: byte order mark, CRLF, an apostrophe before text that looks like a
    /// formula
    #[arg(long)]
    pub(super) excel: bool,

    /// Write results to a file; its extension selects the format
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Draw results: bar, column, line, area, scatter, heat or histogram, with x=COLUMN y=COLUMN
    /// series=COLUMN; without words, the chart of the saved query
    #[arg(long, value_name = "KIND x=C y=C", num_args = 0..=5)]
    pub(super) chart: Option<Vec<String>>,

    /// Write a report on the dump: the crash, the patterns that match, the machine; the file name
    /// ends in .html or .md
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,

    /// Replace files that are there; without it, -o, --report, --save-sample and COPY leave them alone.
    /// A dump, its index and a symbol file in use are never written to
    #[arg(long)]
    pub(super) force: bool,

    /// Symbols and layouts: a folder, a file, or a path such as srv*CACHE*URL; may be repeated
    #[arg(
        long,
        value_name = "PATH",
        long_help = "Symbols and layouts: a folder, a file, or a path as Windows debuggers write it \
                     (srv*CACHE*URL;FOLDER); may be repeated.\n\
                     A server that is named here is asked for what is not in its cache. The \
                     variable _NT_SYMBOL_PATH is searched too, but its servers are not asked."
    )]
    pub(super) symbols: Vec<PathBuf>,

    /// Use no symbol server, not even one that --symbols names
    #[arg(long)]
    pub(super) offline: bool,

    /// A file with descriptions of pool tags, such as pooltag.txt; used before the built-in list
    #[arg(long, value_name = "FILE")]
    pub(super) pool_tags: Option<PathBuf>,

    /// Write no cache: neither indexes of dumps nor unpacked layout files
    #[arg(
        long,
        long_help = "Write no cache, neither indexes of dumps nor unpacked layout files, and use \
                     none.\n\
                     The cache is in the user's cache folder, below dumpql/index. An entry is \
                     used only while its file is unchanged, and may be deleted."
    )]
    pub(super) no_index: bool,

    /// Fail when a value cannot be read, instead of giving NULL
    #[arg(long)]
    pub(super) strict: bool,

    /// The memory limit of the rows and values of a query, such as 2GB (default: 1GB)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) memory: Option<usize>,

    /// The folder for unpacked archives and piped input; the default is that of the variable
    /// TMPDIR. The files are deleted at the end
    #[arg(long, value_name = "FOLDER")]
    pub(super) temp_dir: Option<PathBuf>,

    /// How much may be unpacked of one file, such as 200GB (default: 64GB, and only at compression
    /// ratios that dumps have)
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) unpack_limit: Option<usize>,

    /// Open the sample, a kernel dump of a busy server that is built in memory
    #[arg(long)]
    pub(super) sample: bool,

    /// Write the sample dump to a file
    #[arg(long, value_name = "FILE")]
    pub(super) save_sample: Option<PathBuf>,

    /// List the tables
    #[arg(long)]
    pub(super) list: bool,

    /// Describe a table and its columns; may be repeated
    #[arg(long, value_name = "TABLE")]
    pub(super) describe: Vec<String>,

    /// List the saved queries, or those that match PATTERN
    #[arg(long = "queries", value_name = "PATTERN", num_args = 0..=1, default_missing_value = "")]
    pub(super) list_queries: Option<String>,

    /// Describe a saved query, by its name or by a debugger command; may be repeated
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub(super) describe_query: Vec<String>,

    /// Print a completion script: bash, zsh, fish, elvish or powershell
    #[arg(long, value_name = "SHELL", hide_possible_values = true)]
    pub(super) completions: Option<clap_complete::Shell>,

    /// Print the manual page, for man(1)
    #[arg(long)]
    pub(super) man: bool,

    /// Show no progress while a query runs
    #[arg(long)]
    pub(super) no_progress: bool,

    /// When to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Colour::Auto)]
    pub(super) color: Colour,
}

impl Args {
    /// Separates the words of `--chart` from dumps that follow them, and checks them.
    fn settle_chart(&mut self) -> Result<(), String> {
        let Some(words) = &mut self.chart else { return Ok(()) };
        let is_kind = |word: &str| {
            let first = word.split_whitespace().next().unwrap_or_default();
            ChartKind::ALL.iter().any(|(name, _)| name.eq_ignore_ascii_case(first))
        };
        let named = words.first().is_some_and(|word| is_kind(word));
        let is_part = |at: usize, word: &str| named && (at == 0 || word.contains('='));
        let count = (0..).zip(words.iter()).take_while(|(at, word)| is_part(*at, word)).count();
        let others = words.split_off(count);
        let unknown = others.first().filter(|_| !named).filter(|word| !Path::new(word).exists());
        if let Some(word) = unknown {
            Spec::parse(word)?;
        }
        self.dumps.extend(others.into_iter().map(PathBuf::from));
        if !words.is_empty() {
            Spec::parse(&words.join(" "))?;
        }
        Ok(())
    }

    /// The requested chart; `None` if the saved query defines it.
    pub(super) fn chart_spec(&self) -> Option<Spec> {
        let words = self.chart.as_ref().filter(|words| !words.is_empty())?;
        Spec::parse(&words.join(" ")).ok()
    }

    /// The files and folders of the user's saved queries: those of the environment variable, then
    /// those given.
    pub(super) fn own_queries(&self) -> Vec<PathBuf> {
        let set = std::env::var_os("DUMPQL_LIBRARY").unwrap_or_default();
        let paths = std::env::split_paths(&set).filter(|path| !path.as_os_str().is_empty());
        paths.chain(self.library.iter().cloned()).collect()
    }

    /// The options for opening sessions.
    pub(super) fn options(&self) -> Options {
        Options {
            symbols: self.symbols.clone(),
            environment_symbols: std::env::var("_NT_SYMBOL_PATH").unwrap_or_default(),
            offline: self.offline,
            pool_tags: self.pool_tags.clone(),
            cache: (!self.no_index).then(Options::own_cache),
            strict: self.strict,
            memory: Some(self.memory.unwrap_or(MEMORY)),
            files: true,
            temporary: self.temp_dir.clone(),
            unpacked: self.unpack_limit.map(|bytes| bytes as u64),
            overwrite: self.force,
            handle_faults: true,
            urls: Urls::Named,
            ..Options::default()
        }
    }
}

/// The output of `--completions` or `--man`, if one is given.
pub(super) fn page(args: &Args) -> Option<std::io::Result<Vec<u8>>> {
    let mut page = Vec::new();
    if let Some(shell) = args.completions {
        clap_complete::generate(shell, &mut commands::whole(), "dumpql", &mut page);
        return Some(Ok(page));
    }
    let rendered = args.man.then(|| commands::manual(&mut page))?;
    Some(rendered.map(|()| page))
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Something to run, in the order of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// SQL from the command line.
    Sql(String),
    /// SQL from standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A query of the library.
    Named(String),
}

/// A parsed command line.
#[derive(Debug)]
pub(super) struct Invocation {
    /// The arguments.
    pub(super) args: Args,
    /// The queries to run.
    pub(super) steps: Vec<Step>,
    /// The format of results.
    pub(super) mode: Mode,
}

/// Parses a command line.
pub(super) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<Invocation, clap::Error> {
    let matches = Args::command().try_get_matches_from(arguments)?;
    let mut args = Args::from_arg_matches(&matches)?;
    args.settle_chart()
        .map_err(|message| Args::command().error(clap::error::ErrorKind::InvalidValue, message))?;
    let mut placed: Vec<(usize, Step)> = Vec::new();
    let at = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
    let sql = |text: &String| if text == "-" { Step::Stdin } else { Step::Sql(text.clone()) };
    placed.extend(at("commands").into_iter().zip(args.commands.iter().map(sql)));
    placed.extend(at("files").into_iter().zip(args.files.iter().cloned().map(Step::File)));
    placed.extend(at("queries").into_iter().zip(args.queries.iter().cloned().map(Step::Named)));
    placed.sort_by_key(|(index, _)| *index);
    let steps: Vec<Step> = placed.into_iter().map(|(_, step)| step).collect();
    // `dumpql doctor DUMP` runs a saved query, unless there is a file with that name.
    let mut steps = steps;
    if args.dumps.first().is_some_and(|first| first.as_os_str() == "doctor" && !first.exists()) {
        args.dumps.remove(0);
        steps.insert(0, Step::Named("doctor".to_owned()));
    }
    let mode = mode(&args).map_err(|message| {
        Args::command().error(clap::error::ErrorKind::ArgumentConflict, message)
    })?;
    if let Some(message) = stdin_conflict(&args, &steps) {
        return Err(Args::command().error(clap::error::ErrorKind::ArgumentConflict, message));
    }
    Ok(Invocation { args, steps, mode })
}

/// Why standard input cannot be used as requested.
fn stdin_conflict(args: &Args, steps: &[Step]) -> Option<&'static str> {
    let queries = steps.iter().filter(|step| matches!(step, Step::Stdin)).count();
    let dumps = args.dumps.iter().filter(|dump| dump.as_os_str() == "-").count();
    let asks = args.list || args.report.is_some() || args.list_queries.is_some();
    let asks = asks || !args.describe.is_empty() || !args.describe_query.is_empty();
    if queries + dumps > 1 {
        Some("standard input can be read only once: `-` or `-c -` is there more than once")
    } else if dumps == 1 && steps.is_empty() && !asks {
        Some("the dump comes from standard input: queries are given with -c, -f or -q")
    } else {
        None
    }
}

/// The format of results, from --format, --excel and the file name of -o.
fn mode(args: &Args) -> Result<Mode, String> {
    let by_name = match &args.output {
        None => None,
        Some(path) => {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            match FileFormat::from_extension(&extension) {
                Some(format) => Some(format),
                None if args.format.is_some() || args.excel => None,
                None => {
                    return Err(format!(
                        "the name `{}` does not say what format to write: end it in .csv, .tsv, \
                         .json, .jsonl, .md, .html, .xlsx, .parquet, .svg or .png, or add --format",
                        path.display()
                    ));
                }
            }
        }
    };
    let mode = match (args.format, by_name) {
        (Some(format), _) => format.into(),
        (None, Some(format)) => Mode::File(format),
        (None, None) if args.excel => Mode::File(FileFormat::Csv),
        (None, None) => Mode::Table,
    };
    match (args.excel, mode) {
        (false, mode) => Ok(mode),
        (true, Mode::File(FileFormat::Csv)) => Ok(Mode::File(FileFormat::ExcelCsv)),
        (true, _) => Err("--excel is a dialect of CSV and goes with --format csv only; \
                          -o NAME.xlsx writes a workbook"
            .to_owned()),
    }
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let name = name.strip_prefix('$').unwrap_or(name);
    let legal = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(legal) {
        return Err("the name of a parameter is letters, digits and `_`".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoke(line: &[&str]) -> Result<Invocation, String> {
        let arguments = std::iter::once("dumpql").chain(line.iter().copied()).map(OsString::from);
        parse(arguments).map_err(|e| e.to_string())
    }

    #[test]
    fn steps_keep_the_order_of_the_command_line() {
        let line = ["-q", "a", "x.dmp", "-c", "-", "-f", "b.sql", "-c", "--c", "-qd"];
        let steps = invoke(&line).unwrap().steps;
        let wanted = [
            Step::Named("a".into()),
            Step::Stdin,
            Step::File("b.sql".into()),
            Step::Sql("--c".into()),
            Step::Named("d".into()),
        ];
        assert_eq!(steps, wanted);
    }

    #[test]
    fn the_mode_comes_from_format_name_and_dialect() {
        use FileFormat::{Csv, ExcelCsv, Json, Parquet, Png, Svg, Xlsx};
        let cases: &[(&[&str], Option<Mode>)] = &[
            (&[], Some(Mode::Table)),
            (&["--excel"], Some(Mode::File(ExcelCsv))),
            (&["-o", "x.CSV"], Some(Mode::File(Csv))),
            (&["-o", "x.csv", "--excel"], Some(Mode::File(ExcelCsv))),
            (&["-o", "x.csv", "--format", "json"], Some(Mode::File(Json))),
            (&["-o", "x", "--format", "line"], Some(Mode::Line)),
            (&["-o", "x.xlsx"], Some(Mode::File(Xlsx))),
            (&["-o", "x.parquet"], Some(Mode::File(Parquet))),
            (&["-o", "x"], None),
            (&["--excel", "-o", "x.xlsx"], None),
            (&["--excel", "--format", "json"], None),
            (&["--format", "parquet"], Some(Mode::File(Parquet))),
            (&["-c", "-", "-c", "-"], None),
            (&["-", "-c", "-"], None),
            (&["-", "-", "-c", "x"], None),
            (&["-"], None),
            (&["-", "-c", "x"], Some(Mode::Table)),
            (&["-o", "x.svg", "--chart", "bar", "x=a", "y=b"], Some(Mode::File(Svg))),
            (&["-o", "x.PNG", "--chart", "bar", "x=a", "y=b"], Some(Mode::File(Png))),
            (&["--chart", "pie"], None),
            (&["--chart", "bar", "z=a"], None),
            (&["-p", "x"], None),
            (&["-p", "=x"], None),
        ];
        for (line, wanted) in cases {
            assert_eq!(invoke(line).ok().map(|i| i.mode), *wanted, "{line:?}");
        }
    }

    #[test]
    fn completion_scripts_and_the_manual_page_are_generated() {
        let of = |line: &[&str]| {
            let page = page(&invoke(line).unwrap().args).unwrap().unwrap();
            String::from_utf8(page).unwrap()
        };
        assert!(of(&["--completions", "bash"]).contains("--describe-query"));
        assert!(of(&["--completions", "bash"]).contains("--partition-by"));
        assert!(of(&["--completions", "zsh"]).contains("#compdef dumpql"));
        let manual = of(&["--man"]);
        assert!(manual.contains(".TH dumpql 1") && manual.contains("DUMPQL EXTRACT"));
    }

    #[test]
    fn doctor_is_a_saved_query_unless_it_is_a_file() {
        let invocation = invoke(&["doctor", "x.dmp"]).unwrap();
        assert_eq!(invocation.args.dumps, [PathBuf::from("x.dmp")]);
        assert_eq!(invocation.steps, [Step::Named("doctor".to_owned())]);
    }

    #[test]
    fn dumps_may_follow_a_chart() {
        let args = invoke(&["--chart", "bar x=a", "Cargo.toml", "-c", "x"]).unwrap().args;
        assert_eq!(args.chart, Some(vec!["bar x=a".to_owned()]));
        assert_eq!(args.dumps, [PathBuf::from("Cargo.toml")]);
        let args = invoke(&["--chart", "Cargo.toml"]).unwrap().args;
        assert_eq!((args.chart.clone(), args.chart_spec()), (Some(Vec::new()), None));
        let args = invoke(&["--chart", "column", "x=a", "y=b", "-c", "x"]).unwrap().args;
        assert_eq!(args.chart_spec().unwrap().to_string(), "column x=a y=b");
    }

    #[test]
    fn parameter_values_may_contain_equals_signs() {
        let params = invoke(&["-p", "a=b=c", "-p", "$d=", "-p", "n=-5"]).unwrap().args.params;
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(params, [pair("a", "b=c"), pair("d", ""), pair("n", "-5")]);
    }

    #[test]
    fn the_command_is_well_formed() {
        commands::whole().debug_assert();
    }
}
