//! The verification sessions, in memory. A token is valid once and until its time. Every change
//! that depends on it is made under the one lock around [`Sessions`]: of two requests with one
//! token, one wins.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::world::clock::timestamp;
use crate::world::first_answer::FirstAnswer;
use crate::world::picture;
use crate::world::records::Callback;
use crate::world::route::Subject;

/// Purpose of a token. The kinds for video calls are not offered.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum TokenType {
    Identification,
    Document,
}

impl TokenType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identification => "IDENTIFICATION",
            Self::Document => "DOCUMENT",
        }
    }
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum SessionState {
    /// The token is waiting to be used.
    Active,
    /// A customer has opened the session.
    Started,
    /// Documents were submitted, by the customer or to direct processing; nothing is announced yet.
    Processing,
    /// A result that is not final has been announced.
    Reviewing,
    /// The final result has been announced.
    Finished,
    /// The time was over before anything was submitted.
    Expired,
    /// The partner had everything deleted.
    Deleted,
}

impl SessionState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Started => "STARTED",
            Self::Processing => "PROCESSING",
            Self::Reviewing => "REVIEWING",
            Self::Finished => "FINISHED",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
        }
    }
}

/// A file that links can be handed out for.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    pub bytes: Bytes,
    pub content_type: String,
    /// What the customer's device calls it.
    pub name: Option<String>,
}

/// The customer's destinations at the end, from the token request.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReturnUrls {
    pub success: Option<String>,
    pub error: Option<String>,
    pub unverified: Option<String>,
}

/// One verification session and its token.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub scan_ref: String,
    pub auth_token: String,
    pub client_id: String,
    pub external_ref: Option<String>,
    pub token_type: TokenType,
    pub country: Option<String>,
    /// Language of the customer's page.
    pub locale: Option<String>,
    pub return_urls: ReturnUrls,
    /// The steps in force: the token's own or the account's.
    pub additional_steps: Value,
    pub questionnaire: Option<String>,
    pub nfc_required: bool,
    pub callback_url: Option<String>,
    pub session_length: Duration,
    pub created_at: OffsetDateTime,
    /// When an unused token, or an opened session, lapses.
    pub expires_at: OffsetDateTime,
    pub opened_at: Option<OffsetDateTime>,
    pub processed_at: Option<OffsetDateTime>,
    pub finished_at: Option<OffsetDateTime>,
    pub state: SessionState,
    /// Whether a submission has used the token up.
    pub token_used: bool,
    pub document_type: Option<String>,
    /// What is handed in, to be the next upload.
    pub files: BTreeMap<String, StoredFile>,
    /// Whether [`Self::files`] differ from the last upload.
    pub has_new_files: bool,
    /// Oldest first. Deletion empties both lists.
    pub uploads: Vec<Upload>,
    pub results: Vec<Announced>,
    /// Overall status after the deletion.
    pub deleted_as: Option<&'static str>,
}

/// The files of one visit as submitted. A later upload does not change them.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub at: OffsetDateTime,
    pub files: BTreeMap<String, StoredFile>,
}

/// A result and the callback that announced it.
#[derive(Clone, Debug)]
pub(crate) struct Announced {
    pub at: OffsetDateTime,
    /// The `status` object.
    pub status: Value,
    pub is_final: bool,
    /// Number of the upload that the callback has links to, from 1.
    pub upload: Option<usize>,
    pub callback: Callback,
    pub first_answer: FirstAnswer,
}

impl Announced {
    pub(crate) fn overall(&self) -> Option<&str> {
        self.status.get("overall").and_then(Value::as_str)
    }
}

impl Session {
    /// Whether nothing final is known yet and nothing has lapsed.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(
            self.state,
            SessionState::Finished | SessionState::Expired | SessionState::Deleted
        )
    }

    /// Whether the token could still be used by someone.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.state, SessionState::Active | SessionState::Started) && !self.token_used
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject {
            scan_ref: Some(self.scan_ref.clone()),
            client_id: Some(self.client_id.clone()),
            external_ref: self.external_ref.clone(),
            token_type: Some(self.token_type.name().to_owned()),
        }
    }

    /// Keeps a file for the next upload, replacing an earlier one of the same key.
    pub(crate) fn put_file(&mut self, key: String, file: StoredFile) {
        self.files.insert(key, file);
        self.has_new_files = true;
    }

    /// Makes an upload of the files, unless there are no new ones. Its time is at least 1 s after
    /// the last one's: callbacks have whole seconds.
    pub(crate) fn submit_files(&mut self, at: OffsetDateTime) {
        if !self.has_new_files && !self.uploads.is_empty() {
            return;
        }
        self.add_missing_pictures();
        self.has_new_files = false;
        let earliest = self.uploads.last().map(|last| last.at + Duration::SECOND);
        self.uploads.push(Upload {
            at: earliest.map_or(at, |earliest| at.max(earliest)),
            files: self.files.clone(),
        });
    }

    /// The first document's photos where none were supplied. Files of direct processing are not
    /// kept.
    fn add_missing_pictures(&mut self) {
        let keys: &[&str] = match self.token_type {
            TokenType::Identification => &["FRONT", "BACK", "FACE"],
            TokenType::Document => &["FRONT", "BACK"],
        };
        for key in keys {
            self.files
                .entry((*key).to_owned())
                .or_insert_with(|| StoredFile {
                    bytes: picture::png(&format!("{} {key}", self.scan_ref)),
                    content_type: "image/png".to_owned(),
                    name: None,
                });
        }
    }

    /// The files of an upload, numbered from 1.
    pub(crate) fn upload(&self, number: usize) -> Option<&Upload> {
        self.uploads.get(number.checked_sub(1)?)
    }

    /// The overall status: the last announced one, or that of the session's state.
    pub(crate) fn overall(&self, while_processing: &str) -> String {
        match (self.results.last().and_then(Announced::overall), self.state) {
            (Some(overall), _) => overall.to_owned(),
            (None, SessionState::Processing | SessionState::Reviewing) => {
                while_processing.to_owned()
            }
            (None, SessionState::Expired) => "EXPIRED".to_owned(),
            (None, SessionState::Deleted) => self.deleted_as.unwrap_or("DELETED").to_owned(),
            (None, _) => "ACTIVE".to_owned(),
        }
    }

    /// The session as the admin API shows it; without its token.
    pub(crate) fn summary(&self, while_processing: &str) -> Value {
        json!({
            "scanRef": self.scan_ref,
            "clientId": self.client_id,
            "externalRef": self.external_ref,
            "tokenType": self.token_type,
            "state": self.state,
            "overall": self.overall(while_processing),
            "live": self.is_live(),
            "tokenUsed": self.token_used,
            "additionalSteps": step_types(&self.additional_steps).keys().collect::<Vec<_>>(),
            "files": self.files.keys().collect::<Vec<_>>(),
            "uploads": self.uploads.len(),
            "createdAt": timestamp(self.created_at),
            "expiresAt": timestamp(self.expires_at),
            "openedAt": self.opened_at.map(timestamp),
            "processedAt": self.processed_at.map(timestamp),
            "finishedAt": self.finished_at.map(timestamp),
        })
    }
}

