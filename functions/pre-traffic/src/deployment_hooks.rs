//! Reports to CodeDeploy whether a deployment may go on.

use std::fmt;
use std::time::Duration;

use adapters::{Limits, ServiceCalls};
use aws_types::SdkConfig;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;
use verification::ports::StoreUnavailable;

/// At most 27 s in all.
const LIMITS: Limits = Limits {
    timeout: Some(Duration::from_secs(5)),
    attempts: 4,
    first_pause: Duration::from_secs(1),
};

/// CodeDeploy's event.
///
/// (Source: "AppSpec 'hooks' section for an AWS Lambda deployment".)
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HookExecution {
    pub deployment_id: String,
    /// Authorizes the report. Never printed.
    pub lifecycle_event_hook_execution_id: String,
}

impl fmt::Debug for HookExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookExecution")
            .field("deployment_id", &self.deployment_id)
            .finish_non_exhaustive()
    }
}

/// CodeDeploy accepts only these two values from a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookStatus {
    Succeeded,
    Failed,
}

impl HookStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}

/// Answers CodeDeploy's hooks.
#[derive(Debug)]
pub struct DeploymentHooks(ServiceCalls);

impl DeploymentHooks {
    pub fn new(http: reqwest::Client, sdk: &SdkConfig) -> Self {
        Self(ServiceCalls::new(http, sdk, "codedeploy").with_limits(LIMITS))
    }

    /// Reports once, repeated up to three times where that may help.
    ///
    /// An answered hook keeps its first answer. That is no error.
    ///
    /// # Errors
    /// CodeDeploy has no answer. It gives the deployment up after an hour.
    pub async fn report(
        &self,
        execution: &HookExecution,
        status: HookStatus,
    ) -> Result<(), StoreUnavailable> {
        let request = json!({
            "deploymentId": execution.deployment_id,
            "lifecycleEventHookExecutionId": execution.lifecycle_event_hook_execution_id,
            "status": status.as_str(),
        });
        let target = "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus";
        match self.0.json::<IgnoredAny>(target, &request).await {
            Err(error) if error.code() != Some("LifecycleEventAlreadyCompletedException") => {
                Err(StoreUnavailable::new("reporting to CodeDeploy", error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_event_is_read() {
        let event = json!({
            "DeploymentId": "d-ABCDEF123",
            "LifecycleEventHookExecutionId": "eyJlbmNyeXB0ZWREYXRhIjoi",
        });
        let execution: HookExecution = serde_json::from_value(event).unwrap();
        assert_eq!(execution.deployment_id, "d-ABCDEF123");
        assert_eq!(
            execution.lifecycle_event_hook_execution_id,
            "eyJlbmNyeXB0ZWREYXRhIjoi"
        );
        assert!(!format!("{execution:?}").contains("eyJ"), "{execution:?}");
    }

    #[test]
    fn what_is_no_such_event_is_not_taken_for_one() {
        for event in [
            json!({}),
            json!({"DeploymentId": "d-1"}),
            json!({"deploymentId": "d-1"}),
            json!("d-1"),
            json!(null),
        ] {
            assert!(
                serde_json::from_value::<HookExecution>(event.clone()).is_err(),
                "{event}"
            );
        }
    }
}
