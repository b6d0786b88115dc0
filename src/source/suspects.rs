//! The suspected cause of a crash: the candidate modules with the evidence for each, and the rule
//! that ranks them.
//!
//! This module knows frames, symbols, and lists of modules that are unlikely causes; it reads no
//! memory.

use crate::catalog::Absent;
use crate::model::{self, Bugcheck, Emit, Exception, Located, Want};
use crate::source::passed_over;
use crate::unwind::Frame;

/// The kernel itself: its frames show that the system stopped, not why.
const KERNEL: [&str; 2] = ["nt", "hal"];

/// Libraries of Windows and of language runtimes that raise and pass on exceptions in programs.
const OF_PROGRAMS: [&str; 30] = [
    "ntdll",
    "kernelbase",
    "kernel32",
    "ucrtbase",
    "ucrtbased",
    "msvcrt",
    "vcruntime140",
    "vcruntime140d",
    "vcruntime140_1",
    "msvcp140",
    "combase",
    "user32",
    "win32u",
    "wow64",
    "wow64cpu",
    "wow64win",
    "clr",
    "coreclr",
    "mscorwks",
    "mscoree",
    "clrjit",
    "msvcr90",
    "msvcr100",
    "msvcr110",
    "msvcr120",
    "msvcp120",
    "rpcrt4",
    "sechost",
    "ole32",
    "verifier",
];

/// The name that takes the place of a module if the hardware failed.
pub(crate) const HARDWARE: &str = "hardware";

/// Whether a query of bug checks needs the suspects, which takes a stack walk.
pub(crate) fn of_bugcheck(want: &Want<'_, Bugcheck>) -> bool {
    want.has_any(|c| {
        [
            c.module,
            c.symbol,
            c.bucket_id,
            c.culprit_module,
            c.culprit_symbol,
            c.culprit_frame,
            c.culprit_reason,
        ]
    })
}

/// Whether a query of exceptions needs the suspects.
pub(crate) fn of_exception(want: &Want<'_, Exception>) -> bool {
    want.has_any(|c| [c.culprit_module, c.culprit_symbol, c.culprit_frame, c.culprit_reason])
}

/// The modules that stop a system or pass on an exception; they are never the first suspect.
#[derive(Debug)]
pub(crate) struct CrashedCore {
    /// The name of the group in texts.
    name: &'static str,
    modules: &'static [&'static str],
}

/// The kernel.
pub(crate) const SYSTEM: CrashedCore = CrashedCore { name: "the kernel", modules: &KERNEL };
/// The libraries of a user-mode process.
pub(crate) const PROGRAM: CrashedCore =
    CrashedCore { name: "the system's libraries", modules: &OF_PROGRAMS };

/// A suspected module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suspect {
    /// The location in it.
    pub(crate) place: Located,
    /// The number of its frame.
    pub(crate) frame: Option<i64>,
    /// The evidence as text.
    pub(crate) evidence: String,
    /// The weight of the evidence, up to 100.
    pub(crate) score: i64,
}

/// The weights of evidence: for most modules, and for those that act on behalf of callers (see
/// `passed_over`). More indirect evidence has a smaller weight.
struct Weight {
    full: i64,
    passed: i64,
}

/// The hardware itself reported the error.
const BY_HARDWARE: Weight = Weight { full: 97, passed: 97 };
const BY_PARAMETER: Weight = Weight { full: 95, passed: 85 };
/// A parameter leads to an object that belongs to the module.
const BY_OBJECT: Weight = Weight { full: 93, passed: 60 };
/// Windows itself named the module.
const BY_SYSTEM: Weight = Weight { full: 88, passed: 45 };
const BY_EXCEPTION: Weight = Weight { full: 90, passed: 84 };
const AFTER_TRAP: Weight = Weight { full: 80, passed: 75 };
const ON_STACK: Weight = Weight { full: 70, passed: 40 };
/// The module is involved in what a parameter leads to, such as a driver on a device stack.
const BESIDE: Weight = Weight { full: 65, passed: 35 };
const LATER: Weight = Weight { full: 60, passed: 30 };
/// The module allocates with the pool tag of the damaged block.
const BY_TAG: Weight = Weight { full: 58, passed: 25 };
/// The weight of all evidence against the kernel itself.
const IN_KERNEL: i64 = 5;

