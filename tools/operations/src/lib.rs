//! Alarms and dashboard of `template.yaml`, the runbook's commands, and the metrics that a stack's
//! functions write.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a JSON value answers null where there is no such member"
)]

mod expression;
mod judgement;
mod points;
mod runbook;
mod template;
mod widgets;

pub use expression::{Scope, evaluate};
pub use judgement::{Period, Verdict, of_period, red_alarms};
pub use points::{FUNCTIONS, Measured, Point};
pub use runbook::{Entry, Runbook, commands_in};
pub use template::{Series, Template};
pub use widgets::{Line, lines_of};
