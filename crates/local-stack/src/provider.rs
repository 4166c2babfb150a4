//! Who plays the provider: one that the caller names, or the sandbox, in this process.

use anyhow::{Result, bail};
use url::Url;

use crate::secret::ProviderSecret;

/// The host of the real provider, which keeps its files elsewhere; any other serves its files itself.
const REAL_PROVIDER: &str = "ivs.idenfy.com";

/// The provider that the functions talk to.
#[derive(Debug)]
pub(crate) enum Provider {
    /// Runs by itself.
    Named(Url),
}

impl Provider {
    pub(crate) async fn start(named: Option<Url>, _secret: &ProviderSecret) -> Result<Self> {
        match named {
            Some(url) => Ok(Self::Named(url)),
            None => bail!("name a provider"),
        }
    }

    fn url(&self) -> &Url {
        match self {
            Self::Named(url) => url,
        }
    }

    /// Scheme, host and port, without a trailing slash.
    pub(crate) fn origin(&self) -> String {
        self.url().origin().ascii_serialization()
    }

    /// The origins of its files, where they differ from the template's default.
    pub(crate) fn file_origins(&self) -> Option<String> {
        (self.url().host_str() != Some(REAL_PROVIDER)).then(|| self.origin())
    }

    pub(crate) fn sandbox_url(&self) -> Option<&str> {
        None
    }

    pub(crate) async fn send_callbacks_to(&self, _webhook: &str) -> Result<()> {
        Ok(())
    }

    pub(crate) async fn stop(self) {}
}
