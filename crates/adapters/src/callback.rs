//! iDenfy's callbacks in the domain's types. Only what decisions need is taken over.

use std::collections::BTreeMap;

use idenfy::{StepsVerdictWord, VerifiedBody};
use verification::comparison::Subject;
use verification::identifiers::{ClientId, CountryCode, Digest256, StepName};
use verification::result::{self, CallbackContent, StepLinks, Tag};
use verification::secret::FileLink;

/// Why nothing can be decided on a verified body.
#[derive(Debug, thiserror::Error)]
pub enum UnusableCallback {
    #[error("the body cannot be read")]
    Unreadable(#[source] idenfy::UnreadableCallback),
    #[error("the scanRef is not usable")]
    ScanRef(#[source] verification::identifiers::InvalidIdentifier),
}

/// Reads a verified body.
///
/// # Errors
/// The body is no callback, or its `scanRef` cannot be a key.
/// It is still iDenfy's: keep it.
pub fn read_callback(body: &VerifiedBody) -> Result<CallbackContent, UnusableCallback> {
    let callback = body.parse().map_err(UnusableCallback::Unreadable)?;
    let client_id: Option<ClientId> = callback
        .client_id
        .as_deref()
        .and_then(|client_id| client_id.parse().ok());
    let steps: Vec<StepName> = callback
        .additional_steps
        .keys()
        .filter_map(|step| step.parse().ok())
        .collect();
    Ok(CallbackContent {
        scan_ref: callback
            .scan_ref
            .parse()
            .map_err(UnusableCallback::ScanRef)?,
        has_unusable_client: client_id.is_none() && callback.client_id.is_some(),
        client_id,
        external_ref: callback.external_ref.clone(),
        is_final: callback.is_final,
        overall: callback.status.overall.as_ref().map(overall),
        steps_verdict: match callback.status.additional_steps {
            StepsVerdictWord::Valid => result::StepsVerdict::Valid,
            StepsVerdictWord::Invalid => result::StepsVerdict::Invalid,
            StepsVerdictWord::NotFound => result::StepsVerdict::NotFound,
            StepsVerdictWord::NotJudged => result::StepsVerdict::NotJudged,
            StepsVerdictWord::Unknown => result::StepsVerdict::Unknown,
        },
        has_unusable_steps: steps.len() < callback.additional_steps.len(),
        steps,
        links: links([&callback.file_urls, &callback.additional_step_pdf_urls]),
        country: [&callback.selected_country, &callback.doc_issuing_country]
            .into_iter()
            .flatten()
            .find_map(|country| country.parse::<CountryCode>().ok()),
        finished_at: callback.finish_time,
        tags: tags(&callback.status),
        digest: Digest256::from_bytes(body.sha256()),
    })
}

/// In the provider's order, fraud before mismatches.
pub(crate) fn tags(status: &idenfy::Status) -> Vec<Tag> {
    let words = status.fraud_tags.iter().chain(&status.mismatch_tags);
    words
        .filter_map(|word| Tag::parse(word))
        .take(Tag::MAXIMUM)
        .collect()
}

/// Reads person and document. `None`: the body is no callback.
pub fn subject(body: &VerifiedBody) -> Option<Subject> {
    let identity = body.identity().ok()?;
    Some(Subject {
        first_name: identity.first_name,
        last_name: identity.last_name,
        original_first_name: identity.original_first_name,
        original_last_name: identity.original_last_name,
        full_name: identity.full_name,
        birth_name: identity.birth_name,
        original_birth_name: identity.original_birth_name,
        patronymic: identity.patronymic,
        original_patronymic: identity.original_patronymic,
        date_of_birth: identity.date_of_birth,
        sex: identity.sex,
        personal_code: identity.personal_code,
        document_number: identity.document_number,
        document_type: identity.document_type,
        issuing_country: identity.issuing_country,
        expiry: identity.expiry,
        date_of_issue: identity.date_of_issue,
    })
}

pub(crate) fn overall(overall: &idenfy::OverallWord) -> result::Overall {
    match overall {
        idenfy::OverallWord::Approved => result::Overall::Approved,
        idenfy::OverallWord::Denied => result::Overall::Denied,
        idenfy::OverallWord::Suspected => result::Overall::Suspected,
        idenfy::OverallWord::Reviewing => result::Overall::Reviewing,
        idenfy::OverallWord::Expired => result::Overall::Expired,
        idenfy::OverallWord::Active => result::Overall::Active,
        idenfy::OverallWord::Deleted => result::Overall::Deleted,
        idenfy::OverallWord::Archived => result::Overall::Archived,
        idenfy::OverallWord::ExpiredDeleted => result::Overall::ExpiredDeleted,
        _ => result::Overall::Unknown,
    }
}

/// Joins both maps: images are among the file links, PDFs among the PDF links.
pub(crate) fn links(maps: [&idenfy::FileUrls; 2]) -> StepLinks {
    let mut links: StepLinks = BTreeMap::new();
    for (step, urls) in maps.into_iter().flat_map(idenfy::FileUrls::iter) {
        let Ok(step) = step.parse::<StepName>() else {
            continue;
        };
        let known = links.entry(step).or_default();
        for link in urls.iter().map(FileLink::new) {
            // Some bodies repeat a link in both maps.
            if !known.contains(&link) {
                known.push(link);
            }
        }
    }
    links
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;

    fn facts_of(body: &Value) -> CallbackContent {
        read_callback(&VerifiedBody::previously_verified(Bytes::from(
            body.to_string(),
        )))
        .unwrap()
    }

    #[test]
    fn a_client_is_known_unknown_or_unusable() {
        for (client_id, known, has_unusable) in [
            (json!("клиент-1"), Some("клиент-1"), false),
            (json!(null), None, false),
            (json!(" "), None, false),
            (json!("x".repeat(101)), None, true),
            (json!("a\u{1b}[2J"), None, true),
            (json!(7), None, true),
        ] {
            let facts = facts_of(&json!({"scanRef": "abc", "clientId": client_id}));
            assert_eq!(
                facts.client_id.as_ref().map(ClientId::as_str),
                known,
                "{client_id}"
            );
            assert_eq!(facts.has_unusable_client, has_unusable, "{client_id}");
        }
    }

    #[test]
    fn a_step_that_cannot_be_named_is_said_to_be_there() {
        let of = |steps: Value| {
            let facts = facts_of(&json!({"scanRef": "abc", "additionalSteps": steps}));
            let names: Vec<String> = facts.steps.iter().map(ToString::to_string).collect();
            (names, facts.has_unusable_steps)
        };
        let both = vec!["A_FRONT".to_owned(), "Ž_BACK".to_owned()];
        assert_eq!(
            of(json!({"A_FRONT": null, "Ž_BACK": "UPLOAD"})),
            (both, false)
        );
        for unusable in ["", "a\nb", &"x".repeat(101), "https://files.example/a"] {
            assert_eq!(
                of(json!({"A_FRONT": null, unusable: null})),
                (vec!["A_FRONT".to_owned()], true),
                "{unusable:?}"
            );
        }
    }

    #[test]
    fn a_hundred_thousand_links_are_several() {
        let links: Vec<String> = (0..140_000)
            .map(|link| format!("https://a.example/{link}"))
            .collect();
        let twice = "https://a.example/twice";
        let facts = facts_of(&json!({
            "scanRef": "abc",
            "fileUrls": {"MANY": links, "TWICE": [twice, twice]},
            "additionalStepPdfUrls": {"TWICE": twice},
        }));
        let count = |step: &str| facts.links.get(&step.parse().unwrap()).map_or(0, Vec::len);
        assert_eq!((count("MANY"), count("TWICE")), (8, 1));
    }
}
