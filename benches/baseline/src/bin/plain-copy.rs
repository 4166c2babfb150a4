//! The plainest copy: each file's bytes go from where they are to where they shall be as they come,
//! all files at once. Nothing is hashed, signed, recorded or checked.
//!
//! `plain-copy FROM TO [FROM TO]…`, all of them plain HTTP; prints nothing and fails if anything is
//! refused.

use lambda_runtime::Error;
use tokio::task::JoinSet;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // The client insists on a crypto provider even where it never uses TLS.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(
        clippy::disallowed_methods,
        reason = "the one HTTP client is for what ships, and this is what it is measured against"
    )]
    let client = reqwest::Client::builder().no_proxy().build()?;
    let mut copies = JoinSet::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(from), Some(to)) = (arguments.next(), arguments.next()) {
        copies.spawn(copy(client.clone(), from, to));
    }
    while let Some(copied) = copies.join_next().await {
        copied??;
    }
    Ok(())
}

async fn copy(client: reqwest::Client, from: String, to: String) -> Result<(), reqwest::Error> {
    let file = client.get(from).send().await?.error_for_status()?;
    let length = file.content_length().unwrap_or_default();
    let stored = client
        .put(to)
        .header(reqwest::header::CONTENT_LENGTH, length)
        // The emulator reads the region from it and checks nothing.
        .header(reqwest::header::AUTHORIZATION, AUTHORIZATION)
        .body(reqwest::Body::wrap_stream(file.bytes_stream()))
        .send();
    stored.await?.error_for_status().map(drop)
}

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=test/20200101/eu-west-1/s3/aws4_request, \
    SignedHeaders=host, Signature=0";
