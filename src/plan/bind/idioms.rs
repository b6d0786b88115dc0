//! Constructs of other languages, with their equivalents in dumpql.

/// Functions of other dialects of SQL and of KQL, sorted, with their equivalents.
const FUNCTIONS: &[(&str, &str)] = &[
    ("charindex", "write position('part' IN text)"),
    ("convert", "write CAST(x AS type), or x::type"),
    ("curdate", "write current_date"),
    ("date_format", "write strftime(t, '%Y-%m-%d %H:%M')"),
    ("datediff_big", "write date_diff('minute', from, to)"),
    ("datename", "write strftime(t, '%A'), or date_part('weekday', t)"),
    ("datetime", "write TIMESTAMP '2024-05-01 12:00:00'"),
    ("dcount", "write count(DISTINCT x)"),
    ("decode", "write CASE x WHEN value THEN result … ELSE other END"),
    ("endofday", "write date_trunc('day', t) + INTERVAL 1 DAY"),
    ("find_in_set", "write x IN ('a', 'b')"),
    ("format_datetime", "write strftime(t, '%Y-%m-%d %H:%M')"),
    ("from_unixtime", "write to_timestamp(seconds)"),
    ("getdate", "write now()"),
    ("getutcdate", "write now(), which is UTC"),
    ("has", "write contains(text, 'part'), or text ILIKE '%part%'"),
    ("iif", "write if(condition, a, b), or CASE WHEN condition THEN a ELSE b END"),
    ("isempty", "write text = ''"),
    ("isnotempty", "write text <> ''"),
    ("isnotnull", "write x IS NOT NULL"),
    ("isnull", "write coalesce(a, b), or x IS NULL for a condition"),
    ("isnumeric", "write TRY_CAST(x AS DOUBLE) IS NOT NULL"),
    ("locate", "write position('part' IN text)"),
    ("make_set", "write string_agg(DISTINCT x, ', ')"),
    ("newid", "values differ from run to run; row_number() OVER () numbers rows"),
    ("nvl", "write coalesce(a, b)"),
    ("nvl2", "write if(x IS NOT NULL, a, b)"),
    ("parseint", "write TRY_CAST(x AS INTEGER)"),
    ("patindex", "write regexp_matches(text, 'pattern')"),
    ("regexp_like", "write regexp_matches(text, 'pattern'), or text ~ 'pattern'"),
    ("replicate", "write repeat(text, n)"),
    ("square", "write x * x"),
    ("startofday", "write date_trunc('day', t)"),
    ("startofhour", "write date_trunc('hour', t)"),
    ("str_to_date", "write strptime(text, '%Y-%m-%d')"),
    ("strcat", "write a || b, or concat(a, b)"),
    ("string_split", "write split_part(text, ',', n)"),
    ("stuff", "write left(text, n) || part || substr(text, m)"),
    ("substring_index", "write split_part(text, ',', n)"),
    ("sysdate", "write now()"),
    ("sysdatetime", "write now()"),
    ("sysutcdatetime", "write now(), which is UTC"),
    ("to_char", "write strftime(t, '%Y-%m-%d') for times, format('{:,}', n) for numbers"),
    ("to_date", "write strptime(text, '%Y-%m-%d')"),
    ("to_number", "write CAST(x AS DOUBLE)"),
    ("toint", "write CAST(x AS INTEGER)"),
    ("tolong", "write CAST(x AS INTEGER)"),
    ("tostring", "write CAST(x AS VARCHAR)"),
    ("try_convert", "write TRY_CAST(x AS type)"),
    ("unix_timestamp", "write epoch(t)"),
];

/// Methods of the data model of the debugger's `dx` command, in lower case.
const METHODS: &[(&str, &str)] = &[
    ("any", "FROM threads |> WHERE … |> LIMIT 1"),
    ("count", "FROM threads |> AGGREGATE count(*)"),
    ("distinct", "FROM threads |> SELECT process |> DISTINCT"),
    ("first", "FROM threads |> LIMIT 1"),
    ("groupby", "FROM threads |> AGGREGATE count(*) GROUP BY process"),
    ("orderby", "FROM threads |> ORDER BY tid"),
    ("orderbydescending", "FROM threads |> ORDER BY tid DESC"),
    ("select", "FROM threads |> SELECT tid, name"),
    ("skip", "FROM threads |> OFFSET 10"),
    ("take", "FROM threads |> LIMIT 10"),
    ("where", "FROM threads |> WHERE state = 'Waiting'"),
];

/// The equivalent of a function of another language.
pub(super) fn function(name: &str) -> Option<&'static str> {
    find(FUNCTIONS, name)
}

/// The equivalent of a method call such as `threads.Where(t => …)`.
pub(super) fn method(name: &str) -> Option<&'static str> {
    let (_, method) = name.rsplit_once('.')?;
    find(METHODS, method)
}

/// Help for a word that names no column: a unit of time, or the digits of an address.
pub(super) fn column(name: &str) -> Option<String> {
    const UNITS: [&str; 12] = [
        "microsecond",
        "millisecond",
        "second",
        "minute",
        "hour",
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "mi",
        "ss",
    ];
    if UNITS.iter().any(|unit| unit.eq_ignore_ascii_case(name)) {
        let unit = name.to_ascii_lowercase();
        return Some(format!("a unit of time is a text: date_diff('{unit}', a, b)"));
    }
    let hex = name.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && name.len() >= 8).then(|| format!("addresses in hex begin with 0x: 0x{name}"))
}

fn find(all: &'static [(&str, &str)], name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let found = all.binary_search_by(|(known, _)| (*known).cmp(lower.as_str())).ok()?;
    all.get(found).map(|(_, help)| *help)
}

/// The equivalent of an unknown type.
pub(super) fn type_name(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_uppercase().as_str() {
        "HUGEINT" | "UHUGEINT" | "INT128" | "UINT128" | "VARINT" | "BIGNUM" => {
            "no number has 128 bits: BIGINT has 64, UBIGINT 64 without a sign, DECIMAL(18, 0) 18 digits, and DOUBLE 15 digits of any size"
        }
        name if ["DECIMAL", "NUMERIC", "DEC"].iter().any(|of| name.starts_with(of)) => {
            "DECIMAL(p, s) has 1 to 18 digits, 0 to p of them behind the point; DOUBLE has 15 digits of any size"
        }
        "JSON" => "JSON is kept as VARCHAR; j -> 'key' is a part of it",
        "MAP" => "the types of keys and values are part of it: MAP(VARCHAR, INTEGER)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted_for_search() {
        assert!(FUNCTIONS.is_sorted_by_key(|(name, _)| *name));
        assert!(METHODS.is_sorted_by_key(|(name, _)| *name));
    }

    #[test]
    fn equivalents_are_found() {
        assert_eq!(function("GETDATE"), Some("write now()"));
        assert!(method("threads.Where").is_some_and(|help| help.contains("|> WHERE")));
        assert_eq!(
            column("fffff80000000000").as_deref(),
            Some("addresses in hex begin with 0x: 0xfffff80000000000")
        );
        assert!(column("minute").is_some() && column("facade").is_none());
    }
}
