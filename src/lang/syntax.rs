//! The parser that pest generates from `grammar/dumpql.pest`, and the precedence of operators.
//!
//! Grammar rules are not visible outside `lang`.

use std::sync::LazyLock;

use pest::pratt_parser::{Assoc, Op, PrattParser};

/// The generated parser.
#[derive(pest_derive::Parser)]
#[grammar = "../grammar/dumpql.pest"]
pub(super) struct Syntax;

/// The precedence table of section 6 of the grammar, lowest first.
pub(super) static PRECEDENCE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    PrattParser::new()
        .op(left(Rule::lambda_arrow) | left(Rule::long_arrow))
        .op(left(Rule::or))
        .op(left(Rule::and))
        .op(Op::prefix(Rule::not))
        .op(Op::postfix(Rule::is_null)
            | Op::postfix(Rule::is_bool)
            | Op::postfix(Rule::null_suffix)
            | left(Rule::is_distinct))
        .op(left(Rule::eq)
            | left(Rule::not_eq)
            | left(Rule::lt)
            | left(Rule::lt_eq)
            | left(Rule::gt)
            | left(Rule::gt_eq))
        .op(Op::postfix(Rule::between) | Op::postfix(Rule::in_) | Op::postfix(Rule::matches))
        .op(left(Rule::concat)
            | left(Rule::bit_or)
            | left(Rule::bit_and)
            | left(Rule::shift_left)
            | left(Rule::shift_right))
        .op(Op::prefix(Rule::bit_not) | Op::prefix(Rule::magnitude))
        .op(left(Rule::plus) | left(Rule::minus))
        .op(left(Rule::times) | left(Rule::div) | left(Rule::int_div) | left(Rule::modulo))
        .op(left(Rule::power))
        .op(Op::prefix(Rule::negative) | Op::prefix(Rule::positive) | Op::postfix(Rule::at_zone))
        .op(Op::postfix(Rule::cast)
            | Op::postfix(Rule::chained)
            | Op::postfix(Rule::field)
            | Op::postfix(Rule::subscript)
            | Op::postfix(Rule::collate)
            | Op::postfix(Rule::factorial))
});
