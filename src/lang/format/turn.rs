//! PIVOT, UNPIVOT and samples as text.

use super::expr::expr;
use super::query::{item, query};
use super::{ident, list};
use crate::lang::ast::{
    Expr, Ident, Pivot, PivotOn, PivotValues, Sample, SampleMethod, SampleSize, Turn, Unpivot,
};

/// The operation as it follows the table.
pub(super) fn turn(turn: &Turn) -> String {
    match turn {
        Turn::Pivot(pivot) => pivoted(pivot),
        Turn::Unpivot(unpivot) => unpivoted(unpivot),
        Turn::Sample(sample) => sampled(sample),
    }
}

fn named((value, name): &(Expr, Option<Ident>)) -> String {
    let name = name.as_ref().map(|name| format!(" AS {}", ident(name)));
    expr(value, 0) + &name.unwrap_or_default()
}

fn pivoted(pivot: &Pivot) -> String {
    let on = |on: &PivotOn| {
        let value = expr(&on.expr, 0);
        match &on.values {
            PivotValues::All => value,
            PivotValues::Listed(values) => format!("{value} IN ({})", list(values, ", ", named)),
            PivotValues::Queried(inner) => format!("{value} IN ({})", query(inner)),
        }
    };
    let mut parts = Vec::new();
    if !pivot.using.is_empty() {
        parts.push(list(&pivot.using, ", ", named));
    }
    if !pivot.on.is_empty() {
        parts.push(format!("FOR {}", list(&pivot.on, " ", on)));
    }
    if let Some(keys) = &pivot.keys {
        parts.push(format!("GROUP BY {}", list(keys, ", ", |key| expr(key, 0))));
    }
    format!("PIVOT ({})", parts.join(" "))
}

fn unpivoted(unpivot: &Unpivot) -> String {
    let values = match unpivot.values.as_slice() {
        [one] => ident(one),
        several => super::query::columns(several),
    };
    let nulls = if unpivot.nulls { "INCLUDE NULLS " } else { "" };
    let items = list(&unpivot.items, ", ", item);
    format!("UNPIVOT {nulls}({values} FOR {} IN ({items}))", ident(&unpivot.name))
}

fn sampled(sample: &Sample) -> String {
    let method = match sample.method {
        SampleMethod::Bernoulli => "bernoulli",
        SampleMethod::Reservoir => "reservoir",
    };
    let size = match sample.size {
        SampleSize::Rows(rows) => format!("{rows} ROWS"),
        SampleSize::Percent(share) => format!("{share}%"),
    };
    let seed = sample.seed.map(|seed| format!(" REPEATABLE ({seed})"));
    format!("TABLESAMPLE {method}({size}){}", seed.unwrap_or_default())
}
