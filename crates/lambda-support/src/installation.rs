//! What all functions of one installation share: the variables that the template sets on each of
//! them, and the stores behind them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adapters::{
    AwsSettings, Credentials, DynamoCircuits, DynamoPairings, ExtraRoots, FileOrigins,
    HttpClientError, IdenfyCaller, S3CallbackArchive, S3Documents, SecretContent, SecretText,
    Secrets, SqsSubmissionQueue, SystemClock, error_chain, http_client_with, sdk_config,
};
use aws_types::SdkConfig;
use url::Url;
use verification::Breaker;
use verification::identifiers::ScanRef;
use verification::ports::{Clock, Observer, Pairings};

use crate::configured::configured;
use crate::environment::{Environment, EnvironmentError};
use crate::metrics::Metrics;
use crate::telemetry::LogLevel;

/// The variables.
#[derive(Clone, Debug)]
pub struct Settings {
    pub stack_name: String,
    pub pairing_table: String,
    pub document_bucket: String,
    pub submission_queue_url: String,
    /// The secret with what the function needs: the webhook's may be another than the others'.
    pub idenfy_secret_arn: String,
    pub file_origins: FileOrigins,
    /// 1 to 3,650 days.
    pub retention_days: u16,
    pub log_level: LogLevel,
    pub aws: AwsSettings,
}

impl Settings {
    /// Reads the shared variables. `None`: something is wrong, and `environment` knows what.
    pub fn read(environment: &mut Environment) -> Option<Self> {
        let stack_name = environment.required("STACK_NAME");
        let pairing_table = environment.required("PAIRING_TABLE");
        let document_bucket = environment.required("DOCUMENT_BUCKET");
        let submission_queue_url = environment.required("SUBMISSION_QUEUE_URL");
        let idenfy_secret_arn = environment.required("IDENFY_SECRET_ARN");
        let file_origins = environment.required("FILE_ORIGINS");
        let retention_days = environment.required("RETENTION_DAYS");
        let log_level = environment.optional("LOG_LEVEL").unwrap_or_default();
        let aws = read_aws_settings(environment);
        Some(Self {
            stack_name: stack_name?,
            pairing_table: pairing_table?,
            document_bucket: document_bucket?,
            submission_queue_url: submission_queue_url?,
            idenfy_secret_arn: idenfy_secret_arn?,
            file_origins: file_origins?,
            retention_days: retention_days?,
            log_level,
            aws: aws?,
        })
    }
}

/// Reads the variables that Lambda itself sets, and the SDKs' own `AWS_CA_BUNDLE`.
///
/// For functions that need nothing else of [`Settings`]. `None`: something is wrong, and
/// `environment` knows what.
pub fn read_aws_settings(environment: &mut Environment) -> Option<AwsSettings> {
    let region = environment.required("AWS_REGION");
    let access_key_id = environment.required("AWS_ACCESS_KEY_ID");
    let secret_access_key = environment.required::<String>("AWS_SECRET_ACCESS_KEY");
    let session_token = environment
        .optional::<String>("AWS_SESSION_TOKEN")
        .map(SecretText::new);
    let endpoint_url = environment.optional("AWS_ENDPOINT_URL");
    let extra_roots = read_extra_roots(environment);
    Some(AwsSettings {
        region: region?,
        access_key_id: access_key_id?,
        secret_access_key: SecretText::new(secret_access_key?),
        session_token,
        endpoint_url,
        extra_roots: extra_roots?,
    })
}

/// Reads the certificates of the PEM file that `AWS_CA_BUNDLE` names; none if it names none.
fn read_extra_roots(environment: &mut Environment) -> Option<ExtraRoots> {
    let Some(file) = environment.optional::<PathBuf>("AWS_CA_BUNDLE") else {
        return Some(ExtraRoots::default());
    };
    match ExtraRoots::read(&file) {
        Ok(roots) => Some(roots),
        Err(error) => {
            environment.malformed("AWS_CA_BUNDLE", error_chain(&error));
            None
        }
    }
}

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
    #[error(transparent)]
    HttpClient(#[from] HttpClientError),
}

/// Starts a function: reads its configuration, starts logging, opens the stores and first
/// connections.
///
/// # Errors
/// The configuration is not complete, which is logged with everything that is wrong, or the HTTP
/// client cannot be built.
pub async fn start<C, Content: SecretContent>(
    read: impl FnOnce(Environment) -> Result<C, EnvironmentError>,
    settings: impl Fn(&C) -> &Settings,
) -> Result<(C, Installation<Content>), InstallationError> {
    let config = configured(read, |config| settings(config).log_level)?;
    let installation = Installation::open(settings(&config))?;
    installation.warm_up().await;
    Ok((config, installation))
}

