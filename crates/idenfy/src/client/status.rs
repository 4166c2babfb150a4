//! Asking how a verification stands: `POST /api/v2/status`.

use serde_json::Value;

use super::Client;
use super::exchange::{Exchange, Operation, ScanRef};
use crate::selection::Members;
use crate::{Error, Status};

impl Client {
    /// The status of a verification, without a verdict on additional steps.
    ///
    /// For resolving doubt after a failed call, not for polling.
    /// The provider may restrict accounts that poll.
    ///
    /// # Errors
    /// Any [`Error`] except those about submissions. The call may always be repeated.
    pub async fn status(&self, scan_ref: &str) -> Result<Status, Error> {
        self.exchange(Operation::Status, &ScanRef { scan_ref })
            .await?
            .verification_status()
    }
}

impl Exchange {
    /// Reads the answer to a request for a status.
    ///
    /// # Errors
    /// As for [`Client::status`](crate::Client::status).
    pub fn verification_status(&self) -> Result<Status, Error> {
        self.answer().expect_object(|members| {
            // `status` is the overall verdict or, as in callbacks, an object with it.
            let status = match members.get("status") {
                Some(Value::Object(inner)) => Status::read(inner, "overall"),
                Some(_) => Status::read(members, "status"),
                None => Status::read(members, "overall"),
            };
            let is_final = members.boolean("final");
            status
                .overall
                .is_some()
                .then_some(Status { is_final, ..status })
        })
    }
}
