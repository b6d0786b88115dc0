//! Queries from bytes: the input selects rules of a small grammar, so most texts parse, many are
//! valid for the tables, and edits of the input are edits of the syntax tree.

use arbitrary::{Result, Unstructured};

const TABLES: [&str; 14] = [
    "processes",
    "threads",
    "modules",
    "drivers",
    "irps",
    "locks",
    "t",
    "t AS a",
    "t AS b",
    "range(7)",
    "range(1, 30, 3)",
    "(VALUES (1, 'a'), (2, NULL)) AS v(n, s)",
    "meta.tables",
    "dump",
];
const COLUMNS: [&str; 16] = [
    "n",
    "s",
    "a",
    "d",
    "b",
    "w",
    "i",
    "name",
    "pid",
    "tid",
    "base",
    "t.n",
    "a.s",
    "range",
    "state",
    "create_time",
];
const LITERALS: [&str; 26] = [
    "0",
    "1",
    "-1",
    "7",
    "9223372036854775807",
    "(-9223372036854775807 - 1)",
    "0.5",
    "1e300",
    "'nan'::DOUBLE",
    "''",
    "'abc'",
    "'é日本'",
    "'%a_'",
    "'2007-11-09 10:00:00'",
    "0x0",
    "0xfffff801a972c530",
    "0xffffffffffffffff",
    "true",
    "false",
    "NULL",
    "INTERVAL '1 day'",
    "INTERVAL '-1 day 02:00:00'",
    "TIMESTAMP '2007-11-09 10:00:00'",
    "NULL::TIMESTAMP",
    "12kb",
    "5min",
];
const BINARY: [&str; 22] = [
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "AND",
    "OR",
    "||",
    "&",
    "|",
    "<<",
    ">>",
    "LIKE",
    "ILIKE",
    "IS DISTINCT FROM",
];
const TYPES: [&str; 8] =
    ["BIGINT", "INTEGER", "DOUBLE", "VARCHAR", "BOOLEAN", "ADDRESS", "TIMESTAMP", "INTERVAL"];
const CALLS: [&str; 40] = [
    "abs",
    "round",
    "floor",
    "sqrt",
    "length",
    "upper",
    "lower",
    "substr",
    "replace",
    "trim",
    "lpad",
    "repeat",
    "reverse",
    "concat",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "position",
    "split_part",
    "regexp_matches",
    "regexp_replace",
    "regexp_extract",
    "hex",
    "to_hex",
    "printf",
    "format",
    "date_trunc",
    "date_part",
    "strftime",
    "epoch",
    "symbol",
    "poi",
    "ascii",
    "why",
    "levenshtein",
    "bar",
    "chr",
    "ord",
    "typeof",
];
const AGGREGATES: [&str; 16] = [
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "stddev",
    "variance",
    "string_agg",
    "any_value",
    "first",
    "last",
    "mode",
    "quantile",
    "bool_and",
    "arg_min",
];
/// Upper limit on grammar steps for one query.
const MOST_STEPS: usize = 6;
const STEPS: [&str; 12] = [
    "WHERE n > 1",
    "EXTEND n + 1 AS e, row_number() OVER () AS r",
    "SELECT *, n AS m",
    "SET n = n + 1",
    "RENAME n AS s, s AS n",
    "DROP s",
    "AS p",
    "AGGREGATE count(*) AS c, max(n) AS m DESC GROUP AND ORDER BY s",
    "DISTINCT",
    "JOIN t AS j USING (n)",
    "UNION ALL (FROM t |> SELECT n), (SELECT 7)",
    "ORDER BY 1 |> LIMIT 3",
];
const DEPTH: u32 = 5;

/// The query that an input generates.
pub(crate) fn query(input: &[u8]) -> Option<String> {
    Maker { input: Unstructured::new(input) }.statement().ok()
}

struct Maker<'a> {
    input: Unstructured<'a>,
}