/// The stores of the installation, and what the function reads of the secret.
pub struct Installation<Content> {
    pub http: reqwest::Client,
    pub sdk: SdkConfig,
    pub clock: Arc<SystemClock>,
    pub metrics: Arc<Metrics>,
    pub secrets: Arc<Secrets<Content>>,
    pub pairings: Arc<DynamoPairings>,
    pub circuits: Arc<DynamoCircuits>,
    pub archive: Arc<S3CallbackArchive>,
    pub documents: Arc<S3Documents>,
    pub queue: Arc<SqsSubmissionQueue>,
}

impl<Content: SecretContent> Installation<Content> {
    /// # Errors
    /// The HTTP client cannot be built.
    pub fn open(settings: &Settings) -> Result<Self, InstallationError> {
        let http = http_client_with(&settings.aws.extra_roots)?;
        let sdk = sdk_config(http.clone(), &settings.aws);
        let clock = Arc::new(SystemClock);
        let metrics = Arc::new(Metrics::new(
            &settings.stack_name,
            clock.clone() as Arc<dyn Clock>,
        ));
        let retention =
            Duration::from_secs(u64::from(settings.retention_days).saturating_mul(24 * 60 * 60));
        let documents = S3Documents::new(
            &sdk,
            &settings.document_bucket,
            http.clone(),
            settings.file_origins.clone(),
            clock.clone(),
            metrics.clone() as Arc<dyn Observer>,
        );
        Ok(Self {
            secrets: Arc::new(Secrets::new(
                http.clone(),
                &sdk,
                &settings.idenfy_secret_arn,
                clock.clone(),
            )),
            pairings: Arc::new(DynamoPairings::new(
                &sdk,
                &settings.pairing_table,
                retention,
            )),
            circuits: Arc::new(DynamoCircuits::new(
                &sdk,
                &settings.pairing_table,
                clock.clone(),
            )),
            archive: Arc::new(S3CallbackArchive::new(&sdk, &settings.document_bucket)),
            documents: Arc::new(documents),
            queue: Arc::new(SqsSubmissionQueue::new(
                &sdk,
                &settings.submission_queue_url,
            )),
            http,
            sdk,
            clock,
            metrics,
        })
    }

    /// Reads the secret and opens the first connections, while the function starts and has the CPU
    /// to itself. What fails here is tried again when it is needed.
    pub async fn warm_up(&self) {
        let nobody: Option<ScanRef> = "warm-up".parse().ok();
        let table = async {
            if let Some(nobody) = nobody
                && let Err(error) = self.pairings.find(&nobody).await
            {
                tracing::warn!(
                    event = "warm_up_failed",
                    error = %error,
                    "the table could not be read while starting"
                );
            }
        };
        let secret = async {
            if let Err(error) = self.secrets.current().await {
                tracing::error!(
                    event = "secret_unusable",
                    error = %error,
                    "the secret could not be read while starting"
                );
            }
        };
        futures_util::future::join(table, secret).await;
    }
}

impl Installation<Credentials> {
    /// The way to iDenfy at `base_url`, past the circuit that all functions of the installation
    /// share.
    pub fn idenfy(&self, base_url: Url) -> IdenfyCaller {
        IdenfyCaller::new(
            self.http.clone(),
            base_url,
            self.secrets.clone(),
            self.clock.clone(),
            self.metrics.clone(),
            Arc::new(Breaker::new(
                self.circuits.clone(),
                self.clock.clone(),
                self.metrics.clone(),
            )),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(ca_bundle: &str) -> Environment {
        let variables = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hidden"),
            ("AWS_CA_BUNDLE", ca_bundle),
        ];
        Environment::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn an_empty_ca_bundle_counts_as_none() {
        let mut environment = environment("");
        assert!(read_aws_settings(&mut environment).is_some());
        assert_eq!(environment.problems(), None);
    }

    #[test]
    fn a_bad_ca_bundle_is_named_with_all_other_problems() {
        let without_certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for (ca_bundle, why) in [
            ("/does/not/exist.pem", "cannot be read"),
            (without_certificate, "has no certificate"),
        ] {
            let mut environment = environment(ca_bundle);
            assert!(read_aws_settings(&mut environment).is_none());
            environment.required::<String>("STAGE");
            let message = environment.problems().unwrap().to_string();
            assert!(message.contains("AWS_CA_BUNDLE is malformed"), "{message}");
            assert!(message.contains(why), "{message}");
            assert!(message.contains("STAGE is missing"), "{message}");
        }
    }
}
