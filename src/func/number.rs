//! Numbers. A result outside the range of its type is an error, and so is an argument outside
//! the domain of the function.

mod exact;
mod round;
mod whole;

use super::def::{Args, Fault, FuncCx, Scalar, bad, overflow, sig};
use crate::catalog::Ty::{Addr, Bool, Double, Int};
use crate::catalog::{Signature, Value};
use exact::Way;
use round::{round, round_double};
use whole::{binomial, factorial, gamma, gcd, lcm, modulo};

family!("number");

const D: &[Signature] = &[sig(&[Double], Double)];
const D_TO_BOOL: &[Signature] = &[sig(&[Double], Bool)];
const SAME: &[Signature] = &[sig(&[Int], Int), sig(&[Double], Double)];
const II: &[Signature] = &[sig(&[Int, Int], Int)];
const DD: &[Signature] = &[sig(&[Double, Double], Double)];

pub(super) const ALL: &[Scalar] = &[
    f("abs", "The number without its sign.", SAME, &[("abs(-5)", "5")], |_, a| match a.any(0) {
        Value::Int(v) => v.checked_abs().map(Value::Int).ok_or_else(|| overflow("abs", "INTEGER")),
        Value::Decimal(v, of) => exact::abs(*v, of),
        _ => Ok(Value::Double(a.double(0)?.abs())),
    }),
    f(
        "sign",
        "-1, 0 or 1, as the number is below, at or above zero.",
        &[sig(&[Int], Int), sig(&[Double], Int)],
        &[("sign(-2.5)", "-1")],
        |_, a| match a.any(0) {
            Value::Int(v) => Ok(Value::Int(v.signum())),
            _ => a.double(0).map(|v| Value::Int(i64::from(v > 0.0) - i64::from(v < 0.0))),
        },
    ),
    f(
        "ceil",
        "The nearest whole number that is not smaller.",
        SAME,
        &[("ceil(1.2)", "2.0")],
        |cx, a| whole(cx, a, f64::ceil, Way::Up),
    )
    .or(&["ceiling"]),
    f(
        "floor",
        "The nearest whole number that is not larger.",
        SAME,
        &[("floor(-1.2)", "-2.0")],
        |cx, a| whole(cx, a, f64::floor, Way::Down),
    ),
    f("trunc", "The number without its fraction.", SAME, &[("trunc(-1.7)", "-1.0")], |cx, a| {
        whole(cx, a, f64::trunc, Way::ToZero)
    }),
    f(
        "round",
        "The nearest number with that many decimals (none, if not given; tens and hundreds, if negative); halves go away from zero.",
        &[
            Signature::new(&[Int, Int], Int).optional(1),
            Signature::new(&[Double, Int], Double).optional(1),
        ],
        &[("round(2.5)", "3.0"), ("round(1234.567, 2)", "1234.57"), ("round(1250, -2)", "1300")],
        |_, a| round(a),
    ),
    f("sqrt", "The square root.", D, &[("sqrt(2.25)", "1.5")], |_, a| root(a.double(0)?)),
    f("cbrt", "The cube root.", D, &[("cbrt(27)", "3.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.cbrt()))
    }),
    f(
        "pow",
        "The first number to the power of the second.",
        DD,
        &[("pow(2, 10)", "1024.0")],
        |_, a| finite("pow", a.double(0)?.powf(a.double(1)?), &[a.double(0)?, a.double(1)?]),
    )
    .or(&["power"]),
    f("exp", "The exponential function.", D, &[("exp(0)", "1.0")], |_, a| {
        finite("exp", a.double(0)?.exp(), &[a.double(0)?])
    }),
    f("ln", "The natural logarithm.", D, &[("ln(1)", "0.0")], |_, a| {
        logarithm(a.double(0)?, f64::ln)
    }),
    f("log10", "The logarithm to base 10.", D, &[("log10(1000)", "3.0")], |_, a| {
        logarithm(a.double(0)?, f64::log10)
    }),
    f("log2", "The logarithm to base 2.", D, &[("log2(1024)", "10.0")], |_, a| {
        logarithm(a.double(0)?, f64::log2)
    }),
    f(
        "log",
        "The logarithm to base 10, or to the base given first.",
        &[sig(&[Double], Double), sig(&[Double, Double], Double)],
        &[("log(100)", "2.0"), ("log(2, 8)", "3.0")],
        |_, a| log(a),
    ),
    f(
        "mod",
        "The remainder of a division, with the sign of the dividend; NULL if the divisor is zero.",
        &[sig(&[Int, Int], Int), sig(&[Double, Double], Double)],
        &[("mod(-7, 3)", "-1")],
        |_, a| modulo(a),
    ),
    f("gcd", "The greatest common divisor.", II, &[("gcd(12, 18)", "6")], |_, a| {
        integer("gcd", Some(i128::from(gcd(a.int(0)?.unsigned_abs(), a.int(1)?.unsigned_abs()))))
    })
    .or(&["greatest_common_divisor"]),
    f("lcm", "The least common multiple.", II, &[("lcm(4, 6)", "12")], |_, a| {
        lcm(a.int(0)?, a.int(1)?)
    })
    .or(&["least_common_multiple"]),
    f(
        "bit_count",
        "The number of bits that are set.",
        &[sig(&[Int], Int), sig(&[Addr], Int)],
        &[("bit_count(255)", "8")],
        |_, a| match a.any(0) {
            Value::Addr(v) => Ok(Value::Int(i64::from(v.count_ones()))),
            _ => Ok(Value::Int(i64::from(a.int(0)?.count_ones()))),
        },
    ),
    f(
        "xor",
        "The bits that are set in one of the numbers only.",
        &[sig(&[Int, Int], Int), sig(&[Addr, Addr], Addr)],
        &[("xor(5, 3)", "6")],
        |_, a| match (a.any(0), a.any(1)) {
            (Value::Addr(x), Value::Addr(y)) => Ok(Value::Addr(x ^ y)),
            _ => Ok(Value::Int(a.int(0)? ^ a.int(1)?)),
        },
    ),
    f(
        "isnan",
        "Whether the number is the floating-point value that is not a number.",
        D_TO_BOOL,
        &[("isnan('nan'::DOUBLE)", "true")],
        |_, a| Ok(Value::Bool(a.double(0)?.is_nan())),
    ),
    f("isinf", "Whether the number is infinite.", D_TO_BOOL, &[("isinf(1.0)", "false")], |_, a| {
        Ok(Value::Bool(a.double(0)?.is_infinite()))
    }),
    f(
        "isfinite",
        "Whether the number is neither infinite nor not-a-number.",
        D_TO_BOOL,
        &[("isfinite(1.0)", "true")],
        |_, a| Ok(Value::Bool(a.double(0)?.is_finite())),
    ),
    f(
        "pi",
        "The ratio of a circle's circumference to its diameter.",
        &[sig(&[], Double)],
        &[("round(pi(), 4)", "3.1416")],
        |_, _| Ok(Value::Double(std::f64::consts::PI)),
    ),
    f("sin", "The sine of an angle in radians.", D, &[("sin(0)", "0.0")], |_, a| {
        angle(a.double(0)?, f64::sin)
    }),
    f("cos", "The cosine of an angle in radians.", D, &[("cos(0)", "1.0")], |_, a| {
        angle(a.double(0)?, f64::cos)
    }),
    f("tan", "The tangent of an angle in radians.", D, &[("tan(0)", "0.0")], |_, a| {
        angle(a.double(0)?, f64::tan)
    }),
    f("atan", "The angle in radians of a tangent.", D, &[("atan(0)", "0.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.atan()))
    }),
    f(
        "atan2",
        "The angle in radians of a point, from its y and its x.",
        DD,
        &[("atan2(0, 1)", "0.0")],
        |_, a| Ok(Value::Double(a.double(0)?.atan2(a.double(1)?))),
    ),
    f("asin", "The angle in radians of a sine.", D, &[("asin(0)", "0.0")], |_, a| {
        within(a.double(0)?, -1.0, 1.0, "asin", f64::asin)
    }),
    f("acos", "The angle in radians of a cosine.", D, &[("acos(1)", "0.0")], |_, a| {
        within(a.double(0)?, -1.0, 1.0, "acos", f64::acos)
    }),
    f(
        "cot",
        "The cotangent of an angle in radians.",
        D,
        &[("round(cot(1), 4)", "0.6421")],
        |_, a| match angle(a.double(0)?, f64::tan)? {
            Value::Double(0.0) => bad("zero has no cotangent"),
            Value::Double(tangent) => Ok(Value::Double(1.0 / tangent)),
            other => Ok(other),
        },
    ),
    f("sinh", "The hyperbolic sine.", D, &[("sinh(0)", "0.0")], |_, a| {
        finite("sinh", a.double(0)?.sinh(), &[a.double(0)?])
    }),
    f("cosh", "The hyperbolic cosine.", D, &[("cosh(0)", "1.0")], |_, a| {
        finite("cosh", a.double(0)?.cosh(), &[a.double(0)?])
    }),
    f("tanh", "The hyperbolic tangent.", D, &[("tanh(0)", "0.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.tanh()))
    }),
    f("asinh", "The inverse of sinh.", D, &[("asinh(0)", "0.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.asinh()))
    }),
    f("acosh", "The inverse of cosh.", D, &[("acosh(1)", "0.0")], |_, a| {
        within(a.double(0)?, 1.0, f64::INFINITY, "acosh", f64::acosh)
    }),
    f("atanh", "The inverse of tanh; infinite at 1 and -1.", D, &[("atanh(0)", "0.0")], |_, a| {
        within(a.double(0)?, -1.0, 1.0, "atanh", f64::atanh)
    }),
    f(
        "even",
        "The nearest even number that is further from zero, or the number if it is even.",
        D,
        &[("even(2.1)", "4.0"), ("even(-3)", "-4.0")],
        |_, a| {
            let value = a.double(0)?;
            Ok(Value::Double((value.abs() / 2.0).ceil().copysign(value) * 2.0))
        },
    ),
    f(
        "factorial",
        "The product of all whole numbers from 1 to the argument.",
        &[sig(&[Int], Int)],
        &[("factorial(5)", "120")],
        |_, a| factorial(a.int(0)?),
    ),
    f(
        "binom",
        "The number of ways to choose the second number of items from the first.",
        II,
        &[("binom(5, 2)", "10")],
        |_, a| binomial(a.int(0)?, a.int(1)?),
    ),
    f("gamma", "The gamma function.", D, &[("gamma(5)", "24.0")], |_, a| gamma(a.double(0)?)),
    f(
        "lgamma",
        "The logarithm of the gamma function.",
        D,
        &[("round(lgamma(5), 4)", "3.1781")],
        |_, a| match a.double(0)? {
            0.0 => bad("the gamma function of zero is not defined"),
            value => Ok(Value::Double(libm::lgamma(value))),
        },
    ),
    f(
        "signbit",
        "Whether the sign of the number is a minus, also of zero.",
        D_TO_BOOL,
        &[("signbit(-0.5)", "true")],
        |_, a| Ok(Value::Bool(a.double(0)?.is_sign_negative())),
    ),
    f(
        "nextafter",
        "The next number of floating point towards the second argument.",
        DD,
        &[("nextafter(1, 2)", "1.0000000000000002")],
        |_, a| {
            let (from, to) = (a.double(0)?, a.double(1)?);
            Ok(Value::Double(if from.is_nan() || to.is_nan() {
                f64::NAN
            } else if from < to {
                from.next_up()
            } else if from > to {
                from.next_down()
            } else {
                to
            }))
        },
    ),
    f(
        "round_even",
        "The nearest number with that many decimals; halves go to the even digit.",
        &[sig(&[Double, Int], Double)],
        &[("round_even(2.5, 0)", "2.0"), ("round_even(3.5, 0)", "4.0")],
        |_, a| {
            let digits = i32::try_from(a.int(1)?.clamp(-400, 400)).unwrap_or_default();
            Ok(Value::Double(round_double(a.double(0)?, digits, true)))
        },
    )
    .or(&["roundbankers"]),
    f(
        "fdiv",
        "The quotient without its fraction, towards smaller numbers; NULL if the divisor is zero.",
        DD,
        &[("fdiv(-7, 2)", "-4.0")],
        |_, a| Ok(by(a.double(0)?, a.double(1)?, |x, y| (x / y).floor())),
    ),
    f(
        "fmod",
        "The remainder of fdiv, with the sign of the divisor; NULL if the divisor is zero.",
        DD,
        &[("fmod(-7, 2)", "1.0")],
        |_, a| Ok(by(a.double(0)?, a.double(1)?, |x, y| x - (x / y).floor() * y)),
    ),
    f("degrees", "An angle in radians as degrees.", D, &[("degrees(pi())", "180.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.to_degrees()))
    }),
    f("radians", "An angle in degrees as radians.", D, &[("radians(0)", "0.0")], |_, a| {
        Ok(Value::Double(a.double(0)?.to_radians()))
    }),
];

fn whole(
    cx: &FuncCx<'_>,
    a: &[Value<'_>],
    round: fn(f64) -> f64,
    way: Way,
) -> Result<Value<'static>, Fault> {
    match a.any(0) {
        Value::Decimal(v, of) => exact::whole(cx, *v, of, way),
        Value::Int(v) => Ok(Value::Int(*v)),
        _ => Ok(Value::Double(round(a.double(0)?))),
    }
}

/// An integer result, or an overflow.
fn integer(function: &str, value: Option<i128>) -> Result<Value<'static>, Fault> {
    let value = value.and_then(|v| i64::try_from(v).ok());
    value.map(Value::Int).ok_or_else(|| overflow(function, "INTEGER"))
}

/// A result; it is an error if it is infinite or NaN although no argument is.
fn finite(function: &str, result: f64, arguments: &[f64]) -> Result<Value<'static>, Fault> {
    if result.is_finite() || arguments.iter().any(|v| !v.is_finite()) {
        Ok(Value::Double(result))
    } else if result.is_nan() {
        bad(format!("{function} is not defined for these numbers"))
    } else {
        Err(overflow(function, "DOUBLE"))
    }
}

fn root(value: f64) -> Result<Value<'static>, Fault> {
    if value < 0.0 {
        return bad("the square root of a negative number is not defined");
    }
    Ok(Value::Double(value.sqrt()))
}

fn logarithm(value: f64, log: fn(f64) -> f64) -> Result<Value<'static>, Fault> {
    if value <= 0.0 {
        return bad("the logarithm of zero or of a negative number is not defined");
    }
    Ok(Value::Double(log(value)))
}

fn log(a: &[Value<'_>]) -> Result<Value<'static>, Fault> {
    if a.len() < 2 {
        return logarithm(a.double(0)?, f64::log10);
    }
    let (base, value) = (a.double(0)?, a.double(1)?);
    if base <= 0.0 || value <= 0.0 {
        return bad("the logarithm of zero or of a negative number is not defined");
    }
    if (base - 1.0).abs() < f64::EPSILON {
        return bad("there is no logarithm to base 1");
    }
    Ok(Value::Double(value.log10() / base.log10()))
}

/// A trigonometric function, for which an infinite angle is an error.
fn angle(value: f64, function: fn(f64) -> f64) -> Result<Value<'static>, Fault> {
    if value.is_infinite() {
        return bad("an infinite number is not an angle");
    }
    Ok(Value::Double(function(value)))
}

/// A function whose domain is `low` to `high`.
fn within(
    value: f64,
    low: f64,
    high: f64,
    name: &str,
    function: fn(f64) -> f64,
) -> Result<Value<'static>, Fault> {
    if value < low || value > high {
        return bad(format!("{name} is defined from {low} to {high}"));
    }
    Ok(Value::Double(function(value)))
}

/// A quotient or remainder; NULL if the divisor is zero.
fn by(value: f64, divisor: f64, function: fn(f64, f64) -> f64) -> Value<'static> {
    if divisor == 0.0 { Value::Null } else { Value::Double(function(value, divisor)) }
}