/// The evidence about a crash.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    suspects: Vec<Suspect>,
}

/// The stack whose frames are added, and texts about it.
struct CrashStack<'a> {
    of: &'a str,
    /// Where the frames begin, as part of a sentence.
    after: &'a str,
    first: &'a Weight,
}

fn is_one_of(module: &str, all: &[&str]) -> bool {
    all.iter().any(|known| module.eq_ignore_ascii_case(known))
}

/// Whether a module is the kernel itself.
pub(crate) fn is_kernel(module: &str) -> bool {
    is_one_of(module, &KERNEL)
}

fn is_passed_over(module: &str) -> bool {
    passed_over::reason(module).is_some() || is_one_of(module, &OF_PROGRAMS)
}

fn weighed(module: &str, weight: &Weight) -> i64 {
    match module {
        module if is_kernel(module) => IN_KERNEL,
        module if is_passed_over(module) => weight.passed,
        _ => weight.full,
    }
}

impl Evidence {
    /// A bug check parameter that is by definition the address of the code at fault points to this
    /// location.
    pub(crate) fn parameter(&mut self, number: usize, place: Located) {
        let evidence = format!("parameter {number} points into it");
        self.add(place, None, evidence, &BY_PARAMETER);
    }

    /// An exception was raised at this location.
    pub(crate) fn exception(&mut self, place: Located) {
        self.add(place, None, "the exception was raised in it".to_owned(), &BY_EXCEPTION);
    }

    /// The hardware reported an error in this component.
    pub(crate) fn hardware(&mut self, part: Option<String>, evidence: String) {
        let module = HARDWARE.to_owned();
        self.add(Located { module, symbol: part, offset: 0 }, None, evidence, &BY_HARDWARE);
    }

    /// A parameter leads to an object that belongs to a module.
    pub(crate) fn object(&mut self, place: Located, evidence: String) {
        self.add(place, None, evidence, &BY_OBJECT);
    }

    /// A parameter leads to something in which a module is involved.
    pub(crate) fn beside(&mut self, place: Located, evidence: String) {
        self.add(place, None, evidence, &BESIDE);
    }

    /// Windows itself named a module.
    pub(crate) fn named(&mut self, place: Located, evidence: String) {
        self.add(place, None, evidence, &BY_SYSTEM);
    }

    /// A module allocates with the pool tag of a damaged block.
    pub(crate) fn tag(&mut self, place: Located, evidence: String) {
        self.add(place, None, evidence, &BY_TAG);
    }

    /// Whether any module but the kernel is suspected.
    pub(crate) fn has_others(&self) -> bool {
        self.suspects.iter().any(|suspect| suspect.score > IN_KERNEL)
    }

    /// Adds the frames of the crash, innermost first.
    pub(crate) fn frames(
        &mut self,
        frames: &[Frame],
        locate: impl Fn(u64) -> Option<Located>,
        core: &CrashedCore,
    ) {
        // The first frame stopped the system, and the frames up to a trap frame handled the
        // exception: neither is a cause.
        let trap = frames.iter().skip(1).position(|frame| frame.is_exact).map(|at| at + 1);
        let after = if trap.is_some() { " after the trap frame" } else { "" };
        let first = if trap.is_some() { &AFTER_TRAP } else { &ON_STACK };
        let numbered = frames.iter().enumerate().skip(trap.unwrap_or(1));
        let numbered = numbered.map(|(number, frame)| (i64::try_from(number).ok(), frame.ip));
        self.told(numbered, locate, core, &CrashStack { of: "the crash", after, first });
    }

