//! Fuzzing without a special toolchain: every target is a function over bytes, fed with edits of a
//! corpus that is made here.
//!
//! ```text
//! cargo run --example fuzz -- 60                    every target for 60 seconds
//! cargo run --example fuzz -- 60 log pdb            these targets
//! cargo run --example fuzz -- 60 query --seed 7     other edits
//! cargo run --example fuzz -- --inputs 1000000      so many inputs over all targets, and a table of them
//! cargo run --example fuzz -- --inputs 1000000 --minutes 30    as many as half an hour allows
//! cargo run --example fuzz -- --replay pdb FILE     one input again
//! ```
//!
//! A target that panics, answers with an internal error, or makes more rows than its file explains
//! has failed: the input is saved, and the exit code is 1. With `--inputs`, the targets take turns of two
//! seconds, so that each has as much time as another, and the run goes on after a failure. An input that takes minutes is a hang: it
//! is saved, and the process ends.

#![allow(clippy::panic, reason = "a target that panics has failed, which is reported")]

mod process;
mod query;
mod random;
mod seeds;
mod targets;

use std::any::Any;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use process::{print, status};
use random::Random;
use targets::Target;

/// An input that takes longer counts as a hang, on any machine.
const HANG: Duration = Duration::from_secs(300);

/// How long a turn of a target is where all of them take turns.
const TURN: Duration = Duration::from_secs(2);

struct Args {
    seconds: u64,
    /// How many inputs all targets are given together, in turns.
    inputs: Option<u64>,
    /// How long that may take.
    minutes: Option<u64>,
    seed: u64,
    targets: Vec<String>,
    replay: Option<PathBuf>,
}

/// The input of a target.
#[derive(Default)]
struct Tally {
    inputs: u64,
    accepted: u64,
    failed: u64,
    panicked: u64,
    slowest: Duration,
    /// The most memory that the process had while the target ran.
    peak: u64,
}

/// A target with its corpus, and how far it is.
struct Course<'a> {
    target: &'a Target,
    seeds: Vec<Vec<u8>>,
    random: Random,
    next: usize,
    tally: Tally,
}

impl<'a> Course<'a> {
    fn new(target: &'a Target, seed: u64) -> Self {
        let (seeds, random) = ((target.seeds)(), Random::new(seed));
        Self { target, seeds, random, next: 0, tally: Tally::default() }
    }

    /// Runs the next input; an error if the target failed.
    fn step(&mut self, seed: u64, running: &Running) -> Result<(), ()> {
        let target = self.target;
        let seed_input = self.seeds.get(self.next).cloned();
        self.next += 1;
        let input = seed_input.unwrap_or_else(|| self.random.edited(&self.seeds, target.is_text));
        set(running, Some((Instant::now(), target.name, input.clone())));
        let begun = Instant::now();
        let outcome = run(target, &input);
        let tally = &mut self.tally;
        tally.slowest = tally.slowest.max(begun.elapsed());
        tally.inputs += 1;
        match outcome {
            Ok(is_accepted) => {
                tally.accepted += u64::from(is_accepted);
                Ok(())
            }
            Err(reason) => {
                tally.failed += 1;
                tally.panicked += u64::from(reason.starts_with(PANICKED));
                let (name, number) = (target.name, tally.inputs);
                let path = save(name, &input);
                say(&format!(
                    "{name}: input {number} of seed {seed}: {reason}\n  {}",
                    path.display()
                ));
                Err(())
            }
        }
    }
}

/// How the reason of a panic begins.
const PANICKED: &str = "panicked: ";

/// The current input, so that it can be saved if it hangs.
type Running = Arc<Mutex<Option<(Instant, &'static str, Vec<u8>)>>>;

fn main() -> std::process::ExitCode {
    let Some(args) = arguments() else {
        say("usage: fuzz SECONDS|--inputs N [TARGET…] [--seed N], or fuzz --replay TARGET FILE");
        return 2.into();
    };
    // A panic is reported once, with its input.
    std::panic::set_hook(Box::new(|_| {}));
    let running = Running::default();
    watch(&running);
    let all = targets::all();
    let is_known = |name: &String| all.iter().any(|target| target.name == name);
    if let Some(name) = args.targets.iter().find(|name| !is_known(name)) {
        let names: Vec<_> = all.iter().map(|target| target.name).collect();
        say(&format!("unknown target {name}; the targets are {}", names.join(", ")));
        return 2.into();
    }
    let is_wanted = |target: &&Target| {
        args.targets.is_empty() || args.targets.iter().any(|name| name == target.name)
    };
    if let Some(inputs) = args.inputs {
        let courses: Vec<_> =
            all.iter().filter(is_wanted).map(|target| Course::new(target, args.seed)).collect();
        return u8::from(!in_turns(courses, inputs, &args, &running)).into();
    }
    let mut failed = false;
    for target in all.iter().filter(is_wanted) {
        let outcome = match &args.replay {
            Some(path) => replay(target, path),
            None => fuzz(target, &args, &running),
        };
        failed |= outcome.is_err();
    }
    if let Some(peak) = status("VmHWM:") {
        say(&format!("peak memory {} MB", peak >> 20));
    }
    u8::from(failed).into()
}

fn arguments() -> Option<Args> {
    let mut args = Args {
        seconds: 0,
        inputs: None,
        minutes: None,
        seed: 1,
        targets: Vec::new(),
        replay: None,
    };
    let mut given = std::env::args().skip(1);
    match given.next()?.as_str() {
        "--replay" => {
            args.targets.push(given.next()?);
            args.replay = Some(given.next()?.into());
            return Some(args);
        }
        "--inputs" => args.inputs = Some(given.next()?.parse().ok()?),
        seconds => args.seconds = seconds.parse().ok()?,
    }
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--minutes" => args.minutes = Some(given.next()?.parse().ok()?),
            "--seed" => args.seed = given.next()?.parse().ok()?,
            name => args.targets.push(name.to_owned()),
        }
    }
    Some(args)
}

