//! TLS before a server that speaks plain HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Request, State};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::forward::forward;

/// Signs the certificates of one run.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// The root certificate, in PEM.
    bundle: NamedTempFile,
}

impl Authority {
    /// # Errors
    /// No key can be made, or the file cannot be written.
    pub fn create() -> Result<Self> {
        let mut parameters = CertificateParams::default();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate with its issuer's own name for a self-signed one.
        let name = "authority of the benchmark";
        parameters.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let bundle = NamedTempFile::new()?;
        std::fs::write(bundle.path(), parameters.self_signed(&key)?.pem())?;
        Ok(Self {
            issuer: Issuer::new(parameters, key),
            bundle,
        })
    }

    /// Makes a program trust it: the variable of ours and of Python's SDK, that of OpenSSL for
    /// Python's other requests, and that of Node.js.
    ///
    /// # Errors
    /// The file's path is not text.
    pub fn variables(&self) -> Result<[(&'static str, String); 3]> {
        let path = self.bundle.path().to_str().context("a path is text")?;
        let names = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
        Ok(names.map(|name| (name, path.to_owned())))
    }

    /// TLS settings of a server at 127.0.0.1. It resumes no session: each handshake is a whole one.
    fn server_config(&self) -> Result<ServerConfig> {
        let key = KeyPair::generate()?;
        let certificate =
            CertificateParams::new(["127.0.0.1".to_owned()])?.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok(config)
    }
}

/// How many requests a connection carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// As many as the client likes.
    Kept,
    /// One. As if each request went to a service that was not spoken to before.
    OneForEachRequest,
}

/// The front; dropping it closes it.
#[derive(Debug)]
pub struct TlsFront {
    pub url: String,
    accepted: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl TlsFront {
    /// Listens on a free port of 127.0.0.1 and hands everything on to `behind`.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(
        client: reqwest::Client,
        behind: &str,
        authority: &Authority,
        connections: Connections,
    ) -> Result<Self> {
        let acceptor = TlsAcceptor::from(Arc::new(authority.server_config()?));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}", listener.local_addr()?);
        let accepted = Arc::new(AtomicUsize::new(0));
        let routes =
            Router::new()
                .fallback(
                    |State((client, behind)): State<(reqwest::Client, String)>,
                     request: Request| async move {
                        forward(&client, &behind, request).await
                    },
                )
                .with_state((client, behind.to_owned()));
        let counter = Arc::clone(&accepted);
        let server = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (acceptor, routes, counter) =
                    (acceptor.clone(), routes.clone(), Arc::clone(&counter));
                tokio::spawn(async move {
                    drop(connection.set_nodelay(true));
                    let Ok(tls) = acceptor.accept(connection).await else {
                        return;
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                    let served = http1::Builder::new()
                        .keep_alive(connections == Connections::Kept)
                        .serve_connection(TokioIo::new(tls), TowerToHyperService::new(routes));
                    drop(served.await);
                });
            }
        });
        Ok(Self {
            url,
            accepted,
            server,
        })
    }

    /// Handshakes since this was last asked.
    pub fn take_handshakes(&self) -> usize {
        self.accepted.swap(0, Ordering::Relaxed)
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.server.abort();
    }
}
