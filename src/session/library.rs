//! The shipped queries, and their parameter values.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::debugger::{self, Called};
use super::{Error, Params};
use crate::catalog::{Format, PointerWidth, Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::lang::{SavedParam, SavedQuery};

/// The names and texts of all shipped queries, in the order in which they are listed.
const FILES: &[(&str, &str)] = &[
    ("overview", include_str!("../../queries/overview.sql")),
    ("crash", include_str!("../../queries/crash.sql")),
    ("manual-dump", include_str!("../../queries/manual-dump.sql")),
    ("exception", include_str!("../../queries/exception.sql")),
    ("registers", include_str!("../../queries/registers.sql")),
    ("modules", include_str!("../../queries/modules.sql")),
    ("lmv", include_str!("../../queries/lmv.sql")),
    ("oldest-modules", include_str!("../../queries/oldest-modules.sql")),
    ("third-party", include_str!("../../queries/third-party.sql")),
    ("version-spread", include_str!("../../queries/version-spread.sql")),
    ("module-changes", include_str!("../../queries/module-changes.sql")),
    ("unloaded-often", include_str!("../../queries/unloaded-often.sql")),
    ("module-at", include_str!("../../queries/module-at.sql")),
    ("symbol-at", include_str!("../../queries/symbol-at.sql")),
    ("register-pointers", include_str!("../../queries/register-pointers.sql")),
    ("register-text", include_str!("../../queries/register-text.sql")),
    ("threads", include_str!("../../queries/threads.sql")),
    ("thread", include_str!("../../queries/thread.sql")),
    ("thread-starts", include_str!("../../queries/thread-starts.sql")),
    ("thread-swarm", include_str!("../../queries/thread-swarm.sql")),
    ("suspended", include_str!("../../queries/suspended.sql")),
    ("spiking-threads", include_str!("../../queries/spiking-threads.sql")),
    ("handle-types", include_str!("../../queries/handle-types.sql")),
    ("handles", include_str!("../../queries/handles.sql")),
    ("open-files", include_str!("../../queries/open-files.sql")),
    ("handles-to", include_str!("../../queries/handles-to.sql")),
    ("handle-leak", include_str!("../../queries/handle-leak.sql")),
    ("handle-growth", include_str!("../../queries/handle-growth.sql")),
    ("objects-by-directory", include_str!("../../queries/objects-by-directory.sql")),
    ("address-space", include_str!("../../queries/address-space.sql")),
    ("memory-use", include_str!("../../queries/memory-use.sql")),
    ("writable-code", include_str!("../../queries/writable-code.sql")),
    ("running", include_str!("../../queries/running.sql")),
    ("busy-system", include_str!("../../queries/busy-system.sql")),
    ("processors", include_str!("../../queries/processors.sql")),
    ("ready", include_str!("../../queries/ready.sql")),
    ("dpc-queues", include_str!("../../queries/dpc-queues.sql")),
    ("timers-by-module", include_str!("../../queries/timers-by-module.sql")),
    ("work-queues", include_str!("../../queries/work-queues.sql")),
    ("sessions", include_str!("../../queries/sessions.sql")),
    ("vm", include_str!("../../queries/vm.sql")),
    ("page-files", include_str!("../../queries/page-files.sql")),
    ("page-lists", include_str!("../../queries/page-lists.sql")),
    ("session-pools", include_str!("../../queries/session-pools.sql")),
    ("pool-failures", include_str!("../../queries/pool-failures.sql")),
    ("pool-tags", include_str!("../../queries/pool-tags.sql")),
    ("threads-by-ticks", include_str!("../../queries/threads-by-ticks.sql")),
    ("threads-still", include_str!("../../queries/threads-still.sql")),
    ("processes", include_str!("../../queries/processes.sql")),
    ("zombies", include_str!("../../queries/zombies.sql")),
    ("waits", include_str!("../../queries/waits.sql")),
    ("who-waits", include_str!("../../queries/who-waits.sql")),
    ("wait-chains", include_str!("../../queries/wait-chains.sql")),
    ("blocking-chain", include_str!("../../queries/blocking-chain.sql")),
    ("irp-distribution", include_str!("../../queries/irp-distribution.sql")),
    ("irp-anomaly", include_str!("../../queries/irp-anomaly.sql")),
    ("irps-by-device", include_str!("../../queries/irps-by-device.sql")),
    ("irp", include_str!("../../queries/irp.sql")),
    ("device-stacks", include_str!("../../queries/device-stacks.sql")),
    ("device", include_str!("../../queries/device.sql")),
    ("file-filters", include_str!("../../queries/file-filters.sql")),
    ("hooked-dispatch", include_str!("../../queries/hooked-dispatch.sql")),
    ("driver", include_str!("../../queries/driver.sql")),
    ("hooks", include_str!("../../queries/hooks.sql")),
    ("idt", include_str!("../../queries/idt.sql")),
    ("poolused-paged", include_str!("../../queries/poolused-paged.sql")),
    ("poolused-nonpaged", include_str!("../../queries/poolused-nonpaged.sql")),
    ("poolused-session", include_str!("../../queries/poolused-session.sql")),
    ("pool-leak", include_str!("../../queries/pool-leak.sql")),
    ("pool-growth", include_str!("../../queries/pool-growth.sql")),
    ("pool-pages", include_str!("../../queries/pool-pages.sql")),
    ("pool-map", include_str!("../../queries/pool-map.sql")),
    ("pool-use", include_str!("../../queries/pool-use.sql")),
    ("pool-summary", include_str!("../../queries/pool-summary.sql")),
    ("pool-page", include_str!("../../queries/pool-page.sql")),
    ("pool-find", include_str!("../../queries/pool-find.sql")),
    ("high-contention", include_str!("../../queries/high-contention.sql")),
    ("longest-waiters", include_str!("../../queries/longest-waiters.sql")),
    ("push-locks", include_str!("../../queries/push-locks.sql")),
    ("queued-locks", include_str!("../../queries/queued-locks.sql")),
    ("critical-sections", include_str!("../../queries/critical-sections.sql")),
    ("pid-tid", include_str!("../../queries/pid-tid.sql")),
    ("top-frames", include_str!("../../queries/top-frames.sql")),
    ("unique-stacks", include_str!("../../queries/unique-stacks.sql")),
    ("stack", include_str!("../../queries/stack.sql")),
    ("all-stacks", include_str!("../../queries/all-stacks.sql")),
    ("find-stack", include_str!("../../queries/find-stack.sql")),
    ("u", include_str!("../../queries/u.sql")),
    ("ub", include_str!("../../queries/ub.sql")),
    ("uf", include_str!("../../queries/uf.sql")),
    ("dps", include_str!("../../queries/dps.sql")),
    ("dpu", include_str!("../../queries/dpu.sql")),
    ("dpa", include_str!("../../queries/dpa.sql")),
    ("text-at", include_str!("../../queries/text-at.sql")),
    ("dt", include_str!("../../queries/dt.sql")),
    ("memorillion", include_str!("../../queries/memorillion.sql")),
    ("threads-in-module", include_str!("../../queries/threads-in-module.sql")),
    ("log-commands", include_str!("../../queries/log-commands.sql")),
    ("completeness", include_str!("../../queries/completeness.sql")),
    ("incomplete-dump", include_str!("../../queries/incomplete-dump.sql")),
    ("missing", include_str!("../../queries/missing.sql")),
    ("doctor", include_str!("../../queries/doctor.sql")),
    ("needed-symbols", include_str!("../../queries/needed-symbols.sql")),
    ("buckets", include_str!("../../queries/buckets.sql")),
    ("driver-crashes", include_str!("../../queries/driver-crashes.sql")),
];

static LIBRARY: LazyLock<Vec<SavedQuery>> = LazyLock::new(|| {
    FILES.iter().filter_map(|(n, text)| SavedQuery::parse(n, text).ok()).collect()
});

/// The shipped queries.
pub fn library() -> &'static [SavedQuery] {
    &LIBRARY
}

