//! Stacks of the threads: their contexts, and the memory that the dump holds of their stacks.

use std::collections::BTreeSet;
use std::ops::Range;

use minidump::format as md;
use minidump::system_info::Os;

use super::UserDump;
use super::guest::Guest;
use super::registers::Registers;
use super::streams::{List, kind};
use crate::catalog::{Absent, Cell};
use crate::model::{Emit, Flow, Frame, Located, StackWord, Unanswered, Want};
use crate::source::frames::{self, Owner, Scene};
use crate::source::{verdicts, words};
use crate::symbol::PdbId;
use crate::unwind::{self, Cpu, Knowledge, MAX_FRAMES, Span, Target, Trust, Walker};

/// Where nothing says how far a stack goes, it is looked at so far.
const MOST_OF_STACK: u64 = 64 << 20;

/// So many words of a stack are likely to be looked at.
const NEAR: u64 = 256;

/// Walks read at most so many words for each word that the file has room for, and some more: a scan
/// looks at most words once for each frame that is near.
const READS_OF_WORD: u64 = 64;
const READS_OF_ANY: u64 = 1 << 16;

/// A thread with what walking its stack starts from.
pub(super) struct Started<'a> {
    pub(super) tid: u32,
    pub(super) context: Cell<Registers<'a>>,
    /// The end of its stack, if the dump says.
    end: Option<u64>,
    /// Its 32-bit part, in a 64-bit process.
    guest: Option<Guest>,
}

