//! The provider account. Each setting stands for a choice that an account fixes, that the
//! documentation leaves open, or on which two of its pages disagree. A change applies from the next
//! request on.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::world::merge_patch::merge_patch;

/// A credential or signing key, never printed nor serialised.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text of a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The token's member in a direct-processing request: the newest page says `token`, all older ones
/// `authToken`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ProcessTokenField {
    /// Only `token` is read.
    Token,
    /// Only `authToken` is read.
    AuthToken,
    /// Both are read, `token` first.
    Either,
}

/// Spelling of `status.additionalSteps`: `VALID` in the schema, `Additional step is valid` on the
/// dual-verification page.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepVerdictSpelling {
    /// `VALID`, `INVALID`, `NOT_FOUND`.
    Enum,
    /// `Additional step is valid`, `… is invalid`, `… was not found`.
    Sentence,
}

/// The family of names in the `Idenfy-Event-Type` header: the schema and the dashboard disagree.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum EventNames {
    /// `IDENTIFICATION_AUTO_FINISHED` and its like.
    Identification,
    /// `ID_VERIFICATION_AUTO_FINISHED` and its like.
    IdVerification,
}

/// The shape of the answer to `POST /api/v2/files`, which no page shows.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FilesShape {
    /// One object from file key to link.
    Flat,
    /// `{"fileUrls": {…}, "additionalStepPdfUrls": {…}}`.
    Nested,
}

/// Paths of the links of `POST /api/v2/files`, compared with the callback's. Undocumented.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FilesPaths {
    /// To the same paths.
    Same,
    /// To other paths with the same bytes.
    Other,
}

/// Whether `POST /api/v2/status` answers a top-level `final`: one page reads it, the published
/// sample lacks it.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StatusFinal {
    /// It has none.
    Absent,
    /// It has that of the newest result; before the first result false.
    Present,
}

/// Form of the PDFs of an additional step. One public integration met arrays.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PdfLinks {
    /// Step name to link.
    Text,
    /// Step name to an array of links.
    Array,
}

/// Who judges what a customer uploaded.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewMode {
    /// No review: the result is `automaticOverall`, at once.
    Automatic,
    /// A person on the reviewer's page.
    Reviewer,
}

/// The settings of one sandbox. In JSON the names are in camel case.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// TCP port on 127.0.0.1; 0 lets the system choose. Fixed once the sandbox runs.
    #[serde(skip)]
    pub port: u16,
    /// User name of HTTP Basic.
    #[serde(skip_serializing)]
    pub api_key: Secret,
    /// Password of HTTP Basic.
    #[serde(skip_serializing)]
    pub api_secret: Secret,
    /// Key of the callbacks' HMAC-SHA256. Empty: callbacks are unsigned, as for a notification
    /// without a key.
    #[serde(skip_serializing)]
    pub signing_key: Secret,
    /// Receiver of the callbacks. Without one, and without one of the token, deliveries fail.
    pub callback_url: Option<String>,
    /// Receivers other than `callbackUrl` that a token may name.
    pub permitted_callback_urls: Vec<String>,
    /// Origin of file links; `None`: the sandbox's address.
    pub public_url: Option<String>,
    /// Repeats after a callback's first attempt, after anything but 200. The provider's pages say
    /// 1, 2 or up to 10.
    pub callback_retries: u32,
    /// Pause before each repeat.
    pub callback_retry_pause_milliseconds: u64,
    /// How long one attempt may take.
    pub callback_timeout_milliseconds: u64,
    /// How long the customer's page waits for the answer to a callback's first delivery.
    pub acknowledgement_wait_milliseconds: u64,
    /// Writes everything outside ASCII as `\uXXXX` in callback bodies, as older pages say.
    pub callback_escape_non_ascii: bool,
    /// Family of names in `Idenfy-Event-Type`.
    pub event_names: EventNames,
    /// Spelling of `status.additionalSteps`.
    pub step_verdict_spelling: StepVerdictSpelling,
    /// How PDFs are listed in `additionalStepPdfUrls`.
    pub pdf_links: PdfLinks,
    /// Lifetime of a file link in whole seconds; 0: links are expired from the start.
    pub file_link_seconds: u32,
    /// Shape of the answer to `/api/v2/files`.
    pub files_shape: FilesShape,
    /// Paths of the links of `/api/v2/files`.
    pub files_paths: FilesPaths,
    /// Whether `/api/v2/status` says `final`.
    pub status_final: StatusFinal,
    /// HTTP status of a created token: 201 by schema, 200 in older prose.
    pub token_created_status: u16,
    /// Steps of a token that does not bring its own; country, document type, step.
    pub default_additional_steps: Value,
    /// Whether a token can suppress the account's steps, as the documentation says.
    pub honours_step_suppression: bool,
    /// Whether steps of the kind UPLOAD get a verdict. By the documentation they do not.
    pub judges_upload_steps: bool,
    /// Questionnaire of a token that does not say `"questionnaire": null`.
    pub default_questionnaire: Option<String>,
    /// Answers 409 to a token for a client with an active session, as one page says.
    pub conflict_on_active_session: bool,
    /// Whether the contract has direct processing; otherwise `PARTNER_CONTRACT_ERROR`.
    pub direct_processing: bool,
    /// Member that carries the token of direct processing.
    pub process_token_field: ProcessTokenField,
    /// Whether a refused submission uses its token up.
    pub burn_token_on_error: bool,
    /// Whether `documentType` must be given, as pages up to 2025 say.
    pub require_document_type: bool,
    /// Whether BACK is required for each document that has one: all but PASSPORT and undetected
    /// ones.
    pub require_back: bool,
    /// Whether direct processing takes PDF.
    pub accept_pdf: bool,
    /// Largest decoded image; none: no limit of its own.
    pub image_limit_bytes: Option<u64>,
    /// Largest body of `/api/v2/process`. Beyond 21,000,000 bytes any request ends in a 413 page.
    pub request_limit_bytes: u64,
    /// From an accepted submission to its callback.
    pub processing_milliseconds: u64,
    /// What `/api/v2/status` says between an accepted submission and its result.
    pub status_while_processing: String,
    /// Who judges what a customer uploaded.
    pub review_mode: ReviewMode,
    /// `status.overall` of a customer's session that is judged automatically.
    pub automatic_overall: String,
}

