//! Results as files and as text.

use std::ffi::c_char;
use std::path::Path;

use engine::Code;
use engine::output::{FileFormat, Sheet, write, write_file};

use crate::error::dumpql_error;
use crate::guard::{Failure, c_text, guard, object, text};
use crate::result::dumpql_result;

/// The format with this name: a file name extension, or `excel` for CSV that Excel opens directly.
fn format(name: &str) -> Result<FileFormat, Failure> {
    if name.eq_ignore_ascii_case("excel") {
        return Ok(FileFormat::ExcelCsv);
    }
    FileFormat::from_extension(name).ok_or_else(|| {
        Failure::of(Code::Unsupported, format!("there is no format of files called `{name}`"))
    })
}

/// Writes a result as a file: `csv`, `excel` (CSV for Excel), `tsv`, `json`, `jsonl`, `md`, `html`,
/// `xlsx`, `parquet`, `svg` or `png`. With `format` NULL the ending of the path decides. The file is complete
/// or as it was. Returns false on an error.
///
/// Errors: E0209 if there is no such format; E0402 if the file cannot be written, or is an open
/// dump.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_write(
    result: *const dumpql_result,
    path: *const c_char,
    format: *const c_char,
    error: *mut *mut dumpql_error,
) -> bool {
    let body = || {
        // SAFETY: the header requires a live result and a text with a NUL.
        let (result, path) = unsafe { (object(result, "result")?, text(path, "path")?) };
        let name = if format.is_null() {
            path.rsplit_once('.').map_or("", |(_, ending)| ending)
        } else {
            // SAFETY: the header requires NULL or a text with a NUL.
            unsafe { text(format, "format") }?
        };
        let format = self::format(name)?;
        let failed = |why: &dyn std::fmt::Display| Failure::of(Code::Io, format!("{path}: {why}"));
        if result.session.is_open(Path::new(path)) {
            return Err(failed(&"is open as a dump; nothing is written there"));
        }
        let sheet = Sheet::new("result", "", &result.rows);
        write_file(Path::new(path), |out| write(format, &[sheet], &[], out))
            .map_err(|why| failed(&why))?;
        Ok(true)
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, false, body) }
}

/// A result as text in one of the formats `csv`, `excel`, `tsv`, `json`, `jsonl`, `md`, `html` and
/// `svg`. A NUL in the text is replaced by its symbol. Free it with `dumpql_string_free`.
///
/// Errors: E0209 if there is no such text format.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dumpql_result_format(
    result: *const dumpql_result,
    format: *const c_char,
    error: *mut *mut dumpql_error,
) -> *mut c_char {
    let body = || {
        // SAFETY: the header requires a live result and a text with a NUL.
        let (result, name) = unsafe { (object(result, "result")?, text(format, "format")?) };
        let format = self::format(name)?;
        let mut bytes = Vec::new();
        if format.is_text() {
            let sheet = Sheet::new("result", "", &result.rows);
            let written = write(format, &[sheet], &[], &mut bytes);
            written.map_err(|why| Failure::of(Code::Io, why))?;
            if let Ok(text) = String::from_utf8(bytes) {
                return Ok(c_text(&text).into_raw());
            }
        }
        Err(Failure::of(Code::Unsupported, format!("`{name}` is no format of text")))
    };
    // SAFETY: the header requires NULL or a place to write to.
    unsafe { guard(error, std::ptr::null_mut(), body) }
}
