//! One widget: curves over time, or large numbers.

use serde_json::Value;

use super::drawing::{Anchor, COLOURS, Drawing, Rectangle, round_up, short};
use super::figures::Curve;

const INK: &str = "#1b1f24";
const FAINT: &str = "#6b7280";
const GRID: &str = "#e3e5e8";
const LIMIT: &str = "#c0392b";

/// So that the highest dot does not lie on the upper edge.
const HEADROOM: f64 = 1.05;

/// The frame with its title; returns what is left inside.
pub fn frame(drawing: &mut Drawing, at: Rectangle, title: &str) -> Rectangle {
    drawing.rectangle(at, "#ffffff", GRID);
    drawing.text((at.x + 10.0, at.y + 18.0), 13.0, Anchor::Start, INK, title);
    Rectangle {
        x: at.x + 10.0,
        y: at.y + 26.0,
        width: at.width - 20.0,
        height: at.height - 34.0,
    }
}

/// What there is to say where nothing is drawn.
pub fn remark(drawing: &mut Drawing, inside: Rectangle, text: &str) {
    let middle = (inside.x + inside.width / 2.0, inside.y + inside.height / 2.0);
    drawing.text(middle, 11.0, Anchor::Middle, FAINT, text);
}

/// One large number for each curve: its statistic over the whole run.
pub fn numbers(drawing: &mut Drawing, inside: Rectangle, curves: &[Curve]) {
    let mut x = inside.x;
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let value = curve.total.map_or_else(|| "–".to_owned(), short);
        drawing.text((x + 8.0, inside.y + 44.0), 34.0, Anchor::Start, INK, &value);
        drawing.text((x + 8.0, inside.y + 66.0), 12.0, Anchor::Start, colour, &curve.label);
        x += inside.width / 5.0;
    }
}

/// Curves with their axes, limits and names.
pub fn graph(drawing: &mut Drawing, inside: Rectangle, widget: &Value, curves: &[Curve]) {
    let plot = Rectangle {
        x: inside.x + 30.0,
        y: inside.y + 14.0,
        width: inside.width - 62.0,
        height: inside.height - 38.0,
    };
    let limits: Vec<(f64, &str)> = widget
        .pointer("/properties/annotations/horizontal")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|limit| Some((limit.get("value")?.as_f64()?, limit.get("label")?.as_str()?)))
        .collect();
    let largest = |is_right: bool| {
        let values = curves
            .iter()
            .filter(|curve| curve.is_right == is_right)
            .flat_map(|curve| &curve.values);
        values.flatten().copied().fold(0.0, f64::max)
    };
    let top_left = round_up(limits.iter().map(|(value, _)| *value).fold(largest(false) * HEADROOM, f64::max));
    let top_right = round_up(largest(true) * HEADROOM);
    axis(
        drawing,
        plot,
        top_left,
        widget
            .pointer("/properties/yAxis/left/label")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    );
    if curves.iter().any(|curve| curve.is_right) {
        for part in [0.0, 0.5, 1.0] {
            let at = (plot.x + plot.width + 4.0, plot.y + plot.height * (1.0 - part) + 3.0);
            drawing.text(at, 9.0, Anchor::Start, FAINT, &short(top_right * part));
        }
    }
    for (value, label) in limits {
        let y = plot.y + plot.height * (1.0 - value / top_left);
        drawing.line((plot.x, y), (plot.x + plot.width, y), LIMIT, true);
        drawing.text((plot.x + plot.width, y - 3.0), 9.0, Anchor::End, LIMIT, label);
    }
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        draw(drawing, plot, curve, if curve.is_right { top_right } else { top_left }, colour);
    }
    names(drawing, inside, curves);
}

fn axis(drawing: &mut Drawing, plot: Rectangle, top: f64, unit: &str) {
    for part in [0.0, 0.5, 1.0] {
        let y = plot.y + plot.height * (1.0 - part);
        drawing.line((plot.x, y), (plot.x + plot.width, y), GRID, false);
        drawing.text((plot.x - 4.0, y + 3.0), 9.0, Anchor::End, FAINT, &short(top * part));
    }
    drawing.text((plot.x, plot.y - 5.0), 9.0, Anchor::Start, FAINT, unit);
}

/// Dots for values, and lines between those of neighbouring periods: a period without a value is a gap, as in CloudWatch.
fn draw(drawing: &mut Drawing, plot: Rectangle, curve: &Curve, top: f64, colour: &str) {
    let step = plot.width / f64::from(u32::try_from(curve.values.len().max(2) - 1).unwrap_or(1));
    let mut run: Vec<(f64, f64)> = Vec::new();
    let mut x = plot.x;
    for value in curve.values.iter().chain([&None]) {
        match value {
            Some(value) => {
                let at = (x, plot.y + plot.height * (1.0 - value / top));
                drawing.dot(at, colour);
                run.push(at);
            }
            None => {
                if run.len() > 1 {
                    drawing.path(&run, colour);
                }
                run.clear();
            }
        }
        x += step;
    }
}

fn names(drawing: &mut Drawing, inside: Rectangle, curves: &[Curve]) {
    let mut x = inside.x;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        let width = 20.0 + 5.6 * f64::from(u32::try_from(curve.label.chars().count()).unwrap_or(0));
        if x + width > inside.x + inside.width {
            drawing.text((x, inside.y + inside.height), 10.0, Anchor::Start, FAINT, "…");
            return;
        }
        drawing.dot((x + 4.0, inside.y + inside.height - 3.5), colour);
        drawing.text((x + 10.0, inside.y + inside.height), 10.0, Anchor::Start, FAINT, &curve.label);
        x += width;
    }
}
