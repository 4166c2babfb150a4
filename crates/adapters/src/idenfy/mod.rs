//! iDenfy: its secret, and the calls that the circuit guards.

mod caller;
mod probe_callback;
mod provider;
mod secret;
mod sessions;

pub use self::caller::IdenfyCaller;
pub use self::probe_callback::{PROBE_BODY, PROBE_SCAN_REF};
pub use self::provider::IdenfyProvider;
pub use self::secret::{Secret, SecretContent, SecretError, Secrets};
pub use self::sessions::{IdenfySessions, session_steps};
