//! The one HTTP client: iDenfy's API, the customers' file links and the AWS services all go through
//! it.
//!
//! One connection pool, one TLS configuration, one crypto provider. The root certificates are
//! compiled in, because loading the system's costs 5 to 38 ms at every cold start, and the provider
//! is ring, because aws-lc gathers entropy for 60 to 97 ms at first use.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

/// How long reaching a server may take. AWS and iDenfy answer within a region or between regions,
/// well under a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a server may stay silent in the middle of an answer. Whole operations have their own,
/// shorter or longer, limits.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The client could not be built; nothing can work without it.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    #[error("the TLS configuration is not supported by the crypto provider")]
    Tls(#[source] rustls::Error),
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
}

/// Builds the client. Call it once per process.
///
/// Redirects are never followed here: a link may only lead where it was allowed to lead, and an API
/// that redirects is not the API.
///
/// # Errors
/// The TLS configuration or the client cannot be built. Neither depends on anything outside the
/// program.
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
        // Lambda freezes the process between invocations; a connection that idled longer than this
        // is likely closed by then.
        .pool_idle_timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(8)
        .tcp_nodelay(true)
        .no_proxy()
        .build()
        .map_err(HttpClientError::Client)
}
