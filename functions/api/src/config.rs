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
    pub account_id: String,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let policy = PolicySettings::read(&mut environment);
        let idenfy_base_url = environment.required("IDENFY_BASE_URL");
        let routes = environment.required("ROUTES");
        let account_id = environment.required("ACCOUNT_ID");
        let read = || {
            Some(Self {
                settings: settings?,
                policy: policy?,
                idenfy_base_url: idenfy_base_url?,
                routes: routes?,
                account_id: account_id?,
            })
        };
        match (environment.problems(), read()) {
            (None, Some(config)) => Ok(config),
            (problems, _) => Err(problems.unwrap_or_default()),
        }
    }
}
