//! Queries that want much of everything, made from a number.

/// `SplitMix64`: small, good enough, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    /// A number up to 10 to the power of `digits`, each magnitude as likely as another.
    fn size(&mut self, digits: u32) -> u64 {
        let most = 10u64.pow(1 + u32::try_from(self.below(digits.into())).unwrap_or(0));
        1 + self.below(most)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap_or(0)]
    }
}

/// The longest text of a query.
const LONGEST: usize = 1_000_000;

/// How many kinds of queries there are; numbers that follow each other are of different kinds.
pub(crate) const KINDS: u64 = 24;

/// A list of `count` things, as far as the text may be long.
fn listed(count: u64, between: &str, mut each: impl FnMut(u64) -> String) -> String {
    let mut text = String::new();
    for number in 0..count {
        let next = each(number);
        if text.len() + next.len() + between.len() > LONGEST - 1000 {
            break;
        }
        if number > 0 {
            text += between;
        }
        text += &next;
    }
    text
}

const TABLES: [&str; 8] =
    ["threads", "modules", "processes", "stacks", "handles", "log_commands", "t", "symbols"];
const AGGREGATES: [&str; 8] = [
    "sum(n)",
    "list(n)",
    "string_agg(n::VARCHAR, ',')",
    "count(DISTINCT n)",
    "median(n)",
    "mode(n)",
    "list(n::VARCHAR ORDER BY n DESC)",
    "max(repeat('x', 100) || n)",
];
const WINDOWS: [&str; 6] = [
    "sum(n) OVER (ORDER BY n)",
    "row_number() OVER (PARTITION BY n % 7 ORDER BY n DESC)",
    "lag(n, 3) OVER (ORDER BY n)",
    "list(n) OVER (ORDER BY n ROWS 100 PRECEDING)",
    "string_agg(n::VARCHAR, '') OVER (ORDER BY n ROWS 1000 PRECEDING)",
    "median(n) OVER (ORDER BY n ROWS BETWEEN 50 PRECEDING AND 50 FOLLOWING)",
];
const LONG_TEXTS: [&str; 10] = [
    "repeat('abc', {})",
    "lpad('x', {}, 'ab')",
    "replace(repeat('a', {}), 'a', 'bbbbbbbb')",
    "regexp_replace(repeat('a', {}), 'a', 'bbbbbbbb', 'g')",
    "format('{:>{}}', 'x')",
    "upper(repeat('é', {})) || lower(repeat('É', {}))",
    "reverse(repeat('日本', {}))",
    "array_to_string(range({}), ',')",
    "string_split(repeat('a,', {}), ',')::VARCHAR",
    "concat(repeat('x', {}), repeat('y', {}), repeat('z', {}))",
];
const LISTS: [&str; 9] = [
    "list_transform(range({}), x -> x * 2)",
    "list_transform(range({}), x -> repeat('x', 1000))",
    "list_sort(range({}))",
    "list_concat(range({}), range({}))",
    "list_transform(range({}), x -> range(1000))",
    "list_reduce(range({}), (a, b) -> a + b)",
    "list_filter(range({}), x -> x % 2 = 0)",
    "list_distinct(range({}))",
    "flatten(list_transform(range({}), x -> range(100)))",
];

