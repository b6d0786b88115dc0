//! `disassembly`: one row for each instruction that a log lists; dumps have the function `disasm`.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Instruction;

pub(super) static TABLE: TableDef<Instruction> = TableDef {
    doc: "One row for each instruction that a log lists; dumps have the function `disasm`.",
    answers: "u, ub, uf",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT address, mnemonic, operands, target_symbol FROM disassembly WHERE is_call",
        doc: "The calls.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.address, "Address of the instruction.", Get::Addr(|r| r.address)),
        Column::new(
            |c| c.symbol,
            "Symbol of the listing that it is in.",
            Get::Text(|r| text(&r.symbol)),
        ),
        Column::new(|c| c.bytes, "Its bytes, in hex.", Get::Text(|r| text(&r.bytes))),
        Column::new(|c| c.mnemonic, "Mnemonic.", Get::Text(|r| text(&r.mnemonic))),
        Column::new(|c| c.operands, "Operands.", Get::Text(|r| text(&r.operands))),
        Column::new(
            |c| c.target,
            "Address that it refers to or branches to.",
            Get::Addr(|r| r.target),
        ),
        Column::new(
            |c| c.target_symbol,
            "Symbol of that address.",
            Get::Text(|r| text(&r.target_symbol)),
        ),
        Column::new(|c| c.is_call, "Whether it calls.", Get::Bool(|r| r.is_call)),
        Column::new(
            |c| c.block,
            "Label of the block that it is in.",
            Get::Text(|r| text(&r.block)),
        ),
    ],
};
