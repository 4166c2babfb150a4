//! The HTTP client that callbacks are sent with.

use std::sync::Arc;

/// The client for callbacks: no proxy, no redirects, TLS by ring with compiled-in roots.
///
/// # Errors
/// TLS cannot be set up.
pub(crate) fn callback_client() -> anyhow::Result<reqwest::Client> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()?
    .with_root_certificates(roots)
    .with_no_client_auth();
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox shares nothing with the code that it is the other side of"
    )]
    let builder = reqwest::Client::builder();
    Ok(builder
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()?)
}
