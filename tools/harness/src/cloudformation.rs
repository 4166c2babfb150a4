//! The emulator's CloudFormation.

use adapters::Call;
use reqwest::{Method, Url};

use crate::stack::Stack;

impl Stack {
    /// An action with its parameters. Returns the status and the answer, XML.
    pub async fn cloudformation(&self, form: &[(String, String)]) -> (u16, String) {
        let encoded =
            Url::parse_with_params(&self.description.endpoint_url, form).expect("an address");
        let call = Call {
            method: Method::POST,
            path: "/",
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: encoded.query().unwrap_or_default().as_bytes(),
        };
        let answer = self.ask("cloudformation", &call).await;
        let text = String::from_utf8(answer.body).expect("text");
        (answer.status.as_u16(), text)
    }
}
