//! Counting: calls as they pass between the functions and the services, and what the functions' logs say afterwards.

use std::collections::BTreeMap;

use integration_tests::Exchange;
use serde_json::Value;

use super::dynamodb::Table;
use super::prices::{Assumptions, Item};

/// A gigabyte as AWS charges for it.
const GB: f64 = 1_073_741_824.0;

/// Days of a month.
const MONTH: f64 = 30.0;

/// Days that log lines are kept, see the log groups in `template.yaml`.
const LOG_DAYS: f64 = 30.0;

/// How much of each item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage(BTreeMap<Item, f64>);

impl Usage {
    pub fn add(&mut self, item: Item, amount: f64) {
        *self.0.entry(item).or_default() += amount;
    }

    pub fn iter(&self) -> impl Iterator<Item = (Item, f64)> {
        self.0
            .iter()
            .map(|(item, amount)| (*item, *amount))
            .filter(|(_, amount)| *amount > 0.0)
    }

    /// What has come since.
    pub fn since(self, before: &Self) -> Self {
        self.plus(&before.times(-1.0))
    }

    /// Both together.
    pub fn plus(mut self, other: &Self) -> Self {
        for (item, amount) in &other.0 {
            self.add(*item, *amount);
        }
        self
    }

    /// So many times as much.
    pub fn times(&self, factor: f64) -> Self {
        Self(self.0.iter().map(|(item, amount)| (*item, amount * factor)).collect())
    }
}

/// What the calls come to. Counts GB-months as what is stored now is kept for the whole retention.
#[derive(Debug)]
pub struct Meter {
    usage: Usage,
    table: Table,
    retention_days: f64,
}

impl Meter {
    pub fn new(retention_days: f64) -> Self {
        Self {
            usage: Usage::default(),
            table: Table::default(),
            retention_days,
        }
    }

    /// A call that a function made, to a service or to the provider.
    pub fn count(&mut self, exchange: &Exchange<'_>) {
        let (call, succeeded) = (exchange.call, exchange.status < 300);
        match call.operation.as_str() {
            "" if call.path.starts_with("/api/v2/") => self.usage.add(Item::Sent, as_f64(exchange.sent_bytes) / GB),
            "" => self.count_s3(call.method.as_str(), &call.path, if succeeded { exchange.sent_bytes } else { 0 }),
            "SendMessage" | "ChangeMessageVisibility" => self.usage.add(Item::SqsRequests, 1.0),
            "PutEvents" => {
                let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
                let entries = request["Entries"].as_array().map_or(0, Vec::len);
                self.usage.add(Item::EventbridgeEvents, as_f64(entries as u64));
            }
            "GetSecretValue" => self.usage.add(Item::SecretReads, 1.0),
            operation => {
                let request: Value = serde_json::from_str(&call.body).unwrap_or_default();
                let answer: Value = serde_json::from_slice(exchange.answer).unwrap_or_default();
                let units = self.table.units(operation, &request, &answer, succeeded);
                self.usage.add(Item::DynamodbReadUnits, units.read);
                self.usage.add(Item::DynamodbWriteUnits, units.written);
            }
        }
    }

    fn count_s3(&mut self, method: &str, path: &str, bytes: u64) {
        let is_list = method == "GET" && path.trim_matches('/').split('/').count() == 1;
        match method {
            // Objects live for a day longer than the retention, see the bucket's lifecycle.
            "PUT" => {
                self.usage.add(Item::S3Writes, 1.0);
                self.usage
                    .add(Item::S3Storage, as_f64(bytes) / GB * (self.retention_days + 1.0) / MONTH);
            }
            "GET" | "HEAD" if !is_list => self.usage.add(Item::S3Reads, 1.0),
            // Deleting is free.
            "DELETE" => {}
            _ => self.usage.add(Item::S3Writes, 1.0),
        }
    }

    /// All calls so far, and what the table holds now.
    pub fn usage(&self) -> Usage {
        let mut usage = self.usage.clone();
        let months = as_f64(self.table.bytes() as u64) / GB * self.retention_days / MONTH;
        usage.add(Item::DynamodbStorage, months);
        usage.add(Item::DynamodbRecovery, months);
        usage
    }
}

