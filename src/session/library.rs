//! The shipped queries, and their parameter values.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Error, Params};
use crate::catalog::{Ty, Value};
use crate::diag::{Code, Diagnostic};
use crate::lang::{SavedParam, SavedQuery};

/// Name and text of every shipped query, in the order in which they are listed.
const FILES: &[(&str, &str)] = &[
    ("overview", include_str!("../../queries/overview.sql")),
    ("crash", include_str!("../../queries/crash.sql")),
    ("exception", include_str!("../../queries/exception.sql")),
    ("modules", include_str!("../../queries/modules.sql")),
    ("oldest-modules", include_str!("../../queries/oldest-modules.sql")),
    ("version-spread", include_str!("../../queries/version-spread.sql")),
    ("unloaded-often", include_str!("../../queries/unloaded-often.sql")),
    ("module-at", include_str!("../../queries/module-at.sql")),
    ("register-pointers", include_str!("../../queries/register-pointers.sql")),
    ("register-text", include_str!("../../queries/register-text.sql")),
    ("threads", include_str!("../../queries/threads.sql")),
    ("thread-starts", include_str!("../../queries/thread-starts.sql")),
    ("handle-types", include_str!("../../queries/handle-types.sql")),
    ("open-files", include_str!("../../queries/open-files.sql")),
    ("handles-to", include_str!("../../queries/handles-to.sql")),
    ("objects-by-directory", include_str!("../../queries/objects-by-directory.sql")),
    ("address-space", include_str!("../../queries/address-space.sql")),
    ("memory-use", include_str!("../../queries/memory-use.sql")),
    ("writable-code", include_str!("../../queries/writable-code.sql")),
    ("running", include_str!("../../queries/running.sql")),
    ("ready", include_str!("../../queries/ready.sql")),
    ("dpc-queues", include_str!("../../queries/dpc-queues.sql")),
    ("timers-by-module", include_str!("../../queries/timers-by-module.sql")),
    ("work-queues", include_str!("../../queries/work-queues.sql")),
    ("sessions", include_str!("../../queries/sessions.sql")),
    ("vm", include_str!("../../queries/vm.sql")),
    ("page-files", include_str!("../../queries/page-files.sql")),
    ("session-pools", include_str!("../../queries/session-pools.sql")),
    ("pool-failures", include_str!("../../queries/pool-failures.sql")),
    ("threads-by-ticks", include_str!("../../queries/threads-by-ticks.sql")),
    ("processes", include_str!("../../queries/processes.sql")),
    ("waits", include_str!("../../queries/waits.sql")),
    ("who-waits", include_str!("../../queries/who-waits.sql")),
    ("wait-chains", include_str!("../../queries/wait-chains.sql")),
    ("blocking-chain", include_str!("../../queries/blocking-chain.sql")),
    ("irp-distribution", include_str!("../../queries/irp-distribution.sql")),
    ("irp-anomaly", include_str!("../../queries/irp-anomaly.sql")),
    ("irps-by-device", include_str!("../../queries/irps-by-device.sql")),
    ("device-stacks", include_str!("../../queries/device-stacks.sql")),
    ("hooked-dispatch", include_str!("../../queries/hooked-dispatch.sql")),
    ("hooks", include_str!("../../queries/hooks.sql")),
    ("poolused-paged", include_str!("../../queries/poolused-paged.sql")),
    ("poolused-nonpaged", include_str!("../../queries/poolused-nonpaged.sql")),
    ("poolused-session", include_str!("../../queries/poolused-session.sql")),
    ("pool-leak", include_str!("../../queries/pool-leak.sql")),
    ("pool-pages", include_str!("../../queries/pool-pages.sql")),
    ("pool-map", include_str!("../../queries/pool-map.sql")),
    ("pool-summary", include_str!("../../queries/pool-summary.sql")),
    ("high-contention", include_str!("../../queries/high-contention.sql")),
    ("longest-waiters", include_str!("../../queries/longest-waiters.sql")),
    ("push-locks", include_str!("../../queries/push-locks.sql")),
    ("pid-tid", include_str!("../../queries/pid-tid.sql")),
    ("top-frames", include_str!("../../queries/top-frames.sql")),
    ("unique-stacks", include_str!("../../queries/unique-stacks.sql")),
    ("stack", include_str!("../../queries/stack.sql")),
    ("u", include_str!("../../queries/u.sql")),
    ("ub", include_str!("../../queries/ub.sql")),
    ("uf", include_str!("../../queries/uf.sql")),
    ("dps", include_str!("../../queries/dps.sql")),
    ("dpu", include_str!("../../queries/dpu.sql")),
    ("dpa", include_str!("../../queries/dpa.sql")),
    ("memorillion", include_str!("../../queries/memorillion.sql")),
    ("threads-in-module", include_str!("../../queries/threads-in-module.sql")),
    ("log-commands", include_str!("../../queries/log-commands.sql")),
    ("completeness", include_str!("../../queries/completeness.sql")),
    ("missing", include_str!("../../queries/missing.sql")),
    ("buckets", include_str!("../../queries/buckets.sql")),
];

static LIBRARY: LazyLock<Vec<SavedQuery>> = LazyLock::new(|| {
    FILES.iter().filter_map(|(n, text)| SavedQuery::parse(n, text).ok()).collect()
});

/// The shipped queries.
pub fn library() -> &'static [SavedQuery] {
    &LIBRARY
}

/// The shipped query of that name or other name, in any ASCII case.
///
/// # Errors
/// E0201 with similar names.
pub fn find_query(name: &str) -> Result<&'static SavedQuery, Error> {
    let is = |candidate: &str| candidate.eq_ignore_ascii_case(name);
    let found = library().iter().find(|q| is(&q.name) || q.aliases.iter().any(|a| is(a)));
    found.ok_or_else(|| {
        let names = library().iter().flat_map(|q| std::iter::once(&q.name).chain(&q.aliases));
        Diagnostic::new(Code::UnknownTable, format!("the library has no query `{name}`"))
            .nearest(name, names.map(String::as_str))
            .help("`--queries` lists the library")
            .into()
    })
}

/// Values for a query's parameters from texts by name: typed as the header says, defaults for
/// those not given; names that the header does not have stay text.
///
/// # Errors
/// E0208 for a text that is no value of the type, and for a parameter without value or default.
pub fn parameters(query: &SavedQuery, given: &BTreeMap<String, String>) -> Result<Params, Error> {
    let mut params: Params =
        given.iter().map(|(name, text)| (name.clone(), Value::text(text.clone()))).collect();
    for param in &query.params {
        params.insert(param.name.clone(), value(query, param, given)?);
    }
    Ok(params)
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
            format!("`{ty}` is no type"),
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
        None => fail(format!("`{text}` is no {ty}"), format!("parameter `{name}` is {doc}")),
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
            for name in std::iter::once(&query.name).chain(&query.aliases) {
                assert!(names.insert(name), "{name} twice");
            }
            for param in &query.params {
                let ty = Ty::from_name(&param.ty).expect("a type");
                let default = param.default.as_deref().map(|d| Value::parse(d, ty));
                assert!(default != Some(None), "{}: {}", query.name, param.name);
                assert!(!param.doc.is_empty(), "{}: {}", query.name, param.name);
            }
        }
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
        assert!(find_query("modulse").unwrap_err().diagnostics()[0].help[0].contains("modules"));
    }
}
