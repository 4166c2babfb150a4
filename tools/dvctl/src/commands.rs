//! One file per subcommand, and their shared context.

mod check;
pub mod doctor;
pub mod erase;
pub mod export;
pub mod list;
pub mod park;
pub mod pause;
pub mod probe;
pub mod redrive;
pub mod replay;
pub mod retry;
pub mod session;
pub mod show;
pub mod sign;
pub mod watch;

use std::sync::Arc;
use std::time::Duration;

use adapters::{
    Credentials, DynamoCircuits, DynamoPairings, S3CallbackArchive, SecretContent, Secrets,
    SigningKeys,
};
use verification::circuit::Gate;
use verification::policy::{StepImages, StepVerdictPolicy};
use verification::ports::{Circuits, Clock};
use verification::{Policy, Timestamp};

use crate::api::Api;
use crate::aws::Aws;
use crate::environment::Environment;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Output;
use crate::pace::Interruption;
use crate::stack::{SecretParameter, Stack};

/// A deployment, and where to print.
pub struct Context<'o> {
    pub output: &'o mut Output,
    pub stack: Stack,
    pub aws: Aws,
    environment: Environment,
}

impl<'o> Context<'o> {
    /// Finds credentials and the stack.
    pub async fn open(
        global: &Global,
        environment: Environment,
        output: &'o mut Output,
    ) -> Result<Self, Failure> {
        let aws = Aws::open(global, environment.http.clone()).await?;
        let stack = Stack::read(&aws, &global.stack).await?;
        Ok(Self {
            output,
            stack,
            aws,
            environment,
        })
    }

    pub fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }

    pub const fn http(&self) -> &reqwest::Client {
        &self.environment.http
    }

    pub const fn interruption(&self) -> &Interruption {
        &self.environment.interruption
    }

    /// Read-only, so the retention is irrelevant.
    pub fn pairings(&self) -> Result<DynamoPairings, Failure> {
        let table = self.stack.output("PairingTableName")?;
        Ok(DynamoPairings::new(self.aws.sdk(), table, Duration::ZERO))
    }

    /// Whether the functions call iDenfy at present.
    pub async fn provider_gate(&self) -> Result<Gate, Failure> {
        let table = self.stack.output("PairingTableName")?;
        let circuits = DynamoCircuits::new(self.aws.sdk(), table, Arc::new(self.environment.clock));
        Ok(circuits.circuit().await?.gate(self.now()))
    }

    /// The policy of the parameters `StepVerdict` and `StepImages`.
    pub fn policy(&self) -> Result<Policy, Failure> {
        let step_images = self.stack.parameter("StepImages")?.parse::<StepImages>();
        Ok(Policy {
            step_verdict: match self.stack.parameter("StepVerdict")? {
                "AcceptUnjudged" => StepVerdictPolicy::AcceptUnjudged,
                _ => StepVerdictPolicy::RequireValid,
            },
            step_images: step_images
                .map_err(|error| Failure::new("StepImages cannot be read").because(error))?,
            ..Policy::default()
        })
    }

    pub fn archive(&self) -> Result<S3CallbackArchive, Failure> {
        Ok(S3CallbackArchive::new(
            self.aws.sdk(),
            self.stack.output("DocumentBucketName")?,
        ))
    }

    /// The keys that the webhook believes.
    pub async fn signing_keys(&self) -> Result<Arc<SigningKeys>, Failure> {
        self.secret(self.stack.signing_secret()).await
    }

    /// The credentials by which the other functions call iDenfy.
    pub async fn credentials(&self) -> Result<Arc<Credentials>, Failure> {
        self.secret(SecretParameter::Idenfy).await
    }

    /// What is needed of a secret.
    pub async fn secret<Content: SecretContent>(
        &self,
        parameter: SecretParameter,
    ) -> Result<Arc<Content>, Failure> {
        let secrets = Secrets::new(
            self.environment.http.clone(),
            self.aws.sdk(),
            self.stack.parameter(parameter.name())?,
            Arc::new(self.environment.clock),
        );
        secrets.current().await.map_err(|error| {
            let advice = format!(
                "you need secretsmanager:GetSecretValue on {}; `dvctl doctor` checks what is in it",
                parameter.name()
            );
            Failure::new("the secret cannot be used")
                .because(error)
                .advise(advice)
        })
    }

    pub async fn api(&self) -> Result<Api, Failure> {
        self.api_at(self.stack.output("ApiUrl")?).await
    }

    /// Where the API erases.
    pub async fn erasure(&self) -> Result<Api, Failure> {
        let separate = self.stack.output("ErasureUrl");
        self.api_at(separate.or_else(|_| self.stack.output("ApiUrl"))?)
            .await
    }

    async fn api_at(&self, url: &str) -> Result<Api, Failure> {
        let credentials = self.aws.credentials().await?;
        Ok(Api::new(
            self.environment.http.clone(),
            url,
            self.aws.region(),
            credentials,
        ))
    }
}
