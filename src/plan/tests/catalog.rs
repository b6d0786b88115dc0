//! A small catalog: two tables of a dump, one table without a dump, and the functions that the
//! binder handles specially.

use crate::catalog::{
    CallColumn, CallError, Catalog, ColumnSpec, Format, FunctionKind, FunctionSpec, OfNoRows,
    Signature, TableFunctions, TableSpec, Ty, Unit, Value,
};

const fn sig(args: &'static [Ty], optional: usize, variadic: bool, returns: Ty) -> Signature {
    Signature { args, names: &[], optional, variadic, returns }
}

const fn function(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: FunctionKind,
    signatures: &'static [Signature],
) -> FunctionSpec {
    FunctionSpec {
        name,
        aliases,
        kind,
        family: "test",
        signatures,
        takes_null: false,
        is_pure: true,
        is_total: false,
        of_no_rows: OfNoRows::Null,
        doc: "Documented.",
        examples: &[],
    }
}

const ANY: &[Signature] = &[sig(&[Ty::Null], 0, false, Ty::Null)];
const PAIR: &[Signature] = &[sig(&[Ty::Null, Ty::Null], 0, false, Ty::Null)];
const MANY: &[Signature] = &[sig(&[Ty::Null], 0, true, Ty::Null)];

static FUNCTIONS: &[FunctionSpec] = &[
    function("lower", &["lcase"], FunctionKind::Scalar, &[sig(&[Ty::Text], 0, false, Ty::Text)]),
    function(
        "abs",
        &[],
        FunctionKind::Scalar,
        &[sig(&[Ty::Int], 0, false, Ty::Int), sig(&[Ty::Double], 0, false, Ty::Double)],
    ),
    function(
        "substr",
        &[],
        FunctionKind::Scalar,
        &[sig(&[Ty::Text, Ty::Int, Ty::Int], 1, false, Ty::Text)],
    ),
    function(
        "starts_with",
        &[],
        FunctionKind::Scalar,
        &[sig(&[Ty::Text, Ty::Text], 0, false, Ty::Bool)],
    ),
    function("greatest", &[], FunctionKind::Scalar, MANY),
    function("coalesce", &[], FunctionKind::Scalar, MANY),
    function("ifnull", &[], FunctionKind::Scalar, PAIR),
    function("nullif", &[], FunctionKind::Scalar, PAIR),
    function(
        "if",
        &["iff"],
        FunctionKind::Scalar,
        &[sig(&[Ty::Bool, Ty::Null, Ty::Null], 1, false, Ty::Null)],
    ),
    function("typeof", &[], FunctionKind::Scalar, &[sig(&[Ty::Null], 0, false, Ty::Text)]),
    function("why", &[], FunctionKind::Scalar, &[sig(&[Ty::Null], 0, false, Ty::Text)]),
    function("symbol", &[], FunctionKind::Scalar, &[sig(&[Ty::Addr], 0, false, Ty::Text)]),
    function(
        "count",
        &[],
        FunctionKind::Aggregate,
        &[sig(&[], 0, false, Ty::Int), sig(&[Ty::Null], 0, false, Ty::Int)],
    )
    .of_no_rows(OfNoRows::Zero),
    function(
        "sum",
        &[],
        FunctionKind::Aggregate,
        &[
            sig(&[Ty::Int], 0, false, Ty::Int),
            sig(&[Ty::Double], 0, false, Ty::Double),
            sig(&[Ty::Interval], 0, false, Ty::Interval),
        ],
    ),
    function(
        "avg",
        &[],
        FunctionKind::Aggregate,
        &[sig(&[Ty::Double], 0, false, Ty::Double), sig(&[Ty::Interval], 0, false, Ty::Interval)],
    ),
    function("min", &[], FunctionKind::Aggregate, ANY),
    function("max", &[], FunctionKind::Aggregate, ANY),
    function("any_value", &[], FunctionKind::Aggregate, ANY),
    function(
        "string_agg",
        &[],
        FunctionKind::Aggregate,
        &[sig(&[Ty::Text, Ty::Text], 1, false, Ty::Text)],
    ),
    function("row_number", &[], FunctionKind::Window, &[sig(&[], 0, false, Ty::Int)]),
    function("rank", &[], FunctionKind::Window, &[sig(&[], 0, false, Ty::Int)]),
    function(
        "lag",
        &[],
        FunctionKind::Window,
        &[sig(&[Ty::Null, Ty::Int, Ty::Null], 2, false, Ty::Null)],
    ),
    function(
        "range",
        &[],
        FunctionKind::Table,
        &[
            sig(&[Ty::Int], 0, false, Ty::Null).named(&["stop"]),
            sig(&[Ty::Int, Ty::Int, Ty::Int], 1, false, Ty::Null).named(&["start", "stop", "step"]),
        ],
    ),
    function(
        "struct",
        &[],
        FunctionKind::Table,
        &[sig(&[Ty::Text, Ty::Null], 0, false, Ty::Int).named(&["type", "address"])],
    ),
    function("list", &[], FunctionKind::Table, &[sig(&[Ty::Text], 0, false, Ty::Int)]),
];

