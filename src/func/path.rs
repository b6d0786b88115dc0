//! Windows paths; both slashes are separators.

use super::def::{Args, Scalar};
use super::list::build;
use crate::catalog::Ty::{self, Bool, Text};
use crate::catalog::{Signature, Value};

family!("text");

const T: &[Signature] = &[Signature::new(&[Text], Text)];

pub(super) const ALL: &[Scalar] = &[
    f(
        "parse_filename",
        "The last part of a path, without its extension if the second argument is true.",
        &[Signature::new(&[Text, Bool], Text).optional(1)],
        &[
            (r"parse_filename('C:\Windows\System32\ntdll.dll')", "ntdll.dll"),
            (r"parse_filename('\SystemRoot\system32\drivers\Ntfs.sys', true)", "Ntfs"),
        ],
        |_, a| {
            let name = split(a.text(0)?).1;
            let stem = name
                .rsplit_once('.')
                .map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
            let wanted = if a.any(1).as_bool() == Some(true) { stem } else { name };
            Ok(Value::text(wanted.to_owned()))
        },
    ),
    f(
        "parse_dirpath",
        "A path without its last part.",
        T,
        &[(r"parse_dirpath('C:\Windows\System32\ntdll.dll')", r"C:\Windows\System32")],
        |_, a| Ok(Value::text(split(a.text(0)?).0.to_owned())),
    ),
    f(
        "parse_dirname",
        "The first part of a path that has several.",
        T,
        &[(r"parse_dirname('C:\Windows\System32\ntdll.dll')", "C:")],
        |_, a| {
            Ok(Value::text(
                a.text(0)?.split_once(['/', '\\']).map_or("", |(first, _)| first).to_owned(),
            ))
        },
    ),
    f(
        "parse_extension",
        "The extension of a path's last part, without the dot; empty if there is none.",
        T,
        &[(r"parse_extension('C:\Windows\win.ini')", "ini")],
        |_, a| {
            let name = split(a.text(0)?).1;
            let extension = name
                .rsplit_once('.')
                .map_or("", |(stem, ext)| if stem.is_empty() { "" } else { ext });
            Ok(Value::text(extension.to_owned()))
        },
    ),
    f(
        "parse_path",
        "The parts of a path; that of a path from the root begins with the separator.",
        &[Signature::new(&[Text], Ty::TEXTS)],
        &[
            (r"parse_path('C:\Windows\win.ini')", "['C:', Windows, win.ini]"),
            ("parse_path('/usr/lib')", "[/, usr, lib]"),
        ],
        |cx, a| {
            let path = a.text(0)?;
            let root = path.get(..1).filter(|first| matches!(*first, "/" | "\\"));
            let parts = path.split(['/', '\\']).filter(|part| !part.is_empty());
            build(cx, root.into_iter().chain(parts).map(Value::text))
        },
    ),
];

/// The folder and the file name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once(['/', '\\']).unwrap_or(("", path))
}
