//! What the webhook is told by its environment.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use lambda_support::{Environment, EnvironmentError, PolicySettings, Settings};
use verification::Policy;

#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    pub policy: Policy,
    pub allowed_sources: AllowedSources,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let policy = PolicySettings::read(&mut environment);
        let allowed_sources = environment
            .optional("ALLOWED_SOURCE_IPS")
            .unwrap_or_default();
        match (environment.problems(), settings, policy) {
            (None, Some(settings), Some(policy)) => Ok(Self {
                settings,
                policy,
                allowed_sources,
            }),
            (problems, ..) => Err(problems.unwrap_or_default()),
        }
    }
}

/// From where callbacks may come. None named: from anywhere, because the provider does not publish
/// its addresses and may change them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSources(Vec<IpNet>);

impl AllowedSources {
    /// An unknown source is allowed only when every source is.
    pub fn allow(&self, source: Option<&str>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let source = source.and_then(|source| source.parse::<IpAddr>().ok());
        source.is_some_and(|source| self.0.iter().any(|network| network.contains(&source)))
    }
}

impl FromStr for AllowedSources {
    type Err = &'static str;

    /// Reads addresses and networks such as `192.0.2.7,198.51.100.0/24,2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        let networks = entries.map(|entry| {
            entry
                .parse()
                .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from))
        });
        networks
            .collect::<Result<_, _>>()
            .map(Self)
            .map_err(|_| "addresses or networks, separated by commas")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPLETE: [(&str, &str); 13] = [
        ("STACK_NAME", "dev"),
        ("PAIRING_TABLE", "table"),
        ("DOCUMENT_BUCKET", "bucket"),
        ("SUBMISSION_QUEUE_URL", "https://sqs.example/queue"),
        ("IDENFY_SECRET_ARN", "arn"),
        ("FILE_ORIGINS", "https://files.example"),
        ("RETENTION_DAYS", "30"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "hidden"),
        ("STEP_VERDICT", "RequireValid"),
        ("CONFIRM_RESULTS", "true"),
        ("COMPARISON", "Report"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Config, EnvironmentError> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::read(Environment::of(COMPLETE.iter().chain(changes).map(own)))
    }

    #[test]
    fn optional_variables_may_be_empty() {
        let config = read(&[
            ("STEP_IMAGES", ""),
            ("DEFAULT_COUNTRY", ""),
            ("ALLOWED_SOURCE_IPS", ""),
            ("AWS_ENDPOINT_URL", ""),
        ])
        .unwrap();
        assert_eq!(config.policy.default_country, None);
        assert_eq!(config.settings.aws.endpoint_url, None);
        assert!(config.allowed_sources.allow(None));
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let wrong = [
            ("STEP_VERDICT", "Maybe"),
            ("CONFIRM_RESULTS", "perhaps"),
            ("COMPARISON", "Always"),
            ("STEP_IMAGES", "A"),
            ("DEFAULT_COUNTRY", "LTU"),
            ("ALLOWED_SOURCE_IPS", "x"),
            ("STACK_NAME", ""),
        ];
        let message = read(&wrong).unwrap_err().to_string();
        for (name, _) in wrong {
            assert!(message.contains(name), "{name} in {message}");
        }
        assert!(!message.contains("hidden"));
    }

    #[test]
    fn sources_are_addresses_and_networks() {
        let sources: AllowedSources = "192.0.2.7, 198.51.100.0/24, 2001:db8::/32".parse().unwrap();
        for allowed in ["192.0.2.7", "198.51.100.200", "2001:db8::1"] {
            assert!(sources.allow(Some(allowed)), "{allowed}");
        }
        for refused in [
            Some("192.0.2.8"),
            Some("198.51.101.1"),
            Some("2001:db9::1"),
            Some("nonsense"),
            None,
        ] {
            assert!(!sources.allow(refused), "{refused:?}");
        }
    }
}
