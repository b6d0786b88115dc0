//! The specification of a chart: its kind, and the columns of its axes.

use std::fmt;

/// A kind of chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChartKind {
    /// Horizontal bars, one per category.
    Bar,
    /// Vertical bars, one per category.
    Column,
    /// A line through points.
    Line,
    /// A line with the area below it.
    Area,
    /// Points.
    Scatter,
    /// A grid of cells, darker where the value is larger.
    Heat,
    /// The number of values in each of several ranges.
    Histogram,
}

impl ChartKind {
    /// All kinds with their names.
    pub const ALL: [(&'static str, Self); 7] = [
        ("bar", Self::Bar),
        ("column", Self::Column),
        ("line", Self::Line),
        ("area", Self::Area),
        ("scatter", Self::Scatter),
        ("heat", Self::Heat),
        ("histogram", Self::Histogram),
    ];
}

/// The colours of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Theme {
    /// As the page is, or light where nothing says so.
    #[default]
    Auto,
    /// Dark letters on white.
    Light,
    /// Light letters on a dark ground.
    Dark,
}

impl Theme {
    const NAMED: [(&'static str, Self); 2] = [("light", Self::Light), ("dark", Self::Dark)];
}

/// Which columns of a result a chart shows, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spec {
    /// The kind.
    pub kind: ChartKind,
    /// The column of the horizontal axis or of the categories; `None` selects the first suitable
    /// one.
    pub x: Option<String>,
    /// The columns of the values; an empty list selects the first suitable one.
    pub y: Vec<String>,
    /// The column whose values define the series.
    pub series: Option<String>,
    /// The column whose values colour the cells of a heat map.
    pub value: Option<String>,
    /// The colours of a picture.
    pub theme: Theme,
}

impl Spec {
    /// A chart with automatically selected columns.
    pub const fn of(kind: ChartKind) -> Self {
        Self { kind, x: None, y: Vec::new(), series: None, value: None, theme: Theme::Auto }
    }

    /// Parses `KIND [x=COLUMN] [y=COLUMN[,COLUMN]] [series=COLUMN] [value=COLUMN]`; names with
    /// blanks are written in double quotes.
    ///
    /// # Errors
    /// If the text is invalid; the message says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut words = words(text).into_iter();
        let kind = words.next().unwrap_or_default();
        let found = ChartKind::ALL.iter().find(|(name, _)| name.eq_ignore_ascii_case(&kind));
        let Some((_, kind)) = found else {
            let names: Vec<&str> = ChartKind::ALL.iter().map(|(name, _)| *name).collect();
            return Err(format!(
                "`{kind}` is not a kind of chart; write one of {}, such as `bar x=driver y=irps`",
                names.join(", ")
            ));
        };
        let mut spec = Self::of(*kind);
        for word in words {
            let Some((key, column)) = word.split_once('=').filter(|(_, column)| !column.is_empty())
            else {
                return Err(format!(
                    "expected x=COLUMN, y=COLUMN, series=COLUMN, value=COLUMN or theme=dark, found `{word}`"
                ));
            };
            match key {
                "x" => spec.x = Some(column.to_owned()),
                "y" => spec.y.extend(column.split(',').map(str::to_owned)),
                "series" => spec.series = Some(column.to_owned()),
                "value" => spec.value = Some(column.to_owned()),
                "theme" => {
                    let named = Theme::NAMED.iter().find(|(name, _)| *name == column);
                    spec.theme = named.ok_or("a theme is `light` or `dark`")?.1;
                }
                _ => {
                    return Err(format!(
                        "`{key}` is not a part of a chart: x, y, series, value and theme are"
                    ));
                }
            }
        }
        Ok(spec)
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            ChartKind::ALL.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(n, _)| n);
        f.write_str(name)?;
        let quoted = |name: &str| {
            if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() }
        };
        if let Some(x) = &self.x {
            write!(f, " x={}", quoted(x))?;
        }
        if !self.y.is_empty() {
            write!(f, " y={}", quoted(&self.y.join(",")))?;
        }
        if let Some(series) = &self.series {
            write!(f, " series={}", quoted(series))?;
        }
        if let Some(value) = &self.value {
            write!(f, " value={}", quoted(value))?;
        }
        if let Some((name, _)) = Theme::NAMED.iter().find(|(_, theme)| *theme == self.theme) {
            write!(f, " theme={name}")?;
        }
        Ok(())
    }
}

/// Words between blanks; double quotes keep blanks within a word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_is_parsed_and_formatted() {
        for text in [
            "bar x=driver y=irps",
            "histogram x=wait_ms",
            "line x=t y=a,b series=\"a name\"",
            "heat x=part y=address value=pages",
            "bar x=a theme=dark",
        ] {
            assert_eq!(Spec::parse(text).unwrap().to_string(), text);
        }
        for (text, part) in [
            ("pie x=a", "`pie` is not a kind"),
            ("bar x", "found `x`"),
            ("bar z=1", "`z` is not a part"),
            ("bar theme=red", "`light` or `dark`"),
        ] {
            let error = Spec::parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
