//! Rows of instructions.

use std::fmt::Write as _;

use super::{Named, Program};
use crate::catalog::{Absent, CallColumn, Cell, Ty, Value};
use crate::code::{Alignment, Instruction};
use crate::model::DynRow;

const NAMES: [&str; 16] = [
    "address",
    "bytes",
    "mnemonic",
    "operands",
    "target",
    "target_symbol",
    "memory_address",
    "memory_symbol",
    "is_call",
    "is_jump",
    "is_return",
    "block",
    "symbol",
    "source_file",
    "line",
    "alignment",
];

/// The columns; `alignment` matters only for backward disassembly.
pub(super) fn columns(is_back: bool) -> Vec<CallColumn> {
    let column = |name: &str| {
        let ty = match name {
            "address" | "target" | "memory_address" => Ty::Addr,
            "is_call" | "is_jump" | "is_return" => Ty::Bool,
            "line" => Ty::Int,
            _ => Ty::Text,
        };
        let hidden = name == "alignment" && !is_back;
        CallColumn { hidden, ..CallColumn::new(name, ty) }
    };
    NAMES.iter().map(|name| column(name)).collect()
}

/// Makes rows with the wanted columns.
pub(super) struct Maker<'a> {
    program: &'a dyn Program,
    wanted: &'a [bool],
}

impl<'a> Maker<'a> {
    pub(super) const fn new(program: &'a dyn Program, wanted: &'a [bool]) -> Self {
        Self { program, wanted }
    }

    fn wants(&self, column: &str) -> bool {
        let index = NAMES.iter().position(|name| *name == column);
        index.and_then(|index| self.wanted.get(index)).copied().unwrap_or(true)
    }

    /// The name of a basic block.
    pub(super) fn label(&self, start: u64) -> Option<String> {
        if !self.wants("block") {
            return None;
        }
        let place = self.program.space().locate(start);
        Some(place.map_or_else(|_| format!("{start:#x}"), |place| place.display()))
    }

    fn name(&self, column: &str, address: Option<u64>) -> Cell<Value<'static>> {
        let address = address.filter(|_| self.wants(column)).ok_or(Absent::NotApplicable)?;
        self.program.space().locate(address).map(|place| Value::text(place.display()))
    }

    /// The row of an instruction.
    pub(super) fn row(
        &self,
        found: &Instruction,
        block: Option<&str>,
        alignment: Option<Alignment>,
    ) -> DynRow {
        let missing = Err(Absent::NotApplicable);
        let address =
            |address: Option<u64>| address.map_or(missing.clone(), |at| Ok(Value::Addr(at)));
        let text = |text: &str| {
            let is_empty = text.is_empty();
            if is_empty { missing.clone() } else { Ok(Value::text(text.to_owned())) }
        };
        let (mut mnemonic, mut operands) = (missing.clone(), missing.clone());
        if self.wants("mnemonic") || self.wants("operands") {
            let shown = found.text(&Named(self.program.space()));
            (mnemonic, operands) = (text(&shown.mnemonic), text(&shown.operands));
        }
        let mut bytes = String::new();
        for byte in found.bytes() {
            let _ = write!(bytes, "{byte:02x}");
        }
        let is_source = self.wants("source_file") || self.wants("line");
        let line = is_source.then(|| self.program.line(found.address)).flatten();
        vec![
            Ok(Value::Addr(found.address)),
            text(&bytes),
            mnemonic,
            operands,
            address(found.target),
            self.name("target_symbol", found.target),
            address(found.memory),
            self.name("memory_symbol", found.memory),
            Ok(Value::Bool(found.is_call())),
            Ok(Value::Bool(found.is_jump())),
            Ok(Value::Bool(found.is_return())),
            block.map_or(missing.clone(), text),
            self.name("symbol", Some(found.address)),
            line.as_ref().map_or(Err(Absent::NoSymbols), |(file, _)| text(file)),
            line.as_ref()
                .map_or(Err(Absent::NoSymbols), |(_, line)| Ok(Value::Int((*line).into()))),
            alignment.map_or(missing.clone(), |how| text(how.text())),
        ]
    }
}
