//! Configuration from environment variables.

use lambda_support::{Environment, EnvironmentError, Settings};
use url::Url;

#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    pub idenfy_base_url: Url,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let idenfy_base_url = environment.required("IDENFY_BASE_URL");
        match (environment.problems(), settings, idenfy_base_url) {
            (None, Some(settings), Some(idenfy_base_url)) => Ok(Self {
                settings,
                idenfy_base_url,
            }),
            (problems, ..) => Err(problems.unwrap_or_default()),
        }
    }
}
