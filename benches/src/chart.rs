//! Pictures of figures, in Mermaid's language.

use crate::report::{Line, Who};

/// Where a distribution is told, in percent of the measurements.
pub const PERCENTILES: [usize; 11] = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99];

/// One bar for each program. `None`: there is no peer.
pub fn bars(line: &Line) -> Option<String> {
    line.python.or(line.node)?;
    let programs = [
        ("Ours", Some(line.ours)),
        ("Floor", line.floor),
        ("Python", line.python),
        ("Node.js", line.node),
    ];
    let measured = programs.into_iter();
    let measured = measured.filter_map(|(name, figure)| Some((name.to_owned(), figure?)));
    let (names, figures): (Vec<String>, Vec<f64>) = measured.unzip();
    let title = format!("{} ({})", line.what, line.unit);
    Some(chart(&title, &names, &[("bar", &figures)]))
}

/// One curve for each program, from its quickest measurement to its slowest: ours, Python, Node.js.
/// `None`: the line has no distribution.
pub fn distribution(line: &Line) -> Option<String> {
    let steps = PERCENTILES.map(|percent| format!("{percent} %"));
    let curves: Vec<(&str, &[f64])> = [Who::Ours, Who::Python, Who::Node]
        .iter()
        .filter_map(|who| Some(("line", line.distribution.get(who)?.as_slice())))
        .collect();
    let title = format!("{} ({}), by percentile", line.what, line.unit);
    (!curves.is_empty()).then(|| chart(&title, &steps, &curves))
}

fn chart(title: &str, names: &[String], series: &[(&str, &[f64])]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let mut text = format!(
        "```mermaid\nxychart-beta\n    title \"{title}\"\n    x-axis [{}]\n",
        names.join(", ")
    );
    for (kind, figures) in series {
        let figures: Vec<String> = figures
            .iter()
            .map(|figure| format!("{figure:.2}"))
            .collect();
        text.extend(["    ", kind, " [", &figures.join(", "), "]\n"]);
    }
    text + "```\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_peers_has_bars() {
        let figures = [(Who::Ours, 1.0), (Who::Node, 20.5)].into();
        let line = Line::new("answer", "the time", "ms", &figures);
        assert_eq!(
            bars(&line).unwrap(),
            "```mermaid\nxychart-beta\n    title \"the time (ms)\"\n    \
            x-axis [\"Ours\", \"Node.js\"]\n    bar [1.00, 20.50]\n```\n"
        );
        assert_eq!(bars(&Line::alone("answer", "the time", "ms", 1.0)), None);
    }

    #[test]
    fn a_distribution_has_a_curve_for_each_program() {
        let figures = [(Who::Ours, 1.0)].into();
        let line = Line::new("answer", "the time", "ms", &figures);
        assert_eq!(distribution(&line), None);
        let values = |first: u32| (first..).map(f64::from).take(200).collect();
        let line =
            line.with_distribution(&[(Who::Ours, values(1)), (Who::Python, values(5))].into());
        let chart = distribution(&line).unwrap();
        assert_eq!(chart.matches("    line [").count(), 2);
        assert!(chart.contains("line [1.00, 20.00, 40.00"), "{chart}");
        assert!(chart.contains("line [5.00, 24.00, 44.00"), "{chart}");
    }
}