impl Maker<'_> {
    fn pick(&mut self, from: &[&str]) -> Result<String> {
        self.input.choose(from).map(|word| (*word).to_owned())
    }

    fn chance(&mut self, of: u8) -> Result<bool> {
        self.input.ratio(1, of)
    }

    fn list(
        &mut self,
        most: usize,
        mut each: impl FnMut(&mut Self) -> Result<String>,
    ) -> Result<String> {
        let count = self.input.int_in_range(1..=most)?;
        let items = (0..count).map(|_| each(self)).collect::<Result<Vec<_>>>()?;
        Ok(items.join(", "))
    }

    fn statement(&mut self) -> Result<String> {
        Ok(match self.input.int_in_range(0..=15)? {
            0 => format!("SUMMARIZE {}", self.select(2)?),
            1 => format!("DESCRIBE {}", self.select(2)?),
            2 => format!("WITH c AS ({}) SELECT * FROM c, c AS d LIMIT 9", self.select(2)?),
            3 => format!(
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) \
                 SELECT {} FROM r",
                self.expression(2)?
            ),
            _ => self.select(DEPTH)?,
        })
    }

    fn select(&mut self, depth: u32) -> Result<String> {
        let mut text = self.simple(depth)?;
        if depth > 0 && self.chance(6)? {
            let word = self.pick(&[
                "UNION",
                "UNION ALL",
                "EXCEPT",
                "INTERSECT",
                "EXCEPT ALL",
                "INTERSECT ALL",
                "UNION ALL BY NAME",
            ])?;
            text = format!("{text} {word} {}", self.simple(depth - 1)?);
        }
        if self.chance(3)? {
            let by = self.list(3, |maker| {
                let key = if maker.chance(2)? { "1".to_owned() } else { maker.expression(1)? };
                let order = maker.pick(&["", " DESC", " ASC NULLS LAST", " DESC NULLS FIRST"])?;
                Ok(key + &order)
            })?;
            text = format!("{text} ORDER BY {by}");
        }
        if self.chance(3)? {
            let count = self.pick(&["0", "1", "5", "1000", "NULL", "1 + 1"])?;
            text = format!("{text} LIMIT {count} OFFSET {}", self.input.int_in_range(0..=3)?);
        }
        // After the end of the input, the first alternative is always selected.
        for _ in 0..MOST_STEPS {
            if !self.chance(6)? {
                break;
            }
            let step = self.pick(&STEPS)?;
            text = format!("{text} |> {step}");
        }
        Ok(text)
    }

    fn simple(&mut self, depth: u32) -> Result<String> {
        let grouped = self.chance(4)?;
        let mut text = String::from("SELECT ");
        if self.chance(6)? {
            text += "DISTINCT ";
        }
        let columns = match (grouped, self.input.int_in_range(0..=4)?) {
            (false, 0) => "*".to_owned(),
            (false, _) => self.list(4, |maker| {
                let expression = maker.expression(depth.min(4))?;
                Ok(if maker.chance(4)? { expression + " AS x" } else { expression })
            })?,
            (true, _) => {
                let aggregate = self.aggregate(depth)?;
                format!("{}, {aggregate}", self.pick(&COLUMNS)?)
            }
        };
        text = format!("{text}{columns} FROM {}", self.source(depth)?);
        if self.chance(2)? {
            text = format!("{text} WHERE {}", self.expression(depth.min(3))?);
        }
        if grouped {
            let by = self.pick(&["1", "ALL", "n", "s, n", "ROLLUP (n, s)", "()"])?;
            text = format!("{text} GROUP BY {by}");
            if self.chance(3)? {
                text = format!("{text} HAVING {} > 0", self.aggregate(1)?);
            }
        }
        Ok(text)
    }

    fn source(&mut self, depth: u32) -> Result<String> {
        let first = if depth > 1 && self.chance(5)? {
            format!("({}) AS q", self.select(depth - 2)?)
        } else {
            self.pick(&TABLES)?
        };
        if !self.chance(4)? {
            return Ok(first);
        }
        let join =
            self.pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN"])?;
        let on = self.pick(&[
            "ON a.n = b.n",
            "ON true",
            "USING (n)",
            "ON a.n < b.n",
            "ON a.n = b.n AND a.s <> b.s",
        ])?;
        // At most two joins of small tables, because the cost of a query is not the subject.
        Ok(format!("t AS a {join} t AS b {on}"))
    }

    fn aggregate(&mut self, depth: u32) -> Result<String> {
        let name = self.pick(&AGGREGATES)?;
        let argument = match self.input.int_in_range(0..=3)? {
            0 => "*".to_owned(),
            1 => format!("DISTINCT {}", self.expression(1)?),
            _ => self.expression(depth.min(2))?,
        };
        let more = self.pick(&["", "", "", ", ','", ", 0.5"])?;
        let over = self.pick(&[
            "",
            "",
            " FILTER (WHERE n > 1)",
            " OVER ()",
            " OVER (PARTITION BY s ORDER BY n)",
            " OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
        ])?;
        Ok(format!("{name}({argument}{more}){over}"))
    }

    fn expression(&mut self, depth: u32) -> Result<String> {
        if depth == 0 {
            return if self.chance(2)? { self.pick(&COLUMNS) } else { self.pick(&LITERALS) };
        }
        let below = depth - 1;
        Ok(match self.input.int_in_range(0..=13)? {
            0..=3 => {
                let operator = self.pick(&BINARY)?;
                format!("({} {operator} {})", self.expression(below)?, self.expression(below)?)
            }
            4 | 5 => {
                let name = self.pick(&CALLS)?;
                format!("{name}({})", self.list(3, |maker| maker.expression(below.min(1)))?)
            }
            6 => format!("CAST({} AS {})", self.expression(below)?, self.pick(&TYPES)?),
            7 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.expression(below)?,
                self.expression(below)?,
                self.expression(below)?
            ),
            8 => format!(
                "{} IN ({})",
                self.expression(below)?,
                self.list(4, |maker| maker.expression(0))?
            ),
            9 => format!(
                "{} BETWEEN {} AND {}",
                self.expression(below)?,
                self.expression(0)?,
                self.expression(0)?
            ),
            10 => format!("{} {}", self.pick(&["NOT", "-", "~"])?, self.expression(below)?),
            11 => format!("({} IS NULL)", self.expression(below)?),
            12 if depth > 2 => match self.input.int_in_range(0..=2)? {
                0 => format!("EXISTS ({})", self.select(depth - 3)?),
                1 => format!("({} LIMIT 1)", self.simple(depth - 3)?),
                _ => format!("{} IN ({})", self.expression(0)?, self.select(depth - 3)?),
            },
            _ => self.pick(&COLUMNS)?,
        })
    }
}
