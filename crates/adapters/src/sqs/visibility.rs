//! When a received message is shown again.

use std::time::Duration;

use aws_sdk_sqs::Client;
use verification::ports::StoreUnavailable;

use crate::aws::error::unavailable;

/// SQS hides a message for at most 12 hours after it was received, and refuses more. (Source:
/// "ChangeMessageVisibility".) An hour is left for what has been done with it since.
const LONGEST_VISIBILITY: Duration = Duration::from_secs(11 * 60 * 60);

/// Shows a received message again after `pause`: rounded up to whole seconds, at most 11 hours.
///
/// # Errors
/// SQS is unavailable. The queue's own visibility timeout then applies.
pub(super) async fn show_again_after(
    client: &Client,
    url: &str,
    receipt_handle: &str,
    pause: Duration,
) -> Result<(), StoreUnavailable> {
    let seconds = pause.min(LONGEST_VISIBILITY).as_millis().div_ceil(1_000);
    let request = client
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(receipt_handle);
    let answer = request
        .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
        .send()
        .await;
    answer
        .map(drop)
        .map_err(|error| unavailable("postponing a message", error))
}
