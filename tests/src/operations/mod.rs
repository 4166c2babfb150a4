//! Alarms and dashboard of `template.yaml`, and the metrics that a stack's functions write.

mod judgement;
mod points;
mod template;
mod widgets;

pub use judgement::{of_period, red_alarms};
pub use points::{FUNCTIONS, Point};
pub use template::{Series, Template, in_the_workspace};
pub use widgets::{Line, lines_of};
