//! Queries over several tables, groupings, sub-queries within sub-queries, texts and times.

use super::{Dice, Writer};

/// That many queries.
pub(crate) fn wide(count: usize) -> Vec<String> {
    let mut dice = Dice(31);
    (0..count).map(|_| one(&mut dice)).collect()
}

impl Writer<'_> {
    fn more_text(&mut self) -> String {
        let (x, y) = (self.text(1), self.text(0));
        match self.dice.roll(24) {
            0 => format!("regexp_replace({x}, '[a-z]+', '<\\0>')"),
            1 => format!("regexp_replace({x}, '[aeiou]', '', 'g')"),
            2 => format!("regexp_extract({x}, '([a-z])([a-z]*)', {})", self.dice.number(0, 2)),
            3 => format!("split_part({x}, '.', {})", self.dice.number(1, 3)),
            4 => format!("concat_ws('-', {x}, {y})"),
            5 => format!("concat({x}, {y}, {})", self.int(0)),
            6 => format!("translate({x}, 'tsx', 'AB')"),
            7 => format!("rpad({x}, {}, 'ab')", self.dice.number(0, 9)),
            8 => format!("ltrim({x}, 'nNx')"),
            9 => format!("rtrim({x}, 'sSx')"),
            10 => format!("repeat({y}, {})", self.dice.number(0, 3)),
            11 => format!("starts_with({x}, {y})"),
            12 => format!("contains({x}, {y})"),
            13 => format!("strpos({x}, {y})"),
            14 => format!("levenshtein({x}, {y})"),
            15 => format!("md5({x})"),
            16 => format!("hex({y})"),
            17 => format!("{x} LIKE {y}"),
            18 => format!("string_split({x}, 's')"),
            19 => format!("regexp_extract_all({x}, '[a-z]+')"),
            20 => format!("ascii({x})"),
            21 => format!("printf('%5d|%s', {}, {x})", self.int(0)),
            22 => format!("strlen({x})"),
            _ => format!("substring({x}, {})", self.dice.number(-4, 4)),
        }
    }

    fn time(&mut self, depth: usize) -> String {
        if depth == 0 {
            return match self.dice.roll(4) {
                0 => format!(
                    "TIMESTAMP '2007-{:02}-{:02} 12:34:56'",
                    self.dice.number(1, 12),
                    self.dice.number(1, 28)
                ),
                _ => self.column(&["ts"]),
            };
        }
        let d = depth - 1;
        match self.dice.roll(8) {
            0 => format!("({} + INTERVAL '{} hours')", self.time(d), self.dice.number(-40, 40)),
            1 => format!("({} - INTERVAL {} DAY)", self.time(d), self.dice.number(0, 70)),
            2 => format!("({} + INTERVAL {} MONTH)", self.time(d), self.dice.number(0, 14)),
            3 => {
                let part =
                    self.dice.pick(&["year", "quarter", "month", "week", "day", "hour", "minute"]);
                format!("date_trunc('{part}', {})::TIMESTAMP", self.time(d))
            }
            4 => format!("greatest({}, {})", self.time(d), self.time(0)),
            5 => format!("coalesce({}, {})", self.time(d), self.time(0)),
            6 => format!(
                "time_bucket(INTERVAL '{}', {})",
                self.dice.pick(&["3 days", "2 hours", "1 month"]),
                self.time(d)
            ),
            _ => format!("CASE WHEN {} THEN {} END", self.truth(0), self.time(d)),
        }
    }

    fn of_time(&mut self) -> String {
        let x = self.time(1);
        match self.dice.roll(9) {
            0 | 1 => x,
            2 => {
                let part = self.dice.pick(&["day", "hour", "month", "year", "minute", "quarter"]);
                format!("date_diff('{part}', {x}, {})", self.time(0))
            }
            3 => {
                let part = self.dice.pick(&["day", "hour", "month", "year", "minute", "quarter"]);
                format!("date_sub('{part}', {x}, {})", self.time(0))
            }
            4 => format!(
                "strftime({x}, '{}')",
                self.dice.pick(&["%Y-%m-%d", "%H:%M", "%j %a", "%d.%m.%y %I %p", "%b %U"])
            ),
            5 => format!("{x} - {}", self.time(0)),
            6 => format!("dayname({x})"),
            7 => format!("{x} < {}", self.time(0)),
            _ => {
                let part = self
                    .dice
                    .pick(&["isodow", "isoyear", "quarter", "decade", "century", "second", "week"]);
                format!("date_part('{part}', {x})")
            }
        }
    }

    fn statistic(&mut self) -> String {
        let call = match self.dice.roll(17) {
            0 => format!("string_agg({}, '|' ORDER BY id)", self.text(0)),
            1 => format!("first({} ORDER BY id)", self.any(0)),
            2 => format!("last({} ORDER BY id)", self.any(0)),
            3 => "corr(a, b)".to_owned(),
            4 => "covar_pop(d, a)".to_owned(),
            5 => "regr_slope(b, a)".to_owned(),
            6 => "regr_r2(d, a)".to_owned(),
            7 => "var_pop(d)".to_owned(),
            8 => "bit_xor(a)".to_owned(),
            9 => format!("entropy({})", self.column(&["w", "a", "f"])),
            10 => "mad(d)".to_owned(),
            11 => format!("arg_min({}, id)", self.any(0)),
            12 => format!("count(DISTINCT {})", self.any(1)),
            13 => "quantile_cont(d, 0.37)".to_owned(),
            14 => format!("min({})", self.time(1)),
            15 => format!("max({})", self.time(0)),
            _ => format!("list(DISTINCT {} ORDER BY 1)", "a").replace(" ORDER BY 1", " ORDER BY a"),
        };
        if self.dice.one_in(4) { format!("{call} FILTER (WHERE {})", self.truth(1)) } else { call }
    }
}

