//! The bounds of the fields of a token request. Unlisted members pass, as the provider adds fields
//! at will. A listed one out of bounds is refused, and so is an undocumented `null`.

use serde_json::{Map, Value};
use time::Date;
use time::macros::format_description;
use url::Url;
use uuid::Uuid;

use crate::provider::errors::ProviderError;

enum Rule {
    /// Length in characters.
    Text(usize, usize),
    Ascii(usize, usize),
    /// At most 100 characters: no digits, and no signs but those of names.
    Name,
    /// `YYYY-MM-DD`.
    Date,
    CountryCode,
    /// One country code or an array of them.
    Countries,
    Integer(i64, i64),
    Flag,
    OneOf(&'static [&'static str]),
    ManyOf(&'static [&'static str]),
    /// An HTTPS URL. Plain HTTP to this machine passes: the sandbox is used there.
    Receiver,
    Uuid,
    Object,
    /// Country, document type, step, configuration with a `type`.
    Steps,
}

const TOKEN_TYPES: &[&str] = &["IDENTIFICATION", "DOCUMENT"];
const DUMMY_STATUSES: &[&str] = &["APPROVED", "DENIED", "SUSPECTED", "EXPIRED"];
const STEP_TYPES: &[&str] = &["UPLOAD", "EXTRACT", "COMPARE"];
/// Types of documents that a token may be restricted to.
pub(crate) const DOCUMENT_TYPES: &[&str] = &[
    "ID_CARD",
    "PASSPORT",
    "RESIDENCE_PERMIT",
    "DRIVER_LICENSE",
    "PAN_CARD",
    "AADHAAR",
    "VISA",
    "NATIONAL_PASSPORT",
    "PROVISIONAL_DRIVER_LICENSE",
    "OLD_ID_CARD",
    "MILITARY_CARD",
    "ADDRESS_CARD",
    "BORDER_CROSSING",
    "ASYLUM",
    "PHOTO_CARD",
    "PROOF_OF_AGE_CARD",
    "TRAVEL_CARD",
    "SOCIAL_SECURITY_CARD",
    "VOTER_CARD",
    "DIPLOMATIC_ID",
    "WORK_PERMIT",
    "OTHER",
];
/// Members that may be `null`.
const NULLABLE: &[&str] = &["externalRef", "questionnaire", "utilityBill"];
/// Switches that are echoed in the answer when they were given.
pub(crate) const FLAGS: &[&str] = &[
    "generateDigitString",
    "showInstructions",
    "reviewSuccessful",
    "reviewFailed",
    "questionnaireRequired",
    "checkAml",
    "checkCriminal",
    "checkLiveness",
    "checkLid",
    "checkIpProxy",
    "checkFaceBlacklist",
    "checkDocFaceBlacklist",
    "checkPersonBlacklist",
    "checkDuplicateFaces",
    "checkDuplicateDocFaces",
    "checkDuplicatePersonalData",
    "checkDriverLicense",
    "verifyEmail",
    "verifyPhone",
    "verifyAddress",
    "bankCardVerification",
    "bankCardPdfUpload",
    "autoAmlMonitoring",
    "nfcRequired",
    "nfcOptional",
    "driverLicenseBack",
    "allowBsnMasking",
    "utilityBill",
];

const RULES: &[(&str, Rule)] = &[
    ("tokenType", Rule::OneOf(TOKEN_TYPES)),
    ("externalRef", Rule::Text(0, 40)),
    ("expiryTime", Rule::Integer(0, 2_592_000)),
    ("sessionLength", Rule::Integer(60, 3600)),
    ("locale", Rule::Text(0, 7)),
    ("country", Rule::Countries),
    ("documents", Rule::ManyOf(DOCUMENT_TYPES)),
    ("firstName", Rule::Name),
    ("lastName", Rule::Name),
    ("dateOfBirth", Rule::Date),
    ("dateOfExpiry", Rule::Date),
    ("dateOfIssue", Rule::Date),
    ("nationality", Rule::CountryCode),
    ("documentNumber", Rule::Text(0, 50)),
    ("personalNumber", Rule::Text(0, 50)),
    ("sex", Rule::OneOf(&["M", "F"])),
    ("address", Rule::Text(0, 255)),
    ("successUrl", Rule::Text(5, 2048)),
    ("errorUrl", Rule::Text(5, 2048)),
    ("unverifiedUrl", Rule::Text(5, 2048)),
    ("callbackUrl", Rule::Receiver),
    ("questionnaire", Rule::Text(0, usize::MAX)),
    ("additionalSteps", Rule::Steps),
    ("additionalData", Rule::Object),
    ("riskAssessmentProfile", Rule::Uuid),
    ("theme", Rule::Uuid),
    ("dummyStatus", Rule::OneOf(DUMMY_STATUSES)),
];

/// Checks every listed member of a token request.
///
/// # Errors
/// `MISSING_VALUE` for `clientId`, `VALIDATION_ERROR` for a value of the wrong type, `BAD_VALUE`
/// for one out of bounds.
pub(crate) fn check(request: &Map<String, Value>) -> Result<(), ProviderError> {
    let client_id = request
        .get("clientId")
        .ok_or_else(|| ProviderError::missing("clientId"))?;
    check_member("clientId", &Rule::Ascii(1, 100), client_id)?;
    for (name, rule) in RULES
        .iter()
        .map(|(name, rule)| (*name, rule))
        .chain(FLAGS.iter().map(|name| (*name, &Rule::Flag)))
    {
        match request.get(name) {
            None => {}
            Some(Value::Null) if NULLABLE.contains(&name) => {}
            Some(value) => check_member(name, rule, value)?,
        }
    }
    let given = |name: &str| request.get(name).is_some_and(|value| !value.is_null());
    if given("utilityBill") && given("additionalSteps") {
        return Err(ProviderError::bad_value(
            "Fields 'utilityBill' and 'additionalSteps' exclude each other.",
        ));
    }
    Ok(())
}

