//! Queries over decimals, days, lists, structures and maps.

use super::{Dice, Writer};

/// That many queries.
pub(crate) fn typed(count: usize) -> Vec<String> {
    let mut dice = Dice(23);
    (0..count).map(|_| one(&mut dice)).collect()
}

impl Writer<'_> {
    fn decimal(&mut self, depth: usize) -> String {
        if depth == 0 {
            let (digits, places) = (self.dice.number(-999, 999), self.dice.number(0, 3));
            return match self.dice.roll(4) {
                0 => format!("({digits})::DECIMAL(7, {places})"),
                1 => {
                    let column = self.column(&["a", "id"]);
                    format!("{column}::DECIMAL(9, {places})")
                }
                _ => {
                    let column = self.column(&["d"]);
                    format!("{column}::DECIMAL(9, {places})")
                }
            };
        }
        let d = depth - 1;
        match self.dice.roll(14) {
            0 => format!("({} + {})", self.decimal(d), self.decimal(d)),
            1 => format!("({} - {})", self.decimal(d), self.decimal(0)),
            2 => format!("({} * {})", self.decimal(0), self.decimal(0)),
            3 => format!("({} % {})", self.decimal(0), self.decimal(0)),
            4 => format!("-({})", self.decimal(d)),
            5 => format!("abs({})", self.decimal(d)),
            6 => format!("round({}, {})", self.decimal(d), self.dice.number(0, 3)),
            7 => format!("{}({})", self.dice.pick(&["floor", "ceil", "trunc"]), self.decimal(d)),
            8 => format!("({} + {})", self.decimal(d), self.dice.number(-9, 9)),
            9 => format!("({} * {})", self.decimal(0), self.dice.pick(&["2", "0.5", "1.25"])),
            10 => format!("coalesce({}, {})", self.decimal(d), self.decimal(0)),
            11 => {
                let (test, yes, no) = (self.truth(1), self.decimal(d), self.decimal(0));
                format!("CASE WHEN {test} THEN {yes} ELSE {no} END")
            }
            12 => format!("greatest({}, {})", self.decimal(d), self.decimal(0)),
            _ => format!("CAST({} AS DECIMAL(12, {}))", self.decimal(d), self.dice.number(0, 3)),
        }
    }

    fn day(&mut self, depth: usize) -> String {
        if depth == 0 {
            let column = self.column(&["ts"]);
            return match self.dice.roll(3) {
                0 => format!("DATE '2007-11-{:02}'", self.dice.number(1, 30)),
                _ => format!("{column}::DATE"),
            };
        }
        let d = depth - 1;
        match self.dice.roll(6) {
            0 => format!("({} + {})", self.day(d), self.dice.number(-40, 40)),
            1 => format!("({} - {})", self.day(d), self.dice.number(-40, 40)),
            2 => format!("last_day({})", self.day(d)),
            3 => format!("least({}, {})", self.day(d), self.day(0)),
            4 => format!("coalesce({}, {})", self.day(d), self.day(0)),
            _ => format!(
                "CAST(date_trunc('{}', {}) AS DATE)",
                self.dice.pick(&["month", "year", "week", "quarter"]),
                self.day(d)
            ),
        }
    }

    /// A list of integers.
    fn list(&mut self, depth: usize) -> String {
        if depth == 0 {
            let (x, y) = (self.int(0), self.int(0));
            return match self.dice.roll(4) {
                0 => format!("[{x}]"),
                1 => format!("[{x}, {y}, NULL]"),
                _ => format!("[{x}, {y}, {}]", self.int(0)),
            };
        }
        let d = depth - 1;
        match self.dice.roll(12) {
            0 => format!("list_sort({})", self.list(d)),
            1 => format!("list_reverse({})", self.list(d)),
            2 => format!("list_concat({}, {})", self.list(d), self.list(0)),
            3 => format!("list_sort(list_distinct({}))", self.list(d)),
            4 => {
                format!("list_filter({}, lambda e: e > {})", self.list(d), self.dice.number(-5, 9))
            }
            5 => format!("list_transform({}, lambda e: e * 2)", self.list(d)),
            6 => format!(
                "list_slice({}, {}, {})",
                self.list(d),
                self.dice.number(-3, 3),
                self.dice.number(-3, 4)
            ),
            7 => format!("list_append({}, {})", self.list(d), self.int(0)),
            8 => format!("array_pop_front({})", self.list(d)),
            9 => format!("list_resize({}, {})", self.list(d), self.dice.number(0, 4)),
            10 => format!("[e + i FOR e, i IN {}]", self.list(d)),
            _ => format!("range({})", self.dice.number(0, 5)),
        }
    }

    fn of_types(&mut self) -> String {
        match self.dice.roll(22) {
            0..=4 => self.decimal(2),
            5 => format!("{} / {}", self.decimal(1), self.decimal(0)),
            6 => format!("CAST({} AS DOUBLE)", self.decimal(1)),
            7 => format!("CAST({} AS VARCHAR)", self.decimal(1)),
            8 => format!("CAST({} AS BIGINT)", self.decimal(1)),
            9 | 10 => self.day(2),
            11 => format!("{} - {}", self.day(1), self.day(1)),
            12 => format!("CAST({} AS VARCHAR)", self.day(1)),
            13 => format!(
                "date_part('{}', {})",
                self.dice.pick(&["year", "doy", "dow", "week"]),
                self.day(1)
            ),
            14 | 15 => self.list(2),
            16 => format!("{}[{}]", self.list(1), self.dice.number(-3, 3)),
            17 => format!("length({})", self.list(1)),
            18 => format!(
                "list_{}({})",
                self.dice.pick(&["sum", "min", "max", "count"]),
                self.list(1)
            ),
            19 => format!("list_contains({}, {})", self.list(1), self.dice.number(-5, 9)),
            20 => format!("{{'a': {}, 'b': {}}}", self.int(1), self.text(0)),
            _ => format!("struct_insert({{'a': {}}}, b := {})", self.int(0), self.decimal(0)),
        }
    }

    fn typed_truth(&mut self) -> String {
        let compare = ["=", "<>", "<", "<=", ">", ">="];
        let op = self.dice.pick(&compare);
        match self.dice.roll(9) {
            0 | 1 => format!("{} {op} {}", self.decimal(1), self.decimal(1)),
            2 => format!("{} {op} {}", self.decimal(1), self.int(1)),
            3 => format!(
                "{} {op} {}",
                self.decimal(1),
                self.dice.pick(&["0.5", "-1.25", "3", "'2.5'"])
            ),
            4 => format!("{} BETWEEN {} AND {}", self.decimal(1), self.decimal(0), self.decimal(0)),
            5 => {
                format!("{} IN ({}, {})", self.decimal(0), self.decimal(0), self.dice.number(-9, 9))
            }
            6 => format!("{} {op} {}", self.day(1), self.day(1)),
            7 => format!("{} {op} {}", self.list(1), self.list(1)),
            _ => format!("{} IS DISTINCT FROM {}", self.decimal(1), self.decimal(0)),
        }
    }

    fn typed_aggregate(&mut self) -> String {
        let call = match self.dice.roll(18) {
            0 | 1 => format!("sum({})", self.decimal(1)),
            2 => format!("avg({})", self.decimal(1)),
            3 => format!("min({})", self.decimal(1)),
            4 => format!("max({})", self.day(1)),
            5 => format!("count(DISTINCT {})", self.decimal(1)),
            6 => format!("median({})", self.decimal(0)),
            7 => format!("max({}, {})", self.int(1), self.dice.number(1, 4)),
            8 => format!("min({}, 2)", self.decimal(1)),
            9 => format!("arg_max({}, id)", self.text(0)),
            10 => format!("arg_min({}, id, 2)", self.day(0)),
            11 => "histogram(a)".to_owned(),
            12 => "histogram(b, [-500, 0, 500])".to_owned(),
            13 => format!("quantile_disc({}, [0.25, 0.5])", self.column(&["a", "b"])),
            14 => "quantile_cont(d, [0.1, 0.9])".to_owned(),
            15 => format!("list({} ORDER BY id)", self.int(1)),
            16 => format!("max({})", self.list(1)),
            _ => format!("sum(DISTINCT {})", self.decimal(0)),
        };
        if self.dice.one_in(5) { format!("{call} FILTER (WHERE {})", self.truth(1)) } else { call }
    }
}

