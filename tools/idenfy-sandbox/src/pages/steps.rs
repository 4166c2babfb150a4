//! The steps of a customer's session: the first document, one step for each additional step in
//! force, and a last look. Texts are in the session's language if the steps have it, else in
//! English, else in any. A step without texts shows its key.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::session::{Session, TokenType, step_types};

/// One file that a step asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Key of the file in the session.
    pub key: String,
    pub label: String,
    pub required: bool,
    pub takes_pdf: bool,
    /// Whether a phone should offer its front camera.
    pub selfie: bool,
}

/// One page of uploads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub title: String,
    pub description: Option<String>,
    /// Language of title and description.
    pub language: String,
    pub slots: Vec<Slot>,
}

impl Step {
    /// Whether everything that must be there is there.
    pub(crate) fn is_done(&self, session: &Session) -> bool {
        self.slots
            .iter()
            .all(|slot| !slot.required || session.files.contains_key(&slot.key))
    }
}

/// The steps with uploads, by name. Of two steps that end in `_FRONT` and `_BACK`, the front comes
/// first.
pub(crate) fn of(session: &Session, language: Option<&str>) -> Vec<Step> {
    let language = language.or(session.locale.as_deref()).unwrap_or("en");
    let configurations = configurations(&session.additional_steps);
    let mut names: Vec<String> = step_types(&session.additional_steps).into_keys().collect();
    names.sort_by_key(|name| place(name));
    let additional = names
        .iter()
        .map(|name| additional(name, configurations.get(name), language));
    std::iter::once(first_document(session))
        .chain(additional)
        .collect()
}

fn first_document(session: &Session) -> Step {
    let slot = |key: &str, label: &str, required: bool, selfie: bool| Slot {
        key: key.to_owned(),
        label: label.to_owned(),
        required,
        takes_pdf: !selfie,
        selfie,
    };
    let mut slots = vec![
        slot("FRONT", "Front of the document", true, false),
        slot("BACK", "Back of the document", false, false),
    ];
    if session.token_type == TokenType::Identification {
        slots.push(slot("FACE", "Photo of your face", true, true));
    }
    Step {
        title: "Your identity document".to_owned(),
        description: Some("A passport, an identity card, a residence permit or a driving licence. A passport has no back.".to_owned()),
        language: "en".to_owned(),
        slots,
    }
}

fn additional(name: &str, configuration: Option<&Value>, language: &str) -> Step {
    let (language, texts) = texts(configuration, language);
    let text = |member: &str| {
        texts
            .and_then(|texts| texts.get(member))
            .and_then(Value::as_str)
    };
    let title = text("name").map_or_else(|| humanized(name), str::to_owned);
    let description = text("description").map(str::to_owned);
    let takes_pdf = configuration
        .and_then(|configuration| configuration.pointer("/settings/canUploadPDF"))
        .and_then(Value::as_bool);
    Step {
        slots: vec![Slot {
            key: name.to_owned(),
            label: description.clone().unwrap_or_else(|| title.clone()),
            required: true,
            takes_pdf: takes_pdf.unwrap_or(true),
            selfie: false,
        }],
        title,
        description,
        language,
    }
}

/// The configuration of each step. Of several countries or documents, the last counts.
fn configurations(additional_steps: &Value) -> BTreeMap<String, Value> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    members(additional_steps)
        .values()
        .flat_map(|documents| {
            members(documents)
                .into_iter()
                .flat_map(|(_, steps)| members(&steps))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The texts in the language, its main language, English, or any, and their language.
fn texts<'a>(configuration: Option<&'a Value>, language: &str) -> (String, Option<&'a Value>) {
    let Some(all) = configuration
        .and_then(|configuration| configuration.get("texts"))
        .and_then(Value::as_object)
    else {
        return ("en".to_owned(), None);
    };
    let language = language.to_ascii_lowercase();
    let main = language.split(['-', '_']).next().unwrap_or_default();
    let found = [language.as_str(), main, "en"]
        .into_iter()
        .find_map(|wanted| all.get_key_value(wanted));
    found.or_else(|| all.iter().next()).map_or_else(
        || ("en".to_owned(), None),
        |(language, texts)| (language.clone(), Some(texts)),
    )
}

fn place(name: &str) -> (String, u8, String) {
    let (stem, side) = match (name.strip_suffix("_FRONT"), name.strip_suffix("_BACK")) {
        (Some(stem), _) => (stem, 0),
        (_, Some(stem)) => (stem, 1),
        (None, None) => (name, 2),
    };
    (stem.to_owned(), side, name.to_owned())
}

/// `SECOND_DOC_FRONT` as `Second doc front`.
fn humanized(name: &str) -> String {
    let words = name.replace('_', " ").to_lowercase();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Step, of};
    use crate::provider::token;
    use crate::world::settings::Settings;
    use crate::world::state::State;

    fn steps(mut request: serde_json::Value, language: Option<&str>) -> Vec<Step> {
        let state = State::new("http://127.0.0.1:1".to_owned(), Settings::default()).unwrap();
        request["clientId"] = json!("client");
        let (scan_ref, _) = token::create(&state, request.as_object().unwrap()).unwrap();
        let session = state.sessions().get(&scan_ref).cloned().unwrap();
        of(&session, language)
    }

    fn keys(steps: &[Step]) -> Vec<&str> {
        steps
            .iter()
            .flat_map(|step| &step.slots)
            .map(|slot| slot.key.as_str())
            .collect()
    }

    #[test]
    fn the_first_document_comes_first_and_fronts_before_backs() {
        let steps = steps(json!({}), None);
        assert_eq!(
            keys(&steps),
            [
                "FRONT",
                "BACK",
                "FACE",
                "SECOND_DOC_FRONT",
                "SECOND_DOC_BACK"
            ]
        );
        assert_eq!(steps.len(), 3);
    }

    #[test]
    fn a_document_token_asks_for_no_face() {
        let request = json!({"tokenType": "DOCUMENT", "additionalSteps": {"ALL": {"ALL": {}}}});
        assert_eq!(keys(&steps(request, None)), ["FRONT", "BACK"]);
    }

    #[test]
    fn texts_are_in_the_sessions_language_or_else_in_english() {
        let texts = json!({"en": {"name": "Second document"}, "lt": {"name": "Antras dokumentas"}});
        let step = json!({"type": "UPLOAD", "texts": texts, "settings": {"canUploadPDF": false}});
        let title = |locale: &str, language: Option<&str>| {
            let request =
                json!({"locale": locale, "additionalSteps": {"ALL": {"ALL": {"POA_2": step}}}});
            let step = steps(request, language).remove(1);
            assert!(!step.slots[0].takes_pdf);
            (step.language, step.title)
        };
        let english = ("en".to_owned(), "Second document".to_owned());
        let lithuanian = ("lt".to_owned(), "Antras dokumentas".to_owned());
        assert_eq!(title("lt", None), lithuanian);
        assert_eq!(title("LT-lt", None), lithuanian);
        assert_eq!(title("ja", None), english);
        assert_eq!(title("ja", Some("lt")), lithuanian);
    }

    #[test]
    fn a_step_without_texts_goes_by_its_key() {
        let request =
            json!({"additionalSteps": {"LT": {"ALL": {"ADDITIONAL_PHOTO": {"type": "UPLOAD"}}}}});
        assert_eq!(steps(request, None)[1].title, "Additional photo");
    }
}
