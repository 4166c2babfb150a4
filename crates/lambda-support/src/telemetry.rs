//! Logs as JSON, one object a line, on standard output: what CloudWatch Logs Insights reads without
//! parsing rules.
//!
//! Only this project's own lines follow the level that is asked for. Libraries never say more than
//! warnings: at `trace`, the Lambda runtime prints every event whole, and with it the customer's
//! callback.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;

/// The crates whose lines are known to have nothing personal in them.
const OURS: [&str; 11] = [
    "adapters",
    "api",
    "idenfy",
    "lambda_support",
    "outcome_push",
    "pre_traffic",
    "processor",
    "publisher",
    "reconciler",
    "verification",
    "webhook",
];

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogLevel(LevelFilter);

impl Default for LogLevel {
    fn default() -> Self {
        Self(LevelFilter::INFO)
    }
}

/// The text names no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a log level is error, warn, info, debug or trace")]
pub struct InvalidLogLevel;

impl FromStr for LogLevel {
    type Err = InvalidLogLevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(Self(LevelFilter::ERROR)),
            "warn" => Ok(Self(LevelFilter::WARN)),
            "info" => Ok(Self(LevelFilter::INFO)),
            "debug" => Ok(Self(LevelFilter::DEBUG)),
            "trace" => Ok(Self(LevelFilter::TRACE)),
            _ => Err(InvalidLogLevel),
        }
    }
}

/// Starts logging for the whole process. A second call changes nothing.
pub fn start_logging(level: LogLevel) {
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_timer(SystemTime)
        .with_max_level(level.0)
        .finish()
        .with(targets(level));
    let already_started = tracing::subscriber::set_global_default(subscriber).is_err();
    if already_started {
        tracing::debug!("logging was started before");
    }
}

fn targets(level: LogLevel) -> Targets {
    Targets::new()
        .with_default(level.0.min(LevelFilter::WARN))
        .with_targets(OURS.map(|name| (name, level.0)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn libraries_never_say_more_than_warnings() {
        let enabled = |level: &str, target: &str, line: Level| {
            targets(level.parse().unwrap()).would_enable(target, &line)
        };
        assert!(enabled("trace", "webhook::handler", Level::TRACE));
        assert!(enabled("info", "adapters::provider", Level::INFO));
        assert!(!enabled("info", "adapters::provider", Level::DEBUG));
        assert!(enabled("trace", "lambda_runtime::layers", Level::WARN));
        for library in [
            "lambda_runtime::layers",
            "lambda_http",
            "hyper_util::client",
            "aws_smithy_runtime",
            "reqwest::connect",
        ] {
            assert!(!enabled("trace", library, Level::INFO), "{library}");
        }
        assert!(!enabled("error", "lambda_runtime", Level::WARN));
    }

    #[test]
    fn every_function_is_ours() {
        let functions = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
        for function in std::fs::read_dir(functions).unwrap() {
            // A target is named as Rust names the crate.
            let name = function
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .replace('-', "_");
            assert!(OURS.contains(&name.as_str()), "{name}");
        }
    }
}
