//! How AWS is reached: HTTP client, SDK configuration, signed calls.

pub(crate) mod error;
mod event_bus;
mod extra_roots;
mod http;
mod logs;
mod sdk;
mod service_answer;
mod service_calls;
mod signer;

pub use self::error::{ServiceError, error_chain};
pub use self::event_bus::{EVENT_SOURCE, EventBridgeAnnouncer};
pub use self::extra_roots::{ExtraRoots, ExtraRootsError};
pub use self::http::{HttpClientError, http_client, http_client_with};
pub use self::logs::{LogEvent, LogQuery, log_events};
pub use self::sdk::{AwsSettings, SecretText, sdk_config, sdk_http_client};
pub use self::service_answer::ServiceAnswer;
pub use self::service_calls::{Call, Limits, ServiceCalls};
pub use self::signer::{Signer, Unsignable};
