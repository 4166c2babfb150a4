//! The whole dashboard, on the grid that the template gives it.

use std::collections::BTreeSet;

use integration_tests::operations::{Point, Template, lines_of, red_alarms};
use serde_json::Value;

use super::drawing::{Anchor, Drawing, Rectangle};
use super::figures::{Curve, Span, curves};
use super::panel;

/// The stage that the local stack deploys with.
const STAGE: &str = "local";

/// One column and one row of CloudWatch's grid, in units of the picture.
const COLUMN: f64 = 60.0;
const ROW: f64 = 34.0;

const GAP: f64 = 4.0;
const FOOT: f64 = 26.0;

/// Alarms beside each other.
const CHIPS: usize = 6;

/// Draws every widget of the template from these points.
pub fn page(template: &Template, points: &[Point]) -> String {
    let span = Span::of(points);
    let mut drawing = Drawing::default();
    let mut height: f64 = 0.0;
    for widget in template.widgets() {
        let at = place(&widget);
        height = height.max(at.y + at.height);
        match widget.pointer("/type").and_then(Value::as_str) {
            Some("text") => text(
                &mut drawing,
                at,
                widget.pointer("/properties/markdown").and_then(Value::as_str).unwrap_or_default(),
            ),
            Some("alarm") => alarms(&mut drawing, at, &widget, template, points),
            _ => metrics(&mut drawing, at, &widget, points, span),
        }
    }
    let foot = format!(
        "Drawn by `cargo xtask dashboard` from the metrics of a local run. Each point stands for {:.1} s, in AWS for 5 min.",
        span.period_seconds()
    );
    drawing.text((12.0, height + 18.0), 11.0, Anchor::Start, "#6b7280", &foot);
    drawing.finish(24.0 * COLUMN, height + FOOT, "The dashboard after a local run")
}

fn place(widget: &Value) -> Rectangle {
    let number = |name: &str| widget.get(name).and_then(Value::as_f64).unwrap_or_default();
    Rectangle {
        x: number("x") * COLUMN + GAP,
        y: number("y") * ROW + GAP,
        width: number("width") * COLUMN - 2.0 * GAP,
        height: number("height") * ROW - 2.0 * GAP,
    }
}

fn text(drawing: &mut Drawing, at: Rectangle, markdown: &str) {
    let mut y = at.y + 20.0;
    for line in markdown.lines() {
        let heading = line.trim_start_matches('#');
        let size = match line.len() - heading.len() {
            1 => 22.0,
            2 => 17.0,
            _ => 12.0,
        };
        let line = heading.trim().replace("Stage", STAGE).replace("RunbookUrl", "docs/OPERATIONS.md");
        drawing.text((at.x + 8.0, y), size, Anchor::Start, "#1b1f24", &line);
        y += 24.0;
    }
}

/// Red or green as the run's metrics say; grey for what only AWS measures.
fn alarms(drawing: &mut Drawing, at: Rectangle, widget: &Value, template: &Template, points: &[Point]) {
    let inside = panel::frame(drawing, at, "Alarms");
    let red = red_alarms(template, STAGE, points);
    let judged: BTreeSet<&str> = template
        .metric_alarms()
        .into_iter()
        .filter(|(_, alarm)| alarm.get("Namespace").is_some_and(|namespace| namespace == "DualVerification"))
        .map(|(name, _)| name)
        .collect();
    let names = widget
        .pointer("/properties/alarms")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    for (place, name) in names.map(|name| name.trim_end_matches(".Arn")).enumerate() {
        let (fill, ink) = match name {
            name if red.contains(name) => ("#c0392b", "#ffffff"),
            name if judged.contains(name) => ("#d8f0e0", "#14532d"),
            _ => ("#eceef1", "#6b7280"),
        };
        let share = |count: usize| f64::from(u32::try_from(count).unwrap_or_default());
        let width = inside.width / share(CHIPS);
        let chip = Rectangle {
            x: inside.x + width * share(place % CHIPS),
            y: inside.y + 24.0 * share(place / CHIPS),
            width: width - 6.0,
            height: 20.0,
        };
        drawing.rectangle(chip, fill, fill);
        drawing.text((chip.x + 8.0, chip.y + 14.0), 11.0, Anchor::Start, ink, name);
    }
}

fn metrics(drawing: &mut Drawing, at: Rectangle, widget: &Value, points: &[Point], span: Span) {
    let inside = panel::frame(
        drawing,
        at,
        widget.pointer("/properties/title").and_then(Value::as_str).unwrap_or_default(),
    );
    let lines = lines_of(widget);
    let curves: Vec<Curve> = lines.iter().flat_map(|line| curves(line, points, STAGE, span)).collect();
    if curves.is_empty() {
        let is_ours = lines.iter().any(|line| line.series.namespace == "DualVerification");
        let why = if is_ours {
            "nothing of it happened"
        } else {
            "measured by AWS, not by the emulator"
        };
        panel::remark(drawing, inside, why);
    } else if widget.pointer("/properties/view").is_some_and(|view| view == "singleValue") {
        panel::numbers(drawing, inside, &curves);
    } else {
        panel::graph(drawing, inside, widget, &curves);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_widget_of_the_template_is_drawn_even_if_nothing_happened() {
        let template = Template::read();
        let picture = page(&template, &[]);
        let titles = template.widgets();
        let titles = titles.iter().filter_map(|widget| widget.pointer("/properties/title")?.as_str());
        let mut count = 0;
        for title in titles {
            assert!(picture.contains(&format!(">{title}</text>")), "{title}");
            count += 1;
        }
        assert!(count > 20, "{count}");
    }

    #[test]
    fn what_was_counted_is_drawn_and_its_alarm_is_red() {
        let parked = Point {
            at: 0,
            namespace: "DualVerification".to_owned(),
            metric: "PairingsParked".to_owned(),
            dimensions: [("Stage".to_owned(), STAGE.to_owned())].into(),
            value: 1.0,
        };
        let red = "#c0392b";
        let fills = |picture: &str| picture.matches(&format!("fill=\"{red}\" stroke=\"{red}\"")).count();
        let template = Template::read();
        assert_eq!(fills(&page(&template, &[parked])), fills(&page(&template, &[])) + 1);
    }
}
