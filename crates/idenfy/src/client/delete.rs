//! Erasing a verification at the provider: `POST /api/v2/delete`.

use super::Client;
use super::exchange::{Exchange, Operation, ScanRef};
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
        self.exchange(Operation::Delete, &ScanRef { scan_ref })
            .await?
            .deletion()
    }
}

impl Exchange {
    /// Reads the answer to a deletion.
    ///
    /// # Errors
    /// As for [`Client::delete`].
    pub fn deletion(&self) -> Result<(), Error> {
        self.answer().expect_empty()
    }
}
