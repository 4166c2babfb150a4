//! Configuration from environment variables.

use lambda_support::{Environment, EnvironmentError, PolicySettings, Settings};
use url::Url;
use verification::Policy;

use crate::routes::Routes;

#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    pub policy: Policy,
    pub idenfy_base_url: Url,
    pub routes: Routes,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let policy = PolicySettings::read(&mut environment);
        let idenfy_base_url = environment.required("IDENFY_BASE_URL");
        let routes = environment.required("ROUTES");
        match (
            environment.problems(),
            settings,
            policy,
            idenfy_base_url,
            routes,
        ) {
            (None, Some(settings), Some(policy), Some(idenfy_base_url), Some(routes)) => Ok(Self {
                settings,
                policy,
                idenfy_base_url,
                routes,
            }),
            (problems, ..) => Err(problems.unwrap_or_default()),
        }
    }
}
