//! Parallel queries on one session: each has its own token, deadline, memory limit and progress.
//!
//! A function of the test counts the rows that are made after a cancellation; nothing is timed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use dumpql::extend::{FunctionKind, FunctionSpec, Signature};
use dumpql::{CancelToken, Code, Options, QueryProgress, Session, Ty, Value};

/// A session may be shared between threads, and a token sent to another.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Session>();
    is_shared::<CancelToken>();
    is_shared::<QueryProgress>();
};

/// Rows between two checks for cancellation, per thread of the query.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// How often the function `tick(query, row)` was called for a query, in total and after the
/// cancellation.
#[derive(Default)]
struct Ticks {
    token: CancelToken,
    /// The number of the call that cancels the query; 0 if none does.
    cancel_at: usize,
    calls: AtomicUsize,
    after: AtomicUsize,
}

impl Ticks {
    fn cancelling_at(call: usize) -> Self {
        Self { cancel_at: call, ..Self::default() }
    }

    fn call(&self) {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if self.token.is_cancelled() {
            self.after.fetch_add(1, Ordering::SeqCst);
        }
        if call == self.cancel_at {
            self.token.cancel();
        }
    }
}

const TICK: &[Signature] = &[Signature::new(&[Ty::Int, Ty::Int], Ty::Int)];

/// A session with the function `tick(query, row)`, which returns the row.
fn session(queries: Vec<Ticks>) -> (Session, Arc<Vec<Ticks>>) {
    let session = Session::from_images(Vec::new(), &Options::default()).unwrap();
    let queries = Arc::new(queries);
    let mut spec = FunctionSpec::new("tick", FunctionKind::Scalar, TICK, "Counts calls.");
    spec.is_pure = false;
    let ticks = Arc::clone(&queries);
    session
        .add_scalar(spec, move |_, args| {
            let number = args[0].as_int().and_then(|n| usize::try_from(n).ok());
            if let Some(ticks) = number.and_then(|n| ticks.get(n)) {
                ticks.call();
            }
            Ok(Value::Int(args[1].as_int().unwrap_or_default()))
        })
        .unwrap();
    (session, queries)
}

