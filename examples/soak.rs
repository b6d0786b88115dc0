//! Many threads on one session for a long time, with queries cancelled at random: answers stay right,
//! memory stays flat, and what is cancelled ends.
//!
//! ```text
//! cargo run --release --example soak                   30 minutes, 16 threads
//! cargo run --release --example soak -- 5 8            so many minutes and threads
//! cargo run --release --example soak -- 5 8 MEMORY.DMP over dumps instead of the sample
//! ```
//!
//! Prints a line each half minute and a summary. The exit code is 1 if an answer was wrong, or if the
//! memory of the second half exceeds that of the first by more than a tenth and 32 MB.

#[path = "fuzz/process.rs"]
mod process;
#[path = "fuzz/random.rs"]
#[allow(dead_code, reason = "the edits of the fuzz targets are not needed")]
mod random;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dumpql::{CancelToken, Code, Error, Options, Session, library};
use process::{print, status};
use random::Random;

/// Queries that compute for some time, by every operator and by functions over long texts.
const LONG: [&str; 14] = [
    "SELECT range % 1009 AS k, count(*), sum(range) FROM range(1500000) GROUP BY k ORDER BY k",
    "SELECT range * 7919 % 1000003 AS k FROM range(1000000) ORDER BY k DESC LIMIT 20 OFFSET 900000",
    "SELECT count(*) FROM range(400000) a JOIN range(400000) b ON a.range = b.range * 3",
    "SELECT count(DISTINCT range * 31 % 99991) FROM range(1000000)",
    "SELECT max(n) FROM (SELECT sum(range) OVER (ORDER BY range ROWS 50 PRECEDING) AS n FROM range(400000))",
    "SELECT sum(length(repeat('driver', range % 5000 + 5000))) FROM range(5000)",
    "SELECT count(*) FROM range(60) WHERE levenshtein(repeat('ab', 900), repeat('ba', 800) || range) > 3",
    "SELECT count(*) FROM range(3000) WHERE repeat('abcd', 5000) || range LIKE '%a%b%c%d%e%f%'",
    "SELECT count(*) FROM range(3000) WHERE regexp_matches(repeat('abcd', 5000) || range, '(a|b|c)*z')",
    "SELECT sum(length(replace(repeat('abcd', 20000), 'bc', 'x'))) FROM range(1000)",
    "SELECT count(*) FROM range(2000) a, range(2000) b WHERE a.range * b.range % 7919 = 3",
    "SELECT string_agg(DISTINCT range % 5003 ORDER BY range % 5003) FROM range(300000)",
    "SELECT count(*) FROM (SELECT list_transform(range(0, 200), x -> x + range) FROM range(20000))",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20000) SELECT sum(n) FROM r",
];
const EACH: Duration = Duration::from_secs(30);

/// A query, its parameters, and its right answer.
struct Question {
    sql: String,
    saved: Option<&'static library::SavedQuery>,
    answer: String,
    took: Duration,
}

/// What all threads count.
#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    cancelled: AtomicU64,
    wrong: AtomicU64,
    /// The longest time from the cancellation of a query to its end, in microseconds, by query.
    slowest: Mutex<BTreeMap<usize, u64>>,
    /// All of these times.
    waits: Mutex<Vec<u64>>,
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, or| given.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(or);
    let (minutes, threads) = (number(0, 30), number(1, 16));
    let dumps: Vec<&Path> = given.iter().skip(2).map(Path::new).collect();
    let (session, failures) =
        Session::open_each(&dumps, dumps.is_empty(), &Options::default().offline(true));
    if let Some((path, error)) = failures.first() {
        print(&format!("{path}: {error}"));
        return ExitCode::FAILURE;
    }
    let questions = questions(&session);
    print(&format!("{} queries, {threads} threads, {minutes} minutes", questions.len()));
    soak(&session, &questions, Duration::from_secs(minutes * 60), threads)
}

/// All saved queries that need no parameter, and the long ones, with their answers.
fn questions(session: &Session) -> Vec<Question> {
    let saved = library::library().iter().map(|query| (query.sql().to_owned(), Some(query)));
    let long = LONG.iter().map(|sql| ((*sql).to_owned(), None));
    let mut questions = Vec::new();
    for (sql, saved) in saved.chain(long) {
        let begun = Instant::now();
        match answer(session, &sql, saved, &CancelToken::new()) {
            Ok(answer) => questions.push(Question { sql, saved, answer, took: begun.elapsed() }),
            Err(error) if saved.is_none() => print(&format!("{sql}: {error}")),
            Err(_) => {}
        }
    }
    questions
}

fn answer(
    session: &Session,
    sql: &str,
    saved: Option<&library::SavedQuery>,
    token: &CancelToken,
) -> Result<String, Error> {
    let mut query = session.prepare(sql)?.cancel(token);
    if let Some(saved) = saved {
        query = query.with(&library::parameters(saved, &BTreeMap::new())?);
    }
    let result = query.run()?;
    let mut text = String::new();
    for row in 0..result.len() {
        for column in 0..result.fields().len() {
            text.push_str(&result.text(row, column));
            text.push('\t');
        }
        text.push('\n');
    }
    Ok(text)
}

