//! Erasing a verification at the provider: `POST /api/v2/delete`.

use super::Client;
use crate::Error;

impl Client {
    /// Deletes the verification and its files at the provider.
    /// Success is a 2xx with an empty body.
    ///
    /// # Errors
    /// [`Error::Rejected`] with `PARTNER_ERROR` while the session is active.
    /// Otherwise any [`Error`] except those about submissions.
    /// The call may be repeated.
    pub async fn delete(&self, scan_ref: &str) -> Result<(), Error> {
        self.post_scan_ref("api/v2/delete", scan_ref)
            .await?
            .expect_empty()
    }
}
