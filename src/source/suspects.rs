//! The suspected cause of a crash: the candidate modules with the evidence for each, and the rule
//! that ranks them.
//!
//! This module knows frames, symbols, and lists of modules that are unlikely causes; it reads no
//! memory.

use crate::catalog::Absent;
use crate::model::{self, Bugcheck, Emit, Exception, Located, Want};
use crate::unwind::Frame;

/// The kernel itself: its frames show that the system stopped, not why.
const KERNEL: [&str; 2] = ["nt", "hal"];

/// Microsoft modules that work on behalf of callers. A crash in one of them is mostly caused by its
/// caller, so they are suspected only if no other module is. They are loaders and parts of the
/// kernel with their own files; driver frameworks; the stacks of storage, file systems, networks,
/// USB, sound and graphics.
const PASSED_OVER: [&str; 86] = [
    "kdcom",
    "kdnet",
    "bootvid",
    "ci",
    "clfs",
    "pshed",
    "tm",
    "ksecdd",
    "ksecpkg",
    "cng",
    "msrpc",
    "watchdog",
    "verifier",
    "verifierext",
    "intelppm",
    "processr",
    "amdppm",
    "win32k",
    "win32kbase",
    "win32kfull",
    "win32ksgd",
    "dxgkrnl",
    "dxgmms1",
    "dxgmms2",
    "basicdisplay",
    "basicrender",
    "cdd",
    "wdf01000",
    "wdfldr",
    "wppRecorder",
    "acpi",
    "acpiex",
    "pci",
    "partmgr",
    "volmgr",
    "volmgrx",
    "mountmgr",
    "volsnap",
    "disk",
    "classpnp",
    "storport",
    "scsiport",
    "ataport",
    "storahci",
    "stornvme",
    "spaceport",
    "ntfs",
    "refs",
    "fastfat",
    "exfat",
    "cdfs",
    "udfs",
    "fltmgr",
    "fileinfo",
    "luafv",
    "wof",
    "wcifs",
    "bindflt",
    "cldflt",
    "rdbss",
    "mrxsmb",
    "mup",
    "srv2",
    "srvnet",
    "ndis",
    "netio",
    "tcpip",
    "fwpkclnt",
    "afd",
    "http",
    "usbport",
    "usbhub",
    "usbhub3",
    "usbxhci",
    "ucx01000",
    "usbccgp",
    "hidclass",
    "hidusb",
    "hidparse",
    "kbdclass",
    "mouclass",
    "ks",
    "portcls",
    "hdaudbus",
    "hdaudio",
    "vmbus",
];

/// The same in user mode: libraries of the system and of language runtimes that raise and pass on
/// exceptions.
const OF_PROGRAMS: [&str; 18] = [
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
];

/// Whether a query of bug checks wants the suspected cause, which costs a stack walk.
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

/// Whether a query of exceptions does.
pub(crate) fn of_exception(want: &Want<'_, Exception>) -> bool {
    want.has_any(|c| [c.culprit_module, c.culprit_symbol, c.culprit_frame, c.culprit_reason])
}

/// The modules that stop a system or pass on an exception, and are never the first suspect.
#[derive(Debug)]
pub(crate) struct Core {
    /// The name for them.
    name: &'static str,
    modules: &'static [&'static str],
}

/// The kernel of a system.
pub(crate) const SYSTEM: Core = Core { name: "the kernel", modules: &KERNEL };
/// The libraries of a program.
pub(crate) const PROGRAM: Core = Core { name: "the system's libraries", modules: &OF_PROGRAMS };

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

/// The weights of evidence. It counts less for a module that works on behalf of callers, and the
/// less the more indirect the evidence is.
struct Weight {
    full: i64,
    passed: i64,
}

const BY_PARAMETER: Weight = Weight { full: 95, passed: 85 };
const BY_EXCEPTION: Weight = Weight { full: 90, passed: 84 };
const AFTER_TRAP: Weight = Weight { full: 80, passed: 75 };
const ON_STACK: Weight = Weight { full: 70, passed: 40 };
const LATER: Weight = Weight { full: 60, passed: 30 };
/// A location in the kernel itself is suspected only if there is nothing else.
const IN_KERNEL: i64 = 5;

/// What is known of a crash.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    suspects: Vec<Suspect>,
}

fn is_one_of(module: &str, all: &[&str]) -> bool {
    all.iter().any(|known| module.eq_ignore_ascii_case(known))
}

/// Whether a module is the kernel itself.
pub(crate) fn is_kernel(module: &str) -> bool {
    is_one_of(module, &KERNEL)
}

