//! Requests handed on to another server.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, Response, StatusCode, header};

/// More than any request that passes here.
const LARGEST_BODY: usize = 32 << 20;

/// Headers of one connection. The next one has its own.
const OF_A_CONNECTION: [HeaderName; 3] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
];

/// Sends a request to `behind`, the origin of another server, and returns its answer.
///
/// # Errors
/// 413: the request is too large. 502: there is no answer.
pub async fn forward(
    client: &reqwest::Client,
    behind: &str,
    request: Request,
) -> Result<Response<Body>, StatusCode> {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY)
        .await
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    parts.headers.remove(header::HOST);
    let sent = client
        .request(parts.method, format!("{behind}{}", parts.uri))
        .headers(parts.headers)
        .body(body)
        .send();
    let answer = sent.await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    for name in OF_A_CONNECTION {
        headers.remove(name);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}