/// The shipped query of that name or other name, in any ASCII case, or that answers the debugger
/// command of that name. A command with arguments that are values of parameters is refused, as the
/// query alone would answer something else: [`Library::find`] gives the values too.
///
/// # Errors
/// E0201 with similar names; E0208 for a command with values.
pub fn find_query(name: &str) -> Result<&'static SavedQuery, Error> {
    let Called { query, given, .. } = find(library().iter(), name)?;
    if given.is_empty() {
        return Ok(query);
    }
    let values: Vec<String> = given.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    let values = values.join(", ");
    let message = format!("`{name}` gives values to parameters of `{}`: {values}", query.name);
    Err(Diagnostic::new(Code::Parameter, message)
        .help("`Library::find` returns the query with these values")
        .into())
}

/// The query for a name or a debugger command.
fn find<'a>(
    queries: impl Iterator<Item = &'a SavedQuery> + Clone,
    name: &str,
) -> Result<Called<'a>, Error> {
    let is = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    if let Some(query) = queries.clone().find(|q| is(&q.name) || q.aliases.iter().any(|a| is(a))) {
        return Ok(Called { query, given: BTreeMap::new(), ignored: Vec::new() });
    }
    if debugger::is_command(queries.clone(), name) {
        return debugger::called(&queries, name);
    }
    let names = queries.flat_map(|q| std::iter::once(&q.name).chain(&q.aliases));
    Err(Diagnostic::new(Code::UnknownTable, format!("the library has no query `{name}`"))
        .nearest(name, names.map(String::as_str))
        .help("`--queries` lists the library")
        .into())
}