/// Runs a target for this many seconds, the corpus first.
fn fuzz(target: &Target, args: &Args, running: &Running) -> Result<(), ()> {
    let mut course = Course::new(target, args.seed);
    let until = Instant::now() + Duration::from_secs(args.seconds);
    while Instant::now() < until {
        course.step(args.seed, running)?;
    }
    set(running, None);
    let tally = &course.tally;
    say(&format!(
        "{:9} {:8} inputs, {:8} accepted, slowest {} ms",
        target.name,
        tally.inputs,
        tally.accepted,
        tally.slowest.as_millis()
    ));
    Ok(())
}

/// Feeds all targets in turns until they have had so many inputs, and prints a table. Returns whether none
/// failed.
fn in_turns(mut courses: Vec<Course<'_>>, inputs: u64, args: &Args, running: &Running) -> bool {
    let (begun, seed) = (Instant::now(), args.seed);
    let until = args.minutes.map(|minutes| begun + Duration::from_secs(60 * minutes));
    let is_late = || until.is_some_and(|until| Instant::now() >= until);
    let done =
        |courses: &[Course<'_>]| courses.iter().map(|course| course.tally.inputs).sum::<u64>();
    while done(&courses) < inputs && !courses.is_empty() && !is_late() {
        for course in &mut courses {
            forget_peak();
            let until = Instant::now() + TURN;
            while Instant::now() < until {
                let _ = course.step(seed, running);
            }
            set(running, None);
            course.tally.peak = course.tally.peak.max(status("VmHWM:").unwrap_or(0));
        }
    }
    // A hang ends the process, so that whoever reads this table has seen none.
    print("| target | inputs | accepted | failures | panics | hangs | peak memory | longest |");
    print("|---|---:|---:|---:|---:|---:|---:|---:|");
    let row = |name: &str, tally: &Tally| {
        print(&format!(
            "| {name} | {} | {} | {} | {} | 0 | {} MB | {} ms |",
            tally.inputs,
            tally.accepted,
            tally.failed,
            tally.panicked,
            tally.peak >> 20,
            tally.slowest.as_millis()
        ));
    };
    let mut all = Tally::default();
    for Course { target, tally, .. } in &courses {
        row(target.name, tally);
        all.inputs += tally.inputs;
        all.accepted += tally.accepted;
        all.failed += tally.failed;
        all.panicked += tally.panicked;
        all.slowest = all.slowest.max(tally.slowest);
        all.peak = all.peak.max(tally.peak);
    }
    row("all", &all);
    say(&format!("{} seconds, seed {seed}", begun.elapsed().as_secs()));
    all.failed == 0
}

fn replay(target: &Target, path: &Path) -> Result<(), ()> {
    let input =
        std::fs::read(path).map_err(|error| say(&format!("{}: {error}", path.display())))?;
    let begun = Instant::now();
    let outcome = run(target, &input);
    say(&format!("{}: {outcome:?} in {} ms", target.name, begun.elapsed().as_millis()));
    outcome.map(|_| ()).map_err(|_| ())
}

/// Runs one input; returns whether it was accepted, or what is wrong.
fn run(target: &Target, input: &[u8]) -> Result<bool, String> {
    let run = || (target.run)(input);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("{PANICKED}{}", text.unwrap_or("without a message"))
}

fn set(running: &Running, to: Option<(Instant, &'static str, Vec<u8>)>) {
    *running.lock().unwrap_or_else(PoisonError::into_inner) = to;
}

/// Ends the process if an input hangs.
fn watch(running: &Running) {
    let running = Arc::clone(running);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let running = running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((since, name, input)) = &*running
                && since.elapsed() > HANG
            {
                say(&format!("{name}: hangs\n  {}", save(name, input).display()));
                std::process::abort();
            }
        }
    });
}

/// Saves an input in the folder for temporary files.
fn save(target: &str, input: &[u8]) -> PathBuf {
    let sum = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let folder = std::env::temp_dir().join("dumpql-fuzz");
    let path = folder.join(format!("{target}-{sum:016x}"));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, input));
    if let Err(error) = written {
        say(&format!("{}: {error}", path.display()));
    }
    path
}

/// Begins to count the most memory anew, where the system allows it.
fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
