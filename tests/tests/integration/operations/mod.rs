//! What operators rely on: every alarm has its entry in the runbook, alarms and dashboard name
//! metrics that are really written, and saved queries name fields that log lines really have.

mod alarms;
mod dashboard;
mod judgement;
mod observed;
mod queries;
