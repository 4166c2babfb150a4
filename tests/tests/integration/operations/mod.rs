//! What operators rely on: every alarm has an entry in the runbook, alarms and dashboard name
//! written metrics, saved queries name existing fields, and the record of processing names the
//! template's times.

mod alarms;
mod dashboard;
mod judgement;
mod observed;
mod queries;
mod retention;
