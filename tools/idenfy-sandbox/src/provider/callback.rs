//! The body of a callback. It has every member that the provider's schema and its older dumps name,
//! required or not, with invented content. A session's data goes in; everything else is null or
//! empty, as in real bodies.

use serde_json::{Map, Value, json};

use crate::provider::files::{FIRST_DOCUMENT, Folder, LinkAge, link_maps, step_of};
use crate::world::clock::now;
use crate::world::invented_person::{self, SecondDocument, Shown};
use crate::world::session::{Session, TokenType, step_types};
use crate::world::settings::{Settings, StepVerdictSpelling};
use crate::world::state::State;

/// What a callback announces.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub event: Event,
    pub is_final: bool,
    pub overall: String,
    /// `status.additionalSteps` before spelling. Anything but the three words goes out unchanged.
    pub additional_steps: Value,
    /// Tags beside those that follow from the verdict on the steps.
    pub tags: Tags,
    /// JSON merge patch on the finished body.
    pub overrides: Option<Value>,
    pub links: LinkAge,
}

/// Reasons of a suspicion. The provider may add words at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tags {
    pub fraud: Vec<String>,
    pub mismatch: Vec<String>,
}

/// What is known of the second document of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Second {
    pub document: SecondDocument,
    /// Issuing country that was asked for with the first document.
    pub first_country: Option<String>,
}

/// The kinds of callback that the sandbox sends by itself. Others have their full name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    AutoFinished,
    ManualFinished,
    Expired,
    Cancelled,
    Named(String),
}

impl Event {
    /// Whether the session ended before any check. Then there is no person and no file.
    pub(crate) fn is_without_result(&self) -> bool {
        matches!(self, Self::Expired | Self::Cancelled)
    }
}

/// The body for a session and a verdict, before overrides.
pub(crate) fn body(
    state: &State,
    settings: &Settings,
    session: &Session,
    second: &Second,
    verdict: &Verdict,
) -> Value {
    let ended_without_result = verdict.event.is_without_result();
    let is_document = session.token_type == TokenType::Document;
    // The customer's part ended with the upload, however late the result is.
    let submitted_at = session
        .uploads
        .last()
        .filter(|_| !ended_without_result)
        .map(|upload| upload.at);
    let finished_at = submitted_at.or(session.finished_at).unwrap_or_else(now);
    let (file_urls, pdf_urls) = link_maps(
        state,
        settings,
        session,
        Folder::Upload(session.uploads.len()),
        verdict.links,
    );
    let data = if ended_without_result {
        invented_person::no_data()
    } else {
        invented_person::data(shown(session, second))
    };
    let country = data.get("selectedCountry").cloned().unwrap_or_default();
    json!({
        "final": verdict.is_final,
        "platform": if is_document { "OTHER" } else { "PC" },
        "status": status(settings, session, verdict),
        "data": data,
        "fileUrls": if ended_without_result { Value::Null } else { file_urls },
        "additionalStepPdfUrls": pdf_urls,
        "additionalSteps": completed_steps(session),
        "scanRef": session.scan_ref,
        "clientId": session.client_id,
        "externalRef": session.external_ref,
        "companyId": "5a0d0b00-0000-4000-8000-00000000c0de",
        "beneficiaryId": "5a0d0b00-0000-4000-8000-00000000beef",
        "startTime": session.opened_at.or(session.processed_at).unwrap_or(session.created_at).unix_timestamp(),
        "finishTime": finished_at.unix_timestamp(),
        "clientIp": if is_document { Value::Null } else { json!("192.0.2.7") },
        "clientIpCountry": if is_document { Value::Null } else { country },
        "clientLocation": if is_document { Value::Null } else { json!("Niekur, Pavyzdija") },
        "additionalData": {},
        "utilityData": null,
        "AML": [],
        "amlCheck": null,
        "LID": [],
        "CRIMINAL_CHECK": null,
        "gdcMatch": null,
        "manualAddress": null,
        "manualAddressMatch": false,
        "registryCenterCheck": null,
        "addressVerification": null,
        "questionnaireAnswers": null,
        "riskAssessment": {"riskScore": null, "riskLevel": null},
        "bankVerification": null,
        "emailVerification": null,
        "phoneVerification": null,
        "driverLicenseCheck": null,
        "bankCardVerification": null,
    })
}

fn shown<'a>(session: &'a Session, second: &'a Second) -> Shown<'a> {
    let is_second = session.token_type == TokenType::Document;
    // What the submission calls it changes nothing on the document itself.
    let is_first_again = is_second && second.document == SecondDocument::SameDocument;
    Shown {
        client_id: &session.client_id,
        second: is_second.then_some(second.document),
        country: if is_first_again {
            &second.first_country
        } else {
            &session.country
        }
        .as_deref(),
        document_type: session.document_type.as_deref().filter(|_| !is_first_again),
    }
}

