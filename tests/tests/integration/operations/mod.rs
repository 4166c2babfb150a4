//! What operators rely on: every alarm has an entry in the runbook, alarms and dashboard name
//! written metrics, and saved queries name existing fields.

mod alarms;
mod dashboard;
mod judgement;
mod observed;
mod queries;
