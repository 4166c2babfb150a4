//! The provider: one that the caller names, or the sandbox in this process.

use anyhow::{Context, Result};
use idenfy_sandbox::{Sandbox, Secret, Settings};
use serde_json::json;
use url::Url;

use crate::aws::EmulatorClient;
use crate::secret::ProviderSecret;

/// The host of the real provider, which keeps its files elsewhere. Any other serves its files
/// itself.
const REAL_PROVIDER: &str = "ivs.idenfy.com";

/// The provider that the functions talk to.
#[derive(Debug)]
pub(crate) enum Provider {
    /// Runs by itself.
    Named(Url),
    /// Ends with this value.
    Sandbox(Sandbox),
}

impl Provider {
    /// Takes the named provider, or starts a sandbox that knows the secret.
    ///
    /// # Errors
    /// When the sandbox cannot listen.
    pub(crate) async fn start(named: Option<Url>, secret: &ProviderSecret) -> Result<Self> {
        if let Some(url) = named {
            return Ok(Self::Named(url));
        }
        let current_key = secret.signing_keys.first().map(String::as_str);
        let settings = Settings {
            api_key: Secret::new(&secret.api_key),
            api_secret: Secret::new(&secret.api_secret),
            signing_key: Secret::new(current_key.unwrap_or_default()),
            ..Settings::default()
        };
        let sandbox = Sandbox::start(settings)
            .await
            .context("cannot start the sandbox")?;
        Ok(Self::Sandbox(sandbox))
    }

    /// Scheme, host and port, without a trailing slash.
    pub(crate) fn origin(&self) -> String {
        match self {
            Self::Named(url) => url.origin().ascii_serialization(),
            Self::Sandbox(sandbox) => sandbox.url().to_owned(),
        }
    }

    /// The origins of its files, where the template's default is not right.
    pub(crate) fn file_origins(&self) -> Option<String> {
        match self {
            Self::Named(url) if url.host_str() == Some(REAL_PROVIDER) => None,
            _ => Some(self.origin()),
        }
    }

    /// Where the sandbox answers, if it is one.
    pub(crate) fn sandbox_url(&self) -> Option<&str> {
        match self {
            Self::Named(_) => None,
            Self::Sandbox(sandbox) => Some(sandbox.url()),
        }
    }

    /// Sets the sandbox's `callbackUrl`. A named provider is set up by its operator.
    ///
    /// # Errors
    /// When the sandbox refuses.
    pub(crate) async fn send_callbacks_to(
        &self,
        client: &EmulatorClient,
        webhook: &str,
    ) -> Result<()> {
        if let Self::Sandbox(sandbox) = self {
            let settings = format!("{}/admin/settings", sandbox.url());
            client
                .patch(&settings, &json!({ "callbackUrl": webhook }))
                .await?;
        }
        Ok(())
    }

    /// Ends the sandbox.
    pub(crate) async fn stop(self) {
        if let Self::Sandbox(sandbox) = self {
            sandbox.shutdown().await;
        }
    }
}
