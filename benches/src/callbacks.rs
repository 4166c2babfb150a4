//! The provider's callbacks as Lambda hands them to the webhook, made from the samples in
//! `events/`.

use anyhow::{Context, Result};
use idenfy::SigningKey;
use local_stack::workspace;
use serde_json::{Value, json};

/// Makes signed callbacks for any session.
#[derive(Debug)]
pub struct Callbacks {
    event: Value,
    approved: Value,
    denied: Value,
    signing_key: SigningKey,
}

impl Callbacks {
    /// # Errors
    /// A sample is not there, or the key is empty.
    pub fn read(signing_key: &str) -> Result<Self> {
        Ok(Self {
            event: sample("webhook/first-approved.json")?,
            approved: sample("callbacks/first-approved.json")?,
            denied: sample("callbacks/first-denied.json")?,
            signing_key: SigningKey::new(signing_key)?,
        })
    }

    /// The first verification has failed: there is nothing to copy.
    ///
    /// # Errors
    /// The sample has no members.
    pub fn denied(&self, scan_ref: &str) -> Result<Value> {
        self.event_of(self.denied.clone(), scan_ref)
    }

    /// The first verification has succeeded, and the second document's files are at these links, by
    /// step.
    ///
    /// # Errors
    /// The sample has no members.
    pub fn approved(&self, scan_ref: &str, links: &[(&str, String)]) -> Result<Value> {
        let mut callback = self.approved.clone();
        let links = links
            .iter()
            .map(|(step, link)| ((*step).to_owned(), json!(link)));
        let files = callback.get_mut("fileUrls").and_then(Value::as_object_mut);
        files.context("the sample has no files")?.extend(links);
        self.event_of(callback, scan_ref)
    }

    fn event_of(&self, mut callback: Value, scan_ref: &str) -> Result<Value> {
        let members = callback
            .as_object_mut()
            .context("the sample is no object")?;
        members.insert("scanRef".to_owned(), json!(scan_ref));
        members.insert("clientId".to_owned(), json!(format!("customer-{scan_ref}")));
        let body = callback.to_string();
        let signature = self.signing_key.sign(body.as_bytes());
        let mut event = self.event.clone();
        let headers = event.get_mut("headers").and_then(Value::as_object_mut);
        headers
            .context("the sample has no headers")?
            .insert("idenfy-signature".to_owned(), json!(signature));
        let members = event.as_object_mut().context("the sample is no object")?;
        members.insert("body".to_owned(), json!(body));
        Ok(event)
    }
}

/// The claim check for one pairing, as SQS hands it to the processor.
///
/// # Errors
/// The sample is not there.
pub fn claim_check(scan_ref: &str) -> Result<Value> {
    let mut event = sample("processor/submit-documents.json")?;
    let body = json!({ "type": "SubmitDocumentsV1", "scanRef": scan_ref }).to_string();
    let record = event
        .pointer_mut("/Records/0")
        .and_then(Value::as_object_mut);
    record
        .context("the sample has no record")?
        .insert("body".to_owned(), json!(body));
    Ok(event)
}

fn sample(name: &str) -> Result<Value> {
    let path = workspace::root().join("events").join(name);
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

#[cfg(test)]
mod tests {
    use idenfy::SigningKeys;

    use super::*;

    #[test]
    fn a_callback_is_signed_over_its_body() {
        let callbacks = Callbacks::read("key").unwrap();
        let event = callbacks
            .approved(
                "scan-1",
                &[("SECOND_DOC_FRONT", "http://here/front".to_owned())],
            )
            .unwrap();
        let body = event["body"].as_str().unwrap();
        let callback: Value = serde_json::from_str(body).unwrap();
        assert_eq!(callback["scanRef"], "scan-1");
        assert_eq!(
            callback["fileUrls"]["SECOND_DOC_FRONT"],
            "http://here/front"
        );
        let keys = SigningKeys::new(vec![SigningKey::new("key").unwrap()]).unwrap();
        let signature = event["headers"]["idenfy-signature"]
            .as_str()
            .map(str::as_bytes);
        let verified = keys.verify(bytes::Bytes::copy_from_slice(body.as_bytes()), signature);
        assert!(verified.is_ok());
    }

    #[test]
    fn a_claim_check_names_the_pairing() {
        let event = claim_check("scan-1").unwrap();
        assert!(
            event["Records"][0]["body"]
                .as_str()
                .unwrap()
                .contains("scan-1")
        );
    }
}
