//! Alarms and dashboard of `template.yaml`, and the metrics that a stack's functions write.

mod expression;
mod judgement;
mod points;
mod runbook;
mod template;
mod widgets;

pub use expression::{Scope, evaluate};
pub use judgement::{Period, Verdict, of_period, red_alarms};
pub use points::{FUNCTIONS, Point};
pub use runbook::{Entry, Runbook};
pub use template::{Series, Template, in_the_workspace};
pub use widgets::{Line, lines_of};
