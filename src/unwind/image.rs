//! What stack walks need from an image: its code sections, and its function table.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use super::call::{LONGEST, follows_call};
use super::{Cpu, Span, Target};
use crate::symbol::image::{Image, ImageSection};

/// Upper limit on cached rules; no system's stacks need more at once.
const MAX_RULES: usize = 1 << 16;
/// Upper limit on words that all walks read; a hundred thousand threads with stacks of usual depth
/// need a tenth of it.
pub(super) const MAX_WORDS: u64 = 1 << 26;
/// The section characteristic of code.
const EXECUTE: u32 = 0x2000_0000;
const PAGE: u64 = 0x1000;

/// What walks have learnt about images.
#[derive(Debug)]
pub(super) struct Images {
    spent: Cell<u64>,
    /// How many words may be read.
    most: u64,
    known: HashMap<(u64, u64), Option<Arc<Code>>>,
    /// The unwind rule at an address, by address space, address, and whether the address is exact.
    rules: HashMap<(u64, u64, bool), Rule>,
    /// Whether words are return addresses.
    returns: HashMap<(u64, u64), Likely>,
}

/// Something that is needed is missing or invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap;

/// Whether a word is a return address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Likely {
    /// No: there is no code before it, or no call, or a function starts there.
    No,
    /// Unknown: the code is missing.
    Maybe,
    /// Yes: a call precedes it.
    Proven,
}

/// How to unwind the function at an address.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    X64(Arc<super::x64::Function>),
    Arm64(Arc<super::arm64::Function>),
    /// The function table exists and has no entry: a leaf function, which keeps nothing on the
    /// stack.
    Leaf,
    /// Unknown.
    Unknown,
}

/// The parts of an image that walks need.
#[derive(Debug)]
pub(super) struct Code {
    sections: Vec<ImageSection>,
    /// Offset and size of the function table.
    functions: Option<(u32, u32)>,
}

impl Code {
    fn read(target: &dyn Target, module: Span) -> Option<Self> {
        let read = |at: u32, buffer: &mut [u8]| target.read_image(module, at, buffer);
        let image = Image::new(&read)?;
        Some(Self { sections: image.sections(), functions: image.functions() })
    }

    /// Offset and size of the function table.
    pub(super) const fn functions(&self) -> Option<(u32, u32)> {
        self.functions
    }

    /// Whether code may be at an offset.
    fn is_code(&self, offset: u64) -> bool {
        let holds = |section: &&ImageSection| {
            let start = u64::from(section.start);
            (start..start + u64::from(section.size)).contains(&offset)
        };
        match self.sections.iter().find(holds) {
            Some(section) => section.characteristics & EXECUTE != 0,
            // If the sections cannot be read, every offset may be code.
            None => self.sections.is_empty(),
        }
    }
}

impl Default for Images {
    fn default() -> Self {
        let (known, rules, returns) = Default::default();
        Self { spent: Cell::new(0), most: MAX_WORDS, known, rules, returns }
    }
}

impl Images {
    /// Counts a word that is read; `None` when all walks together have read so much that only
    /// damage explains it.
    pub(super) fn spend(&self) -> Option<()> {
        let spent = self.spent.get() + 1;
        self.spent.set(spent);
        (spent < self.most).then_some(())
    }

    /// Sets how many words may be read from now on.
    pub(super) fn allow(&mut self, most: u64) {
        self.most = most;
        self.spent.set(0);
    }

    /// How many words were read.
    pub(super) const fn spent(&self) -> u64 {
        self.spent.get()
    }

    /// What is known about a module's image, if its headers can be read.
    pub(super) fn code(&mut self, target: &dyn Target, module: Span) -> Option<Arc<Code>> {
        let known = self.known.entry((module.space, module.base));
        known.or_insert_with(|| Code::read(target, module).map(Arc::new)).clone()
    }

    /// Whether an address of a module may be code.
    pub(super) fn is_code(&mut self, target: &dyn Target, module: Span, address: u64) -> bool {
        let offset = address.wrapping_sub(module.base);
        self.code(target, module).is_none_or(|code| code.is_code(offset))
    }

    /// The rule for an address, cached.
    pub(super) fn rule(
        &mut self,
        key: (u64, u64, bool),
        make: impl FnOnce(&mut Self) -> Rule,
    ) -> Rule {
        if let Some(rule) = self.rules.get(&key) {
            return rule.clone();
        }
        let rule = make(self);
        if self.rules.len() >= MAX_RULES {
            self.rules.clear();
        }
        self.rules.insert(key, rule.clone());
        rule
    }

    /// Whether a word may be a return address: it is in the code of a module and, if the code can
    /// be read, behind a call.
    pub(super) fn is_return(&mut self, target: &dyn Target, cpu: Cpu, address: u64) -> bool {
        self.likely(target, cpu, address) >= Likely::Maybe
    }

    /// How likely a word is a return address.
    pub(super) fn likely(&mut self, target: &dyn Target, cpu: Cpu, address: u64) -> Likely {
        let Some(module) = target.module(address.wrapping_sub(1)) else { return Likely::No };
        // No image has code in the page of its headers, and no call returns to the start of the
        // next image.
        let is_start = || target.module(address).is_some_and(|next| next.base == address);
        if address < module.base.saturating_add(PAGE) || is_start() {
            return Likely::No;
        }
        if let Some(known) = self.returns.get(&(module.space, address)) {
            return *known;
        }
        let is = self.judge(target, cpu, module, address);
        if self.returns.len() >= MAX_RULES {
            self.returns.clear();
        }
        self.returns.insert((module.space, address), is);
        is
    }

    fn judge(&mut self, target: &dyn Target, cpu: Cpu, module: Span, address: u64) -> Likely {
        let offset = address - module.base;
        if self.code(target, module).is_some_and(|code| !code.is_code(offset - 1)) {
            return Likely::No;
        }
        match call_before(target, cpu, module, offset) {
            Some(true) => Likely::Proven,
            Some(false) => Likely::No,
            None if target.starts_function(address) => Likely::No,
            None => Likely::Maybe,
        }
    }
}

/// Whether a call precedes an offset of a module; `None` if its code cannot be read.
pub(super) fn call_before(
    target: &dyn Target,
    cpu: Cpu,
    module: Span,
    offset: u64,
) -> Option<bool> {
    call_bytes(target, module, offset).map(|bytes| follows_call(cpu, &bytes))
}

/// The bytes of a module before an offset, as many as the longest call has.
pub(super) fn call_bytes(target: &dyn Target, module: Span, offset: u64) -> Option<[u8; LONGEST]> {
    let mut bytes = [0; LONGEST];
    let start = u32::try_from(offset.checked_sub(LONGEST as u64)?).ok()?;
    target.read_image(module, start, &mut bytes).then_some(bytes)
}