#[cfg(test)]
mod tests {
    use super::round_double;

    /// Results of DuckDB 2.0.1: the first eight for the same numbers as DECIMAL, the others as
    /// DOUBLE.
    #[test]
    fn rounding_uses_the_decimal_representation() {
        for (value, digits, expected) in [
            (1.005, 2, 1.01),
            (2.675, 2, 2.68),
            (0.145, 2, 0.15),
            (-1.005, 2, -1.01),
            (1234.567, 2, 1234.57),
            (1234.5, -2, 1200.0),
            (99.995, 2, 100.0),
            (0.5, 0, 1.0),
            (-2.5, 0, -3.0),
            (-0.4, 0, -0.0),
            (1e308, 2, 1e308),
            (1e308, -400, 0.0),
            (1.5, 400, 1.5),
            (1e-300, 2, 0.0),
            (5e-324, 400, 5e-324),
            (1250.0, -2, 1300.0),
            (f64::INFINITY, -1, f64::INFINITY),
            (f64::NEG_INFINITY, 2, f64::NEG_INFINITY),
        ] {
            let result = round_double(value, digits, false);
            assert_eq!(result.to_bits(), f64::to_bits(expected), "{value} {digits}: {result}");
        }
        assert!(round_double(f64::NAN, -1, false).is_nan());
    }
}
