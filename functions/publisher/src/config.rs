//! Configuration from environment variables.
//!
//! Nothing about iDenfy, its secret or the documents.

use adapters::AwsSettings;
use lambda_support::{Environment, EnvironmentError, LogLevel, read_aws_settings};

#[derive(Debug)]
pub struct Config {
    pub event_bus: String,
    pub log_level: LogLevel,
    pub aws: AwsSettings,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let event_bus = environment.required("EVENT_BUS_NAME");
        let log_level = environment.optional("LOG_LEVEL").unwrap_or_default();
        let aws = read_aws_settings(&mut environment);
        match (environment.problems(), event_bus, aws) {
            (None, Some(event_bus), Some(aws)) => Ok(Self {
                event_bus,
                log_level,
                aws,
            }),
            (problems, _, _) => Err(problems.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, EnvironmentError> {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Environment::of(owned))
    }

    #[test]
    fn the_bus_and_what_lambda_sets_are_enough() {
        let config = read(&[
            ("EVENT_BUS_NAME", "outcomes"),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "key"),
        ]);
        assert_eq!(config.unwrap().event_bus, "outcomes");
    }

    #[test]
    fn everything_missing_is_named_at_once() {
        let message = read(&[("LOG_LEVEL", "loud")]).unwrap_err().to_string();
        for name in [
            "EVENT_BUS_NAME",
            "LOG_LEVEL",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
        ] {
            assert!(message.contains(name), "{message}");
        }
    }
}
