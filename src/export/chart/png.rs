//! Charts as PNG: their SVG, drawn with fonts that are part of the program, so that a chart looks
//! the same on every machine.

use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use resvg::{tiny_skia, usvg};

use super::data::Data;
use super::spec::Theme;
use super::svg::write_svg;

/// Pixels a unit of the picture: sharp on screens and on paper.
const SCALE: f32 = 2.0;

static FONTS: LazyLock<Arc<usvg::fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = usvg::fontdb::Database::new();
    for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
        fonts.load_font_source(usvg::fontdb::Source::Binary(Arc::new(font)));
    }
    fonts.set_sans_serif_family("DejaVu Sans");
    Arc::new(fonts)
});

/// Draws the chart as a picture of twice as many pixels as the SVG has units; light, unless the
/// theme says dark.
///
/// # Errors
/// Whatever the writer reports.
pub fn write_png(data: &Data, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let theme = if data.theme == Theme::Dark { Theme::Dark } else { Theme::Light };
    let mut svg = Vec::new();
    write_svg(&Data { theme, ..data.clone() }, title, &mut svg)?;
    let options = usvg::Options {
        font_family: "DejaVu Sans".to_owned(),
        fontdb: Arc::clone(&FONTS),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_data(&svg, &options).map_err(io::Error::other)?;
    let size = tree.size();
    let pixels = |units: f32| (units * SCALE).ceil() as u32;
    let mut picture = tiny_skia::Pixmap::new(pixels(size.width()), pixels(size.height()))
        .ok_or_else(|| io::Error::other("the picture has no size"))?;
    let scale = tiny_skia::Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, scale, &mut picture.as_mut());
    out.write_all(&picture.encode_png().map_err(io::Error::other)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Ty, Value};
    use crate::exec::ResultSet;
    use crate::export::chart::Spec;
    use crate::export::samples::{field, hostile};

    fn drawn(spec: &str, result: &ResultSet) -> tiny_skia::Pixmap {
        let data = Data::new(&Spec::parse(spec).unwrap(), result).unwrap();
        let mut out = Vec::new();
        write_png(&data, "IRPs by driver", &mut out).unwrap();
        tiny_skia::Pixmap::decode_png(&out).unwrap()
    }

    fn drivers() -> ResultSet {
        let names = (0..3).map(|n| Value::text(format!("\\Driver\\number{n}"))).collect();
        let values = (0..3).map(|n| Value::Int(300 - n * 100)).collect();
        ResultSet::of(vec![(field("driver", Ty::Text), names), (field("irps", Ty::Int), values)])
    }

    /// How many pixels have exactly that colour.
    fn count(picture: &tiny_skia::Pixmap, colour: (u8, u8, u8)) -> usize {
        let is = |p: &&tiny_skia::PremultipliedColorU8| (p.red(), p.green(), p.blue()) == colour;
        picture.pixels().iter().filter(is).count()
    }

    #[test]
    fn bars_have_their_colour_and_letters_are_drawn() {
        let picture = drawn("bar x=driver y=irps", &drivers());
        assert_eq!(picture.width(), 1920);
        assert!(picture.height() > 200, "{}", picture.height());
        assert!(count(&picture, (0x00, 0x72, 0xb2)) > 20_000);
        assert!(count(&picture, (0xff, 0xff, 0xff)) > 100_000);
        // Letters of labels are the only thing that is so dark.
        assert!(count(&picture, (0x22, 0x22, 0x22)) > 500);
        let dark = drawn("bar x=driver y=irps theme=dark", &drivers());
        assert!(count(&dark, (0x16, 0x19, 0x1d)) > 100_000);
        assert!(count(&dark, (0x3d, 0x9b, 0xdc)) > 20_000);
        assert_eq!(count(&dark, (0xff, 0xff, 0xff)), 0);
    }

    #[test]
    fn every_kind_is_drawn_from_any_values() {
        for spec in [
            "bar x=name y=n",
            "column x=name y=share",
            "line x=made y=n",
            "area x=n y=share",
            "scatter x=base y=n series=is_on",
            "histogram x=n",
            "heat x=is_on y=base value=n",
        ] {
            let picture = drawn(spec, &hostile());
            let ground = count(&picture, (0xff, 0xff, 0xff));
            assert!(ground < picture.pixels().len(), "{spec}");
        }
    }
}