fn one(dice: &mut Dice) -> String {
    match dice.roll(12) {
        0..=2 => several(dice),
        3 => sets(dice),
        4 => qualified(dice),
        5 => deep(dice),
        6 => by_name(dice),
        7 => lateral(dice),
        8 => recursive(dice),
        9 => {
            let mut w = Writer { dice, from: &[""] };
            let (x, y) = (w.more_text(), w.more_text());
            format!("SELECT id, {x}, {y} FROM t WHERE {}", w.truth(1))
        }
        10 => {
            let mut w = Writer { dice, from: &[""] };
            let (x, y) = (w.of_time(), w.of_time());
            format!("SELECT id, {x}, {y} FROM t WHERE {}", w.truth(0))
        }
        _ => {
            let mut w = Writer { dice, from: &[""] };
            let (x, y) = (w.statistic(), w.statistic());
            let key = w.dice.pick(&["w", "f", "a % 3", "s"]);
            format!("SELECT {key}, {x}, {y} FROM t WHERE {} GROUP BY {key}", w.truth(1))
        }
    }
}

/// Tables with commas and conditions in any order.
fn several(dice: &mut Dice) -> String {
    let tables = dice.pick(&[
        "t x, u y, v z",
        "v z, t x, u y",
        "u y, v z, t x",
        "v x, u y, v z",
        "t x, v y, u z",
    ]);
    let mut conditions = vec![
        dice.pick(&["x.a = y.a", "x.id = y.id", "x.w = y.w AND x.f = y.f", "y.a = x.id"])
            .to_owned(),
        dice.pick(&["y.id = z.id", "z.a = x.a", "z.w = y.w", "z.id = x.id + 1", "x.a + y.a = z.a"])
            .to_owned(),
    ];
    let mut w = Writer { dice, from: &["x", "y", "z"] };
    if w.dice.one_in(2) {
        conditions.push(w.truth(1));
    }
    if w.dice.one_in(3) {
        let common = conditions[0].clone();
        let (p, q) = (w.truth(0), w.truth(0));
        conditions[0] = format!("(({common} AND {p}) OR ({common} AND {q}))");
    }
    if w.dice.one_in(2) {
        conditions.reverse();
    }
    let filter = conditions.join(" AND ");
    if w.dice.one_in(2) {
        return format!("SELECT x.id, y.id, z.id, {} FROM {tables} WHERE {filter}", w.any(1));
    }
    let total = w.int(1);
    format!("SELECT z.w, count(*), sum({total}) FROM {tables} WHERE {filter} GROUP BY z.w")
}

fn sets(dice: &mut Dice) -> String {
    let by = dice.pick(&[
        "ROLLUP (w, f)",
        "CUBE (w, f)",
        "GROUPING SETS ((w, f), (w), ())",
        "GROUPING SETS ((f), (w))",
        "w, ROLLUP (f)",
    ]);
    let mut w = Writer { dice, from: &[""] };
    let (x, y) = (w.aggregate(), w.aggregate());
    let having = if w.dice.one_in(3) { " HAVING count(*) > 3" } else { "" };
    format!(
        "SELECT w, f, grouping(w, f), {x}, {y} FROM t WHERE {} GROUP BY {by}{having}",
        w.truth(1)
    )
}

fn qualified(dice: &mut Dice) -> String {
    let by = dice.pick(&["", "PARTITION BY w ", "PARTITION BY f, w "]);
    let order = dice.pick(&["id", "a, id", "b DESC, id", "s NULLS FIRST, id"]);
    let call =
        dice.pick(&["row_number()", "rank()", "count(*)", "sum(a)", "lag(id)", "dense_rank()"]);
    let op = dice.pick(&["<", "=", ">"]);
    let number = dice.number(1, 6);
    let mut w = Writer { dice, from: &[""] };
    let (item, filter) = (w.any(1), w.truth(1));
    format!(
        "SELECT id, {item} FROM t WHERE {filter} QUALIFY {call} OVER ({by}ORDER BY {order}) {op} {number}"
    )
}