impl Default for Settings {
    fn default() -> Self {
        let upload = |side: &str| {
            json!({
                "type": "UPLOAD",
                "texts": {"en": {"name": "Second document", "description": format!("{side} side")}},
                "settings": {"canUpload": true, "canCapture": true, "canUploadPDF": true},
                "fields": [],
            })
        };
        Self {
            port: 0,
            api_key: Secret::new("sandbox-api-key"),
            api_secret: Secret::new("sandbox-api-secret"),
            signing_key: Secret::new("sandbox-signing-key"),
            callback_url: None,
            permitted_callback_urls: Vec::new(),
            public_url: None,
            callback_retries: 3,
            callback_retry_pause_milliseconds: 500,
            callback_timeout_milliseconds: 10_000,
            acknowledgement_wait_milliseconds: 10_000,
            callback_escape_non_ascii: false,
            event_names: EventNames::Identification,
            step_verdict_spelling: StepVerdictSpelling::Enum,
            pdf_links: PdfLinks::Text,
            file_link_seconds: 3600,
            files_shape: FilesShape::Flat,
            files_paths: FilesPaths::Same,
            status_final: StatusFinal::Absent,
            token_created_status: 201,
            default_additional_steps: json!({"ALL": {"ALL": {
                "SECOND_DOC_FRONT": upload("Front"),
                "SECOND_DOC_BACK": upload("Back"),
            }}}),
            honours_step_suppression: true,
            judges_upload_steps: true,
            default_questionnaire: None,
            conflict_on_active_session: false,
            direct_processing: true,
            process_token_field: ProcessTokenField::Either,
            burn_token_on_error: true,
            require_document_type: false,
            require_back: false,
            accept_pdf: true,
            image_limit_bytes: None,
            request_limit_bytes: 20_000_000,
            processing_milliseconds: 300,
            status_while_processing: "REVIEWING".to_owned(),
            review_mode: ReviewMode::Automatic,
            automatic_overall: "APPROVED".to_owned(),
        }
    }
}

impl Settings {
    /// The settings with a JSON merge patch; `null` sets a member back to its default. Default
    /// steps are replaced and not merged: an unnamed step is an unwanted one.
    ///
    /// # Errors
    /// A member that does not exist, or a value of the wrong kind.
    pub(crate) fn patched(&self, patch: &Map<String, Value>) -> Result<Self, serde_json::Error> {
        let mut merged = serde_json::to_value(self)?;
        if let (Value::Object(members), true) =
            (&mut merged, patch.contains_key("defaultAdditionalSteps"))
        {
            members.remove("defaultAdditionalSteps");
        }
        merge_patch(&mut merged, &Value::Object(patch.clone()));
        let mut settings: Self = serde_json::from_value(merged)?;
        settings.port = self.port;
        // Secrets are not serialised: those that the patch leaves alone are carried over.
        for (name, kept, target) in [
            ("apiKey", &self.api_key, &mut settings.api_key),
            ("apiSecret", &self.api_secret, &mut settings.api_secret),
            ("signingKey", &self.signing_key, &mut settings.signing_key),
        ] {
            if !patch.contains_key(name) {
                *target = kept.clone();
            }
        }
        Ok(settings)
    }
}
