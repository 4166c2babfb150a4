//! Configuration from environment variables.

use lambda_support::{Environment, EnvironmentError, PolicySettings, Settings};
use url::Url;
use verification::Policy;

#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    pub policy: Policy,
    pub idenfy_base_url: Url,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let policy = PolicySettings::read(&mut environment);
        let idenfy_base_url = environment.required("IDENFY_BASE_URL");
        match (environment.problems(), settings, policy, idenfy_base_url) {
            (None, Some(settings), Some(policy), Some(idenfy_base_url)) => Ok(Self {
                settings,
                policy,
                idenfy_base_url,
            }),
            (problems, ..) => Err(problems.unwrap_or_default()),
        }
    }
}
