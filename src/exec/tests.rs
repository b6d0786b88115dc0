//! Operators and expressions over hand-built plans.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Context, MemTable, Registry, ResultSet, run};
use crate::catalog::{Absent, Catalog, ColumnBuilder, ColumnData, Format, PointerWidth, Ty, Value};
use crate::diag::{Code, Diagnostic, Span};
use crate::func::FuncCx;
use crate::plan::{
    BinaryOp, Expr, ExprKind, Field, JoinForm, JoinKind, Plan, Planned, Rel, ScanColumn, Scanned,
    SetOp, SortKey,
};
use crate::table::{Cx, Progress};

fn ints(values: &[Option<i64>]) -> ColumnData {
    let mut builder = ColumnBuilder::new(Ty::Int);
    for value in values {
        builder.push_int(value.ok_or(Absent::PagedOut));
    }
    builder.finish()
}

fn texts(values: &[&str]) -> ColumnData {
    let mut builder = ColumnBuilder::new(Ty::Text);
    for value in values {
        builder.push_text(Ok(value));
    }
    builder.finish()
}

fn tables() -> Vec<MemTable> {
    let a = ints(&[Some(1), Some(2), None, Some(2), Some(3)]);
    let b = texts(&["x", "y", "x", "z", "y"]);
    let c = ints(&[Some(2), Some(3), Some(2), Some(9), None]);
    vec![
        MemTable::new("t", vec![("a".into(), a), ("b".into(), b)]).unwrap(),
        MemTable::new("u", vec![("c".into(), c)]).unwrap(),
    ]
}

fn execute(plan: Plan) -> Result<ResultSet, Diagnostic> {
    let tables: Vec<_> = tables().into_iter().map(Arc::new).collect();
    let cx = Context {
        tables: Cx {
            catalog: &Catalog::default(),
            sources: &[],
            cancelled: &AtomicBool::new(false),
            progress: &Progress::default(),
            room: usize::MAX,
        },
        registry: &Registry::default(),
        attached: &tables,
        functions: FuncCx::new(&[], PointerWidth::Bits64),
        memory: 256 << 20,
        strict: false,
        optional: &[],
    };
    run(&Planned::Query(plan), &cx)
}

/// The rows as text, with commas between columns.
fn rows(plan: Plan) -> Vec<String> {
    let result = execute(plan).unwrap();
    let width = result.fields().len();
    let cell = |row, col| match result.value(row, col) {
        Value::Null => "NULL".to_owned(),
        _ => result.text(row, col),
    };
    let line = |row| (0..width).map(|col| cell(row, col)).collect::<Vec<_>>().join(",");
    (0..result.len()).map(line).collect()
}

fn plan(rel: Rel, types: &[Ty]) -> Plan {
    let field = |&ty: &Ty| Field { name: String::new(), ty, format: Format::Plain };
    Plan { rel, schema: types.iter().map(field).collect(), span: Span::default() }
}

fn t() -> Plan {
    let columns = vec![ScanColumn::Value(0), ScanColumn::Value(1)];
    let rel = Rel::Scan {
        table: Scanned::Table("t"),
        columns,
        hints: Vec::new(),
        limit: None,
        args: Vec::new(),
    };
    plan(rel, &[Ty::Int, Ty::Text])
}

fn u() -> Plan {
    let columns = vec![ScanColumn::Value(0)];
    plan(
        Rel::Scan {
            table: Scanned::Table("u"),
            columns,
            hints: Vec::new(),
            limit: None,
            args: Vec::new(),
        },
        &[Ty::Int],
    )
}

fn expr(kind: ExprKind, ty: Ty) -> Expr {
    Expr { kind, ty, format: Format::Plain, span: Span::new(3, 7) }
}

fn col(index: usize, ty: Ty) -> Expr {
    expr(ExprKind::Column(index), ty)
}

fn lit(value: Value<'static>) -> Expr {
    let ty = value.ty();
    expr(ExprKind::Literal(value), ty)
}

fn binary(op: BinaryOp, left: Expr, right: Expr, ty: Ty) -> Expr {
    expr(ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty)
}

fn join(kind: JoinKind, residual: Option<Expr>) -> Plan {
    let keys = vec![(col(0, Ty::Int), col(0, Ty::Int))];
    let (left, right) = (Box::new(t()), Box::new(u()));
    let (args, form) = (Vec::new(), JoinForm::Rows);
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    match kind {
        JoinKind::Semi | JoinKind::Anti => plan(rel, &[Ty::Int, Ty::Text]),
        _ => plan(rel, &[Ty::Int, Ty::Text, Ty::Int]),
    }
}