impl UserDump {
    /// The threads of the dump in its order; a thread that only the exception tells of comes last.
    pub(super) fn started(&self) -> Result<Vec<Started<'_>>, Unanswered> {
        let list = self.streams.list::<md::MINIDUMP_THREAD>(kind::THREADS);
        let raised = self.exception_stream().ok();
        let list = match (list, &raised) {
            (Ok(list), _) => Some(list),
            (Err(gap), None) => return Err(gap.into()),
            (Err(_), Some(_)) => None,
        };
        let mut all: Vec<Started<'_>> =
            list.iter().flat_map(List::iter).map(|raw| self.started_of(&raw)).collect();
        if let Some(raised) = raised.filter(|raised| all.iter().all(|t| t.tid != raised.thread_id))
        {
            let context = self.context_at(raised.thread_context);
            all.push(Started { tid: raised.thread_id, context, end: None, guest: None });
        }
        Ok(all)
    }

    pub(super) fn each_frame(
        &self,
        want: &Want<'_, Frame>,
        emit: Emit<'_, Frame>,
    ) -> Result<(), Unanswered> {
        let (pid, process) = (self.pid(), self.process_name());
        let mut walker = self.walker();
        let mut left = self.most_words();
        // Every frame has a word of its own: more frames than words are of threads that all have the
        // same stack.
        let emit: Emit<'_, Frame> = &mut |row: Frame| match left.checked_sub(1) {
            Some(fewer) => {
                left = fewer;
                emit.row(row)
            }
            None => Flow::Break(()),
        };
        let threads = self.started()?;
        if self.symbols.may_ask() && frames::needs_names(want) {
            self.fetch(&threads, |thread| {
                owner(thread, pid, &process).is_wanted(want, frames::owner)
            });
        }
        for thread in threads {
            let owner = owner(&thread, pid, &process);
            if !owner.is_wanted(want, frames::owner) {
                continue;
            }
            let frames = self.frames_of(&mut walker, &thread);
            if frames::each(self, &owner, &frames, want, emit).is_break() {
                break;
            }
            let (Some(guest), Some(view)) = (&thread.guest, self.narrow_view()) else { continue };
            let behind = guest.frames(&mut walker);
            let first = frames.len();
            if frames::each_guest(&view, &owner, (first, &behind), want, emit).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Asks servers for the names that frames of threads need, several at a time.
    fn fetch(&self, threads: &[Started<'_>], is_wanted: impl Fn(&Started<'_>) -> bool) {
        let threads = || threads.iter().filter(|thread| is_wanted(thread));
        // Walks ask for the names of what may be a return address, where its code is not there.
        let mut near = BTreeSet::new();
        for context in threads().filter_map(|thread| thread.context.as_ref().ok()) {
            let width = self.pointer_bytes();
            let places = context.sp().into_iter();
            let places =
                places.flat_map(|sp| (0..NEAR).filter_map(move |i| sp.checked_add(i * width)));
            let words = places.map_while(|at| self.pointer(at).ok());
            near.extend(words.chain(context.ip()).filter_map(|word| self.pdb(word)));
        }
        self.symbols.fetch_all(&near.into_iter().collect::<Vec<_>>());
        let mut walker = self.walker();
        let mut needed = BTreeSet::new();
        for thread in threads() {
            let mut frames = self.frames_of(&mut walker, thread);
            frames.extend(thread.guest.iter().flat_map(|guest| guest.frames(&mut walker)));
            needed.extend(frames.iter().filter_map(|frame| self.pdb(frame.inside())));
        }
        self.symbols.fetch_all(&needed.into_iter().collect::<Vec<_>>());
    }

    /// The words of each stack, from its pointer to its end.
    pub(super) fn each_word(
        &self,
        want: &Want<'_, StackWord>,
        emit: Emit<'_, StackWord>,
    ) -> Result<(), Unanswered> {
        let (pid, process) = (self.pid(), self.process_name());
        let mut walker = self.walker();
        let mut left = self.most_words();
        for thread in self.started()? {
            let owner = owner(&thread, pid, &process);
            let sp = thread.context.as_ref().map_err(|e| *e).and_then(Registers::sp);
            let Some(sp) = sp.ok().filter(|_| owner.is_wanted(want, words::owner)) else {
                continue;
            };
            let range = stack(Some(sp), thread.end);
            let who = (&owner, self.walked_cpu());
            let what = (want, &mut left);
            if words::each(self, &mut walker, who, range, what, emit).is_break() {
                break;
            }
            let (Some(guest), Some(view)) = (&thread.guest, self.narrow_view()) else { continue };
            let who = (&owner, Some(Cpu::X86));
            let (range, what) = (guest.range(), (want, &mut left));
            if words::each(&view, &mut walker, who, range, what, emit).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// What the stack of a thread says of it: a number that equal stacks share, and what it is
    /// blocked in.
    pub(super) fn verdict(
        &self,
        walker: &mut Walker<'_>,
        thread: &md::MINIDUMP_THREAD,
    ) -> (Cell<u64>, Cell<String>) {
        let started = self.started_of(thread);
        let mut frames = self.frames_of(walker, &started);
        frames.extend(started.guest.iter().flat_map(|guest| guest.frames(walker)));
        (verdicts::stack_id(self, &frames), verdicts::blocker(self, &frames))
    }

    fn started_of(&self, raw: &md::MINIDUMP_THREAD) -> Started<'_> {
        Started {
            tid: raw.thread_id,
            context: self.context_of(raw),
            end: self.stack(raw).base.ok(),
            guest: self.guest_of(raw),
        }
    }

    /// The frames of the thread that raised the exception, as far as they are of its own width.
    pub(super) fn crash_frames(&self) -> Vec<unwind::Frame> {
        let (Ok(raised), Ok(threads)) = (self.exception_stream(), self.started()) else {
            return Vec::new();
        };
        let thread = threads.into_iter().find(|thread| thread.tid == raised.thread_id);
        let mut walker = self.walker();
        thread.map_or_else(Vec::new, |thread| self.frames_of(&mut walker, &thread))
    }

    /// How many words, and how many frames, the stacks of all threads may have together.
    fn most_words(&self) -> u64 {
        words::most(self.streams.image().len(), self.pointer_bytes())
    }

    /// A walker that reads no more than the stacks of such a file can need.
    pub(super) fn walker(&self) -> Walker<'_> {
        let mut knowledge = Knowledge::default();
        let reads = self.most_words().saturating_mul(READS_OF_WORD).saturating_add(READS_OF_ANY);
        knowledge.allow(reads.min(Knowledge::MAX_WORDS));
        Walker::with(self, knowledge)
    }

    /// The processor whose stacks are walked, if it is one of them.
    fn walked_cpu(&self) -> Option<Cpu> {
        match self.machine().arch {
            "x86" => Some(Cpu::X86),
            "x64" => Some(Cpu::X64),
            "arm64" => Some(Cpu::Arm64),
            _ => None,
        }
    }

    /// The frames of a thread: of a processor whose stacks are not walked the innermost alone.
    pub(super) fn frames_of(
        &self,
        walker: &mut Walker<'_>,
        thread: &Started<'_>,
    ) -> Vec<unwind::Frame> {
        let Ok(context) = &thread.context else { return Vec::new() };
        if let Some(cpu) = self.walked_cpu() {
            let registers = unwind::Registers::named(cpu, context.all());
            return walker.walk(registers, &stack(context.sp().ok(), thread.end), MAX_FRAMES);
        }
        let (Ok(ip), Ok(sp)) = (context.ip(), context.sp()) else { return Vec::new() };
        let (return_address, arguments) = (None, None);
        let trust = Trust::Context;
        vec![unwind::Frame { ip, sp, return_address, arguments, trust, is_exact: true }]
    }
}

