//! Fuzzing without a special toolchain: every target is a function over bytes, fed with edits of a
//! corpus that is made here.
//!
//! ```text
//! cargo run --example fuzz -- 60                    every target for 60 seconds
//! cargo run --example fuzz -- 60 log pdb            these targets
//! cargo run --example fuzz -- 60 query --seed 7     other edits
//! cargo run --example fuzz -- --replay pdb FILE     one input again
//! ```
//!
//! A target that panics, answers with an internal error, or makes more rows than its file explains
//! has failed: the input is saved, and the exit code is 1. An input that takes minutes is a hang: it
//! is saved, and the process ends.

#![allow(clippy::panic, reason = "a target that panics has failed, which is reported")]

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

use random::Random;
use targets::Target;

/// An input that takes longer counts as a hang, on any machine.
const HANG: Duration = Duration::from_secs(300);

struct Args {
    seconds: u64,
    seed: u64,
    targets: Vec<String>,
    replay: Option<PathBuf>,
}

/// The input of a target.
#[derive(Default)]
struct Tally {
    inputs: u64,
    accepted: u64,
    slowest: Duration,
}

/// The current input, so that it can be saved if it hangs.
type Running = Arc<Mutex<Option<(Instant, &'static str, Vec<u8>)>>>;

fn main() -> std::process::ExitCode {
    let Some(args) = arguments() else {
        say("usage: fuzz SECONDS [TARGET…] [--seed N], or fuzz --replay TARGET FILE");
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
    let mut failed = false;
    for target in all.iter().filter(is_wanted) {
        let outcome = match &args.replay {
            Some(path) => replay(target, path),
            None => fuzz(target, &args, &running),
        };
        failed |= outcome.is_err();
    }
    if let Some(peak) = peak_memory() {
        say(&format!("peak memory {} MB", peak >> 20));
    }
    u8::from(failed).into()
}

fn arguments() -> Option<Args> {
    let mut args = Args { seconds: 0, seed: 1, targets: Vec::new(), replay: None };
    let mut given = std::env::args().skip(1);
    match given.next()?.as_str() {
        "--replay" => {
            args.targets.push(given.next()?);
            args.replay = Some(given.next()?.into());
            return Some(args);
        }
        seconds => args.seconds = seconds.parse().ok()?,
    }
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--seed" => args.seed = given.next()?.parse().ok()?,
            name => args.targets.push(name.to_owned()),
        }
    }
    Some(args)
}

/// Runs a target for this many seconds, the corpus first.
fn fuzz(target: &Target, args: &Args, running: &Running) -> Result<(), ()> {
    let seeds = (target.seeds)();
    let until = Instant::now() + Duration::from_secs(args.seconds);
    let mut random = Random::new(args.seed);
    let mut tally = Tally::default();
    let mut next = seeds.iter().cloned();
    while Instant::now() < until {
        let input = next.next().unwrap_or_else(|| random.edited(&seeds, target.is_text));
        set(running, Some((Instant::now(), target.name, input.clone())));
        let begun = Instant::now();
        let outcome = run(target, &input);
        tally.slowest = tally.slowest.max(begun.elapsed());
        tally.inputs += 1;
        match outcome {
            Ok(is_accepted) => tally.accepted += u64::from(is_accepted),
            Err(reason) => {
                let path = save(target.name, &input);
                say(&format!(
                    "{}: input {} of seed {}: {reason}\n  {}",
                    target.name,
                    tally.inputs,
                    args.seed,
                    path.display()
                ));
                return Err(());
            }
        }
    }
    set(running, None);
    say(&format!(
        "{:9} {:8} inputs, {:8} accepted, slowest {} ms",
        target.name,
        tally.inputs,
        tally.accepted,
        tally.slowest.as_millis()
    ));
    Ok(())
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
    format!("panicked: {}", text.unwrap_or("without a message"))
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

/// The peak memory of the process, if the system gives it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? << 10)
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
