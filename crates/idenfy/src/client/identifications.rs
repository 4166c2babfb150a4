//! The verifications of one client: `GET /kyc/identifications/`.

use reqwest::Method;
use serde_json::{Map, Value};

use super::Client;
use crate::error::answer::Answer;
use crate::selection::Members;
use crate::{Error, Overall, scan_ref};

/// The first page of a client's verifications, in the provider's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifications {
    /// At most 100.
    pub results: Vec<Identification>,
    /// Whether there are further pages, which are not fetched.
    pub has_more: bool,
}

/// One verification of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identification {
    pub scan_ref: String,
    pub overall: Option<Overall>,
    pub suspected: Option<bool>,
}

impl Identifications {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        let results = members.get("results")?.as_array()?;
        let has_more = members.get("next").is_some_and(|next| !next.is_null());
        let results = results
            .iter()
            .filter_map(Value::as_object)
            .filter_map(Identification::read)
            .collect();
        Some(Self { results, has_more })
    }
}

impl Identification {
    fn read(members: &Map<String, Value>) -> Option<Self> {
        Some(Self {
            scan_ref: members
                .text("scanRef")
                .filter(|text| scan_ref::is_usable(text))?
                .to_owned(),
            overall: members.text("status").map(Overall::from),
            suspected: members.boolean("suspected"),
        })
    }
}

impl Client {
    /// The verifications that exist for a client, such as one whose token request got no answer.
    ///
    /// # Errors
    /// Any [`Error`] but those about submissions; the call may always be repeated.
    pub async fn identifications(&self, client_id: &str) -> Result<Identifications, Error> {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("clientId", client_id)
            .append_pair("page", "1")
            .append_pair("perPage", "100")
            .finish();
        // With the slash at the end of the path: the provider's `/kyc/` addresses have one.
        let path = format!("kyc/identifications/?{query}");
        let answer = Answer::read(
            self.request(Method::GET, &path, self.timeouts.others)
                .send()
                .await?,
        )
        .await?;
        answer.expect_object(Identifications::read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_page_is_read_and_odd_items_are_left_out() {
        let page = json!({"count": 3, "next": "…", "results": [
            {"scanRef": "abc", "status": "APPROVED", "suspected": false}, {"scanRef": null}, 7
        ]});
        let page = Identifications::read(page.as_object().unwrap()).unwrap();
        let expected = Identification {
            scan_ref: "abc".to_owned(),
            overall: Some(Overall::Approved),
            suspected: Some(false),
        };
        assert_eq!(
            page,
            Identifications {
                results: vec![expected],
                has_more: true
            }
        );
    }
}