#[test]
fn joins_keep_the_order_of_the_left_then_the_right() {
    assert_eq!(rows(join(JoinKind::Inner, None)), ["2,y,2", "2,y,2", "2,z,2", "2,z,2", "3,y,3"]);
    assert_eq!(
        rows(join(JoinKind::Full, None)),
        [
            "1,x,NULL",
            "2,y,2",
            "2,y,2",
            "NULL,x,NULL",
            "2,z,2",
            "2,z,2",
            "3,y,3",
            "NULL,NULL,9",
            "NULL,NULL,NULL"
        ]
    );
    let z = binary(BinaryOp::Eq, col(1, Ty::Text), lit(Value::text("z")), Ty::Bool);
    assert_eq!(
        rows(join(JoinKind::Left, Some(z.clone()))),
        ["1,x,NULL", "2,y,NULL", "NULL,x,NULL", "2,z,2", "2,z,2", "3,y,NULL"]
    );
    assert_eq!(rows(join(JoinKind::Semi, None)), ["2,y", "2,z", "3,y"]);
    assert_eq!(rows(join(JoinKind::Anti, Some(z))), ["1,x", "2,y", "NULL,x", "3,y"]);
}

#[test]
fn a_join_without_keys_tests_every_pair() {
    let less = binary(BinaryOp::Lt, col(0, Ty::Int), col(2, Ty::Int), Ty::Bool);
    let (left, right) = (Box::new(t()), Box::new(u()));
    let kind = JoinKind::Inner;
    let (args, form) = (Vec::new(), JoinForm::Rows);
    let (keys, residual) = (Vec::new(), Some(less));
    let rel = Rel::Join { left, right, kind, keys, residual, args, form };
    let found = rows(plan(rel, &[Ty::Int, Ty::Text, Ty::Int]));
    assert_eq!(found[..5], ["1,x,2", "1,x,3", "1,x,2", "1,x,9", "2,y,3"]);
}

#[test]
fn sorting_is_stable_and_places_nulls() {
    let sort = |descending, nulls_first, top| {
        let keys = vec![SortKey { expr: col(0, Ty::Int), descending, nulls_first }];
        rows(plan(Rel::Sort { input: Box::new(t()), keys, top }, &[Ty::Int, Ty::Text]))
    };
    assert_eq!(sort(false, false, None), ["1,x", "2,y", "2,z", "3,y", "NULL,x"]);
    assert_eq!(sort(true, true, None), ["NULL,x", "3,y", "2,y", "2,z", "1,x"]);
    assert_eq!(sort(true, false, Some(2)), ["3,y", "2,y"]);
}

#[test]
fn set_operations_count_duplicates_with_all() {
    let numbers = |index| {
        let input = Box::new(if index == 0 { t() } else { u() });
        let exprs = vec![col(0, Ty::Int)];
        Box::new(plan(Rel::Project { input, exprs }, &[Ty::Int]))
    };
    let set = |op, all| {
        let rel = Rel::SetOp { op, all, left: numbers(0), right: numbers(1) };
        rows(plan(rel, &[Ty::Int]))
    };
    assert_eq!(set(SetOp::Union, false), ["1", "2", "NULL", "3", "9"]);
    assert_eq!(set(SetOp::Intersect, true), ["2", "NULL", "2", "3"]);
    assert_eq!(set(SetOp::Intersect, false), ["2", "NULL", "3"]);
    assert_eq!(set(SetOp::Except, true), ["1"]);
    assert_eq!(set(SetOp::Except, false), ["1"]);
}

#[test]
fn faults_are_raised_only_for_rows_whose_value_is_needed() {
    let max = lit(Value::Int(i64::MAX));
    let sum = binary(BinaryOp::Add, col(0, Ty::Int), max.clone(), Ty::Int);
    let project = |e: Expr| {
        let ty = e.ty;
        plan(Rel::Project { input: Box::new(t()), exprs: vec![e] }, &[ty])
    };
    let error = execute(project(sum.clone())).unwrap_err();
    assert_eq!(error.code, Code::Overflow);
    assert_eq!(error.span, Some(Span::new(3, 7)));
    assert_eq!(error.message, "1 + 9223372036854775807 is outside the range of INTEGER");
    let positive = binary(BinaryOp::Gt, col(0, Ty::Int), lit(Value::Int(0)), Ty::Bool);
    let case = ExprKind::Case {
        branches: vec![(positive.clone(), lit(Value::Int(7)))],
        otherwise: Some(Box::new(sum.clone())),
    };
    assert_eq!(rows(project(expr(case, Ty::Int))), ["7", "7", "NULL", "7", "7"]);
    let compare = binary(BinaryOp::Gt, sum, lit(Value::Int(0)), Ty::Bool);
    let or = binary(BinaryOp::Or, positive, compare, Ty::Bool);
    assert_eq!(rows(project(or)), ["true", "true", "NULL", "true", "true"]);
    let zero = binary(BinaryOp::Mod, col(0, Ty::Int), lit(Value::Int(0)), Ty::Int);
    assert_eq!(rows(project(zero)), ["NULL"; 5]);
}

#[test]
fn addresses_compare_with_integers_as_numbers() {
    let compare = |op, i: i64, a: u64| {
        let e = binary(op, lit(Value::Int(i)), lit(Value::Addr(a)), Ty::Bool);
        rows(plan(Rel::Values { rows: vec![vec![e]] }, &[Ty::Bool])).remove(0)
    };
    assert_eq!(compare(BinaryOp::Lt, -1, 0), "true");
    assert_eq!(compare(BinaryOp::Eq, -1, u64::MAX), "false");
    assert_eq!(compare(BinaryOp::GtEq, 5, 5), "true");
}
