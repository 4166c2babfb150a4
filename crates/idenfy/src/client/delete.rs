//! Erasing a verification at the provider: `POST /api/v2/delete`.

use super::Client;
use crate::Error;

impl Client {
    /// Has the provider delete the verification and its files. Accepted means a 2xx with nothing in
    /// the body.
    ///
    /// # Errors
    /// [`Error::Rejected`] with `PARTNER_ERROR` while the session is still active; otherwise any
    /// [`Error`] but those about submissions. The call may be repeated.
    pub async fn delete(&self, scan_ref: &str) -> Result<(), Error> {
        self.post_scan_ref("api/v2/delete", scan_ref)
            .await?
            .expect_empty()
    }
}