/// The queries that are available to a user: those of the user's own files first, then the shipped
/// ones.
#[derive(Debug, Clone, Default)]
pub struct Library {
    own: Vec<SavedQuery>,
}

impl Library {
    /// Adds a user's query; it hides a shipped one with the same name.
    pub fn add(&mut self, query: SavedQuery) {
        self.own.retain(|other| !other.name.eq_ignore_ascii_case(&query.name));
        self.own.push(query);
    }

    /// All queries.
    pub fn queries(&self) -> impl Iterator<Item = &SavedQuery> + Clone {
        let hidden = |query: &&SavedQuery| {
            self.own.iter().any(|other| other.name.eq_ignore_ascii_case(&query.name))
        };
        self.own.iter().chain(library().iter().filter(move |query| !hidden(query)))
    }

    /// The query for a name, an alias or a debugger command.
    ///
    /// # Errors
    ///
    /// E0201 with similar names.
    pub fn find(&self, name: &str) -> Result<Called<'_>, Error> {
        find(self.queries(), name)
    }

    /// Whether a line is a debugger command rather than SQL.
    pub fn is_command(&self, line: &str) -> bool {
        debugger::is_command(self.queries(), line)
    }

    /// The queries that answer a debugger command with some arguments.
    #[cfg(feature = "cli")]
    pub(crate) fn begun_by<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a SavedQuery> {
        debugger::begun_by(self.queries(), word)
    }

    /// The query that answers a debugger command.
    ///
    /// # Errors
    /// E0201 with the forms of the command, or with similar commands.
    pub fn called(&self, line: &str) -> Result<Called<'_>, Error> {
        debugger::called(&self.queries(), line)
    }
}

/// Converts texts by name to the values of a query's parameters: with the types in the header, and
/// default values for the others; parameters that are not in the header stay text.
///
/// # Errors
///
/// E0208 for a text that is not a value of the type, and for a parameter without value or default.
pub fn parameters(query: &SavedQuery, given: &BTreeMap<String, String>) -> Result<Params, Error> {
    let mut params: Params =
        given.iter().map(|(name, text)| (name.clone(), Value::text(text.clone()))).collect();
    for param in &query.params {
        params.insert(param.name.clone(), value(query, param, given)?);
    }
    Ok(params)
}

/// Converts values of a program to the values of a query's parameters: with the types in the
/// header, and default values for the others; texts are parsed as by [`parameters`], and parameters
/// that are not in the header are unchanged.
///
/// ```
/// use dumpql::library::{find_query, typed_parameters};
/// use dumpql::{Params, Value};
///
/// let query = find_query("module-at")?;
/// let given = Params::from([("address".to_owned(), Value::Int(0x8047_8b00))]);
/// assert_eq!(typed_parameters(query, &given)?["address"], Value::Addr(0x8047_8b00));
/// # Ok::<(), dumpql::Error>(())
/// ```
///
/// # Errors
/// E0208 for a value that does not fit the type, and for a parameter without value or default.
pub fn typed_parameters(query: &SavedQuery, given: &Params) -> Result<Params, Error> {
    let mut texts = BTreeMap::new();
    let mut typed = given.clone();
    for param in &query.params {
        let Some(value) = given.get(&param.name) else { continue };
        let ty = Ty::from_name(&param.ty);
        if value.is_null() || Some(value.ty()) == ty {
            continue;
        }
        typed.remove(&param.name);
        texts.insert(param.name.clone(), text_for(value, ty));
    }
    let mut params = Params::new();
    for param in &query.params {
        if !typed.contains_key(&param.name) {
            params.insert(param.name.clone(), value(query, param, &texts)?);
        }
    }
    params.extend(typed);
    Ok(params)
}

