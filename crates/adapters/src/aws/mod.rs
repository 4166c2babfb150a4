//! How AWS is reached: one HTTP client, one SDK configuration, and signed calls to services of which
//! one operation is needed.

pub(crate) mod error;
mod event_bus;
mod http;
mod sdk;
mod service_calls;
mod signer;

pub use self::event_bus::{EVENT_SOURCE, EventBridgeAnnouncer};
pub use self::http::{HttpClientError, http_client};
pub use self::sdk::{AwsSettings, SecretText, sdk_config, sdk_http_client};
pub use self::service_calls::{Call, ServiceAnswer, ServiceCalls};
pub use self::signer::{Signer, Unsignable};
