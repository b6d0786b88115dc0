//! Thread stacks: their context records, and the stack memory that the dump holds.

use std::collections::BTreeSet;

use minidump::format as md;

use super::bounds;
use super::core::Core;
use super::core::streams::{List, kind};
use super::guest::{self, Guest};
use super::registers::{self, Registers};
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Frame, StackWord, Unanswered, Want};
use crate::source::frames::{self, Owner, Scene};
use crate::source::{verdicts, words};
use crate::unwind::{self, Cpu, Knowledge, MAX_FRAMES, Trust, Walker};

/// How many words at the start of a stack a walk usually examines.
const NEAR: u64 = 256;

/// Walks read at most this many words for each word of the file, plus a constant: a stack scan
/// examines most words once for each nearby frame.
const READS_OF_WORD: u64 = 64;
const READS_OF_ANY: u64 = 1 << 16;

/// A thread with the start of its stack walk.
pub(super) struct Started<'a> {
    pub(super) tid: u32,
    pub(super) context: Cell<Registers<'a>>,
    /// The base of its stack, if the dump gives it.
    end: Option<u64>,
    /// Its 32-bit part, in a 64-bit process.
    guest: Option<Guest>,
}

/// The threads of the dump in order; a thread that only the exception names comes last.
fn started(core: &Core) -> Result<Vec<Started<'_>>, Unanswered> {
    let list = core.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS);
    let raised = core.exception_stream().ok();
    let list = match (list, &raised) {
        (Ok(list), _) => Some(list),
        (Err(gap), None) => return Err(gap.into()),
        (Err(_), Some(_)) => None,
    };
    let mut all: Vec<Started<'_>> =
        list.iter().flat_map(List::iter).map(|raw| started_of(core, &raw)).collect();
    if let Some(raised) = raised.filter(|raised| all.iter().all(|t| t.tid != raised.thread_id)) {
        let context = registers::context_at(core, raised.thread_context);
        all.push(Started { tid: raised.thread_id, context, end: None, guest: None });
    }
    Ok(all)
}

pub(super) fn each_frame(
    core: &Core,
    want: &Want<'_, Frame>,
    emit: Emit<'_, Frame>,
) -> Result<(), Unanswered> {
    let (pid, process) = (core.pid(), core.process_name());
    let mut walker = walker(core);
    let mut left = most_words(core);
    // Every frame has a word of its own, so more frames than words mean that the threads share a
    // stack.
    let emit: Emit<'_, Frame> = &mut |row: Frame| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            emit.row(row)
        }
        None => Flow::Break(()),
    };
    let threads = started(core)?;
    if core.symbols.may_ask() && frames::needs_names(want) {
        fetch(core, &threads, |thread| owner(thread, pid, &process).is_wanted(want, frames::owner));
    }
    for thread in threads {
        let owner = owner(&thread, pid, &process);
        if !owner.is_wanted(want, frames::owner) {
            continue;
        }
        let frames = frames_of(core, &mut walker, &thread);
        if frames::each(core, &owner, &frames, want, emit).is_break() {
            break;
        }
        let (Some(guest), Some(view)) = (&thread.guest, core.narrow_view()) else { continue };
        let behind = guest.frames(&mut walker);
        let first = frames.len();
        if frames::each_guest(&view, &owner, (first, &behind), want, emit).is_break() {
            break;
        }
    }
    Ok(())
}

/// Fetches the symbols that frames of threads need from symbol servers, several files at a time.
fn fetch(core: &Core, threads: &[Started<'_>], is_wanted: impl Fn(&Started<'_>) -> bool) {
    let threads = || threads.iter().filter(|thread| is_wanted(thread));
    // Walks need the symbols of possible return addresses where the code is missing.
    let mut near = BTreeSet::new();
    for context in threads().filter_map(|thread| thread.context.as_ref().ok()) {
        let width = core.pointer_bytes();
        let places = context.sp().into_iter();
        let places = places.flat_map(|sp| (0..NEAR).filter_map(move |i| sp.checked_add(i * width)));
        let words = places.map_while(|at| core.pointer(at).ok());
        near.extend(words.chain(context.ip()).filter_map(|word| Scene::pdb(core, word)));
    }
    core.symbols.fetch_all(&near.into_iter().collect::<Vec<_>>());
    let mut walker = walker(core);
    let mut needed = BTreeSet::new();
    for thread in threads() {
        let mut frames = frames_of(core, &mut walker, thread);
        frames.extend(thread.guest.iter().flat_map(|guest| guest.frames(&mut walker)));
        needed.extend(frames.iter().filter_map(|frame| Scene::pdb(core, frame.inside())));
    }
    core.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
}

