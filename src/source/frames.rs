//! Rows of stacks: the frames of a walk with their symbols, and the columns that describe the whole
//! stack.

use crate::catalog::{Absent, Cell};
use crate::model::{ColumnId, ColumnsOf, Emit, Flow, Frame, Located, Row, Want};
use crate::symbol::PdbId;
use crate::unwind;

/// The columns that identify the thread of a row.
pub(crate) struct OwnerColumns<R> {
    pub(crate) ethread: ColumnId<R>,
    pub(crate) tid: ColumnId<R>,
    pub(crate) pid: Option<ColumnId<R>>,
}

/// The thread of a stack.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) ethread: Cell<u64>,
    pub(crate) tid: Cell<i64>,
    pub(crate) pid: Cell<i64>,
    pub(crate) process: Cell<String>,
}

impl Owner {
    /// Whether a query may want rows of the thread, by its conditions on these columns.
    pub(crate) fn is_wanted<R: Row>(
        &self,
        want: &Want<'_, R>,
        columns: impl FnOnce(&R::Columns) -> OwnerColumns<R>,
    ) -> bool {
        let columns = columns(R::COLUMNS);
        let within = |column: Option<ColumnId<R>>, number: Cell<u64>| {
            let Some(column) = column else { return true };
            let (first, last) = want.addresses(|_| column);
            number.is_err() || number.is_ok_and(|number| (first..=last).contains(&number))
        };
        let unsigned = |id: Cell<i64>| id.map(i64::cast_unsigned);
        within(Some(columns.ethread), self.ethread)
            && within(Some(columns.tid), unsigned(self.tid))
            && within(columns.pid, unsigned(self.pid))
    }
}

/// What the stack of a thread needs besides its frames.
pub(crate) trait Scene {
    /// The module and symbol of an address.
    fn locate(&self, address: u64) -> Cell<Located>;

    /// The module of an address and the offset in it, without symbols.
    fn place(&self, address: u64) -> Option<(String, u64)>;

    /// The PDB of the module that contains an address.
    fn pdb(&self, address: u64) -> Option<PdbId>;

    /// Source file and line of the code at an address.
    fn line(&self, address: u64) -> Option<(String, u32)>;

    /// The pointer-sized word at an address.
    fn word(&self, address: u64) -> Cell<u64>;

    /// The size of a word.
    fn word_bytes(&self) -> u64;

    /// As many bytes at an address as can be read, at most `most`.
    fn bytes(&self, address: u64, most: usize) -> Vec<u8>;
}

/// The columns that identify the thread of a frame.
pub(crate) fn owner(c: &ColumnsOf<Frame>) -> OwnerColumns<Frame> {
    OwnerColumns { ethread: c.ethread, tid: c.tid, pid: Some(c.pid) }
}

/// Whether a query wants the name of an address.
fn needs_place(want: &Want<'_, Frame>) -> bool {
    want.has_any(|c| [c.module, c.symbol, c.offset])
}

fn needs_line(want: &Want<'_, Frame>) -> bool {
    want.has_any(|c| [c.source_file, c.line])
}

/// Whether a query wants columns that need symbols.
pub(crate) fn needs_names(want: &Want<'_, Frame>) -> bool {
    needs_place(want) || needs_line(want)
}

/// Emits the frames of a stack as rows.
pub(crate) fn each(
    scene: &dyn Scene,
    owner: &Owner,
    frames: &[unwind::Frame],
    want: &Want<'_, Frame>,
    emit: Emit<'_, Frame>,
) -> Flow {
    for (number, frame) in (0..).zip(frames) {
        emit.row(row(scene, owner, number, frame, want))?;
    }
    Flow::Continue(())
}

/// Emits the frames of 32-bit code behind those of the WoW64 layer that runs it; `first` is the
/// number of the first of them.
pub(crate) fn each_guest(
    scene: &dyn Scene,
    owner: &Owner,
    (first, frames): (usize, &[unwind::Frame]),
    want: &Want<'_, Frame>,
    emit: Emit<'_, Frame>,
) -> Flow {
    let first = i64::try_from(first).unwrap_or(i64::MAX);
    for (number, frame) in (first..).zip(frames) {
        emit.row(Frame { is_wow64: Ok(true), ..row(scene, owner, number, frame, want) })?;
    }
    Flow::Continue(())
}

fn row(
    scene: &dyn Scene,
    owner: &Owner,
    number: i64,
    frame: &unwind::Frame,
    want: &Want<'_, Frame>,
) -> Frame {
    let mut row = Frame {
        ethread: owner.ethread,
        tid: owner.tid,
        pid: owner.pid,
        frame: Ok(number),
        sp: Ok(frame.sp),
        ip: Ok(frame.ip),
        return_address: frame.return_address.ok_or(Absent::NotInDump),
        trust: Ok(frame.trust.text().to_owned()),
        is_inline: Ok(false),
        is_wow64: Ok(false),
        ..Frame::default()
    };
    if want.has(|c| c.process) {
        row.process.clone_from(&owner.process);
    }
    if needs_place(want) {
        name(scene, frame.ip, &mut row);
    }
    if needs_line(want) {
        let source = scene.line(frame.inside()).ok_or(Absent::NoSymbols);
        row.line = source.as_ref().map(|(_, line)| i64::from(*line)).map_err(|absent| *absent);
        row.source_file = source.map(|(file, _)| file);
    }
    if want.has_any(|c| [c.arg1, c.arg2, c.arg3, c.arg4]) {
        let word = |i: u64| {
            let at = frame.arguments.ok_or(Absent::NotApplicable)?;
            scene.word(at.checked_add(i * scene.word_bytes()).ok_or(Absent::Unreadable)?)
        };
        (row.arg1, row.arg2, row.arg3, row.arg4) = (word(0), word(1), word(2), word(3));
    }
    row
}

fn name(scene: &dyn Scene, ip: u64, row: &mut Frame) {
    match scene.locate(ip) {
        Ok(place) => {
            row.offset = i64::try_from(place.offset).map_err(|_| Absent::Unreadable);
            row.symbol = Ok(match &place.symbol {
                Some(symbol) => format!("{}!{symbol}", place.module),
                None => place.display(),
            });
            row.module = Ok(place.module);
        }
        Err(absent) => {
            (row.module, row.symbol, row.offset) = (Err(absent), Err(absent), Err(absent));
        }
    }
}
