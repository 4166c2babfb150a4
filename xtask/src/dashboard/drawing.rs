//! The few shapes of SVG that a dashboard needs.

/// Lines, in the order in which a widget names them.
pub const COLOURS: [&str; 8] = [
    "#1f6fb2", "#d9730d", "#2e8b57", "#b83280", "#6b4fbb", "#c0392b", "#0e8a8a", "#7a6a00",
];

#[derive(Clone, Copy, Debug)]
pub struct Rectangle {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// Where a text is fixed.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture under way.
#[derive(Debug, Default)]
pub struct Drawing(String);

impl Drawing {
    fn add(&mut self, shape: std::fmt::Arguments<'_>) {
        self.0.push_str(&shape.to_string());
        self.0.push('\n');
    }

    pub fn rectangle(&mut self, at: Rectangle, fill: &str, stroke: &str) {
        let Rectangle { x, y, width, height } = at;
        self.add(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="4" fill="{fill}" stroke="{stroke}"/>"#
        ));
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: &str, is_dashed: bool) {
        let dashes = if is_dashed { r#" stroke-dasharray="4 3""# } else { "" };
        self.add(format_args!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{stroke}"{dashes}/>"#,
            from.0, from.1, to.0, to.1
        ));
    }

    pub fn path(&mut self, points: &[(f64, f64)], stroke: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.add(format_args!(
            r#"<polyline points="{}" fill="none" stroke="{stroke}" stroke-width="1.5"/>"#,
            points.join(" ")
        ));
    }

    pub fn dot(&mut self, at: (f64, f64), fill: &str) {
        self.add(format_args!(r#"<circle cx="{:.1}" cy="{:.1}" r="1.8" fill="{fill}"/>"#, at.0, at.1));
    }

    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, fill: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.add(format_args!(
            r#"<text x="{:.1}" y="{:.1}" font-size="{size}" text-anchor="{anchor}" fill="{fill}">{}</text>"#,
            at.0,
            at.1,
            escaped(text)
        ));
    }

    /// The whole picture.
    pub fn finish(self, width: f64, height: f64, title: &str) -> String {
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" role="img">
<title>{}</title>
<rect width="{width}" height="{height}" fill="#f4f5f7"/>
{}</svg>
"##,
            escaped(title),
            self.0
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A number as short as an axis needs it: 1,250 ms as 1.3k.
pub fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        large if large >= 1e9 => (value / 1e9, "G"),
        large if large >= 1e6 => (value / 1e6, "M"),
        large if large >= 1e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let digits = usize::from(scaled.fract().abs() > 0.05 && scaled.abs() < 100.0);
    format!("{scaled:.digits$}{unit}")
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below `value`.
pub fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.5, 5.0, 10.0];
    steps
        .map(|step| step * power)
        .into_iter()
        .find(|step| *step >= value)
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_axes_round() {
        assert_eq!(
            [0.0, 7.0, 1_250.0, 120_000.0, 3_400_000.0].map(short),
            ["0", "7", "1.2k", "120k", "3.4M"]
        );
        assert_eq!([0.0, 1.0, 1.2, 23.0, 700.0].map(round_up), [1.0, 1.0, 2.0, 25.0, 1_000.0]);
    }

    #[test]
    fn texts_cannot_break_the_picture() {
        let mut drawing = Drawing::default();
        drawing.text((0.0, 0.0), 10.0, Anchor::Start, "#000", "<b> & co");
        let picture = drawing.finish(1.0, 1.0, "a < b");
        assert!(
            picture.contains("&lt;b&gt; &amp; co") && picture.contains("<title>a &lt; b</title>"),
            "{picture}"
        );
    }
}