/// The words of each stack, from the stack pointer to the base.
pub(super) fn each_word(
    core: &Core,
    want: &Want<'_, StackWord>,
    emit: Emit<'_, StackWord>,
) -> Result<(), Unanswered> {
    let (pid, process) = (core.pid(), core.process_name());
    let mut walker = walker(core);
    let mut left = most_words(core);
    for thread in started(core)? {
        let owner = owner(&thread, pid, &process);
        let sp = thread.context.as_ref().map_err(|e| *e).and_then(Registers::sp);
        let Some(sp) = sp.ok().filter(|_| owner.is_wanted(want, words::owner)) else {
            continue;
        };
        let range = bounds::range(Some(sp), thread.end);
        let who = (&owner, walked_cpu(core));
        let what = (want, &mut left);
        if words::each(core, &mut walker, who, range, what, emit).is_break() {
            break;
        }
        let (Some(guest), Some(view)) = (&thread.guest, core.narrow_view()) else { continue };
        let who = (&owner, Some(Cpu::X86));
        let (range, what) = (guest.range(), (want, &mut left));
        if words::each(&view, &mut walker, who, range, what, emit).is_break() {
            break;
        }
    }
    Ok(())
}

/// A hash that equal stacks share, and the function that the thread is blocked in.
pub(super) fn verdict(
    core: &Core,
    walker: &mut Walker<'_>,
    thread: &md::MINIDUMP_THREAD,
) -> (Cell<u64>, Cell<String>) {
    let started = started_of(core, thread);
    let mut frames = frames_of(core, walker, &started);
    frames.extend(started.guest.iter().flat_map(|guest| guest.frames(walker)));
    (verdicts::stack_id(core, &frames), verdicts::blocker(core, &frames))
}

fn started_of<'a>(core: &'a Core, raw: &md::MINIDUMP_THREAD) -> Started<'a> {
    Started {
        tid: raw.thread_id,
        context: registers::context_of(core, raw),
        end: bounds::of(core, raw).base.ok(),
        guest: guest::guest_of(core, raw),
    }
}

/// The frames of the thread that raised the exception, without its 32-bit part.
pub(super) fn crash_frames(core: &Core) -> Vec<unwind::Frame> {
    let (Ok(raised), Ok(threads)) = (core.exception_stream(), started(core)) else {
        return Vec::new();
    };
    let thread = threads.into_iter().find(|thread| thread.tid == raised.thread_id);
    let mut walker = walker(core);
    thread.map_or_else(Vec::new, |thread| frames_of(core, &mut walker, &thread))
}

/// The limit on words and on frames of all stacks together.
fn most_words(core: &Core) -> u64 {
    words::most(core.streams.image().len(), core.pointer_bytes())
}

/// A walker whose reads are limited to what the stacks of a file of this size can need.
pub(super) fn walker(core: &Core) -> Walker<'_> {
    let mut knowledge = Knowledge::default();
    let reads = most_words(core).saturating_mul(READS_OF_WORD).saturating_add(READS_OF_ANY);
    knowledge.allow(reads.min(Knowledge::MAX_WORDS));
    Walker::with(core, knowledge)
}

/// The processor architecture of the stacks, if walks support it.
fn walked_cpu(core: &Core) -> Option<Cpu> {
    match core.machine().arch {
        "x86" => Some(Cpu::X86),
        "x64" => Some(Cpu::X64),
        "arm64" => Some(Cpu::Arm64),
        _ => None,
    }
}

/// The frames of a thread; only the innermost if walks do not support the processor.
fn frames_of(core: &Core, walker: &mut Walker<'_>, thread: &Started<'_>) -> Vec<unwind::Frame> {
    let Ok(context) = &thread.context else { return Vec::new() };
    if let Some(cpu) = walked_cpu(core) {
        let registers = unwind::Registers::named(cpu, context.all());
        return walker.walk(registers, &bounds::range(context.sp().ok(), thread.end), MAX_FRAMES);
    }
    let (Ok(ip), Ok(sp)) = (context.ip(), context.sp()) else { return Vec::new() };
    let (return_address, arguments) = (None, None);
    let trust = Trust::Context;
    vec![unwind::Frame { ip, sp, return_address, arguments, trust, is_exact: true }]
}

fn owner(thread: &Started<'_>, pid: Cell<i64>, process: &Cell<String>) -> Owner {
    let (ethread, tid) = (Err(Absent::NotApplicable), Ok(thread.tid.into()));
    Owner { ethread, tid, pid, process: process.clone() }
}
