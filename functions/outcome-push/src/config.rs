//! Configuration from environment variables.

use adapters::{AwsSettings, PushUrl};
use lambda_support::{Environment, EnvironmentError, LogLevel, read_aws_settings};

use crate::pauses::Pauses;

#[derive(Debug)]
pub struct Config {
    pub stack_name: String,
    pub url: PushUrl,
    pub secret_arn: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    pub pauses: Pauses,
    pub log_level: LogLevel,
    pub aws: AwsSettings,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let stack_name = environment.required("STACK_NAME");
        let url = environment.required("OUTCOME_PUSH_URL");
        let secret_arn = environment.required("OUTCOME_PUSH_SECRET_ARN");
        let queue_url = environment.required("OUTCOME_PUSH_QUEUE_URL");
        let dead_letter_queue_url = environment.required("OUTCOME_PUSH_DEAD_LETTER_QUEUE_URL");
        let pauses = environment.required("RETRY_PAUSES");
        let log_level = environment.optional("LOG_LEVEL").unwrap_or_default();
        let aws = read_aws_settings(&mut environment);
        let read = || {
            Some(Self {
                stack_name: stack_name?,
                url: url?,
                secret_arn: secret_arn?,
                queue_url: queue_url?,
                dead_letter_queue_url: dead_letter_queue_url?,
                pauses: pauses?,
                log_level,
                aws: aws?,
            })
        };
        match (environment.problems(), read()) {
            (None, Some(config)) => Ok(config),
            (problems, _) => Err(problems.unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: [(&str, &str); 9] = [
        ("STACK_NAME", "stack"),
        (
            "OUTCOME_PUSH_URL",
            "https://shop.example.com/outcomes?key=hidden",
        ),
        ("OUTCOME_PUSH_SECRET_ARN", "arn"),
        ("OUTCOME_PUSH_QUEUE_URL", "https://sqs/queue"),
        ("OUTCOME_PUSH_DEAD_LETTER_QUEUE_URL", "https://sqs/letters"),
        ("RETRY_PAUSES", "5 30"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
    ];

    fn read(variables: &[(&str, &str)]) -> Result<Config, EnvironmentError> {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Environment::of(owned))
    }

    #[test]
    fn the_configuration_is_read_and_shows_no_secret() {
        let config = read(&VARIABLES).unwrap();
        assert!(!format!("{config:?}").contains("hidden"), "{config:?}");
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let wrong = [
            ("OUTCOME_PUSH_URL", "http://hidden.example.com"),
            ("RETRY_PAUSES", "soon"),
        ];
        let message = read(&wrong).unwrap_err().to_string();
        for (name, _) in &VARIABLES {
            assert!(message.contains(name), "{message}");
        }
        assert!(!message.contains("hidden"), "{message}");
    }
}
