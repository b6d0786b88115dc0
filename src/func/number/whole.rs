//! Functions of integers, and the gamma function.

use super::super::def::{Args as _, Fault, bad, overflow};
use super::{finite, integer};
use crate::catalog::Value;

pub(super) fn factorial(n: i64) -> Result<Value<'static>, Fault> {
    if n < 0 {
        return bad("the factorial of a number below zero is not defined");
    }
    let product = (1..=n.min(21)).try_fold(1i64, i64::checked_mul);
    product.map(Value::Int).ok_or_else(|| overflow("factorial", "INTEGER"))
}

pub(super) fn binomial(n: i64, k: i64) -> Result<Value<'static>, Fault> {
    if n < 0 || k < 0 {
        return bad("binom takes no numbers below zero");
    }
    if k > n {
        return Ok(Value::Int(0));
    }
    let mut choices = 1i128;
    for i in 0..k.min(n - k) {
        choices = choices * i128::from(n - i) / i128::from(i + 1);
        if choices > i128::from(i64::MAX) {
            return Err(overflow("binom", "INTEGER"));
        }
    }
    integer("binom", Some(choices))
}

pub(super) fn gamma(value: f64) -> Result<Value<'static>, Fault> {
    if value == 0.0 {
        return bad("the gamma function of zero is not defined");
    }
    finite("gamma", libm::tgamma(value), &[value])
}

pub(super) const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

pub(super) fn lcm(a: i64, b: i64) -> Result<Value<'static>, Fault> {
    let (x, y) = (a.unsigned_abs(), b.unsigned_abs());
    let divisor = gcd(x, y);
    if divisor == 0 {
        return Ok(Value::Int(0));
    }
    integer("lcm", i128::from(x / divisor).checked_mul(i128::from(y)))
}

pub(super) fn modulo(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if let (Value::Int(x), Value::Int(y)) = (a.any(0), a.any(1)) {
        return Ok(if *y == 0 { Value::Null } else { Value::Int(x.wrapping_rem(*y)) });
    }
    let (x, y) = (a.double(0)?, a.double(1)?);
    Ok(if y == 0.0 { Value::Null } else { Value::Double(x % y) })
}