fn is_passed_over(module: &str) -> bool {
    is_one_of(module, &PASSED_OVER) || is_one_of(module, &OF_PROGRAMS)
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

    /// The frames of the crash, innermost first.
    pub(crate) fn frames(
        &mut self,
        frames: &[Frame],
        locate: impl Fn(u64) -> Option<Located>,
        core: &Core,
    ) {
        let trap = frames.iter().skip(1).position(|frame| frame.is_exact).map(|at| at + 1);
        let after = if trap.is_some() { " after the trap frame" } else { "" };
        let (mut is_first, mut is_others) = (true, true);
        for (number, frame) in frames.iter().enumerate() {
            // Frames that stopped the system or handled a trap are not suspects.
            if number < trap.unwrap_or(1) {
                continue;
            }
            let Some(place) = locate(frame.ip) else { continue };
            let is_core = is_one_of(&place.module, core.modules);
            let (evidence, weight) = if !is_core && is_first {
                let weight = if trap.is_some() { &AFTER_TRAP } else { &ON_STACK };
                (format!("first frame outside {}{after}", core.name), weight)
            } else if !is_core && is_others && !is_passed_over(&place.module) {
                let evidence =
                    format!("first frame outside {} and Microsoft's modules{after}", core.name);
                (evidence, &ON_STACK)
            } else {
                (format!("a frame on the stack of the crash{after}"), &LATER)
            };
            is_first &= is_core;
            is_others &= is_core || is_passed_over(&place.module);
            self.add(place, i64::try_from(number).ok(), evidence, weight);
        }
    }

    fn add(&mut self, place: Located, frame: Option<i64>, evidence: String, weight: &Weight) {
        let score = weighed(&place.module, weight);
        let is_same = |known: &&mut Suspect| known.place.module == place.module;
        match self.suspects.iter_mut().find(is_same) {
            // The stronger evidence is kept; of equal evidence the first.
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
        None if is_kernel(module) => module.clone(),
        None => format!("{module}+{offset:#x}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::Trust;

    fn at(module: &str, offset: u64) -> Located {
        Located { module: module.to_owned(), symbol: None, offset }
    }

    fn frame(ip: u64, is_exact: bool) -> Frame {
        let (trust, return_address, arguments) = (Trust::Scan, None, None);
        Frame { ip, sp: ip, return_address, arguments, trust, is_exact }
    }

    /// Module 1 is the kernel, 2 a file system, the higher ones other vendors' drivers.
    fn locate(ip: u64) -> Option<Located> {
        let module = match ip >> 16 {
            1 => "nt",
            2 => "Ntfs",
            3 => "bad",
            4 => "worse",
            _ => return None,
        };
        Some(at(module, ip & 0xffff))
    }

    fn blamed(frames: &[(u64, bool)]) -> (String, Option<i64>, String) {
        let frames: Vec<Frame> = frames.iter().map(|(ip, exact)| frame(*ip, *exact)).collect();
        let mut evidence = Evidence::default();
        evidence.frames(&frames, locate, &SYSTEM);
        let first = evidence.ranked().remove(0);
        (first.place.display(), first.frame, first.evidence)
    }

    #[test]
    fn the_first_third_party_frame_is_the_suspect() {
        let found = blamed(&[
            (0x1_0010, true),
            (0x1_0020, false),
            (0x2_0100, false),
            (0x3_0200, false),
            (0x4_0300, false),
        ]);
        let reason = "first frame outside the kernel and Microsoft's modules";
        assert_eq!(found, ("bad+0x200".into(), Some(3), reason.into()));
        let trapped =
            blamed(&[(0x1_0010, true), (0x4_0020, false), (0x3_0200, true), (0x1_0300, false)]);
        let reason = "first frame outside the kernel after the trap frame";
        assert_eq!(trapped, ("bad+0x200".into(), Some(2), reason.into()));
    }

    #[test]
    fn microsoft_modules_are_suspects_only_without_others() {
        let found = blamed(&[(0x1_0010, true), (0x1_0020, false), (0x2_0100, false)]);
        assert_eq!(found.0, "Ntfs+0x100");
        let kernel = blamed(&[(0x1_0010, true), (0x1_0020, false)]);
        assert_eq!((kernel.0, kernel.1), ("nt+0x20".into(), Some(1)));
    }

    #[test]
    fn a_parameter_counts_most() {
        let mut evidence = Evidence::default();
        let frames = [frame(0x1_0000, true), frame(0x3_0001, false)];
        evidence.frames(&frames, locate, &SYSTEM);
        evidence.parameter(2, at("display", 0x10));
        let ranked = evidence.ranked();
        assert_eq!(ranked[0].evidence, "parameter 2 points into it");
        assert_eq!(ranked[1].place.module, "bad");
    }

    #[test]
    fn buckets_do_not_change_with_the_kernel() {
        assert_eq!(in_bucket(&at("nt", 0x1234)), "nt");
        assert_eq!(in_bucket(&at("bad", 0x1234)), "bad+0x1234");
    }
}