/// All sessions, by `scanRef`, token and client, and by deadline.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_scan_ref: HashMap<String, Session>,
    by_token: HashMap<String, String>,
    by_client: HashMap<String, Vec<String>>,
    in_order: Vec<String>,
    deadlines: BTreeSet<(OffsetDateTime, String)>,
}

impl Sessions {
    pub(crate) fn insert(&mut self, session: Session) {
        let scan_ref = session.scan_ref.clone();
        self.by_token
            .insert(session.auth_token.clone(), scan_ref.clone());
        self.by_client
            .entry(session.client_id.clone())
            .or_default()
            .push(scan_ref.clone());
        self.in_order.push(scan_ref.clone());
        self.deadlines
            .insert((session.expires_at, scan_ref.clone()));
        self.by_scan_ref.insert(scan_ref, session);
    }

    pub(crate) fn get(&self, scan_ref: &str) -> Option<&Session> {
        self.by_scan_ref.get(scan_ref)
    }

    pub(crate) fn get_mut(&mut self, scan_ref: &str) -> Option<&mut Session> {
        self.by_scan_ref.get_mut(scan_ref)
    }

    pub(crate) fn by_token(&self, token: &str) -> Option<&Session> {
        self.by_token
            .get(token)
            .and_then(|scan_ref| self.get(scan_ref))
    }

    pub(crate) fn by_token_mut(&mut self, token: &str) -> Option<&mut Session> {
        let scan_ref = self.by_token.get(token)?;
        self.by_scan_ref.get_mut(scan_ref)
    }

    /// The sessions of one client, or of all, oldest first.
    pub(crate) fn of_client<'a>(
        &'a self,
        client_id: Option<&str>,
    ) -> impl DoubleEndedIterator<Item = &'a Session> + use<'a> {
        let scan_refs = match client_id {
            Some(client_id) => self
                .by_client
                .get(client_id)
                .map(Vec::as_slice)
                .unwrap_or_default(),
            None => self.in_order.as_slice(),
        };
        scan_refs.iter().filter_map(|scan_ref| self.get(scan_ref))
    }

    /// The issuing country of the client's newest session for a customer.
    pub(crate) fn country_of_first_document(&self, client_id: &str) -> Option<String> {
        let mut newest_first = self.of_client(Some(client_id)).rev();
        newest_first
            .find(|session| session.token_type == TokenType::Identification)?
            .country
            .clone()
    }

    /// Moves the time at which a session lapses.
    pub(crate) fn set_deadline(&mut self, scan_ref: &str, at: OffsetDateTime) {
        if let Some(session) = self.by_scan_ref.get_mut(scan_ref) {
            self.deadlines
                .remove(&(session.expires_at, scan_ref.to_owned()));
            session.expires_at = at;
            self.deadlines.insert((at, scan_ref.to_owned()));
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<OffsetDateTime> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes the sessions whose time is over, each once. Returns those that end: without a
    /// submission.
    pub(crate) fn lapse(&mut self, now: OffsetDateTime) -> Vec<String> {
        let mut lapsed = Vec::new();
        while self.next_deadline().is_some_and(|at| at <= now) {
            let Some((_, scan_ref)) = self.deadlines.pop_first() else {
                break;
            };
            if let Some(session) = self.by_scan_ref.get_mut(&scan_ref)
                && matches!(session.state, SessionState::Active | SessionState::Started)
            {
                session.state = SessionState::Expired;
                lapsed.push(scan_ref);
            }
        }
        lapsed
    }
}

/// A new token of 40 letters and digits.
pub(crate) fn new_auth_token() -> String {
    let mut token = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    token.truncate(40);
    token
}

/// The steps of an `additionalSteps` object (country, document type, step, configuration), with
/// their types.
pub(crate) fn step_types(additional_steps: &Value) -> BTreeMap<String, Option<String>> {
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let mut steps = BTreeMap::new();
    for documents in members(additional_steps).values() {
        for named in members(documents).values() {
            for (name, configuration) in members(named) {
                steps.insert(
                    name,
                    configuration
                        .get("type")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
            }
        }
    }
    steps
}
