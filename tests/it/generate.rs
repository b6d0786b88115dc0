//! Generates tables and queries for the comparison with DuckDB, deterministically.

mod types;
mod wide;

use dumpql::{Ty, Value};
pub(crate) use types::typed;
pub(crate) use wide::wide;

use crate::rows::Rows;

/// A generator of numbers that look random (a 64-bit linear congruential one, its high bits).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides
    }

    fn pick<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.roll(options.len())]
    }

    fn number(&mut self, low: i64, high: i64) -> i64 {
        low + i64::try_from(self.roll(usize::try_from(high - low + 1).expect("a range")))
            .expect("small")
    }

    /// One in that many times.
    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

const WORDS: [&str; 14] = [
    "ntfs",
    "NTFS",
    "Ntfs.sys",
    "tcpip",
    "afd",
    "AFD.SYS",
    "",
    "win32k base",
    "é",
    "a_b",
    "100%",
    "x",
    "xx",
    "zz top",
];

/// Three tables with NULLs, duplicates, negative numbers, ties, and text of both cases. `id` is
/// unique in each.
pub(crate) fn tables() -> Vec<Rows> {
    let mut dice = Dice(42);
    vec![table("t", 60, &mut dice), table("u", 25, &mut dice), table("v", 8, &mut dice)]
}

#[allow(clippy::many_single_char_names, reason = "they are the names of the columns")]
fn table(name: &'static str, count: i64, dice: &mut Dice) -> Rows {
    let columns = vec![
        ("id", Ty::Int),
        ("a", Ty::Int),
        ("b", Ty::Int),
        ("d", Ty::Double),
        ("s", Ty::Text),
        ("w", Ty::Text),
        ("f", Ty::Bool),
        ("ts", Ty::Time),
        ("p", Ty::Addr),
    ];
    let rows = (1..=count).map(|id| {
        let or_null = |value: Value<'static>, dice: &mut Dice| {
            if dice.one_in(6) { Value::Null } else { value }
        };
        let a = Value::Int(dice.number(-5, 12));
        let b = Value::Int(dice.number(-1000, 1000));
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let d = Value::Double(dice.number(-400, 400) as f64 / 8.0);
        let s = Value::text(dice.pick(&WORDS));
        let w = Value::text(dice.pick(&["red", "green", "blue"]));
        let f = Value::Bool(dice.one_in(2));
        let ts =
            Value::Time(1_194_600_000_000_000 + dice.number(-40_000_000, 40_000_000) * 1_000_000);
        let p = Value::Addr(
            u64::try_from(dice.number(0, 40)).expect("not negative") * 0x0400_0000_0000_0000 / 2,
        );
        let mut row = vec![Value::Int(id)];
        row.extend([a, b, d, s, w, f, ts, p].map(|v| or_null(v, dice)));
        row
    });
    Rows { name, columns, data: rows.collect() }
}

/// That many queries.
pub(crate) fn queries(count: usize) -> Vec<String> {
    let mut dice = Dice(7);
    (0..count).map(|n| query(n, &mut dice)).collect()
}

/// Writes expressions over the columns of some tables.
struct Writer<'a> {
    dice: &'a mut Dice,
    /// What stands before a column's name.
    from: &'a [&'a str],
}

