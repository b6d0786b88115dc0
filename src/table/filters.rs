//! `filters`: one row for each file system filter, and one for each of its instances.

use super::def::{Column, Get, Rows, TableDef, text};
use crate::catalog::{Example, SourceKind};
use crate::model::Filter;

pub(super) static TABLE: TableDef<Filter> = TableDef {
    doc: "One row for each file system filter, and one for each of its instances.",
    answers: "!fltkd.filters, !fltkd.instances",
    kinds: &[SourceKind::Log],
    examples: &[Example {
        sql: "SELECT name, altitude, count(*) FROM filters WHERE is_instance GROUP BY ALL ORDER BY 2",
        doc: "Filters by altitude and how often each is attached.",
    }],
    rows: Rows::Source,
    columns: &[
        Column::new(|c| c.filter, "Address of the `_FLT_FILTER`.", Get::Addr(|r| r.filter)),
        Column::new(|c| c.name, "Name of the filter.", Get::Text(|r| text(&r.name))),
        Column::new(|c| c.altitude, "Altitude, as written.", Get::Text(|r| text(&r.altitude))),
        Column::new(|c| c.frame, "Frame that it is in.", Get::Text(|r| text(&r.frame))),
        Column::new(
            |c| c.is_instance,
            "Whether the row is an instance.",
            Get::Bool(|r| r.is_instance),
        ),
        Column::new(|c| c.instance, "Address of the `_FLT_INSTANCE`.", Get::Addr(|r| r.instance)),
        Column::new(
            |c| c.instance_name,
            "Name of the instance.",
            Get::Text(|r| text(&r.instance_name)),
        ),
        Column::new(
            |c| c.volume,
            "Address of the `_FLT_VOLUME` of an instance, where volumes are listed.",
            Get::Addr(|r| r.volume),
        ),
        Column::new(|c| c.volume_name, "Name of that volume.", Get::Text(|r| text(&r.volume_name))),
    ],
};