fn one(dice: &mut Dice) -> String {
    let shape = dice.roll(8);
    let from: &[&str] = if shape == 4 { &["x", "y"] } else { &[""] };
    let mut w = Writer { dice, from };
    match shape {
        0 | 1 => {
            let distinct = if w.dice.one_in(4) { "DISTINCT " } else { "" };
            let items = [w.of_types(), w.of_types()].join(", ");
            format!("SELECT {distinct}{items} FROM t WHERE {}", w.truth(1))
        }
        2 => format!("SELECT id FROM t WHERE {}", w.typed_truth()),
        3 => {
            let key = match w.dice.roll(4) {
                0 => w.day(0),
                1 => w.list(0),
                _ => w.decimal(1),
            };
            let (first, second) = (w.typed_aggregate(), w.aggregate());
            format!("SELECT {key}, {first}, {second} FROM t GROUP BY 1")
        }
        4 => {
            let kind = w.dice.pick(&["JOIN", "LEFT JOIN", "FULL JOIN"]);
            let places = w.dice.number(0, 2);
            let (item, filter) = (w.of_types(), w.truth(1));
            format!(
                "SELECT x.id, y.id, {item} FROM t x {kind} u y ON x.d::DECIMAL(9, {places}) = y.a WHERE {filter}"
            )
        }
        5 => {
            let (first, second, third) =
                (w.typed_aggregate(), w.typed_aggregate(), w.typed_aggregate());
            format!("SELECT w, {first}, {second}, {third} FROM t WHERE {} GROUP BY w", w.truth(1))
        }
        6 => {
            let (key, item) = (w.decimal(1), w.of_types());
            let order = w.dice.pick(&["", " DESC", " NULLS FIRST"]);
            format!(
                "SELECT id, {item} FROM t ORDER BY {key}{order}, id LIMIT {}",
                w.dice.number(1, 20)
            )
        }
        _ => {
            let x = w.decimal(0);
            let by = w.dice.pick(&["", "PARTITION BY w "]);
            let call = w.dice.pick(&["sum", "avg", "min", "max", "count"]);
            format!(
                "SELECT id, {call}({x}) OVER ({by}ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), rank() OVER ({by}ORDER BY {x}) FROM t"
            )
        }
    }
}