impl Writer<'_> {
    fn column(&mut self, names: &[&str]) -> String {
        let table = self.dice.pick(self.from);
        let column = self.dice.pick(names);
        if table.is_empty() { column.to_owned() } else { format!("{table}.{column}") }
    }

    fn int(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.roll(4) {
                0 => self.dice.number(-9, 20).to_string(),
                _ => self.column(&["id", "a", "b"]),
            };
        }
        let d = depth - 1;
        match self.dice.roll(17) {
            0 => format!("({} + {})", self.int(d), self.int(d)),
            1 => format!("({} - {})", self.int(d), self.int(d)),
            2 => format!("({} * {})", self.int(d), self.int(0)),
            3 => format!("({} % {})", self.int(d), self.int(0)),
            4 => format!("({} // {})", self.int(d), self.int(0)),
            5 => format!("abs({})", self.int(d)),
            6 => format!("-({})", self.int(d)),
            7 => {
                format!("CASE WHEN {} THEN {} ELSE {} END", self.truth(d), self.int(d), self.int(d))
            }
            8 => format!("coalesce({}, {})", self.int(d), self.int(0)),
            9 => format!("nullif({}, {})", self.int(d), self.int(0)),
            10 => format!("length({})", self.text(d)),
            11 => format!("greatest({}, {})", self.int(d), self.int(0)),
            12 => format!("least({}, {})", self.int(d), self.int(0)),
            13 => format!("sign({})", self.int(d)),
            14 => format!("({} & {})", self.int(d), self.dice.number(0, 255)),
            15 => {
                let part = self
                    .dice
                    .pick(&["year", "month", "day", "hour", "minute", "dow", "doy", "week"]);
                format!("date_part('{part}', {})", self.column(&["ts"]))
            }
            _ => format!("CASE {} WHEN {} THEN {} END", self.int(0), self.int(0), self.int(d)),
        }
    }

    fn double(&mut self, depth: usize) -> String {
        if depth == 0 {
            return if self.dice.one_in(3) {
                format!("{}::DOUBLE", self.dice.number(-9, 9))
            } else {
                self.column(&["d"])
            };
        }
        let d = depth - 1;
        match self.dice.roll(9) {
            0 => format!("({} + {})", self.double(d), self.int(d)),
            1 => format!("({} - {})", self.double(d), self.double(d)),
            2 => format!("({} * {})", self.double(d), self.double(0)),
            3 => format!("({} / {})", self.double(d), self.int(0)),
            4 => format!("round({}, {})", self.double(d), self.dice.number(-1, 2)),
            5 => format!("floor({})", self.double(d)),
            6 => format!("ceil({})", self.double(d)),
            7 => format!("CAST({} AS DOUBLE)", self.int(d)),
            _ => format!("sqrt(abs({}))", self.double(d)),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.roll(4) {
                0 => format!("'{}'", self.dice.pick(&WORDS)),
                _ => self.column(&["s", "w"]),
            };
        }
        let d = depth - 1;
        match self.dice.roll(13) {
            0 => format!("lower({})", self.text(d)),
            1 => format!("upper({})", self.text(d)),
            2 => format!("({} || {})", self.text(d), self.text(0)),
            3 => format!(
                "substring({}, {}, {})",
                self.text(d),
                self.dice.number(-3, 4),
                self.dice.number(0, 4)
            ),
            4 => format!("replace({}, '{}', 'q')", self.text(d), self.dice.pick(&["t", "x", "s"])),
            5 => format!("left({}, {})", self.text(d), self.dice.number(-2, 4)),
            6 => format!("right({}, {})", self.text(d), self.dice.number(-2, 4)),
            7 => format!("lpad({}, {}, '*')", self.text(d), self.dice.number(0, 8)),
            8 => format!("trim({})", self.text(d)),
            9 => format!("coalesce({}, {})", self.text(d), self.text(0)),
            10 => format!("CAST({} AS VARCHAR)", self.int(d)),
            11 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.truth(d),
                self.text(d),
                self.text(0)
            ),
            _ => format!("reverse({})", self.text(d)),
        }
    }

    fn truth(&mut self, depth: usize) -> String {
        let d = depth.saturating_sub(1);
        let compare = ["=", "<>", "<", "<=", ">", ">="];
        if depth > 0 && self.dice.one_in(3) {
            return match self.dice.roll(4) {
                0 => format!("({} AND {})", self.truth(d), self.truth(d)),
                1 => format!("({} OR {})", self.truth(d), self.truth(d)),
                2 => format!("NOT ({})", self.truth(d)),
                _ => format!(
                    "({}) IS {}",
                    self.truth(d),
                    self.dice.pick(&["NULL", "NOT NULL", "TRUE", "NOT FALSE"])
                ),
            };
        }
        match self.dice.roll(13) {
            0 | 1 => format!("{} {} {}", self.int(d), self.dice.pick(&compare), self.int(d)),
            2 => format!("{} {} {}", self.double(d), self.dice.pick(&compare), self.int(d)),
            3 => format!("{} {} {}", self.text(d), self.dice.pick(&compare), self.text(d)),
            4 => format!("{} IS NOT NULL", self.int(d)),
            5 => format!("{} IS NULL", self.text(d)),
            6 => {
                let not = self.dice.pick(&["", "NOT "]);
                let last = if self.dice.one_in(3) { "NULL".to_owned() } else { self.int(0) };
                format!("{} {not}IN ({}, {}, {last})", self.int(d), self.int(0), self.int(0))
            }
            7 => format!(
                "{} {}BETWEEN {} AND {}",
                self.int(d),
                self.dice.pick(&["", "NOT "]),
                self.int(0),
                self.int(d)
            ),
            8 => {
                let op = self.dice.pick(&["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"]);
                let pattern =
                    self.dice.pick(&["n%", "%s%", "_", "%", "", "a_b", "%.SYS", "x_", "%t%p%"]);
                format!("{} {op} '{pattern}'", self.text(d))
            }
            9 => format!(
                "{} IS {}DISTINCT FROM {}",
                self.int(d),
                self.dice.pick(&["", "NOT "]),
                self.int(0)
            ),
            10 => format!(
                "regexp_matches({}, '{}')",
                self.text(d),
                self.dice.pick(&["^n", "s$", "[A-Z]+", "x{2}", "."])
            ),
            11 => format!(
                "{} IN (SELECT {} FROM u WHERE {})",
                self.int(0),
                self.dice.pick(&["u.a", "u.id"]),
                self.dice.pick(&["true", "u.a IS NOT NULL", "u.id < 9"])
            ),
            _ => self.column(&["f"]),
        }
    }

    fn any(&mut self, depth: usize) -> String {
        match self.dice.roll(5) {
            0 => self.double(depth),
            1 => self.text(depth),
            2 => self.truth(depth),
            _ => self.int(depth),
        }
    }

    fn aggregate(&mut self) -> String {
        let distinct = if self.dice.one_in(4) { "DISTINCT " } else { "" };
        let call = match self.dice.roll(14) {
            0 => "count(*)".to_owned(),
            1 => format!("count({distinct}{})", self.any(1)),
            2 => format!("sum({distinct}{})", self.int(1)),
            3 => format!("avg({distinct}{})", self.int(1)),
            4 => format!("min({})", self.any(1)),
            5 => format!("max({})", self.any(1)),
            6 => format!("sum({})", self.double(0)),
            7 => format!("median({})", self.double(0)),
            8 => format!("stddev_samp({})", self.double(0)),
            9 => format!("bool_and({})", self.truth(0)),
            10 => format!("bool_or({})", self.truth(0)),
            // Of no rows it is 0 here and NULL there.
            11 => return format!("coalesce(count_if({}), 0)", self.truth(1)),
            12 => format!("quantile_disc({}, 0.5)", self.column(&["a", "b"])),
            _ => format!("bit_or({})", self.column(&["a", "id"])),
        };
        if self.dice.one_in(4) { format!("{call} FILTER (WHERE {})", self.truth(1)) } else { call }
    }
}