/// Sub-queries within sub-queries, within branches and conditions of joins.
fn deep(dice: &mut Dice) -> String {
    let (i, j) = (dice.pick(&["a", "id", "w"]), dice.pick(&["a", "id", "f", "w"]));
    let call = dice.pick(&["count(*)", "max(u.b)", "sum(u.id)", "min(u.a)"]);
    let inner = format!(
        "SELECT 1 FROM v WHERE v.{j} = u.{j} AND v.id {} t.id",
        dice.pick(&["<", ">", "<>"])
    );
    let not = dice.pick(&["", "NOT "]);
    let scalar = format!("(SELECT {call} FROM u WHERE u.{i} = t.{i} AND {not}EXISTS ({inner}))");
    let mut w = Writer { dice, from: &["t"] };
    match w.dice.roll(6) {
        0 => format!("SELECT t.id, {scalar} FROM t"),
        1 => format!("SELECT t.id, CASE WHEN {} THEN {scalar} ELSE -1 END FROM t", w.truth(1)),
        2 => {
            format!("SELECT t.id FROM t WHERE {scalar} > {} OR {}", w.dice.number(0, 9), w.truth(0))
        }
        3 => format!("SELECT t.w, sum({scalar}) FROM t WHERE {} GROUP BY t.w", w.truth(1)),
        4 => {
            format!("SELECT t.id, coalesce({scalar}, 0) + {} FROM t WHERE {}", w.int(0), w.truth(1))
        }
        _ => format!(
            "SELECT t.id, v.id FROM t LEFT JOIN v ON t.{i} = v.{i} AND {scalar} IS NOT NULL WHERE {}",
            w.truth(0)
        ),
    }
}

fn by_name(dice: &mut Dice) -> String {
    let left = dice.pick(&["id, a, w", "a AS x, w AS y", "d AS a, id", "s, f, a"]);
    let right = dice.pick(&["id, w", "b AS x, id AS z", "a, d", "w AS s, id % 4 AS a"]);
    let all = dice.pick(&["", "ALL "]);
    let mut w = Writer { dice, from: &[""] };
    let (one, two) = (w.truth(1), w.truth(1));
    format!("SELECT {left} FROM t WHERE {one} UNION {all}BY NAME SELECT {right} FROM u WHERE {two}")
}

fn lateral(dice: &mut Dice) -> String {
    let on = dice.pick(&["u.a = t.a", "u.w = t.w AND u.id > t.id", "u.a > t.a", "u.id = t.id % 7"]);
    let kind = dice.pick(&["JOIN", "LEFT JOIN"]);
    let mut w = Writer { dice, from: &["t"] };
    let filter = w.truth(1);
    match w.dice.roll(3) {
        0 => format!(
            "SELECT t.id, l.n FROM t {kind} LATERAL (SELECT u.id AS n FROM u WHERE {on} ORDER BY u.id LIMIT 2) AS l ON true WHERE {filter}"
        ),
        1 => format!(
            "SELECT t.id, l.n, l.m FROM t {kind} LATERAL (SELECT count(*) AS n, max(u.b) AS m FROM u WHERE {on}) AS l ON true WHERE {filter}"
        ),
        _ => format!(
            "SELECT t.id, l.id FROM t, LATERAL (SELECT DISTINCT u.id FROM u WHERE {on} AND u.b > {}) AS l WHERE {filter}",
            w.int(0)
        ),
    }
}

fn recursive(dice: &mut Dice) -> String {
    let union = dice.pick(&["UNION", "UNION ALL"]);
    let (low, high) = (dice.number(1, 5), dice.number(6, 20));
    match dice.roll(3) {
        0 => format!(
            "WITH RECURSIVE r(n) AS (SELECT {low} {union} SELECT n + {low} FROM r WHERE n < {high}) SELECT r.n, t.a FROM r LEFT JOIN t ON t.id = r.n"
        ),
        1 => format!(
            "WITH RECURSIVE r AS (SELECT id, a, 0 AS depth FROM t WHERE id < {low} {union} SELECT u.id, u.a, r.depth + 1 FROM r JOIN u ON u.id = r.id + r.depth + 1 WHERE r.depth < 5) SELECT * FROM r"
        ),
        _ => format!(
            "WITH RECURSIVE r AS (SELECT id FROM v WHERE id = {low} UNION SELECT u.id FROM r JOIN u ON u.a = r.id) SELECT count(*), sum(id) FROM r"
        ),
    }
}
