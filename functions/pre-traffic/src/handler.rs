//! CodeDeploy's event in, a report and one log line out.

use std::sync::Arc;
use std::time::Duration;

use adapters::{SecretError, Secrets, SigningKeys, SystemClock};
use lambda_runtime::Error;
use lambda_support::{cause, milliseconds};
use serde_json::{Value, json};
use verification::ports::Clock;

use crate::callback::{forged, signed};
use crate::config::Source;
use crate::deployment_hooks::{DeploymentHooks, HookExecution};
use crate::verdict::{Answer, judge};
use crate::version_invoker::{FunctionVersion, VersionInvoker};

/// Limit for the secret and both callbacks, repeats included.
///
/// Of the function's 120 s, the report needs at most 27 s. So CodeDeploy hears even of a version
/// that never answers.
const TEST_BUDGET: Duration = Duration::from_secs(75);

pub struct PreTraffic {
    pub secrets: Secrets<SigningKeys>,
    pub invoker: VersionInvoker,
    pub hooks: DeploymentHooks,
    pub version: FunctionVersion,
    pub source: Source,
    pub clock: Arc<SystemClock>,
}

impl PreTraffic {
    /// Tests the version and reports.
    ///
    /// Idempotent: the callbacks are always the same bytes, and CodeDeploy keeps the first report.
    /// Only an undelivered report is an error; Lambda then calls again.
    pub async fn handle(&self, event: Value) -> Result<Value, Error> {
        let Ok(execution) = serde_json::from_value::<HookExecution>(event) else {
            tracing::error!(
                event = "hook_unreadable",
                "the event is none of CodeDeploy's, so there is nobody to report to"
            );
            return Err("the event has no DeploymentId and LifecycleEventHookExecutionId".into());
        };
        let started = self.clock.now();
        let (signed, forged) = match tokio::time::timeout(TEST_BUDGET, self.test()).await {
            Ok(answers) => answers,
            Err(_) => (Answer::Unreachable, Answer::Unreachable),
        };
        let status = judge(signed, forged);
        let reported = self.hooks.report(&execution, status).await;
        tracing::info!(
            event = "version_tested",
            deployment_id = execution.deployment_id,
            version = %self.version,
            signed = %signed,
            forged = %forged,
            outcome = status.as_str(),
            reported = reported.is_ok(),
            duration_ms = milliseconds(self.clock.now().since(started)),
            "a version of the webhook was tested"
        );
        if let Err(error) = reported {
            tracing::error!(
                event = "verdict_not_reported",
                error = %error,
                cause = cause(&error),
                "CodeDeploy waits for an hour, then gives the deployment up"
            );
            return Err(error.into());
        }
        Ok(json!({
            "status": status.as_str(),
            "signed": signed.to_string(),
            "forged": forged.to_string(),
        }))
    }

    /// Sends the signed callback, then the forged one.
    ///
    /// Without an answer to the first, the second is not sent.
    async fn test(&self) -> (Answer, Answer) {
        let keys = match self.keys().await {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!(
                    event = "secret_unusable",
                    error = %error,
                    "no callback can be signed without the secret"
                );
                return (Answer::Unreachable, Answer::Unreachable);
            }
        };
        let key = keys.current();
        match self.send(&signed(key, self.source, self.clock.now())).await {
            answered @ Answer::Status(_) => (
                answered,
                self.send(&forged(key, self.source, self.clock.now())).await,
            ),
            unanswered => (unanswered, Answer::Unreachable),
        }
    }

    /// Read anew: they may have been rotated since.
    async fn keys(&self) -> Result<Arc<SigningKeys>, SecretError> {
        let known = self.secrets.current().await?;
        Ok(self.secrets.newer_than(&known).await?.unwrap_or(known))
    }

    async fn send(&self, callback: &Value) -> Answer {
        let invoked = self.invoker.invoke(&self.version, callback).await;
        if let Err(error) = &invoked {
            tracing::error!(
                event = "version_not_answering",
                version = %self.version,
                error = %error,
                cause = cause(error),
                "the version gives no answer"
            );
        }
        Answer::of(&invoked)
    }
}
