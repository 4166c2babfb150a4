//! The account to probe: its key, its address, and the parameters to judge it against.

use std::path::{Path, PathBuf};

use adapters::{Credentials, S3CallbackArchive, SecretContent};
use idenfy::{Client, TokenField};
use url::{Host, Url};
use verification::Policy;
use verification::policy::StepWarning;
use verification::session::SessionStep;

use crate::commands::Context;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Output;

/// The account, and what it must fit.
pub struct Account {
    pub client: Client,
    pub parameters: Parameters,
    pub stack: Option<DeployedStack>,
    provider: String,
}

/// A stack that the account's callbacks go to.
pub struct DeployedStack {
    pub name: String,
    pub archive: S3CallbackArchive,
}

/// What the template decides about an account. Its defaults, or those of a stack.
pub struct Parameters {
    pub policy: Policy,
    pub token_field: TokenField,
}

impl Parameters {
    /// The template's defaults.
    fn proposed() -> Self {
        Self {
            policy: Policy::default(),
            token_field: TokenField::Token,
        }
    }

    /// What is wrong with the steps under these parameters.
    pub fn warnings(&self, steps: &[SessionStep]) -> Vec<StepWarning> {
        self.policy.warnings(Some(steps))
    }
}

impl Account {
    /// The account of a stack's secret.
    ///
    /// # Errors
    /// The stack or the secret cannot be read.
    pub async fn of_stack(
        global: &Global,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        let context = Context::open(global, environment.clone(), output).await?;
        let base_url = context.stack.parameter("IdenfyBaseUrl")?;
        let base_url = Url::parse(base_url)
            .map_err(|error| Failure::new("IdenfyBaseUrl is no address").because(error))?;
        let credentials = context.credentials().await?;
        let policy = Policy {
            confirm_results: context.stack.parameter("ConfirmResults")? != "false",
            ..context.policy()?
        };
        let token_field = match context.stack.parameter("ProcessTokenField")? {
            "authToken" => TokenField::AuthToken,
            _ => TokenField::Token,
        };
        Ok(Self {
            stack: Some(DeployedStack {
                name: context.stack.name.clone(),
                archive: context.archive()?,
            }),
            parameters: Parameters {
                policy,
                token_field,
            },
            ..Self::new(&credentials, base_url, environment)?
        })
    }

    /// The account of a file with the secret's JSON.
    ///
    /// # Errors
    /// The file cannot be read, or is not such JSON.
    pub async fn of_file(
        file: PathBuf,
        base_url: Url,
        environment: &Environment,
        output: &mut Output,
    ) -> Result<Self, Failure> {
        if is_open_to_others(&file) {
            output.note(format_args!(
                "note: others on this machine can read {0}: chmod 600 {0}",
                file.display()
            ));
        }
        let shown = file.display().to_string();
        let read = tokio::task::spawn_blocking(move || match file.as_os_str() == "-" {
            true => std::io::read_to_string(std::io::stdin()),
            false => std::fs::read_to_string(file),
        });
        let text = read
            .await
            .map_err(|error| Failure::new("reading was broken off").because(error))?
            .map_err(|error| Failure::usage(format!("{shown} cannot be read")).because(error))?;
        let credentials = Credentials::parse(&text)
            .map_err(|error| Failure::usage(format!("{shown} cannot be used")).because(error))?;
        Self::new(&credentials, base_url, environment)
    }

    fn new(
        credentials: &Credentials,
        base_url: Url,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        if !is_safe(&base_url) {
            return Err(Failure::usage("iDenfy's address must be https").advise(
                "the key would be sent in cleartext; http is for a sandbox on this machine",
            ));
        }
        let provider = base_url.origin().ascii_serialization();
        let http = environment.http.clone();
        Ok(Self {
            client: Client::new(http, base_url, credentials.clone()),
            parameters: Parameters::proposed(),
            stack: None,
            provider,
        })
    }

    /// The provider's origin.
    pub fn provider(&self) -> &str {
        &self.provider
    }
}

/// Whether a key may be sent there.
fn is_safe(url: &Url) -> bool {
    let is_local = match url.host() {
        Some(Host::Domain(name)) => matches!(name, "localhost" | "host.docker.internal"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let metadata = std::fs::metadata(file);
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_in_cleartext_to_this_machine_alone() {
        for (url, safe) in [
            ("https://ivs.idenfy.com", true),
            ("http://127.0.0.1:8099", true),
            ("http://localhost:8099", true),
            ("http://[::1]:8099", true),
            ("http://ivs.idenfy.com", false),
            ("http://localhost.example.com", false),
            ("ftp://127.0.0.1", false),
        ] {
            assert_eq!(is_safe(&url.parse().unwrap()), safe, "{url}");
        }
    }
}