fn column(name: &'static str, ty: Ty) -> ColumnSpec {
    let (unit, format) = (Unit::None, Format::Plain);
    ColumnSpec { name, doc: "A column.", ty, unit, format, hidden: false }
}

fn table(name: &'static str, columns: Vec<ColumnSpec>) -> TableSpec {
    TableSpec { name, doc: "A table.", answers: "", kinds: &[], columns, examples: &[] }
}

/// The catalog.
pub(super) fn catalog() -> Catalog {
    let dump = || ColumnSpec { hidden: true, ..column("dump", Ty::Text) };
    let threads = table(
        "threads",
        vec![
            dump(),
            column("tid", Ty::Int),
            column("pid", Ty::Int),
            column("state", Ty::Text),
            column("priority", Ty::Int),
            column("start_address", Ty::Addr),
            ColumnSpec { unit: Unit::Milliseconds, ..column("wait_ms", Ty::Double) },
            column("create_time", Ty::Time),
            column("is_idle", Ty::Bool),
        ],
    );
    let modules = table(
        "modules",
        vec![
            dump(),
            column("base", Ty::Addr),
            column("name", Ty::Text),
            ColumnSpec { unit: Unit::Bytes, ..column("size_bytes", Ty::Int) },
            ColumnSpec { format: Format::Hex, ..column("checksum", Ty::Int) },
            column("pid", Ty::Int),
        ],
    );
    let tables = table("meta.tables", vec![column("name", Ty::Text), column("doc", Ty::Text)]);
    Catalog::new(vec![threads, modules, tables], FUNCTIONS.iter().collect())
}

impl crate::plan::Lookup for Calls {
    fn texts(&self, _: crate::plan::Plan) -> Result<Vec<String>, crate::diag::Diagnostic> {
        Ok(vec!["a".to_owned(), "b".to_owned()])
    }
}

/// The table functions of the tests: the column of `range` has its name, `struct` has two columns.
pub(super) struct Calls;

impl TableFunctions for Calls {
    fn describe(
        &self,
        function: &'static FunctionSpec,
        args: &[Value<'static>],
    ) -> Result<Vec<CallColumn>, CallError> {
        match (function.name, args.first().and_then(Value::as_text)) {
            ("struct", Some("_ETHREAD")) => {
                let dump = CallColumn { hidden: true, ..CallColumn::new("dump", Ty::Text) };
                Ok(vec![dump, CallColumn::new("Cid", Ty::Addr), CallColumn::hex("Flags")])
            }
            ("struct", name) => Err(CallError::Argument {
                index: 0,
                message: format!("no type `{}`", name.unwrap_or_default()),
                candidates: vec!["_ETHREAD".to_owned()],
            }),
            ("list", _) => Err(CallError::NoSource(vec!["a.dmp is a user minidump".to_owned()])),
            (name, _) => Ok(vec![CallColumn::new(name, Ty::Int)]),
        }
    }
}
