//! What the functions logged, from the emulator's CloudWatch Logs.

use anyhow::Result;
use harness::Stack;
use local_stack::STACK_NAME;
use serde_json::Value;
use verification::identifiers::ScanRef;

/// A function, and the event that it logs once for each unit of work. The line has the peak memory
/// of the process so far.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    event: &'static str,
}

/// Those that move files.
pub const FUNCTIONS: [Function; 2] = [
    Function {
        name: "webhook",
        event: "callback_answered",
    },
    Function {
        name: "processor",
        event: "pairing_advanced",
    },
];

impl Function {
    /// Where its log is.
    pub fn log_group(self) -> String {
        format!("/aws/lambda/{STACK_NAME}-{}", self.name)
    }

    /// Whether the function has logged its work on a pairing.
    pub fn has_worked_on(self, lines: &[String], scan_ref: &ScanRef) -> bool {
        self.works(lines)
            .any(|line| line.get("scan_ref").and_then(Value::as_str) == Some(scan_ref.as_str()))
    }

    fn works(self, lines: &[String]) -> impl Iterator<Item = Value> {
        lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(move |line| line.get("event").and_then(Value::as_str) == Some(self.event))
    }

    /// What the function logged itself, oldest first: neither the platform's lines nor metrics.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn lines(self, stack: &Stack) -> Result<Vec<String>> {
        let mut lines = stack.log_lines(self.name, "").await?;
        lines.retain(|line| line.starts_with('{') && !line.contains("\"_aws\""));
        Ok(lines)
    }

    /// Peak memory of the function's processes in bytes, from its own log. The system counts it
    /// from the process's start (`VmHWM`, proc(5)): no moment is missed. `None`: no unit of work
    /// was logged.
    pub fn peak_memory(self, lines: &[String]) -> Option<u64> {
        self.works(lines)
            .filter_map(|line| line.get("peak_memory_kb").and_then(Value::as_u64))
            .max()
            // What the system calls kB are 1,024 bytes.
            .map(|kilobytes| kilobytes * 1_024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_largest_of_the_functions_own_event() {
        let lines = [
            r#"{"event":"callback_answered","peak_memory_kb":14000}"#,
            r#"{"event":"callback_answered","peak_memory_kb":15000}"#,
            r#"{"event":"callback_answered","peak_memory_kb":13000}"#,
            r#"{"event":"something_else","peak_memory_kb":99000}"#,
            "{ not JSON",
        ]
        .map(str::to_owned);
        let [webhook, processor] = FUNCTIONS;
        assert_eq!(webhook.peak_memory(&lines), Some(15_000 * 1_024));
        assert_eq!(processor.peak_memory(&lines), None);
    }

    #[test]
    fn work_on_a_pairing_is_recognised_by_its_scan_ref() {
        let lines = [r#"{"event":"pairing_advanced","scan_ref":"one"}"#.to_owned()];
        let [webhook, processor] = FUNCTIONS;
        assert!(processor.has_worked_on(&lines, &"one".parse().unwrap()));
        assert!(!processor.has_worked_on(&lines, &"two".parse().unwrap()));
        assert!(!webhook.has_worked_on(&lines, &"one".parse().unwrap()));
    }
}
