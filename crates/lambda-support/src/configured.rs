//! Configuration, then logging: how every function starts.

use crate::environment::{Environment, EnvironmentError};
use crate::telemetry::{LogLevel, start_logging};

/// Reads a function's configuration from the environment and starts logging at its level.
///
/// # Errors
/// The configuration is not complete. Everything that is wrong is logged.
pub fn configured<C>(
    read: impl FnOnce(Environment) -> Result<C, EnvironmentError>,
    level: impl FnOnce(&C) -> LogLevel,
) -> Result<C, EnvironmentError> {
    let config = read(Environment::of_process()).inspect_err(|error| {
        start_logging(LogLevel::default());
        tracing::error!(event = "not_configured", error = %error, "the function cannot start");
    })?;
    start_logging(level(&config));
    Ok(config)
}