    /// Adds the frames of the code that an exception interrupted, from its context record on, with
    /// their numbers on the crash stack.
    pub(crate) fn fault(
        &mut self,
        frames: impl Iterator<Item = (Option<i64>, u64)>,
        locate: impl Fn(u64) -> Option<Located>,
        core: &CrashedCore,
    ) {
        let after = " from the context of the exception on";
        self.told(
            frames,
            locate,
            core,
            &CrashStack { of: "the exception", after, first: &AFTER_TRAP },
        );
    }

    /// Adds the frames of another thread, to which a parameter leads.
    pub(crate) fn thread(
        &mut self,
        frames: &[Frame],
        locate: impl Fn(u64) -> Option<Located>,
        core: &CrashedCore,
        after: &str,
    ) {
        let numbered = frames.iter().map(|frame| (None, frame.ip));
        self.told(
            numbered,
            locate,
            core,
            &CrashStack { of: "a thread", after, first: &AFTER_TRAP },
        );
    }

    fn told(
        &mut self,
        frames: impl Iterator<Item = (Option<i64>, u64)>,
        locate: impl Fn(u64) -> Option<Located>,
        core: &CrashedCore,
        stack: &CrashStack<'_>,
    ) {
        let CrashStack { of, after, first } = stack;
        let (mut is_first, mut is_others) = (true, true);
        for (number, ip) in frames {
            let Some(place) = locate(ip) else { continue };
            let is_core = is_one_of(&place.module, core.modules);
            let (evidence, weight) = if !is_core && is_first {
                (format!("first frame outside {}{after}", core.name), *first)
            } else if !is_core && is_others && !is_passed_over(&place.module) {
                let evidence =
                    format!("first frame outside {} and Microsoft's modules{after}", core.name);
                (evidence, &ON_STACK)
            } else {
                (format!("a frame on the stack of {of}{after}"), &LATER)
            };
            is_first &= is_core;
            is_others &= is_core || is_passed_over(&place.module);
            self.add(place, number, evidence, weight);
        }
    }

    fn add(&mut self, place: Located, frame: Option<i64>, evidence: String, weight: &Weight) {
        let score = weighed(&place.module, weight);
        let is_same = |known: &&mut Suspect| known.place.module == place.module;
        match self.suspects.iter_mut().find(is_same) {
            // The stronger evidence is kept; of equally strong evidence, the first.
            Some(known) if known.score >= score => known.frame = known.frame.or(frame),
            Some(known) => *known = Suspect { place, frame, evidence, score },
            None => self.suspects.push(Suspect { place, frame, evidence, score }),
        }
    }

    /// The suspects, the most likely first.
    pub(crate) fn ranked(mut self) -> Vec<Suspect> {
        self.suspects.sort_by_key(|suspect| std::cmp::Reverse(suspect.score));
        self.suspects
    }
}

/// The rows of the suspects, the most likely first.
pub(crate) fn rows(suspects: Vec<Suspect>, emit: Emit<'_, model::Suspect>) {
    for (rank, suspect) in (1..).zip(suspects) {
        let row = model::Suspect {
            rank: Ok(rank),
            symbol: Ok(suspect.place.display()),
            module: Ok(suspect.place.module),
            frame: suspect.frame.ok_or(Absent::NotApplicable),
            evidence: Ok(suspect.evidence),
            score: Ok(suspect.score),
            ..model::Suspect::default()
        };
        if emit.row(row).is_break() {
            break;
        }
    }
}

/// The location as part of a bucket: the symbol or the offset in the suspected module; for the
/// kernel only its name, because offsets in it change with every build.
pub(crate) fn in_bucket(place: &Located) -> String {
    let Located { module, symbol, offset } = place;
    match symbol {
        Some(symbol) => format!("{module}!{symbol}"),
        // For a driver as a whole there is no location.
        None if is_kernel(module) || *offset == 0 => module.clone(),
        None => format!("{module}+{offset:#x}"),
    }
}

#[cfg(test)]
mod tests;
