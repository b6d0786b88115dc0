//! How a program queries a dump: opens it, runs a query with a parameter, reads rows, and gets a
//! polars frame.
//!
//! ```text
//! cargo run --example embed -- MEMORY.DMP      or without a file, on the built-in sample
//! ```

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use dumpql::{Session, Value};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let session = match std::env::args_os().nth(1) {
        Some(path) => Session::open(path)?,
        None => Session::sample()?,
    };
    let mut out = io::stdout().lock();

    // Values are passed as parameters, never pasted into the text of a query.
    let sql = "SELECT name, base, size_bytes FROM modules WHERE size_bytes >= $least ORDER BY base";
    let params = BTreeMap::from([("least".to_owned(), Value::Int(64 * 1024))]);
    let modules = session.query_with(sql, &params)?;

    // Rows give typed values; a value that the dump does not hold is `Value::Null`.
    for row in modules.rows().take(5) {
        let name = row.named("name").unwrap_or(Value::Null);
        let base = row.named("base").and_then(|v| v.as_addr()).unwrap_or_default();
        writeln!(out, "{base:#x} {}", name.as_text().unwrap_or("?"))?;
    }
    for note in modules.footnotes() {
        writeln!(out, "{}.{}: {} × {}", note.table, note.column, note.count, note.reason)?;
    }

    // Columns are read without building rows.
    let size = modules.index_of("size_bytes").map(|index| modules.column(index));
    let total: i64 = size
        .into_iter()
        .flat_map(|column| (0..modules.len()).filter_map(move |row| column.get(row).as_int()))
        .sum();
    writeln!(out, "{} modules, {total} bytes", modules.len())?;

    // For more than SQL can do, the result becomes a polars frame.
    let frame = modules.to_data_frame()?;
    writeln!(out, "{} columns of {} rows", frame.width(), frame.height())?;

    // Errors give their position in the query.
    if let Err(error) = session.query("SELECT nme FROM modules") {
        writeln!(out, "{}", error.render(None, false))?;
    }
    Ok(())
}