fn soak(session: &Session, questions: &[Question], long: Duration, threads: u64) -> ExitCode {
    let (counts, over) = (Counts::default(), AtomicBool::new(false));
    let begun = Instant::now();
    let mut memory = Vec::new();
    std::thread::scope(|scope| {
        for seed in 0..threads {
            let (counts, over) = (&counts, &over);
            scope.spawn(move || work(session, questions, &mut Random::new(seed), counts, over));
        }
        while begun.elapsed() < long {
            std::thread::sleep(EACH.min(long.saturating_sub(begun.elapsed())));
            let resident = status("VmRSS:").unwrap_or(0);
            memory.push(resident);
            print(&format!(
                "{:5} s: {} answers, {} cancelled, {} wrong, {} MB",
                begun.elapsed().as_secs(),
                counts.answered.load(Ordering::Relaxed),
                counts.cancelled.load(Ordering::Relaxed),
                counts.wrong.load(Ordering::Relaxed),
                resident >> 20
            ));
        }
        over.store(true, Ordering::Relaxed);
    });
    summary(questions, &counts, &memory)
}

fn work(
    session: &Session,
    questions: &[Question],
    random: &mut Random,
    counts: &Counts,
    over: &AtomicBool,
) {
    while !over.load(Ordering::Relaxed) {
        let at = random.below(questions.len());
        let Some(question) = questions.get(at) else { return };
        let token = CancelToken::new();
        let (done, ended) = channel();
        let cancels = random.below(2) == 0;
        let after = question.took * u32::try_from(random.below(1000)).unwrap_or(0) / 500;
        let (outcome, cancelled) = std::thread::scope(|scope| {
            let other = token.clone();
            let canceller = cancels.then(|| scope.spawn(move || cancelled(&other, after, &ended)));
            let outcome = answer(session, &question.sql, question.saved, &token);
            let now = Instant::now();
            drop(done);
            let at = canceller.and_then(|thread| thread.join().ok().flatten());
            (outcome, at.map(|at| now.saturating_duration_since(at)))
        });
        match outcome {
            Ok(answer) if answer == question.answer => {
                counts.answered.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) if error.code() == Code::Cancelled && cancelled.is_some() => {
                counts.cancelled.fetch_add(1, Ordering::Relaxed);
            }
            other => {
                counts.wrong.fetch_add(1, Ordering::Relaxed);
                print(&format!(
                    "WRONG: {}\n{}",
                    question.sql,
                    other.unwrap_or_else(|e| e.to_string())
                ));
            }
        }
        if let Some(wait) = cancelled {
            let wait = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
            counts.waits.lock().unwrap_or_else(PoisonError::into_inner).push(wait);
            let mut slowest = counts.slowest.lock().unwrap_or_else(PoisonError::into_inner);
            let known = slowest.entry(at).or_default();
            *known = wait.max(*known);
        }
    }
}

/// Cancels after a time, unless the query ended before; when it did.
fn cancelled(token: &CancelToken, after: Duration, ended: &Receiver<()>) -> Option<Instant> {
    if ended.recv_timeout(after) != Err(RecvTimeoutError::Timeout) {
        return None;
    }
    let at = Instant::now();
    token.cancel();
    Some(at)
}

fn summary(questions: &[Question], counts: &Counts, memory: &[u64]) -> ExitCode {
    let mut waits = counts.waits.lock().unwrap_or_else(PoisonError::into_inner).clone();
    waits.sort_unstable();
    let place = |share: usize| waits.get(waits.len().saturating_sub(1) * share / 1000).copied();
    for (name, share) in [("median", 500), ("99 %", 990), ("99.9 %", 999), ("longest", 1000)] {
        let wait = place(share).unwrap_or_default();
        print(&format!("from cancel to end, {name}: {:?}", Duration::from_micros(wait)));
    }
    let slowest = counts.slowest.lock().unwrap_or_else(PoisonError::into_inner);
    let mut slowest: Vec<_> = slowest.iter().map(|(at, wait)| (*wait, *at)).collect();
    slowest.sort_unstable_by(|a, b| b.cmp(a));
    for (wait, at) in slowest.iter().take(5) {
        let question = questions.get(*at);
        let name = question.map_or("", |q| q.saved.map_or(q.sql.as_str(), |saved| &saved.name));
        print(&format!("  {:?}: {name}", Duration::from_micros(*wait)));
    }
    let (first, second) = memory.split_at(memory.len() / 2);
    let most = |part: &[u64]| part.iter().copied().max().unwrap_or_default();
    let (before, after) = (most(first), most(second));
    print(&format!(
        "most memory: {} MB in the first half, {} MB in the second",
        before >> 20,
        after >> 20
    ));
    let grew = !first.is_empty() && after > before + before / 10 + (32 << 20);
    let wrong = counts.wrong.load(Ordering::Relaxed);
    if wrong > 0 || grew { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
