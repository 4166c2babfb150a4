//! Configuration from environment variables.

use std::str::FromStr;

use adapters::TokenField;
use lambda_support::{Environment, EnvironmentError, PolicySettings, Settings};
use url::Url;
use verification::Policy;

#[derive(Debug)]
pub struct Config {
    pub settings: Settings,
    pub idenfy_base_url: Url,
    pub token_field: TokenField,
    pub policy: Policy,
}

impl Config {
    pub fn read(mut environment: Environment) -> Result<Self, EnvironmentError> {
        let settings = Settings::read(&mut environment);
        let idenfy_base_url = environment.required("IDENFY_BASE_URL");
        let token_field = environment.required::<ProcessTokenField>("PROCESS_TOKEN_FIELD");
        let policy = PolicySettings::read(&mut environment);
        if let Some(problems) = environment.problems() {
            return Err(problems);
        }
        let (
            Some(settings),
            Some(idenfy_base_url),
            Some(ProcessTokenField(token_field)),
            Some(policy),
        ) = (settings, idenfy_base_url, token_field, policy)
        else {
            return Err(environment.problems().unwrap_or_default());
        };
        Ok(Self {
            settings,
            idenfy_base_url,
            token_field,
            policy,
        })
    }
}

struct ProcessTokenField(TokenField);

impl FromStr for ProcessTokenField {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "token" => Ok(Self(TokenField::Token)),
            "authToken" => Ok(Self(TokenField::AuthToken)),
            _ => Err("token or authToken"),
        }
    }
}
