//! Logs as JSON, one object a line, on standard output: what CloudWatch Logs Insights reads without parsing rules.

use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::time::SystemTime;

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
        .finish();
    let already_started = tracing::subscriber::set_global_default(subscriber).is_err();
    if already_started {
        tracing::debug!("logging was started before");
    }
}
