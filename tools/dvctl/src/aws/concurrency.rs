//! How many executions of functions Lambda allows at once.

use reqwest::Method;
use serde::Deserialize;

use super::{Aws, unreadable};
use crate::failure::Failure;

/// Of the account in the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Concurrency {
    #[serde(rename = "ConcurrentExecutions")]
    pub limit: u64,
    /// What no function has reserved.
    #[serde(rename = "UnreservedConcurrentExecutions")]
    pub unreserved: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AccountSettings {
    account_limit: Concurrency,
}

const PATH: &str = "/2016-08-19/account-settings/";

impl Aws {
    /// # Errors
    /// Lambda was not reached or refuses.
    pub async fn concurrency(&self) -> Result<Concurrency, Failure> {
        let answer = self.lambda(Method::GET, PATH, "").await?;
        let settings: AccountSettings =
            serde_json::from_slice(&answer.body).map_err(|_| unreadable("lambda"))?;
        Ok(settings.account_limit)
    }
}
