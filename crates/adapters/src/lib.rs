//! How decisions are stored and carried out: the ports of `verification` on DynamoDB, S3, SQS,
//! EventBridge, Secrets Manager and iDenfy.
//!
//! Two calls that only a deployment makes, to Lambda and to CodeDeploy, need no SDK of their own:
//! [`VersionInvoker`] and [`DeploymentHooks`] sign them as the SDK would.
//!
//! SDK types stop here. All parts share one HTTP client and one SDK configuration ([`http_client`],
//! [`sdk_config`]).

mod archive;
mod caller;
mod clock;
mod dead_letters;
mod deployment_hooks;
mod documents;
mod error;
mod events;
mod http;
mod link;
mod measured_body;
mod origins;
mod preparation;
mod provider;
mod queue;
mod removal;
mod sdk;
mod secret;
mod self_test;
mod service_calls;
mod sessions;
mod signer;
mod spool;
mod table;
mod translate;
mod version_invoker;

pub use archive::{ArchivedCallback, ArchivedPage, S3CallbackArchive};
pub use caller::IdenfyCaller;
pub use clock::SystemClock;
pub use dead_letters::{DeadLetter, Depth, SqsDeadLetters, queue_depth};
pub use deployment_hooks::{DeploymentHooks, HookExecution, HookStatus};
pub use documents::S3Documents;
pub use events::{EVENT_SOURCE, EventBridgeAnnouncer};
pub use http::{HttpClientError, http_client};
pub use idenfy::TokenField;
pub use origins::{FileOrigins, InvalidOrigin};
pub use preparation::S3Preparation;
pub use provider::IdenfyProvider;
pub use queue::{LONGEST_DELAY, Message, SqsSubmissionQueue};
pub use removal::S3FileRemoval;
pub use sdk::{AwsSettings, SecretText, sdk_config, sdk_http_client};
pub use secret::{Secret, SecretError, Secrets};
pub use self_test::{SELF_TEST_BODY, SELF_TEST_SCAN_REF};
pub use sessions::IdenfySessions;
pub use signer::{Signer, Unsignable};
pub use table::{
    DynamoCircuits, DynamoPairings, Inspected, Inspection, InspectionPlace, InspectionStart,
};
pub use translate::{UnusableCallback, facts};
pub use version_invoker::{FunctionVersion, InvalidVersion, InvocationError, VersionInvoker};