fn owner(thread: &Started<'_>, pid: Cell<i64>, process: &Cell<String>) -> Owner {
    let (ethread, tid) = (Err(Absent::NotApplicable), Ok(thread.tid.into()));
    Owner { ethread, tid, pid, process: process.clone() }
}

/// Where a stack may be: from its pointer to its end, or some way where that is not its end.
pub(super) fn stack(sp: Option<u64>, end: Option<u64>) -> Range<u64> {
    let sp = sp.unwrap_or_default();
    let far = sp.saturating_add(MOST_OF_STACK);
    sp..end.filter(|end| (sp..=far).contains(end)).unwrap_or(far)
}

impl Target for UserDump {
    fn read(&self, address: u64, buffer: &mut [u8]) -> bool {
        self.memory().read(&self.streams, address, buffer).is_ok()
    }

    fn module(&self, address: u64) -> Option<Span> {
        let span = self.module_map().find(address)?;
        Some(Span { base: span.base, end: span.end, space: 0 })
    }

    fn read_image(&self, module: Span, offset: u32, buffer: &mut [u8]) -> bool {
        let address = module.base.checked_add(offset.into());
        address.is_some_and(|address| Target::read(self, address, buffer))
            || self.image_file(module.base).is_some_and(|file| file.read(offset, buffer))
    }

    fn starts_function(&self, address: u64) -> bool {
        let place = self.locate_module(address);
        place.is_ok_and(|place| place.symbol.is_some() && place.offset == 0)
    }

    fn has_frame_pointers(&self) -> bool {
        !matches!(self.os(), Some(Os::Windows) | None)
    }
}

impl Scene for UserDump {
    fn locate(&self, address: u64) -> Cell<Located> {
        self.locate_module(address)
    }

    fn pdb(&self, address: u64) -> Option<PdbId> {
        self.module_map().find(address)?.pdb.clone()
    }

    fn line(&self, address: u64) -> Option<(String, u32)> {
        let span = self.module_map().find(address)?;
        self.names_in(span)?.line(address - span.base)
    }

    fn word(&self, address: u64) -> Cell<u64> {
        self.pointer(address)
    }

    fn word_bytes(&self) -> u64 {
        self.pointer_bytes()
    }

    fn place(&self, address: u64) -> Option<(String, u64)> {
        let span = self.module_map().find(address)?;
        let file = span.file_name.as_deref().ok()?;
        Some((self.module_name(file).to_owned(), address - span.base))
    }

    fn bytes(&self, address: u64, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        while !bytes.is_empty() && !Target::read(self, address, &mut bytes) {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    }
}