fn check_member(name: &str, rule: &Rule, value: &Value) -> Result<(), ProviderError> {
    let wrong_type = || {
        ProviderError::new(
            "VALIDATION_ERROR",
            format!("Field '{name}' has a value of the wrong type."),
        )
    };
    let good = match rule {
        Rule::Flag => return value.as_bool().map(|_| ()).ok_or_else(wrong_type),
        Rule::Integer(least, most) => {
            (*least..=*most).contains(&value.as_i64().ok_or_else(wrong_type)?)
        }
        Rule::Object => return value.as_object().map(|_| ()).ok_or_else(wrong_type),
        Rule::Steps => are_steps(value).ok_or_else(wrong_type)?,
        Rule::Countries if value.is_array() => {
            members(value).all(|member| member.as_str().is_some_and(is_country_code))
        }
        Rule::ManyOf(allowed) => {
            value.is_array()
                && members(value)
                    .all(|member| member.as_str().is_some_and(|text| allowed.contains(&text)))
        }
        _ => is_good_text(rule, value.as_str().ok_or_else(wrong_type)?),
    };
    if good {
        Ok(())
    } else {
        Err(ProviderError::bad_value(format!(
            "Field '{name}' has a wrong value."
        )))
    }
}

fn is_good_text(rule: &Rule, text: &str) -> bool {
    let length = text.chars().count();
    match rule {
        Rule::Text(least, most) => (*least..=*most).contains(&length),
        Rule::Ascii(least, most) => text.is_ascii() && (*least..=*most).contains(&length),
        Rule::Name => {
            length <= 100
                && text
                    .chars()
                    .all(|sign| sign.is_alphabetic() || " -'’.".contains(sign))
        }
        Rule::Date => Date::parse(text, format_description!("[year]-[month]-[day]")).is_ok(),
        Rule::CountryCode | Rule::Countries => is_country_code(text),
        Rule::OneOf(allowed) => allowed.contains(&text),
        Rule::Receiver => Url::parse(text).is_ok_and(|url| is_receiver(&url)),
        Rule::Uuid => Uuid::parse_str(text).is_ok(),
        Rule::Integer(..) | Rule::Flag | Rule::ManyOf(_) | Rule::Object | Rule::Steps => false,
    }
}

fn is_receiver(url: &Url) -> bool {
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "https" || (url.scheme() == "http" && local)
}

/// Two upper-case letters.
pub(crate) fn is_country_code(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// Whether keys and types are known; `None` if the nesting is not that of steps.
fn are_steps(value: &Value) -> Option<bool> {
    let mut known = true;
    for (country, documents) in value.as_object()? {
        known &= country == "ALL" || is_country_code(country);
        for (document, steps) in documents.as_object()? {
            known &= document == "ALL" || DOCUMENT_TYPES.contains(&document.as_str());
            for configuration in steps.as_object()?.values() {
                known &= STEP_TYPES.contains(&configuration.as_object()?.get("type")?.as_str()?);
            }
        }
    }
    Some(known)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    fn refuses(member: &str, value: Value) -> bool {
        let mut request = json!({"clientId": "client"});
        request[member] = value;
        check(request.as_object().unwrap()).is_err()
    }

    #[test]
    fn values_at_the_bounds_are_taken_and_beyond_them_refused() {
        for (member, good, bad) in [
            ("clientId", json!("c".repeat(100)), json!("c".repeat(101))),
            ("clientId", json!("c"), json!("")),
            ("clientId", json!("c"), json!("č")),
            ("externalRef", json!("e".repeat(40)), json!("e".repeat(41))),
            ("expiryTime", json!(0), json!(-1)),
            ("expiryTime", json!(2_592_000), json!(2_592_001)),
            ("sessionLength", json!(60), json!(59)),
            ("sessionLength", json!(3600), json!(3601)),
            ("locale", json!("lt"), json!("lt-LT-xx")),
            ("country", json!("LT"), json!("lt")),
            ("country", json!(["LT", "LV"]), json!(["LT", "Latvia"])),
            ("documents", json!(["PASSPORT"]), json!(["LIBRARY_CARD"])),
            ("firstName", json!("Zoë-Ann"), json!("R2D2")),
            ("dateOfBirth", json!("1990-02-28"), json!("1990-02-30")),
            ("sex", json!("F"), json!("FEMALE")),
            ("successUrl", json!("https://a"), json!("a")),
            (
                "theme",
                json!("6f9619ff-8b86-4011-b42d-00c04fc964ff"),
                json!("blue"),
            ),
            ("tokenType", json!("DOCUMENT"), json!("PICTURE")),
            ("questionnaire", json!(null), json!(5)),
            ("locale", json!("en"), json!(null)),
            ("checkAml", json!(false), json!("false")),
            (
                "additionalSteps",
                json!({"ALL": {"ALL": {}}}),
                json!({"ALL": {"ALL": []}}),
            ),
            (
                "additionalSteps",
                json!({"LT": {"ALL": {"S": {"type": "UPLOAD"}}}}),
                json!({"LT": {"ALL": {"S": {"type": "OTHER"}}}}),
            ),
        ] {
            assert!(!refuses(member, good.clone()), "{member} refuses {good}");
            assert!(refuses(member, bad.clone()), "{member} takes {bad}");
        }
    }

    #[test]
    fn unlisted_members_are_let_through() {
        assert!(!refuses("verifyBankStatement", json!({"any": "thing"})));
    }
}
