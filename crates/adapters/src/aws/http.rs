//! The one HTTP client, for iDenfy, file links and AWS.
//!
//! One connection pool, one TLS configuration, one crypto provider.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

/// AWS and iDenfy answer well under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest silence in the middle of an answer.
///
/// Whole operations have limits of their own.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The client could not be built. Nothing can work without it.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    #[error("the TLS configuration is not supported by the crypto provider")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
}

/// Builds the client. Call it once per process.
///
/// Redirects are never followed. A link may only lead to an allowed origin, and an API does not
/// redirect.
///
/// # Errors
/// The TLS configuration or the client cannot be built.
/// Neither depends on anything outside the program.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that builds the HTTP client"
)]
pub fn http_client() -> Result<reqwest::Client, HttpClientError> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(HttpClientError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        // Lambda freezes the process between invocations. A connection that idled for longer is
        // likely closed.
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(8)
        .tcp_nodelay(true)
        .no_proxy()
        .build()
        .map_err(HttpClientError::Client)
}
