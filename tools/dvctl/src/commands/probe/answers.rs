//! What each answer tells about the account.

use idenfy::{Error, OverallWord};
use serde_json::{Map, Value, json};

use super::calls::EXPIRY_SECONDS;
use super::refusal::{describe, refused};
use crate::commands::check::Check;

/// The identifier for a session that is still live. (Source: the example of the delete operation.)
const STILL_LIVE: &str = "PARTNER_ERROR";

pub fn judge_expiry(seconds: u32) -> Check {
    if seconds == EXPIRY_SECONDS {
        return Check::ok("Token 1", "created, with the expiry that was asked for");
    }
    Check::warning(
        "Token 1",
        format!("asked to live for {EXPIRY_SECONDS} s, it lives for {seconds} s"),
        "ask iDenfy's support which expiryTime the account allows",
    )
}

pub fn judge_echo(members: &Map<String, Value>, reference: &str) -> Check {
    let echoed = |name: &str| members.get(name).and_then(Value::as_str);
    match (echoed("tokenType"), echoed("externalRef")) {
        (Some(other), _) if other != "DOCUMENT" => Check::failed(
            "Token 2",
            "a token of the type DOCUMENT was asked for and another was made",
            "ask iDenfy's support to enable tokens of the type DOCUMENT",
        ),
        (_, Some(echo)) if echo == reference => Check::ok("Token 2", "created"),
        _ => Check::warning(
            "Token 2",
            "created, but its externalRef is not echoed",
            "ask iDenfy's support whether callbacks carry it; the flow also knows Token 2 by its \
             scanRef",
        ),
    }
}

pub fn judge_suppression(steps: Option<&[idenfy::Step]>) -> Check {
    const NAME: &str = "suppression";
    match steps {
        Some([]) => Check::ok(NAME, "Token 2 has no steps"),
        Some(steps) => Check::failed(
            NAME,
            format!(
                "Token 2 has {} steps although they were suppressed",
                steps.len()
            ),
            "ask iDenfy's support to honour additionalSteps {\"ALL\": {\"ALL\": {}}} for this \
             account: direct processing would ask for the steps' images",
        ),
        None => Check::unknown(
            NAME,
            "the answer does not name Token 2's steps",
            "probe with --spend, which needs a token without steps",
        ),
    }
}

pub fn judge_questionnaire(members: &Map<String, Value>) -> Check {
    const NAME: &str = "questionnaire";
    match members.get("questionnaire") {
        Some(Value::Null) => Check::ok(NAME, "Token 2 has none"),
        None => Check::ok(NAME, "Token 2 names none"),
        Some(_) => Check::failed(
            NAME,
            "Token 2 has one although it was suppressed with null",
            "ask iDenfy's support to honour \"questionnaire\": null: direct processing refuses a \
             token with one",
        ),
    }
}

pub fn judge_status(overall: Option<&OverallWord>) -> Check {
    match overall {
        Some(OverallWord::Active) => Check::ok("status", "an unused token is ACTIVE"),
        _ => Check::warning(
            "status",
            "an unused token has another status than ACTIVE",
            "the flow waits for a result all the same; report the word to this project",
        ),
    }
}

/// Whether direct processing may be used, by its answer to a token that does not exist.
pub fn judge_processing(name: &'static str, error: Option<&Error>) -> (Check, bool) {
    let check = match error {
        Some(Error::NotInContract | Error::Forbidden) => Check::failed(
            name,
            "direct processing is not enabled",
            "ask iDenfy's support to enable direct processing for this key's environment",
        ),
        Some(Error::TokenNotValid) => Check::ok(
            name,
            "direct processing answers and refuses an unknown token; only --spend proves that \
             it is in the contract",
        ),
        Some(error @ (Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. })) => {
            Check::unknown(
                name,
                format!("direct processing answers: {}", describe(error)),
                "probe with --spend",
            )
        }
        Some(error) => return (refused(name, "direct processing", error), false),
        None => Check::unknown(
            name,
            "direct processing accepts a token that does not exist",
            "check that the address is iDenfy's",
        ),
    };
    let is_enabled = !matches!(error, Some(Error::NotInContract | Error::Forbidden));
    (check, is_enabled)
}

/// What the deletion of an unused token came to.
pub fn tell_deletion(error: Option<&Error>) -> Option<String> {
    match error {
        None => Some("deleted".to_owned()),
        Some(Error::Rejected { identifier, .. }) if identifier == STILL_LIVE => Some(format!(
            "refused with {STILL_LIVE} until it lapses, as documented"
        )),
        Some(error @ (Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. })) => {
            Some(format!("{}; {STILL_LIVE} is documented", describe(error)))
        }
        Some(_) => None,
    }
}

/// The echo of steps without its content.
pub fn form_of(echo: Option<&Value>) -> String {
    match echo {
        None => "absent".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Object(members)) if members.is_empty() => "{}".to_owned(),
        Some(echo) if *echo == json!({"ALL": {"ALL": {}}}) => "as it was sent".to_owned(),
        Some(Value::Object(_)) => "an object".to_owned(),
        Some(_) => "no object".to_owned(),
    }
}

pub fn form_of_files(members: &Map<String, Value>) -> String {
    if members.contains_key("fileUrls") {
        return "links in fileUrls".to_owned();
    }
    match members.is_empty() {
        true => "{} without files".to_owned(),
        false => "links at the top".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::Health;

    #[test]
    fn steps_or_a_questionnaire_left_on_token_2_do_not_fit() {
        let step = idenfy::Step {
            name: "POA2".to_owned(),
            kind: idenfy::StepKind::Upload,
        };
        assert_eq!(judge_suppression(Some(&[])).result, Health::Ok);
        assert_eq!(judge_suppression(Some(&[step])).result, Health::Failed);
        assert_eq!(judge_suppression(None).result, Health::Unknown);
        let echo = |value: Value| value.as_object().cloned().unwrap();
        for (members, result) in [
            (json!({"questionnaire": null}), Health::Ok),
            (json!({}), Health::Ok),
            (json!({"questionnaire": "kyc"}), Health::Failed),
        ] {
            assert_eq!(judge_questionnaire(&echo(members)).result, result);
        }
        let type_of = |name: &str| json!({"tokenType": name, "externalRef": "dv2:x"});
        assert_eq!(
            judge_echo(&echo(type_of("DOCUMENT")), "dv2:x").result,
            Health::Ok
        );
        assert_eq!(
            judge_echo(&echo(type_of("DOCUMENT")), "dv2:y").result,
            Health::Warning
        );
        assert_eq!(
            judge_echo(&echo(type_of("IDENTIFICATION")), "dv2:x").result,
            Health::Failed
        );
    }

    #[test]
    fn direct_processing_is_judged_by_how_it_refuses() {
        let judged = |error: Option<&Error>| judge_processing("processing", error);
        assert_eq!(judged(Some(&Error::NotInContract)).0.result, Health::Failed);
        assert!(!judged(Some(&Error::Forbidden)).1);
        assert_eq!(judged(Some(&Error::TokenNotValid)).0.result, Health::Ok);
        assert_eq!(judged(None).0.result, Health::Unknown);
        let error = Error::ServerError { status: 500 };
        assert_eq!(judged(Some(&error)).0.result, Health::Unknown);
        assert!(
            !judged(Some(&error)).1,
            "nothing is spent on a failing provider"
        );
    }
}