#[test]
fn three_of_eight_parallel_queries_are_cancelled_and_five_return_correct_results() {
    let cancelled = [1usize, 4, 6];
    let ticks = |n| if cancelled.contains(&n) { 10_000 + 1_000 * n } else { 0 };
    let (session, queries) = session((0..8).map(|n| Ticks::cancelling_at(ticks(n))).collect());
    let start = Barrier::new(queries.len());
    let rows = 60_000usize;
    std::thread::scope(|scope| {
        for (number, ticks) in queries.iter().enumerate() {
            let (session, start) = (&session, &start);
            scope.spawn(move || {
                let sql = format!("SELECT sum(tick({number}, range)) AS s FROM range({rows})");
                let query = session.prepare(&sql).unwrap().cancel(&ticks.token);
                start.wait();
                let outcome = query.run();
                if cancelled.contains(&number) {
                    assert_eq!(outcome.unwrap_err().code(), Code::Cancelled, "query {number}");
                } else {
                    let sum = i64::try_from(rows * (rows - 1) / 2).unwrap();
                    assert_eq!(outcome.unwrap().value(0, 0), Value::Int(sum), "query {number}");
                }
            });
        }
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from) + 8;
    for (number, ticks) in queries.iter().enumerate() {
        let calls = ticks.calls.load(Ordering::SeqCst);
        if cancelled.contains(&number) {
            let after = ticks.after.load(Ordering::SeqCst);
            assert!(after <= ROWS_BETWEEN_LOOKS * threads, "query {number}: {after} rows after");
            assert!(calls < rows, "query {number} made all its rows");
        } else {
            assert_eq!(calls, rows, "query {number}");
        }
    }
}

#[test]
fn a_cancelled_query_makes_few_more_rows_with_any_operator() {
    let rows = 400_000usize;
    let threads = std::thread::available_parallelism().map_or(1, usize::from) + 1;
    for sql in [
        "SELECT tick(0, range) FROM range($rows)",
        "SELECT range FROM range($rows) WHERE tick(0, range) >= 0",
        "SELECT range FROM range($rows) ORDER BY tick(0, range) DESC",
        "SELECT DISTINCT tick(0, range) % 100 FROM range($rows)",
        "SELECT tick(0, range) % 7 AS k, count(*) FROM range($rows) GROUP BY k",
        "SELECT max(tick(0, range)) FROM range($rows)",
        "SELECT a.range FROM range($rows) a JOIN range($rows) b ON a.range = tick(0, b.range)",
        "SELECT a.range FROM range(2000) a JOIN range(2000) b ON tick(0, b.range) > a.range + 5000",
        "SELECT range FROM range($rows) UNION SELECT tick(0, range) FROM range($rows)",
    ] {
        let (session, queries) = session(vec![Ticks::cancelling_at(20_000)]);
        let ticks = &queries[0];
        let sql = sql.replace("$rows", &rows.to_string());
        // The last part may still be used, but the query ends nevertheless.
        let error = session.prepare(&sql).unwrap().cancel(&ticks.token).run().unwrap_err();
        assert_eq!(error.code(), Code::Cancelled, "{sql}");
        let after = ticks.after.load(Ordering::SeqCst);
        assert!(after <= ROWS_BETWEEN_LOOKS * threads, "{sql}: {after} rows after the cancel");
    }
}

#[test]
fn a_cancelled_token_prevents_new_runs_and_affects_no_other_query() {
    let (session, queries) = session(vec![Ticks::default()]);
    let token = CancelToken::new();
    token.cancel();
    let sql = "SELECT count(tick(0, range)) FROM range(10)";
    let error = session.prepare(sql).unwrap().cancel(&token).run().unwrap_err();
    assert_eq!(error.code(), Code::Cancelled);
    assert_eq!(queries[0].calls.load(Ordering::SeqCst), 0);
    assert_eq!(session.query(sql).unwrap().value(0, 0), Value::Int(10));
    let other = CancelToken::new();
    let result = session.prepare(sql).unwrap().cancel(&other).run().unwrap();
    assert_eq!(result.value(0, 0), Value::Int(10));
}

#[test]
fn a_deadline_ends_a_query_with_its_own_code() {
    let (session, queries) = session(vec![Ticks::default()]);
    let sql = "SELECT sum(tick(0, range)) FROM range(1000)";
    let query = session.prepare(sql).unwrap();
    let error = query.clone().deadline(Instant::now()).run().unwrap_err();
    assert_eq!(error.code(), Code::Deadline, "{error}");
    assert_eq!(queries[0].calls.load(Ordering::SeqCst), 0);
    let quick = session.prepare("SELECT 1").unwrap().timeout(Duration::from_secs(3600));
    assert_eq!(quick.run().unwrap().value(0, 0), Value::Int(1));
}

#[test]
fn each_query_has_memory_and_strictness_of_its_own() {
    let session = crate::corpus::triage_sample();
    let sql = "SELECT max(length(repeat('x', range % 1000))) FROM range(20000)";
    let error = session.prepare(sql).unwrap().memory(1 << 20).run().unwrap_err();
    assert_eq!(error.code(), Code::Limit, "{error}");
    let result = session.prepare(sql).unwrap().memory(512 << 20).run().unwrap();
    assert_eq!(result.value(0, 0), Value::Int(999));
    let sql = "SELECT company FROM modules";
    let error = session.prepare(sql).unwrap().strict(true).run().unwrap_err();
    assert_eq!(error.code(), Code::Strict);
    assert!(session.query(sql).is_ok());
}

#[test]
fn progress_counts_the_rows_of_its_own_query() {
    let session = crate::corpus::triage_sample();
    let (one, two) = (QueryProgress::new(), QueryProgress::new());
    session.prepare("FROM range(100)").unwrap().progress(&one).run().unwrap();
    session.prepare("FROM range(7)").unwrap().progress(&two).run().unwrap();
    assert_eq!((one.rows_read(), two.rows_read()), (100, 7));
    let both = session.prepare("FROM range(5); FROM range(6)").unwrap().progress(&one);
    let mut results = Vec::new();
    let statements = both.run_each(&mut |result| {
        results.push((result.len(), one.rows_read()));
        true
    });
    assert_eq!(statements.unwrap(), 2);
    assert_eq!(results, [(5, 5), (6, 11)]);
}

#[test]
fn a_prepared_query_runs_again_with_other_values() {
    let session = crate::corpus::triage_sample();
    let query = session.prepare("SELECT $n + 1").unwrap();
    for n in [1, 41] {
        let result = query.clone().value("n", Value::Int(n)).run().unwrap();
        assert_eq!(result.value(0, 0), Value::Int(n + 1));
    }
    assert_eq!(query.run().unwrap_err().code(), Code::Parameter);
    assert_eq!(session.prepare("SELECT FROM").unwrap_err().code(), Code::Syntax);
}
