//! The one HTTP client, for iDenfy, file links and AWS.
//!
//! One connection pool, one TLS configuration, one crypto provider.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};

use super::extra_roots::ExtraRoots;

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

/// Builds the client with the compiled-in root certificates. Call it once per process.
///
/// # Errors
/// As [`http_client_with`].
pub fn http_client() -> Result<reqwest::Client, HttpClientError> {
    http_client_with(&ExtraRoots::default())
}

/// Builds the client with the compiled-in root certificates and `extra` ones. Call it once per
/// process.
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
pub fn http_client_with(extra: &ExtraRoots) -> Result<reqwest::Client, HttpClientError> {
    let tls =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(HttpClientError::Tls)?
            .with_root_certificates(root_store(extra))
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

fn root_store(extra: &ExtraRoots) -> RootCertStore {
    RootCertStore {
        roots: [webpki_roots::TLS_SERVER_ROOTS, extra.anchors()].concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};

    use super::*;

    /// Signs certificates that no browser knows.
    struct Authority {
        pem: String,
        issuer: Issuer<'static, KeyPair>,
    }

    impl Authority {
        fn create() -> Self {
            let mut parameters = CertificateParams::default();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let key = KeyPair::generate().unwrap();
            Self {
                pem: parameters.self_signed(&key).unwrap().pem(),
                issuer: Issuer::new(parameters, key),
            }
        }

        fn bundle(&self) -> ExtraRoots {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &self.pem).unwrap();
            ExtraRoots::read(file.path()).unwrap()
        }

        /// TLS settings of a server at 127.0.0.1.
        fn server_config(&self) -> ServerConfig {
            let key = KeyPair::generate().unwrap();
            let certificate = CertificateParams::new(["127.0.0.1".to_owned()])
                .unwrap()
                .signed_by(&key, &self.issuer)
                .unwrap();
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap()
        }

        /// Serves one connection. Returns its URL, and at the end whether a request came.
        fn serve(&self) -> (String, JoinHandle<bool>) {
            let config = Arc::new(self.server_config());
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("https://{}/", listener.local_addr().unwrap());
            let served = std::thread::spawn(move || {
                let (connection, _) = listener.accept().unwrap();
                let tls = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(tls, connection);
                if stream.read(&mut [0; 4096]).unwrap_or_default() == 0 {
                    return false;
                }
                stream.write_all(ANSWER).unwrap();
                true
            });
            (url, served)
        }
    }

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_server_of_the_bundle_is_reached() {
        let authority = Authority::create();
        let (url, served) = authority.serve();
        let client = http_client_with(&authority.bundle()).unwrap();
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        assert!(served.join().unwrap());
    }

    #[tokio::test]
    async fn a_server_of_an_unknown_authority_is_refused() {
        let (authority, other) = (Authority::create(), Authority::create());
        for extra in [ExtraRoots::default(), other.bundle()] {
            let (url, served) = authority.serve();
            let client = http_client_with(&extra).unwrap();
            let refused = client.get(&url).send().await.unwrap_err();
            assert!(refused.is_connect(), "{refused:?}");
            assert!(!served.join().unwrap(), "no request was sent");
        }
    }

    #[test]
    fn the_compiled_in_roots_stay() {
        let compiled_in = webpki_roots::TLS_SERVER_ROOTS.len();
        let extra = Authority::create().bundle();
        assert_eq!(root_store(&extra).len(), compiled_in + 1);
        assert_eq!(root_store(&ExtraRoots::default()).len(), compiled_in);
    }
}
