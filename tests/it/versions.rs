//! Systems of every kernel whose layouts are built in: what fills on one version fills on each.

use std::collections::BTreeMap;

use dumpql::Session;
use dumpql::internals::catalog::SourceKind;
use dumpql::internals::synth::{self, Format, SystemSpec, Windows};
use dumpql::internals::table::ALL;
use rayon::prelude::*;

use crate::system;

/// Tables that have as many rows as the version has pages, blocks, registers or counters.
const BY_VERSION: [&str; 10] = [
    "big_pool",
    "dpcs",
    "memory_lists",
    "pool_allocations",
    "pool_pages",
    "pool_tags",
    "raw_stack",
    "registers",
    "vm",
    "work_queues",
];

/// What a version has no value for: Windows had none then, or its layout does not have the field.
fn has_none(windows: Windows, column: &str) -> bool {
    let build = windows.build();
    match column {
        "dump.service_pack" => windows.version().1 == 0,
        "processes.is_wow64" => !windows.is_64_bit(),
        // Windows XP keeps no level for debuggers, and its processors share their queues.
        "processors.irql" | "ready_threads.processor" => build < 3790,
        "sessions.view_failures" => !(3790..22000).contains(&build),
        "timers.processor" => build < 7600,
        // Their layouts do not have the field.
        "modules.checksum" => (9200..=9600).contains(&build),
        // Since Windows 10 1903 the pool is a heap.
        "pool_allocations.previous_bytes" | "sessions.pool_failures" => build >= 18362,
        _ => false,
    }
}

/// Rows of a table, and how many of them have a value in each column.
type Filled = BTreeMap<String, (i64, BTreeMap<String, i64>)>;

fn filled(session: &Session) -> Filled {
    let mut all = Filled::new();
    for table in ALL {
        let spec = table.spec(false);
        let is_kernels = spec.kinds.contains(&SourceKind::Kernel);
        if !is_kernels || spec.name == "problems" {
            continue;
        }
        let names: Vec<_> = spec.columns.iter().map(|column| column.name.to_string()).collect();
        let counts: Vec<_> = names.iter().map(|name| format!("count(\"{name}\")")).collect();
        let sql = format!("SELECT count(*), {} FROM {}", counts.join(", "), spec.name);
        let Ok(result) = session.query(&sql) else { continue };
        let number = |column| result.text(0, column).parse().unwrap_or(-1);
        let columns = names.into_iter().enumerate().map(|(i, name)| (name, number(i + 1)));
        all.insert(spec.name.to_string(), (number(0), columns.collect()));
    }
    all
}

#[test]
fn a_table_that_one_version_fills_is_filled_on_each() {
    let of = |windows: Windows| {
        let spec = SystemSpec { physical_pages: 0x2000, stacks: true, ..synth::healthy(windows) };
        filled(&system::open(&synth::system(&spec), Format::BitmapFull))
    };
    let usual = of(Windows::Windows7);
    let all: Vec<_> = Windows::ALL.into_par_iter().map(|windows| (windows, of(windows))).collect();
    let mut odd = Vec::new();
    for (windows, found) in &all {
        for (table, (rows, columns)) in &usual {
            let Some((count, there)) = found.get(table) else {
                odd.push(format!("{windows:?}: no {table}"));
                continue;
            };
            let is_known = BY_VERSION.contains(&table.as_str()) && (*count > 0) == (*rows > 0);
            if count != rows && !is_known {
                odd.push(format!("{windows:?}: {count} rows of {table}, not {rows}"));
            }
            for (column, values) in columns.iter().filter(|(_, values)| **values > 0) {
                if there[column] == 0 && !has_none(*windows, &format!("{table}.{column}")) {
                    odd.push(format!("{windows:?}: no value of {values} in {table}.{column}"));
                }
            }
        }
    }
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}