fn query(n: usize, dice: &mut Dice) -> String {
    match n % 10 {
        0..=2 => plain(dice),
        3 | 4 => grouped(dice),
        5 | 6 => joined(dice),
        7 => combined(dice),
        8 => nested(dice),
        _ => limited(dice),
    }
}

fn plain(dice: &mut Dice) -> String {
    let distinct = if dice.one_in(4) { "DISTINCT " } else { "" };
    let mut w = Writer { dice, from: &[""] };
    let items = [w.any(3), w.any(2)].join(", ");
    format!("SELECT {distinct}{items} FROM t WHERE {}", w.truth(2))
}

fn grouped(dice: &mut Dice) -> String {
    let key =
        dice.pick(&["a", "w", "f", "a % 3", "upper(s)", "w, f", "date_part('month', ts)", "d > 0"]);
    let how = dice.pick(&["", "", "1", "ALL"]);
    let mut w = Writer { dice, from: &[""] };
    let (first, second) = (w.aggregate(), w.aggregate());
    let filter = w.truth(1);
    let single = !key.contains(", ");
    let by = match how {
        "1" if single => "1",
        "ALL" => "ALL",
        _ => key,
    };
    let having = match w.dice.roll(4) {
        0 => " HAVING count(*) > 1".to_owned(),
        1 => format!(" HAVING {} > 0", "sum(id)"),
        _ => String::new(),
    };
    if w.dice.one_in(5) {
        return format!("SELECT {first}, {second} FROM t WHERE {filter}");
    }
    format!("SELECT {key}, {first}, {second} FROM t WHERE {filter} GROUP BY {by}{having}")
}

