//! The emulator's CloudFormation.

use reqwest::Url;

use crate::stack::Stack;

impl Stack {
    /// An action with its parameters. Returns the status and the answer, XML.
    pub async fn cloudformation(&self, form: &[(String, String)]) -> (u16, String) {
        let encoded =
            Url::parse_with_params(&self.description.endpoint_url, form).expect("an address");
        let request = self.to_service("cloudformation");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        let answer = request
            .body(encoded.query().unwrap_or_default().to_owned())
            .send()
            .await;
        let answer = answer.expect("CloudFormation answers");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }
}
