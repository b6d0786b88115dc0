//! Describes what the grammar would have accepted at the position of a failure.

use super::syntax::Rule;

/// Clauses in the order in which a query has them; other keywords are listed before them.
const ORDER: &[&str] = &[
    "", "FROM", "JOIN", "WHERE", "GROUP BY", "HAVING", "WINDOW", "QUALIFY", "UNION", "ORDER BY",
    "LIMIT", "OFFSET",
];

/// What the grammar would have accepted, from the rules that failed.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "the flags are independent")]
pub(super) struct Expected {
    /// Descriptions in the order in which they are listed: "a table", "`,`".
    things: Vec<&'static str>,
    /// Keywords and clauses, as written.
    clauses: Vec<&'static str>,
    /// Whether an operator would be accepted.
    pub(super) operator: bool,
    /// Whether AND and OR would be accepted.
    logic: bool,
    /// Whether an expression would be accepted.
    pub(super) expression: bool,
    /// Whether a comma would be accepted.
    pub(super) comma: bool,
    /// Whether a closing parenthesis would be accepted.
    pub(super) close: bool,
    /// Whether the statement could end.
    pub(super) end: bool,
}

impl Expected {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut expected = Self { operator: rules.contains(&Rule::plus), ..Self::default() };
        // Signs are accepted only before operands, so the other rules that failed there are
        // operands too.
        if rules.contains(&Rule::negative) || rules.contains(&Rule::parameter) {
            return Self { expression: true, ..expected };
        }
        // AND is an operator if OR is accepted too; otherwise it is the AND of a BETWEEN.
        expected.logic = rules.contains(&Rule::OR);
        for &rule in rules {
            expected.add(rule);
        }
        // USING is listed only for joins; USING SAMPLE is too rare.
        if !expected.clauses.contains(&"ON") {
            expected.clauses.retain(|clause| *clause != "USING");
        }
        if expected.close {
            expected.clauses.retain(|clause| *clause != "EXCLUDE");
        }
        if expected.things.contains(&"a query") {
            expected.clauses.retain(|clause| *clause != "BY");
            expected
                .clauses
                .retain(|clause| !["SELECT", "VALUES", "FROM", "TABLE"].contains(clause));
            expected.things.retain(|thing| *thing != "`(`");
        }
        // A parenthesis after a name would make it a call, which is never what was meant.
        if expected.operator || expected.end || expected.clauses.contains(&"ON") {
            expected.things.retain(|thing| *thing != "`(`");
        }
        if expected.things.contains(&"a column, an expression or `*`") {
            expected.clauses.clear();
        }
        if expected.clauses.contains(&"UNKNOWN") {
            expected.clauses = vec!["NULL", "TRUE", "FALSE", "DISTINCT FROM"];
            return expected;
        }
        if expected.clauses.contains(&"AS") && expected.things.len() == 1 {
            expected.things.retain(|thing| *thing != "`(`");
        }
        if expected.comma || expected.operator {
            let optional = [
                "EXCLUDE", "REPLACE", "FILTER", "OVER", "NULLS", "FOR", "IN", "IGNORE", "RESPECT",
                "WITHIN", "PERCENT", "RENAME", "AT",
            ];
            expected.clauses.retain(|clause| !optional.contains(clause));
        }
        expected.clauses.sort_by_key(|c| ORDER.iter().position(|o| o == c).unwrap_or(0));
        expected
    }

    fn add(&mut self, rule: Rule) {
        use Rule as R;
        match rule {
            R::comma => self.comma = true,
            R::close => self.close = true,
            R::EOI | R::semicolon => self.end = true,
            R::expr
            | R::operand
            | R::order_item
            | R::group_item
            | R::exists
            | R::quantified
            | R::case
            | R::column
            | R::call
            | R::paren
            | R::list
            | R::structure
            | R::lambda
            | R::struct_pack
            | R::struct_with
            | R::list_operand
            | R::replacement
            | R::arguments
            | R::call_argument => self.expression = true,
            R::select_item => self.thing("a column, an expression or `*`"),
            R::statement => self.thing("a statement"),
            R::query | R::select | R::query_start => self.thing("a query"),
            R::table_ref | R::joined | R::table_name | R::table_call => self.thing("a table"),
            R::name
            | R::any_name
            | R::column_name
            | R::window_name
            | R::named_window
            | R::word
            | R::quoted
            | R::cte => {
                self.thing("a name");
            }
            R::arrow => self.thing("`=>`"),
            R::type_name => self.thing("a type"),
            R::interval_unit => self.thing("a unit such as MINUTE"),
            R::text => self.thing("a text in single quotes"),
            R::open | R::nested | R::column_names | R::row | R::window => self.thing("`(`"),
            R::bound | R::frame => self.thing("a frame such as ROWS 3 PRECEDING"),
            R::when => self.clause("WHEN"),
            R::else_ => self.clause("ELSE"),
            R::on => self.clause("ON"),
            R::using => self.clause("USING"),
            R::from => self.clause("FROM"),
            R::where_ => self.clause("WHERE"),
            R::group_by | R::GROUP => self.clause("GROUP BY"),
            R::having => self.clause("HAVING"),
            R::windows => self.clause("WINDOW"),
            R::qualify => self.clause("QUALIFY"),
            R::order_by | R::ORDER => self.clause("ORDER BY"),
            R::limit => self.clause("LIMIT"),
            R::offset => self.clause("OFFSET"),
            R::join => self.clause("JOIN"),
            R::query_tail => {
                self.clause("ORDER BY");
                self.clause("LIMIT");
                self.clause("UNION");
            }
            R::set_operand => self.clause("UNION"),
            R::select_list => self.clause("SELECT"),
            R::values => self.clause("VALUES"),
            R::AND | R::OR | R::IS | R::NOT if self.logic => {}
            _ => self.keyword(rule),
        }
    }

    fn thing(&mut self, thing: &'static str) {
        if !self.things.contains(&thing) {
            self.things.push(thing);
        }
    }

    fn clause(&mut self, clause: &'static str) {
        if !self.clauses.contains(&clause) {
            self.clauses.push(clause);
        }
    }

    /// Adds a keyword; its grammar rule has the same name.
    fn keyword(&mut self, rule: Rule) {
        // These are accepted after every table and would hide the likely continuations.
        if matches!(rule, Rule::PIVOT | Rule::UNPIVOT | Rule::TABLESAMPLE | Rule::COLLATE) {
            return;
        }
        let name = format!("{rule:?}");
        // `DROP` is reserved by pest, so its rule has a trailing underscore.
        let name = name.trim_end_matches('_');
        let known = super::keywords::KEYWORDS.iter().find(|k| **k == name);
        if let Some(keyword) = known {
            self.clause(keyword);
        }
    }

    /// Accepted keywords, for suggestions of similar names.
    pub(super) fn keywords(&self) -> &[&'static str] {
        &self.clauses
    }

    /// All descriptions in one line: `a table, "(" or ORDER BY`.
    pub(super) fn words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        let mut push = |condition: bool, word: &str| {
            if condition {
                words.push(word.to_owned());
            }
        };
        push(self.expression, "an expression");
        push(self.comma, "`,`");
        push(self.close, "`)`");
        for thing in &self.things {
            push(true, thing);
        }
        push(self.operator, "an operator");
        let shown = if self.clauses.len() > 4 { 1 } else { self.clauses.len() };
        for clause in self.clauses.iter().take(shown) {
            push(true, &format!("`{clause}`"));
        }
        push(shown < self.clauses.len(), "another clause");
        push(self.end && !self.close, "the end of the statement");
        match words.split_last() {
            None => "something else".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }
}
