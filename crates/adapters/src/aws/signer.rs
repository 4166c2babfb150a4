//! AWS Signature Version 4 for one service, as headers.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

/// Invalid URL or credentials.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be signed")]
pub struct Unsignable(#[source] Box<dyn std::error::Error + Send + Sync>);

/// Signs requests to one service in one region. Prints nothing of the credentials.
#[derive(Clone)]
pub struct Signer {
    service: &'static str,
    region: String,
    credentials: Credentials,
}

impl Signer {
    /// `service` is the name in signatures, such as `lambda`.
    pub fn new(service: &'static str, region: impl Into<String>, credentials: Credentials) -> Self {
        Self {
            service,
            region: region.into(),
            credentials,
        }
    }

    /// The headers that sign this request.
    ///
    /// `headers` must include those that begin with `x-amz-`, because AWS insists on them. Others
    /// may be added freely.
    ///
    /// # Errors
    /// Invalid URL or credentials.
    pub fn sign(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>, Unsignable> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service)
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .map_err(unsignable)?
            .into();
        let request = SignableRequest::new(
            method,
            url,
            headers.iter().copied(),
            SignableBody::Bytes(body),
        )
        .map_err(unsignable)?;
        let (instructions, _) = sign(request, &parameters).map_err(unsignable)?.into_parts();
        let header = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Ok(instructions.headers().map(header).collect())
    }
}

fn unsignable(error: impl std::error::Error + Send + Sync + 'static) -> Unsignable {
    Unsignable(Box::new(error))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature says when it was made, and only the real time is taken by the other side"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
