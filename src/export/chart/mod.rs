//! Results as pictures: bars, lines, points, heat maps and histograms, for terminals, as SVG and as PNG.
//!
//! A [`Spec`] says which columns stand where; [`Data`] is what a result has of them; `text`,
//! `svg` and `png` draw it. Colours are those of Okabe and Ito, which colour-blind readers tell apart.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "coordinates in a picture are rounded"
)]

mod data;
mod histogram;
#[cfg(feature = "png")]
mod png;
#[cfg(not(feature = "png"))]
mod png {
    //! Without the feature `png` there is nothing that draws pixels.

    use std::io::{self, Write};

    /// Says that pictures of pixels are left out.
    pub fn write_png(_: &super::Data, _: &str, _: &mut dyn Write) -> io::Result<()> {
        let message = "this program was built without PNG pictures (the feature `png`); SVG needs \
                       no feature";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}
mod scale;
mod spec;
mod svg;
mod text;

pub use data::Data;
#[cfg(feature = "excel")]
pub(super) use data::{Bars, ChartShape, Points};
pub use png::write_png;
pub use spec::{ChartKind, Spec, Theme};
pub use svg::write_svg;
pub use text::{TextLook, write_text};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Ty, Value};
    use crate::exec::ResultSet;
    use crate::export::samples::{field, hostile};

    /// Drivers and their IRPs.
    fn drivers(count: i64) -> ResultSet {
        let names = (0..count).map(|n| Value::text(format!("\\Driver\\number{n}"))).collect();
        let values = (0..count).map(|n| Value::Int((count - n) * 100)).collect();
        ResultSet::of(vec![(field("driver", Ty::Text), names), (field("irps", Ty::Int), values)])
    }

    fn svg(spec: &str, result: &ResultSet) -> String {
        let data = Data::new(&Spec::parse(spec).unwrap(), result).unwrap();
        let mut out = Vec::new();
        write_svg(&data, "a <title>", &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn text(spec: &str, result: &ResultSet) -> String {
        let data = Data::new(&Spec::parse(spec).unwrap(), result).unwrap();
        let mut out = Vec::new();
        write_text(&data, &TextLook { width: 60, colour: false }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn bars_show_their_values() {
        let shown = text("bar x=driver y=irps", &drivers(3));
        expect_test::expect![[r#"
            driver                                                 irps
            \Driver\number0  ███████████████████████████████████████ 300
            \Driver\number1  ██████████████████████████ 200
            \Driver\number2  █████████████ 100
        "#]]
        .assert_eq(&shown);
    }

    #[test]
    fn the_smallest_bars_are_combined() {
        let shown = text("bar x=driver y=irps", &drivers(100));
        assert!(shown.contains("others (61)"), "{shown}");
        assert_eq!(shown.lines().count(), 41, "{shown}");
        let picture = svg("bar x=driver y=irps", &drivers(100));
        assert!(picture.contains("others (41)"), "{picture}");
    }

    #[test]
    fn every_kind_draws_any_values() {
        let result = hostile();
        for spec in [
            "bar x=name y=n",
            "column x=name y=share",
            "line x=made y=n",
            "area x=n y=share",
            "scatter x=base y=n series=is_on",
            "histogram x=n",
            "histogram x=base",
            "heat x=is_on y=base value=n",
            "bar",
            "scatter",
        ] {
            let Ok(data) = Data::new(&Spec::parse(spec).unwrap(), &result) else { continue };
            let mut out = Vec::new();
            write_svg(&data, spec, &mut out).unwrap();
            let picture = String::from_utf8(out).unwrap();
            assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"), "{spec}");
            assert!(!picture.contains("NaN") && !picture.contains("inf"), "{spec}: {picture}");
            assert!(!picture.contains("<b>") && !picture.contains('\u{1b}'), "{spec}");
            for width in [1, 20, 80, 200] {
                write_text(&data, &TextLook { width, colour: width > 80 }, &mut Vec::new())
                    .unwrap();
            }
        }
    }

    #[test]
    fn any_number_of_bars_is_drawn() {
        for count in 1..=60 {
            let picture = svg("column x=driver y=irps", &drivers(count));
            assert!(picture.matches("class=\"s0\"").count() >= usize::try_from(count).unwrap());
        }
    }

    #[test]
    fn empty_results_are_an_error() {
        let result = drivers(0);
        assert!(Data::new(&Spec::parse("bar").unwrap(), &result).is_err());
    }
}