/// The text of a value, to be parsed as another type; a number for an address is written so that it
/// is not parsed as hexadecimal digits.
fn text_for(value: &Value<'_>, ty: Option<Ty>) -> String {
    match value {
        Value::Int(number) if ty == Some(Ty::Addr) && *number >= 0 => format!("{number:#x}"),
        Value::Addr(address) if ty == Some(Ty::Int) => address.to_string(),
        other => Format::Plain.render(other, PointerWidth::Bits64),
    }
}

fn value(
    query: &SavedQuery,
    param: &SavedParam,
    given: &BTreeMap<String, String>,
) -> Result<Value<'static>, Error> {
    let SavedParam { name, ty, default, doc, span } = param;
    let fail = |message: String, help: String| {
        let diagnostic = Diagnostic::at(Code::Parameter, *span, message).help(help);
        Err(Error::of_query(vec![diagnostic], &query.text))
    };
    let Some(ty) = Ty::from_name(ty) else {
        return fail(
            format!("`{ty}` is not a type"),
            "types are BOOLEAN, INTEGER, DOUBLE, VARCHAR, ADDRESS, TIMESTAMP and INTERVAL"
                .to_owned(),
        );
    };
    let Some(text) = given.get(name).or(default.as_ref()) else {
        return fail(
            format!("parameter `{name}` has no value: {doc}"),
            format!("give it as `-p {name}=…`"),
        );
    };
    match Value::parse(text, ty) {
        Some(value) => Ok(value),
        None => fail(
            format!("`{text}` is not a value of type {ty}"),
            format!("parameter `{name}` is {doc}"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_query_has_a_readable_header() {
        assert_eq!(library().len(), FILES.len());
        let mut names = std::collections::BTreeSet::new();
        for query in library() {
            assert!(!query.title.is_empty() && query.description.ends_with('.'), "{}", query.name);
            for name in std::iter::once(&query.name).chain(&query.aliases).chain(&query.debugger) {
                assert!(names.insert(name), "{name} twice");
            }
            for form in &query.debugger {
                for word in form.split('$').skip(1) {
                    let name: String = word
                        .chars()
                        .take_while(|&c| c.is_ascii_alphanumeric() || c == '_')
                        .collect();
                    assert!(query.params.iter().any(|p| p.name == name), "{form}: {name}");
                }
            }
            for param in &query.params {
                let ty = Ty::from_name(&param.ty).expect("a type");
                let default = param.default.as_deref().map(|d| Value::parse(d, ty));
                assert!(default != Some(None), "{}: {}", query.name, param.name);
                assert!(!param.doc.is_empty(), "{}: {}", query.name, param.name);
            }
        }
    }

    /// A command, the name of its query, and the parameter values.
    const COMMANDS: &[(&str, &str, &str)] = &[
        ("!locks", "high-contention", ""),
        ("!locks -v", "high-contention", ""),
        ("!irpfind", "irp-distribution", ""),
        ("!irpfind 0 0 device", "irps-by-device", ""),
        ("!irpfind 0 0 device 86d4c770", "irps-by-device", "device=0x86d4c770"),
        ("!irp 86d4c770 1", "irp", "irp=0x86d4c770"),
        ("!poolused 3", "poolused-nonpaged", ""),
        ("!poolused 4 Mm*", "poolused-paged", "tag=Mm*"),
        ("!poolused", "pool-tags", ""),
        ("!poolused 8", "poolused-session", ""),
        ("!stacks 1", "threads-by-ticks", ""),
        ("!stacks 2 ntfs", "threads-in-module", "module=ntfs"),
        ("!process 0 0", "processes", ""),
        ("!process 0 0 lsass.exe", "processes", "name=lsass.exe"),
        ("!process 86d4c770", "processes", "process=0x86d4c770"),
        ("!process 0 7", "all-stacks", ""),
        ("!thread", "thread", ""),
        ("!thread fffffa80`01234060", "thread", "thread=0xfffffa8001234060"),
        ("k", "stack", ""),
        ("kn 10", "stack", "frames=16"),
        ("~*k", "all-stacks", ""),
        ("lm", "modules", ""),
        ("lmvm nt", "lmv", "pattern=nt"),
        ("r", "registers", ""),
        ("r eax", "registers", "name=eax"),
        ("u nt!KiIdleLoop", "u", "address=nt!KiIdleLoop"),
        ("uf nt!KiIdleLoop", "uf", "address=nt!KiIdleLoop"),
        ("dps 86d4c770 L40", "dps", "address=0x86d4c770 count=64"),
        ("!vm", "vm", ""),
        ("!vm 4", "session-pools", ""),
        ("!analyze -v", "crash", ""),
        (".bugcheck", "crash", ""),
        ("vertarget", "overview", ""),
        ("!running -it", "running", ""),
        ("!handle", "handle-types", ""),
        ("!handle 0 7 0 File", "open-files", ""),
        ("!handle 0 3 4c", "handles", "pid=76"),
        ("!pool 86d4c770", "pool-page", "address=0x86d4c770"),
        ("dt _ETHREAD 86d4c770", "dt", "address=0x86d4c770 type=_ETHREAD"),
    ];

    #[test]
    fn commands_of_the_debugger_find_their_query() {
        let library = Library::default();
        for (line, name, given) in COMMANDS {
            let called = library.called(line).unwrap_or_else(|e| panic!("{line}: {e}"));
            let values: Vec<String> =
                called.given.iter().map(|(n, v)| format!("{n}={v}")).collect();
            assert_eq!(
                (called.query.name.as_str(), values.join(" ").as_str()),
                (*name, *given),
                "{line}"
            );
        }
    }

    #[test]
    fn a_users_query_hides_a_shipped_one() {
        let mut library = Library::default();
        let shipped = library.queries().count();
        let own = |name: &str, text: &str| SavedQuery::parse(name, text).unwrap();
        library.add(own(
            "Modules",
            "-- title: Mine\n-- debugger: !mine $n\n-- param: n INTEGER\nSELECT $n",
        ));
        assert_eq!(library.queries().count(), shipped);
        assert_eq!(library.find("modules").unwrap().query.title, "Mine");
        assert_eq!(library.called("!mine 10").unwrap().given["n"], "16");
        assert!(Library::default().called("!mine 10").is_err());
    }

    #[test]
    fn every_file_of_queries_is_shipped() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/queries");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "sql"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let mut shipped: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        shipped.sort();
        assert_eq!(there, shipped);
    }

    #[test]
    fn parameters_take_their_types_and_defaults() {
        let query = find_query("MODULE-AT").unwrap();
        assert_eq!(parameters(query, &BTreeMap::new()).unwrap_err().code(), Code::Parameter);
        let given = BTreeMap::from([("address".to_owned(), "fffff801`2e600000".to_owned())]);
        let params = parameters(query, &given).unwrap();
        assert_eq!(params["address"], Value::Addr(0xffff_f801_2e60_0000));
        let top = parameters(find_query("oldest-modules").unwrap(), &BTreeMap::new()).unwrap();
        assert_eq!(top["top"], Value::Int(15));
        assert_eq!(find_query("!poolused 4").unwrap().name, "poolused-paged");
        let refused = find_query("!poolused 4 Mm*").unwrap_err();
        assert_eq!(refused.code(), Code::Parameter);
        assert!(refused.diagnostics()[0].message.contains("tag = Mm*"), "{refused}");
        let called = Library::default().find("!poolused 4 Mm*").map(|called| called.given);
        assert_eq!(called.unwrap().get("tag").map(String::as_str), Some("Mm*"));
        assert!(find_query("modulse").unwrap_err().diagnostics()[0].help[0].contains("modules"));
    }
}
