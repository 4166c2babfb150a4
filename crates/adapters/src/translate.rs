//! iDenfy's words as the domain's: what decisions need is taken over, everything else is left behind.

use std::collections::BTreeMap;

use idenfy::{StepsVerdict, VerifiedBody};
use verification::identifiers::{CountryCode, Digest256, StepName};
use verification::result::{self, CallbackFacts, StepLinks};
use verification::secret::FileLink;

/// A verified body that nothing can be decided on.
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
/// The body is not a callback, or its `scanRef` cannot be used as a key. It is still iDenfy's: keep it.
pub fn facts(body: &VerifiedBody) -> Result<CallbackFacts, UnusableCallback> {
    let callback = body.parse().map_err(UnusableCallback::Unreadable)?;
    Ok(CallbackFacts {
        scan_ref: callback.scan_ref.parse().map_err(UnusableCallback::ScanRef)?,
        client_id: callback.client_id.as_deref().and_then(|client_id| client_id.parse().ok()),
        external_ref: callback.external_ref.clone(),
        is_final: callback.is_final,
        overall: callback.status.overall.as_ref().map(overall),
        steps_verdict: match callback.status.additional_steps {
            StepsVerdict::Valid => result::StepsVerdict::Valid,
            StepsVerdict::Invalid => result::StepsVerdict::Invalid,
            StepsVerdict::NotFound => result::StepsVerdict::NotFound,
            StepsVerdict::NotJudged => result::StepsVerdict::NotJudged,
            StepsVerdict::Unknown => result::StepsVerdict::Unknown,
        },
        // A step whose name cannot be a key is left out, so it can never be submitted.
        steps: callback.additional_steps.keys().filter_map(|step| step.parse().ok()).collect(),
        links: links([&callback.file_urls, &callback.additional_step_pdf_urls]),
        country: [&callback.selected_country, &callback.doc_issuing_country]
            .into_iter()
            .flatten()
            .find_map(|country| country.parse::<CountryCode>().ok()),
        digest: Digest256::from_bytes(body.sha256()),
    })
}

pub(crate) fn overall(overall: &idenfy::Overall) -> result::Overall {
    match overall {
        idenfy::Overall::Approved => result::Overall::Approved,
        idenfy::Overall::Denied => result::Overall::Denied,
        idenfy::Overall::Suspected => result::Overall::Suspected,
        idenfy::Overall::Reviewing => result::Overall::Reviewing,
        idenfy::Overall::Expired => result::Overall::Expired,
        idenfy::Overall::Active => result::Overall::Active,
        idenfy::Overall::Deleted => result::Overall::Deleted,
        idenfy::Overall::Archived => result::Overall::Archived,
        idenfy::Overall::ExpiredDeleted => result::Overall::ExpiredDeleted,
        _ => result::Overall::Unknown,
    }
}

/// One map of both: an image of a step stands among the file links, a PDF among the PDF links.
pub(crate) fn links(maps: [&idenfy::FileUrls; 2]) -> StepLinks {
    let mut links: StepLinks = BTreeMap::new();
    for (step, urls) in maps.into_iter().flat_map(idenfy::FileUrls::iter) {
        let Ok(step) = step.parse::<StepName>() else { continue };
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
