//! Reading objects of the bucket as streams.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use futures_util::StreamExt;
use verification::ports::StoreUnavailable;

use super::measured_body::ByteChunks;
use crate::aws::error::{code, unavailable};

/// S3 for small objects and streams.
///
/// The stream's own checks replace the SDK's checksums, which would read every byte twice, in both
/// directions. Callers bound the time of a transfer.
pub(crate) fn s3_client(sdk: &SdkConfig) -> Client {
    let config = aws_sdk_s3::config::Builder::from(sdk)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .timeout_config(TimeoutConfig::disabled())
        // Buckets of an emulator are paths, not host names.
        .force_path_style(sdk.endpoint_url().is_some());
    Client::from_conf(config.build())
}

/// Opens an object as a stream, with its length.
pub(crate) async fn read_object(
    client: &Client,
    bucket: &str,
    key: &str,
) -> Result<(u64, ByteChunks), StoreUnavailable> {
    read(client.get_object().bucket(bucket).key(key)).await
}

/// Opens at most the first `limit` bytes, with their number.
pub(crate) async fn read_start(
    client: &Client,
    bucket: &str,
    key: &str,
    limit: usize,
) -> Result<(u64, ByteChunks), StoreUnavailable> {
    let range = format!("bytes=0-{}", limit.saturating_sub(1));
    read(client.get_object().bucket(bucket).key(key).range(range)).await
}

async fn read(request: GetObjectFluentBuilder) -> Result<(u64, ByteChunks), StoreUnavailable> {
    let what = "reading a stored file";
    let object = request
        .send()
        .await
        .map_err(|error| unavailable(what, error))?;
    let length = object
        .content_length()
        .and_then(|length| u64::try_from(length).ok());
    let length = length.ok_or(StoreUnavailable { what, source: None })?;
    let chunks = futures_util::stream::unfold(object.body, |mut body| async move {
        let chunk = body.next().await?;
        Some((chunk.map_err(Into::into), body))
    });
    Ok((length, chunks.boxed()))
}

/// Whether a write that may not overwrite failed because the object exists.
///
/// S3 may refuse a large body before it has read it all, and hang up. Then its answer is lost, and
/// the object is asked for. `ConditionalRequestConflict` (409) does not say that it exists: a write
/// or deletion is under way, and S3 asks to repeat the request.
pub(crate) async fn is_there(
    client: &Client,
    bucket: &str,
    key: &str,
    error: &SdkError<PutObjectError>,
) -> bool {
    if matches!(error, SdkError::DispatchFailure(_)) {
        let asked = client.head_object().bucket(bucket).key(key).send();
        return asked.await.is_ok();
    }
    code(error) == Some("PreconditionFailed")
}
