//! The words of the language.

/// Words that the grammar uses, for completion, highlighting and nearest names. Few of them are
/// reserved; most may be names of columns too.
pub const KEYWORDS: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AND",
    "ANTI",
    "ANY",
    "AS",
    "ASC",
    "ASOF",
    "ATTACH",
    "BETWEEN",
    "BOTH",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CUBE",
    "CURRENT",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DETACH",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FETCH",
    "FILTER",
    "FIRST",
    "FOLLOWING",
    "FOR",
    "FROM",
    "FULL",
    "FUNCTIONS",
    "GLOB",
    "GROUP",
    "GROUPING",
    "GROUPS",
    "HAVING",
    "IGNORE",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "ISNULL",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEADING",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MATERIALIZED",
    "NATURAL",
    "NEXT",
    "NO",
    "NOT",
    "NOTNULL",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "OTHERS",
    "OUTER",
    "OVER",
    "PARTITION",
    "PERCENT",
    "POSITIONAL",
    "PRECEDING",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RENAME",
    "REPLACE",
    "RESPECT",
    "RIGHT",
    "ROLLUP",
    "ROW",
    "ROWS",
    "SELECT",
    "SEMI",
    "SETS",
    "SHOW",
    "SIMILAR",
    "SOME",
    "SUMMARIZE",
    "TABLES",
    "THEN",
    "TIES",
    "TIMESTAMP",
    "TO",
    "TRAILING",
    "TRUE",
    "TRY_CAST",
    "UNBOUNDED",
    "UNION",
    "UNKNOWN",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
];

/// Words that cannot be the name of a column without quotes.
pub(super) const RESERVED: &[&str] = &[
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "CASE",
    "DISTINCT",
    "ELSE",
    "EXCEPT",
    "FALSE",
    "FROM",
    "GROUP",
    "HAVING",
    "ILIKE",
    "IN",
    "INTERSECT",
    "IS",
    "JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "QUALIFY",
    "SELECT",
    "THEN",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];

/// Words that begin statements of other dialects, and those that may come with another version.
pub(super) const READ_ONLY: &[&str] = &[
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "COMMIT",
    "DELETE",
    "DROP",
    "GRANT",
    "IMPORT",
    "INSERT",
    "INSTALL",
    "LOAD",
    "MERGE",
    "PRAGMA",
    "REPLACE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SET",
    "TRUNCATE",
    "UPDATE",
    "UPSERT",
    "USE",
    "VACUUM",
];

/// Words that begin statements which the language has room for and this version does not run.
pub(super) const LATER: &[&str] = &["ATTACH", "COPY", "CREATE", "DETACH", "EXPORT"];

/// Whether a word is one of [`KEYWORDS`], in any case.
pub(super) fn is_keyword(word: &str) -> bool {
    contains(KEYWORDS, word)
}

/// Whether a word is one of [`RESERVED`], in any case.
pub(super) fn is_reserved(word: &str) -> bool {
    contains(RESERVED, word)
}

/// Whether a sorted list of capitals holds a word, in any case.
pub(super) fn contains(list: &[&str], word: &str) -> bool {
    list.binary_search(&word.to_ascii_uppercase().as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{KEYWORDS, LATER, READ_ONLY, RESERVED};

    #[test]
    fn lists_are_sorted_for_search() {
        for list in [KEYWORDS, RESERVED, READ_ONLY, LATER] {
            assert!(list.is_sorted(), "{list:?}");
        }
        assert!(RESERVED.iter().all(|word| KEYWORDS.contains(word)));
    }
}