fn status(settings: &Settings, session: &Session, verdict: &Verdict) -> Value {
    let document = match (verdict.event.is_without_result(), verdict.overall.as_str()) {
        (true, _) => Value::Null,
        (_, "DENIED") => json!("DOC_NOT_FULLY_VISIBLE"),
        _ => json!("DOC_VALIDATED"),
    };
    let face = match (verdict.event.is_without_result(), verdict.overall.as_str()) {
        (true, _) => Value::Null,
        _ if session.token_type == TokenType::Document => json!("FACE_NOT_CHECKED"),
        (_, "DENIED") => json!("FACE_MISMATCH"),
        _ => json!("FACE_MATCH"),
    };
    // Both are null until a person has looked.
    let by_hand = |value: &Value| {
        if verdict.event == Event::ManualFinished {
            value.clone()
        } else {
            Value::Null
        }
    };
    let reasons = |applies: bool| {
        if applies {
            json!(["DOC_NOT_FULLY_VISIBLE"])
        } else {
            json!([])
        }
    };
    let Tags { fraud, mismatch } = tags(verdict);
    let suspicions: Vec<&String> = fraud
        .iter()
        .chain(&mismatch)
        .filter(|_| verdict.overall == "SUSPECTED")
        .collect();
    json!({
        "overall": verdict.overall,
        "autoDocument": document,
        "autoFace": face,
        "manualDocument": by_hand(&document),
        "manualFace": by_hand(&face),
        "fraudTags": fraud,
        "mismatchTags": mismatch,
        "additionalSteps": spell(settings, &verdict.additional_steps),
        "suspicionReasons": suspicions,
        "denyReasons": reasons(verdict.overall == "DENIED"),
        "amlResultClass": "NOT_CHECKED",
        "pepsStatus": "NOT_CHECKED",
        "sanctionsStatus": "NOT_CHECKED",
        "adverseMediaStatus": "NOT_CHECKED",
    })
}

/// The given tags and the one of the steps. SUSPECTED always has a tag.
fn tags(verdict: &Verdict) -> Tags {
    let step = match verdict.additional_steps.as_str() {
        Some("INVALID") => Some("INVALID_ADDITIONAL_STEP"),
        Some("NOT_FOUND") => Some("ADDITIONAL_STEP_NOT_FOUND"),
        _ => None,
    };
    let mut tags = verdict.tags.clone();
    if let Some(step) = step
        && !tags.mismatch.iter().any(|tag| tag == step)
    {
        tags.mismatch.insert(0, step.to_owned());
    }
    if verdict.overall == "SUSPECTED" && tags == Tags::default() {
        tags.mismatch.push("NAME".to_owned());
    }
    tags
}

fn spell(settings: &Settings, verdict: &Value) -> Value {
    let sentence = match (settings.step_verdict_spelling, verdict.as_str()) {
        (StepVerdictSpelling::Sentence, Some("VALID")) => "Additional step is valid",
        (StepVerdictSpelling::Sentence, Some("INVALID")) => "Additional step is invalid",
        (StepVerdictSpelling::Sentence, Some("NOT_FOUND")) => "Additional step was not found",
        _ => return verdict.clone(),
    };
    json!(sentence)
}

/// Type by step, for every step with a file; null for a session without steps.
fn completed_steps(session: &Session) -> Value {
    let configured = step_types(&session.additional_steps);
    let completed: Map<String, Value> = session
        .files
        .keys()
        .filter(|key| !FIRST_DOCUMENT.contains(&key.as_str()))
        .map(|key| step_of(key))
        .map(|step| {
            (
                step.to_owned(),
                json!(
                    configured
                        .get(step)
                        .cloned()
                        .flatten()
                        .unwrap_or_else(|| "UPLOAD".to_owned())
                ),
            )
        })
        .collect();
    if configured.is_empty() && completed.is_empty() {
        Value::Null
    } else {
        Value::Object(completed)
    }
}

/// The verdict on the steps by which of them have a file; null if none is judged.
pub(crate) fn implied_step_verdict(settings: &Settings, session: &Session) -> Value {
    let mut steps = step_types(&session.additional_steps);
    steps.retain(|_, kind| {
        settings.judges_upload_steps || kind.as_ref().is_some_and(|kind| kind != "UPLOAD")
    });
    if steps.is_empty() {
        Value::Null
    } else if steps.keys().all(|step| session.files.contains_key(step)) {
        json!("VALID")
    } else {
        json!("NOT_FOUND")
    }
}

/// JSON text with everything outside ASCII as `\uXXXX`. Only strings can hold such characters.
pub(crate) fn escape_non_ascii(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape_non_ascii;

    #[test]
    fn escaping_changes_the_text_and_not_the_value() {
        let raw = r#"{"name":"Žydrė 🙂"}"#;
        let escaped = escape_non_ascii(raw);
        assert!(escaped.is_ascii());
        assert_eq!(escaped, r#"{"name":"\u017dydr\u0117 \ud83d\ude42"}"#);
        let value = |text| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(raw), value(&escaped));
    }
}