fn joined(dice: &mut Dice) -> String {
    let kind = dice.pick(&[
        "JOIN",
        "LEFT JOIN",
        "RIGHT JOIN",
        "FULL JOIN",
        "SEMI JOIN",
        "ANTI JOIN",
        "CROSS JOIN",
    ]);
    let on = dice.pick(&[
        " ON x.a = y.a",
        " ON x.a = y.a AND x.w = y.w",
        " ON x.a = y.id",
        " ON x.a = y.a AND x.b < y.b",
        " ON x.id = y.id",
        " ON x.w = y.w AND x.id + 1 = y.id",
    ]);
    let semi = matches!(kind, "SEMI JOIN" | "ANTI JOIN");
    let (right, on) = if kind == "CROSS JOIN" { ("v", "") } else { ("u", on) };
    let from: &[&str] = if semi { &["x"] } else { &["x", "y"] };
    let mut w = Writer { dice, from };
    let (one, two) = (w.any(1), w.any(1));
    let filter = if w.dice.one_in(2) { format!(" WHERE {}", w.truth(1)) } else { String::new() };
    if w.dice.one_in(4) {
        let total = w.aggregate();
        return format!("SELECT x.w, {total} FROM t x {kind} {right} y{on}{filter} GROUP BY x.w");
    }
    format!("SELECT {one}, {two} FROM t x {kind} {right} y{on}{filter}")
}

fn combined(dice: &mut Dice) -> String {
    let op =
        dice.pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]);
    let columns = dice.pick(&["a", "w", "a, w", "s, f", "d", "id % 5, f"]);
    let mut w = Writer { dice, from: &[""] };
    let (left, right) = (w.truth(1), w.truth(1));
    format!("SELECT {columns} FROM t WHERE {left} {op} SELECT {columns} FROM u WHERE {right}")
}

fn nested(dice: &mut Dice) -> String {
    let shape = dice.roll(5);
    let mut w = Writer { dice, from: &[""] };
    let (item, inner, outer) = (w.any(2), w.truth(1), w.truth(1));
    match shape {
        0 => format!("SELECT {item} FROM (SELECT * FROM t WHERE {inner}) AS q WHERE {outer}"),
        1 => {
            format!("WITH q AS (SELECT * FROM t WHERE {inner}) SELECT {item} FROM q WHERE {outer}")
        }
        2 => format!("SELECT id, (SELECT max(u.b) FROM u) - b FROM t WHERE {outer}"),
        3 => format!(
            "SELECT {item} FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a > {}) AND {outer}",
            w.dice.number(0, 20)
        ),
        _ => format!(
            "WITH q AS (SELECT w, count(*) AS n FROM t WHERE {inner} GROUP BY w) SELECT l.w, l.n, r.n FROM q l JOIN q r ON l.n >= r.n"
        ),
    }
}

fn limited(dice: &mut Dice) -> String {
    let (limit, offset) = (dice.number(0, 12), dice.number(0, 5));
    let order =
        dice.pick(&["", " ASC", " DESC", " NULLS FIRST", " DESC NULLS FIRST", " DESC NULLS LAST"]);
    let mut w = Writer { dice, from: &[""] };
    let (key, item, filter) = (w.any(1), w.any(1), w.truth(1));
    // An ordinal or a constant would not order by its value; the id makes the order total.
    let key = if key.bytes().all(|b| b.is_ascii_digit() || b"-()".contains(&b)) {
        "a".to_owned()
    } else {
        key
    };
    format!(
        "SELECT id, {item} FROM t WHERE {filter} ORDER BY {key}{order}, id LIMIT {limit} OFFSET {offset}"
    )
}

/// Queries with windows, whose answers do not hang on an order that is left open.
pub(crate) fn windows(count: usize) -> Vec<String> {
    let mut dice = Dice(11);
    (0..count).map(|_| windowed(&mut dice)).collect()
}

fn windowed(dice: &mut Dice) -> String {
    let calls: Vec<String> = (0..3).map(|_| window_call(dice)).collect();
    let filter = dice.pick(&["", "", " WHERE a > 0", " WHERE w <> 'red'", " WHERE id < 3"]);
    format!("SELECT id, {} FROM t{filter}", calls.join(", "))
}