/// The query of that number.
pub(crate) fn query(number: u64) -> String {
    let mut random = Random(number / KINDS);
    let r = &mut random;
    match number % KINDS {
        0 => doubled(r),
        1 => listed(r.size(4), " UNION ALL ", |_| {
            format!("SELECT count(*) AS n FROM range({})", r.size(8))
        }),
        2 => listed(
            r.size(4),
            r.pick(&[" UNION ALL ", " UNION ", " EXCEPT ALL ", " INTERSECT "]),
            |_| format!("SELECT range AS n FROM range({})", r.size(6)),
        ),
        3 => format!(
            "SELECT {} FROM {}",
            r.pick(&["count(*)", "*", "a0.range + 1"]),
            listed(1 + r.below(5), ", ", |i| format!("range({}) AS a{i}", r.size(6)))
        ),
        4 => {
            let (size, text) = (r.size(9), r.pick(&LONG_TEXTS));
            format!("SELECT {} AS x FROM range({})", filled(text, size), r.size(5))
        }
        5 => format!(
            "SELECT {} FROM (SELECT repeat('x', {}) || range AS x FROM range({}))",
            r.pick(&["string_agg(x, ',')", "list(x)", "max(x)", "count(DISTINCT x)"]),
            r.size(6),
            r.size(6)
        ),
        6 => nested(r),
        7 => format!(
            "SELECT {} FROM (SELECT range AS n FROM range({}))",
            listed(r.size(5), ", ", |i| format!("n + {i} AS c{i}")),
            r.size(7)
        ),
        8 => format!(
            "SELECT {} FROM (SELECT range AS n FROM range({}))",
            listed(r.size(3), ", ", |_| r.pick(&WINDOWS).to_owned()),
            r.size(6)
        ),
        9 => format!(
            "PIVOT (SELECT range % {} AS a, range AS n FROM range({})) ON a USING {}",
            r.size(4),
            r.size(6),
            r.pick(&["count(*)", "sum(n)", "list(n)"])
        ),
        10 => format!(
            "SELECT unnest({}) AS x FROM range({})",
            filled(r.pick(&LISTS), r.size(7)),
            r.size(4)
        ),
        11 => {
            format!("SELECT {} AS x FROM range({})", filled(r.pick(&LISTS), r.size(7)), r.size(4))
        }
        12 => recursive(r),
        13 => format!(
            "SELECT {} FROM (SELECT range % {} AS g, range AS n FROM range({})) GROUP BY {}",
            listed(r.size(3), ", ", |_| r.pick(&AGGREGATES).to_owned()),
            r.size(7),
            r.size(7),
            r.pick(&["g", "ROLLUP (g, n)", "CUBE (g, n)", "g, n"])
        ),
        14 => format!(
            "FROM range({}) ORDER BY {}",
            r.size(8),
            listed(1 + r.below(20), ", ", |i| format!("(range * 7919) % {}", i + 2))
        ),
        15 => format!(
            "SELECT {} FROM {}",
            r.pick(&["count(*)", "*"]),
            listed(1 + r.below(4), ", ", |i| format!("{} AS a{i}", r.pick(&TABLES)))
        ),
        16 => format!(
            "SELECT count(*) FROM range({}) WHERE range IN ({})",
            r.size(6),
            listed(r.size(6), ", ", |i| i.to_string())
        ),
        17 => format!(
            "SELECT {} FROM (VALUES {}) AS v(a, b)",
            r.pick(&["*", "count(*)", "list(b)"]),
            listed(r.size(5), ", ", |i| format!("({i}, 'text {i}')"))
        ),
        18 => format!(
            "SELECT length('{}') + length('{}')",
            "x".repeat(usize::try_from(r.size(6)).unwrap_or(1)),
            "é".repeat(usize::try_from(r.size(5)).unwrap_or(1))
        ),
        19 => format!(
            "SELECT CASE {} ELSE 0 END FROM range({})",
            listed(r.size(5), " ", |i| format!("WHEN range = {i} THEN {}", i + 1)),
            r.size(6)
        ),
        20 => format!(
            "SELECT DISTINCT {} FROM range({})",
            r.pick(&["range", "range::VARCHAR", "range % 7, range", "repeat('x', 50) || range"]),
            r.size(8)
        ),
        21 => format!(
            "SELECT count(*) FROM range({}) AS a {} range({}) AS b ON {}",
            r.size(7),
            r.pick(&["JOIN", "LEFT JOIN", "FULL JOIN", "SEMI JOIN"]),
            r.size(7),
            r.pick(&["a.range = b.range", "a.range % 10 = b.range % 10", "a.range < b.range"])
        ),
        22 => {
            let parts = 2 + r.size(3);
            let each = |i| format!("c{i} AS (SELECT range + {i} AS n FROM range({}))", r.size(7));
            let sums = listed(parts, " + ", |i| format!("(SELECT sum(n) FROM c{i})"));
            format!("WITH {} SELECT {sums}", listed(parts, ", ", each))
        }
        _ => format!(
            "SELECT (SELECT {} FROM range({}) AS b WHERE b.range <= a.range) FROM range({}) AS a",
            r.pick(&["count(*)", "list(b.range)", "string_agg(b.range::VARCHAR, ',')"]),
            r.size(5),
            r.size(4)
        ),
    }
}

fn filled(text: &str, size: u64) -> String {
    // `{:>{}}` keeps its outer braces.
    text.replace("{:>{}}", &format!("{{:>{size}}}")).replace("{}", &size.to_string())
}

/// Each part is the one before it, twice.
fn doubled(r: &mut Random) -> String {
    let steps = 1 + r.below(60);
    let word = r.pick(&["UNION ALL", "UNION ALL", "UNION ALL BY NAME"]);
    let first =
        format!("c0 AS (SELECT range AS n, 'text ' || range AS x FROM range({}))", r.size(4));
    let rest = listed(steps, ", ", |i| {
        format!("c{} AS (SELECT * FROM c{i} {word} SELECT * FROM c{i})", i + 1)
    });
    format!(
        "WITH {first}, {rest} SELECT {} FROM c{steps}",
        r.pick(&["count(*)", "*", "sum(n)", "list(x)"])
    )
}

fn nested(r: &mut Random) -> String {
    let depth = usize::try_from(r.size(5)).unwrap_or(1);
    match r.below(5) {
        0 => format!("SELECT {}1{} FROM range(1000)", "(".repeat(depth), ")".repeat(depth)),
        1 => {
            format!("SELECT {}range{} FROM range(70000)", "(1 + ".repeat(depth), ")".repeat(depth))
        }
        2 => format!(
            "{}SELECT range AS n FROM range(100000){}",
            "SELECT * FROM (".repeat(depth),
            ")".repeat(depth)
        ),
        3 => format!("SELECT {}[1]{}", "[".repeat(depth), "]".repeat(depth)),
        _ => format!("SELECT {}'x'{}", "concat('a', ".repeat(depth), ")".repeat(depth)),
    }
}

fn recursive(r: &mut Random) -> String {
    let steps = r.size(4);
    match r.below(4) {
        0 => format!(
            "WITH RECURSIVE r(n, x) AS (SELECT 1, 'x' UNION ALL SELECT n + 1, x || x FROM r WHERE n < {steps}) SELECT max(length(x)) FROM r"
        ),
        1 => format!(
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r, range(3) WHERE n < {steps}) SELECT count(*) FROM r"
        ),
        2 => format!(
            "WITH RECURSIVE r(n, l) AS (SELECT 1, [1] UNION ALL SELECT n + 1, list_concat(l, l) FROM r WHERE n < {steps}) SELECT * FROM r"
        ),
        _ => format!(
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT (n * 7 + k) % 1000003 FROM r, (SELECT range AS k FROM range(5)) WHERE n < {steps}) SELECT count(*) FROM r"
        ),
    }
}