/// What one function's log says: its invocations with their durations, its lines, and what Lambda did for it that no function sees.
pub fn of_log(function: &str, lines: &[String], assumptions: &Assumptions) -> Usage {
    let mut usage = Usage::default();
    let mut bytes = 0.0;
    for line in lines {
        if let Some(gb_seconds) = billed(line) {
            usage.add(Item::LambdaRequests, 1.0);
            usage.add(Item::LambdaGbSeconds, gb_seconds);
            bytes += assumptions.platform_log_bytes;
            match function {
                // One receive and one deletion; its trace is the sender's.
                "processor" => usage.add(Item::SqsRequests, 2.0),
                _ => usage.add(Item::Traces, 1.0),
            }
        } else if !line.starts_with("START ") && !line.starts_with("END ") {
            bytes += as_f64(line.len() as u64) + assumptions.log_line_overhead_bytes;
        }
    }
    usage.add(Item::Logs, bytes / GB);
    usage.add(Item::LogStorage, bytes / GB * LOG_DAYS / MONTH);
    usage
}

/// GB-seconds in the report about an invocation.
fn billed(line: &str) -> Option<f64> {
    let number = |name: &str| line.split_once(name)?.1.split_whitespace().next()?.parse::<f64>().ok();
    line.starts_with("REPORT ").then_some(())?;
    Some(number("Billed Duration: ")? / 1_000.0 * number("Memory Size: ")? / 1_024.0)
}

#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
pub fn as_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use integration_tests::Call;

    use super::*;

    const ASSUMPTIONS: Assumptions = Assumptions {
        idle_receives_per_month: 0.0,
        reconciler_runs_per_month: 0.0,
        platform_log_bytes: 600.0,
        log_line_overhead_bytes: 26.0,
    };

    fn amount(usage: &Usage, wanted: Item) -> f64 {
        usage.iter().find(|(item, _)| *item == wanted).map_or(0.0, |(_, amount)| amount)
    }

    fn count(meter: &mut Meter, method: &str, path: &str, operation: &str, body: &str, sent_bytes: u64) {
        let call = Call {
            method: method.parse().unwrap(),
            path: path.to_owned(),
            operation: operation.to_owned(),
            body: body.to_owned(),
        };
        meter.count(&Exchange {
            call: &call,
            sent_bytes,
            status: 200,
            answer: b"{}",
        });
    }

    #[test]
    fn a_report_of_lambda_is_gigabyte_seconds() {
        let lines = [
            "START RequestId: r Version: $LATEST".to_owned(),
            "0123456789".to_owned(),
            "REPORT RequestId: r\tDuration: 250 ms\tBilled Duration: 250 ms\tMemory Size: 512 MB\tMax Memory Used: 9 MB".to_owned(),
        ];
        let usage = of_log("processor", &lines, &ASSUMPTIONS);
        assert_eq!(amount(&usage, Item::LambdaGbSeconds), 0.125);
        assert_eq!(amount(&usage, Item::SqsRequests), 2.0);
        assert_eq!(amount(&usage, Item::Traces), 0.0);
        assert_eq!(amount(&usage, Item::Logs), 636.0 / GB);
        assert_eq!(amount(&of_log("webhook", &lines, &ASSUMPTIONS), Item::Traces), 1.0);
    }

    #[test]
    fn each_call_is_counted_where_it_is_charged_for() {
        let mut meter = Meter::new(29.0);
        count(&mut meter, "PUT", "/bucket/documents/1/STEP.jpg", "", "", 1_073_741_824);
        count(&mut meter, "GET", "/bucket/documents/1/STEP.jpg", "", "", 0);
        count(&mut meter, "GET", "/bucket", "", "", 0);
        count(&mut meter, "DELETE", "/bucket/documents/1/STEP.jpg", "", "", 0);
        count(&mut meter, "POST", "/api/v2/process", "", "", 1_073_741_824);
        count(&mut meter, "POST", "/", "SendMessage", "{}", 2);
        count(&mut meter, "POST", "/", "PutEvents", r#"{"Entries": [{}, {}]}"#, 2);
        count(&mut meter, "POST", "/", "GetItem", "{}", 2);
        let usage = meter.usage();
        for (item, wanted) in [
            (Item::S3Writes, 2.0),
            (Item::S3Reads, 1.0),
            (Item::S3Storage, 1.0),
            (Item::Sent, 1.0),
            (Item::SqsRequests, 1.0),
            (Item::EventbridgeEvents, 2.0),
            (Item::DynamodbReadUnits, 0.5),
        ] {
            assert_eq!(amount(&usage, item), wanted, "{item:?}");
        }
    }

    #[test]
    fn what_was_there_before_is_not_counted() {
        let mut before = Usage::default();
        before.add(Item::Logs, 1.0);
        let mut after = before.clone();
        after.add(Item::Logs, 4.0);
        assert_eq!(after.since(&before).times(0.5), Usage([(Item::Logs, 2.0)].into()));
    }
}