fn window_call(dice: &mut Dice) -> String {
    let by = dice.pick(&["", "PARTITION BY w ", "PARTITION BY w, f ", "PARTITION BY a % 3 "]);
    let total = dice.pick(&["id", "a, id", "d DESC, id", "s NULLS FIRST, id DESC", "f, ts, id"]);
    if dice.one_in(4) {
        let call = dice.pick(&[
            "row_number()",
            "rank()",
            "dense_rank()",
            "percent_rank()",
            "cume_dist()",
            "ntile(3)",
            "lag(b)",
            "lead(s, 2, 'x')",
            "lag(d, 2 IGNORE NULLS)",
        ]);
        return format!("{call} OVER ({by}ORDER BY {total})");
    }
    let call = dice.pick(&[
        "count(*)",
        "count(a)",
        "sum(b)",
        "sum(d)",
        "avg(d)",
        "avg(a)",
        "min(s)",
        "max(b)",
        "min(ts)",
        "max(p)",
        "sum(b) FILTER (WHERE f)",
        "count(DISTINCT a)",
        "median(b)",
        "stddev_pop(d)",
        "bool_and(f)",
    ]);
    let from = |dice: &mut Dice, small: &str| match dice.roll(5) {
        0 => "UNBOUNDED PRECEDING".to_owned(),
        1 => "CURRENT ROW".to_owned(),
        2 => format!("{small} FOLLOWING"),
        _ => format!("{small} PRECEDING"),
    };
    let to = |dice: &mut Dice, large: &str| match dice.roll(3) {
        0 => "UNBOUNDED FOLLOWING".to_owned(),
        _ => format!("{large} FOLLOWING"),
    };
    let exclude =
        dice.pick(&["", "", "", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"]);
    let (order, unit, small, large) = match dice.roll(6) {
        0 => ("a", "RANGE", "1", "3"),
        1 => ("d DESC", "RANGE", "2.5", "6.25"),
        2 => ("ts NULLS FIRST", "RANGE", "INTERVAL '3 days'", "INTERVAL '40 days'"),
        3 => (dice.pick(&["a", "w", "s DESC"]), "GROUPS", "1", "2"),
        _ => (total, "ROWS", dice.pick(&["0", "1", "2", "9"]), "11"),
    };
    let (from, to) = (from(dice, small), to(dice, large));
    if dice.one_in(6) {
        return format!("{call} OVER ({by}ORDER BY {total})");
    }
    format!("{call} OVER ({by}ORDER BY {order} {unit} BETWEEN {from} AND {to}{exclude})")
}

/// That many queries with sub-queries that read the row around.
pub(crate) fn sub_queries(count: usize) -> Vec<String> {
    let mut dice = Dice(19);
    (0..count).map(|_| sub_query(&mut dice)).collect()
}

fn sub_query(dice: &mut Dice) -> String {
    let condition = |dice: &mut Dice, inner: &str| -> String {
        let column = dice.pick(&["a", "b", "w", "s", "f", "id", "d"]);
        let op = dice.pick(&["=", "=", "=", "<", ">=", "<>", "IS NOT DISTINCT FROM"]);
        format!("{inner}.{column} {op} t.{column}")
    };
    let inner = dice.pick(&["u", "v"]);
    let mut conditions = vec![condition(dice, inner)];
    if dice.one_in(2) {
        conditions.push(condition(dice, inner));
    }
    if dice.one_in(3) {
        conditions.push(format!("{inner}.b > {}", dice.number(-500, 500)));
    }
    let conditions = conditions.join(" AND ");
    let from = if dice.one_in(4) {
        format!("{inner} JOIN (SELECT w AS w2, a AS a2 FROM v) AS x ON x.w2 = {inner}.w")
    } else {
        inner.to_owned()
    };
    let rows = format!("FROM {from} WHERE {conditions}");
    let column = dice.pick(&["a", "b", "id"]);
    let test = match dice.roll(7) {
        0 => format!("EXISTS (SELECT 1 {rows})"),
        1 => format!("NOT EXISTS (SELECT 1 {rows})"),
        2 => format!("t.{column} IN (SELECT {inner}.{column} {rows})"),
        3 => format!("t.{column} NOT IN (SELECT {inner}.{column} {rows})"),
        4 => {
            let op = dice.pick(&["<", "<=", ">", ">=", "=", "<>"]);
            let word = dice.pick(&["ANY", "ALL"]);
            format!("t.{column} {op} {word} (SELECT {inner}.{column} {rows})")
        }
        5 => {
            let call = dice.pick(&["count(*)", "max(b)", "sum(a)", "count(s)", "min(id) + 1"]);
            let call = call.replace('(', &format!("({inner}.")).replace(".*", "*");
            let call = call.replace(&format!("{inner}*"), "*");
            format!("(SELECT {call} {rows}) > {}", dice.number(-10, 10))
        }
        _ => format!(
            "(SELECT {inner}.{column} {rows} ORDER BY {inner}.id, {inner}.{column} LIMIT 1) > {}",
            dice.number(-10, 10)
        ),
    };
    match dice.roll(4) {
        0 => format!("SELECT id FROM t WHERE {test}"),
        1 => format!("SELECT id, {test} FROM t"),
        2 => format!("SELECT id FROM t WHERE {test} OR a = {}", dice.number(-5, 12)),
        _ => format!("SELECT w, count(*) FILTER (WHERE {test}) FROM t GROUP BY w ORDER BY w"),
    }
}
