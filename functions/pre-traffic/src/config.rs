//! Configuration from environment variables. Nothing about the stores.

use std::net::IpAddr;
use std::str::FromStr;

use adapters::AwsSettings;
use lambda_support::{Environment, EnvironmentError, LogLevel, read_aws_settings};

use crate::version_invoker::FunctionVersion;

#[derive(Debug)]
pub struct Config {
    pub version: FunctionVersion,
    pub secret_arn: String,
    pub source: Source,
    pub log_level: LogLevel,
    pub aws: AwsSettings,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let version = environment.required("WEBHOOK_VERSION_ARN");
        let secret_arn = environment.required("IDENFY_SECRET_ARN");
        let source = environment
            .optional("ALLOWED_SOURCE_IPS")
            .unwrap_or_default();
        let log_level = environment.optional("LOG_LEVEL").unwrap_or_default();
        let aws = read_aws_settings(&mut environment);
        match (environment.problems(), version, secret_arn, aws) {
            (None, Some(version), Some(secret_arn), Some(aws)) => Ok(Self {
                version,
                secret_arn,
                source,
                log_level,
                aws,
            }),
            (problems, ..) => Err(problems.unwrap_or_default()),
        }
    }
}

/// Source address of the test callbacks: the first that the webhook allows.
///
/// A network's own address lies within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(pub IpAddr);

impl Default for Source {
    /// Reserved for documentation (RFC 5737).
    fn default() -> Self {
        Self(IpAddr::from([192, 0, 2, 1]))
    }
}

impl FromStr for Source {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.split([',', '/']).next().unwrap_or_default();
        first
            .trim()
            .parse()
            .map(Self)
            .map_err(|_| "addresses or networks, separated by commas")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 5] = [
        (
            "WEBHOOK_VERSION_ARN",
            "arn:aws:lambda:eu-west-1:000000000000:function:webhook:7",
        ),
        ("IDENFY_SECRET_ARN", "arn"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Config, EnvironmentError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::read(Environment::of(COMPLETE.iter().chain(changes).map(own)))
    }

    #[test]
    fn the_version_and_the_secret_are_enough() {
        let config = read(&[("ALLOWED_SOURCE_IPS", "")]).unwrap();
        assert_eq!(config.version.to_string(), "webhook:7");
        assert_eq!(config.source, Source::default());
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let wrong = [
            (
                "WEBHOOK_VERSION_ARN",
                "arn:aws:lambda:eu-west-1:000000000000:function:webhook:live",
            ),
            ("IDENFY_SECRET_ARN", ""),
            ("ALLOWED_SOURCE_IPS", "nowhere"),
        ];
        let message = read(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(message.contains(name), "{name} in {message}");
        }
        assert!(!message.contains("hidden"));
    }

    #[test]
    fn callbacks_seem_to_come_from_the_first_allowed_address() {
        for (allowed, source) in [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.0/24,192.0.2.7", "198.51.100.0"),
            ("2001:db8::/32", "2001:db8::"),
        ] {
            assert_eq!(
                allowed.parse(),
                Ok(Source(source.parse().unwrap())),
                "{allowed}"
            );
        }
    }
}
