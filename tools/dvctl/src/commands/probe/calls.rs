//! The calls, in the order of the flow, and what each tells.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::session_steps;
use idenfy::{
    AdditionalSteps, AuthToken, Client, CreateToken, Error, Exchange, Operation, Questionnaire,
    Submission, TokenField, TokenType,
};
use serde_json::{Map, Value, json};
use verification::identifiers::{ScanRef, SecondReference};
use verification::ports::Clock;

use super::account::Account;
use super::answers::{
    form_of, form_of_files, judge_echo, judge_expiry, judge_processing, judge_questionnaire,
    judge_status, judge_suppression, tell_deletion,
};
use super::facts::{Facts, Topic};
use super::refusal::{describe, refused};
use super::spend::{self, Specimen};
use super::steps::{self, Proposal, ShownStep};
use crate::commands::check::Check;
use crate::environment::Environment;
use crate::output::Output;

/// Until the tokens lapse.
pub const EXPIRY_SECONDS: u32 = 300;

/// No verification has this name.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// No token of iDenfy has this form.
const NO_TOKEN: &str = "dvctl-probe-no-token";

/// Headers in which APIs tell of rate limits.
const RATE_HEADERS: [&str; 5] = [
    "retry-after",
    "ratelimit-limit",
    "ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
];

/// A token of the probe.
#[derive(Clone)]
pub struct ProbeToken {
    pub scan_ref: String,
    pub auth_token: AuthToken,
    what: &'static str,
}

/// What the probe has found.
#[derive(Default)]
pub struct Found {
    pub checks: Vec<Check>,
    pub steps: Vec<ShownStep>,
    pub proposal: Option<Proposal>,
    pub token_field: Option<TokenField>,
    pub has_no_status: bool,
    pub facts: Facts,
    pub left_behind: Vec<String>,
}

pub struct Probe<'a> {
    pub(super) account: &'a Account,
    pub(super) environment: &'a Environment,
    pub(super) output: &'a mut Output,
    pub(super) found: Found,
    client_id: String,
    reference: String,
    tokens: Vec<ProbeToken>,
    rate_headers: BTreeSet<&'static str>,
    answers: u32,
}

impl<'a> Probe<'a> {
    pub fn new(account: &'a Account, environment: &'a Environment, output: &'a mut Output) -> Self {
        let client_id = format!("dvctl-probe-{}", environment.clock.now().milliseconds());
        // A webhook takes a reference of this form for an unknown Token 2, and ignores it.
        let reference = client_id.parse().map_or_else(
            |_| SecondReference::PREFIX.to_owned(),
            |name: ScanRef| SecondReference::of(&name).as_str().to_owned(),
        );
        Self {
            account,
            environment,
            output,
            found: Found::default(),
            client_id,
            reference,
            tokens: Vec::new(),
            rate_headers: BTreeSet::new(),
            answers: 0,
        }
    }

    fn client(&self) -> &'a Client {
        &self.account.client
    }

    fn is_deployed(&self) -> bool {
        self.account.stack.is_some()
    }

    pub(super) fn push(&mut self, check: Check) {
        self.found.checks.push(check);
    }

    /// Makes all calls. Stops early where the rest could tell nothing.
    pub async fn run(&mut self, specimen: Option<Specimen>, wait: Duration) {
        self.output.progress("creating Token 1, which nobody opens");
        let Some(first) = self.first_token().await else {
            return;
        };
        self.output
            .progress("creating Token 2, with steps suppressed");
        let second = self.second_token().await;
        self.output.progress("asking for status and files");
        self.status(&first).await;
        self.files(&first).await;
        self.output
            .progress("asking direct processing with a token that does not exist");
        let is_enabled = self.direct_processing().await;
        if let Some(specimen) = specimen {
            match second.as_ref().filter(|_| is_enabled) {
                Some(second) => spend::run(self, second, specimen, wait).await,
                None => self.push(Check::unknown(
                    "submission",
                    "not made, because of the above",
                    "mend that first; nothing was spent",
                )),
            }
        }
        self.output.progress("deleting the tokens");
        self.unknown_deletion().await;
        self.clean_up().await;
    }

    pub fn finish(mut self) -> Found {
        let found = match self.rate_headers.is_empty() {
            true => "none".to_owned(),
            false => self
                .rate_headers
                .iter()
                .copied()
                .collect::<Vec<_>>()
                .join(", "),
        };
        if self.answers > 0 {
            self.found.facts.tell(Topic::RateHeaders, found);
        }
        self.found
    }

    /// One call with any body.
    async fn exchange(&mut self, operation: Operation, body: &Value) -> Result<Exchange, Error> {
        let answer = self.client().exchange(operation, body).await?;
        self.answers += 1;
        let came = RATE_HEADERS
            .into_iter()
            .filter(|name| answer.has_header(name));
        self.rate_headers.extend(came);
        Ok(answer)
    }

    async fn create(
        &mut self,
        request: &CreateToken,
        what: &'static str,
    ) -> Result<(Exchange, idenfy::Token), Error> {
        let body = serde_json::to_value(request).unwrap_or_default();
        let answer = self.exchange(Operation::Token, &body).await?;
        let token = answer.token(request.expiry_seconds)?;
        self.tokens.push(ProbeToken {
            scan_ref: token.scan_ref.clone(),
            auth_token: token.auth_token.clone(),
            what,
        });
        Ok((answer, token))
    }

    fn request(&self) -> CreateToken {
        CreateToken {
            external_ref: Some(self.reference.clone()),
            expiry_seconds: EXPIRY_SECONDS,
            ..CreateToken::new(&self.client_id)
        }
    }

    async fn first_token(&mut self) -> Option<ProbeToken> {
        let request = self.request();
        let created = self.create(&request, "Token 1").await;
        let (answer, token) = match created {
            Ok(created) => created,
            Err(error) => {
                self.push(refused("Token 1", "creating tokens", &error));
                return None;
            }
        };
        let facts = &mut self.found.facts;
        facts.tell(Topic::CreatedStatus, answer.status().to_string());
        self.push(Check::ok("key", "the API key is accepted"));
        self.push(judge_expiry(token.expiry_seconds));
        let members = answer.members().unwrap_or_default();
        let shown = steps::shown(members.get("additionalSteps"));
        let steps = token.steps.map(session_steps);
        let parameters = &self.account.parameters;
        let (checks, proposal) =
            steps::judge(steps.as_deref(), &shown, parameters, self.is_deployed());
        self.found.checks.extend(checks);
        self.found.steps = shown;
        self.found.proposal = proposal;
        self.tokens.last().cloned()
    }

    async fn second_token(&mut self) -> Option<ProbeToken> {
        let mut request = CreateToken {
            token_type: TokenType::Document,
            additional_steps: AdditionalSteps::Suppressed,
            questionnaire: Questionnaire::None,
            ..self.request()
        };
        let mut created = self.create(&request, "Token 2").await;
        if matches!(created, Err(Error::ActiveSession)) {
            let found = "refused (409) until that one is used or lapses";
            self.found.facts.tell(Topic::TwoTokens, found);
            request.client_id.push_str("-2");
            created = self.create(&request, "Token 2").await;
        } else if created.is_ok() {
            self.found.facts.tell(Topic::TwoTokens, "allowed");
        }
        let (answer, token) = match created {
            Ok(created) => created,
            Err(error) => {
                self.push(refused(
                    "Token 2",
                    "creating tokens of the type DOCUMENT",
                    &error,
                ));
                return None;
            }
        };
        let members = answer.members().unwrap_or_default();
        self.found.facts.tell(
            Topic::SuppressedEcho,
            form_of(members.get("additionalSteps")),
        );
        self.push(judge_echo(&members, &self.reference));
        self.push(judge_suppression(token.steps.as_deref()));
        self.push(judge_questionnaire(&members));
        self.tokens.last().cloned()
    }

    async fn status(&mut self, first: &ProbeToken) {
        let unknown = self.ask_status(NOBODY).await;
        self.tell_error(&unknown);
        let own = self.ask_status(&first.scan_ref).await;
        if let Ok(answer) = &own {
            let says = |members: Map<String, Value>| members.contains_key("final");
            let has_final = answer.members().is_some_and(says);
            let found = if has_final { "present" } else { "absent" };
            self.found.facts.tell(Topic::StatusFinal, found);
        }
        let status = own.and_then(|answer| answer.verification_status());
        self.found.has_no_status = matches!(status, Err(Error::Forbidden | Error::NotInContract));
        let confirms = self.account.parameters.policy.confirm_results;
        self.push(match status {
            Ok(status) => judge_status(status.overall.as_ref()),
            Err(error @ (Error::Forbidden | Error::NotInContract)) if !confirms => {
                Check::ok("status", format!("{error}; ConfirmResults is false"))
            }
            Err(error @ (Error::Forbidden | Error::NotInContract)) => steps::change(
                self.is_deployed(),
                "status",
                error.to_string(),
                "set ConfirmResults=false, or ask iDenfy's support for the status call".to_owned(),
            ),
            Err(error) => refused("status", "the status of an own token", &error),
        });
    }

    async fn ask_status(&mut self, scan_ref: &str) -> Result<Exchange, Error> {
        self.exchange(Operation::Status, &json!({"scanRef": scan_ref}))
            .await
    }

    /// The form of the provider's errors, and what an unknown verification is.
    fn tell_error(&mut self, answer: &Result<Exchange, Error>) {
        let Ok(answer) = answer else { return };
        let Err(error) = answer.verification_status() else {
            let found = "a status, as if it were known";
            self.found.facts.tell(Topic::UnknownVerification, found);
            return;
        };
        let facts = &mut self.found.facts;
        facts.tell(Topic::UnknownVerification, describe(&error));
        facts.tell(Topic::ErrorStatus, answer.status().to_string());
        let form = match answer.members() {
            Some(members) => {
                let known = ["message", "identifier", "documentation", "severity"];
                let named: Vec<&str> = known
                    .into_iter()
                    .filter(|name| members.contains_key(*name))
                    .collect();
                format!("JSON with {}", named.join(", "))
            }
            None => "no JSON object".to_owned(),
        };
        facts.tell(Topic::ErrorForm, form);
    }

    async fn files(&mut self, first: &ProbeToken) {
        let request = json!({"scanRef": first.scan_ref});
        let own = self.exchange(Operation::Files, &request).await;
        if let Ok(answer) = &own
            && answer.files().is_ok()
        {
            let form = form_of_files(&answer.members().unwrap_or_default());
            self.found.facts.tell(Topic::FilesShape, form);
        }
        let files = own.and_then(|answer| answer.files());
        self.push(match files {
            Ok(_) => Check::ok("files", "fresh links can be asked for"),
            // A token without files may well have none.
            Err(error @ (Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. })) => {
                let found = format!("a token without files: {}", describe(&error));
                Check::ok("files", found)
            }
            Err(error @ (Error::Forbidden | Error::NotInContract)) => Check::warning(
                "files",
                error.to_string(),
                "ask iDenfy's support for /api/v2/files: without it, a link that died parks its \
                 customer",
            ),
            Err(error) => refused("files", "the files of an own token", &error),
        });
    }

    /// Direct processing, as far as it tells without a token. Whether it may be used.
    async fn direct_processing(&mut self) -> bool {
        const NAME: &str = "processing";
        let configured = self.account.parameters.token_field;
        let mut error = self.process_nothing(configured).await;
        let asked_for = |error: &Option<Error>| match error {
            Some(Error::Rejected { member, .. }) => match member.as_deref() {
                Some("authToken") => Some(TokenField::AuthToken),
                Some("token") => Some(TokenField::Token),
                _ => None,
            },
            _ => None,
        };
        let mut field = None;
        if let Some(other) = asked_for(&error).filter(|asked| *asked != configured) {
            let again = self.process_nothing(other).await;
            if asked_for(&again).is_none() {
                field = Some(other);
                error = again;
            }
        } else if matches!(error, Some(Error::TokenNotValid)) {
            field = Some(configured);
        }
        self.found.token_field = field;
        if let Some(field) = field {
            let found = format!("`{}` is read", name_of(field));
            self.found.facts.tell(Topic::ProcessTokenField, found);
        }
        if let Some(field) = field.filter(|field| *field != configured) {
            self.push(steps::change(
                self.is_deployed(),
                "token member",
                format!("direct processing reads `{}`", name_of(field)),
                format!("set ProcessTokenField={}", name_of(field)),
            ));
        }
        let (check, is_enabled) = judge_processing(NAME, error.as_ref());
        if !is_enabled {
            self.found.facts.tell(Topic::ProcessEnabled, "no");
        }
        self.push(check);
        is_enabled
    }

    /// A submission without a token or a picture: nothing can be processed.
    async fn process_nothing(&self, token_field: TokenField) -> Option<Error> {
        let submission = Submission {
            token: AuthToken::new(NO_TOKEN),
            token_field,
            country: "LT".to_owned(),
            document_type: None,
            images: Vec::new(),
        };
        self.client().process(submission).await.err()
    }

    async fn unknown_deletion(&mut self) {
        let answer = self
            .exchange(Operation::Delete, &json!({"scanRef": NOBODY}))
            .await;
        let deletion = answer.and_then(|answer| answer.deletion());
        self.push(match deletion {
            Ok(()) => Check::ok("deletion", "an unknown verification counts as deleted"),
            Err(error @ (Error::Forbidden | Error::NotInContract)) => Check::warning(
                "deletion",
                error.to_string(),
                "ask iDenfy's support for /api/v2/delete: without it, erasures leave iDenfy's \
                 copies, which its dashboard can delete",
            ),
            Err(
                error @ (Error::Rejected { .. }
                | Error::RejectedWithoutIdentifier { .. }
                | Error::TokenNotValid),
            ) => Check::ok(
                "deletion",
                format!("answers; an unknown verification: {}", describe(&error)),
            ),
            Err(error) => refused("deletion", "deleting", &error),
        });
    }

    /// Deletes the tokens where iDenfy does that. All others lapse.
    async fn clean_up(&mut self) {
        for token in std::mem::take(&mut self.tokens) {
            let request = json!({"scanRef": token.scan_ref});
            let answer = self.exchange(Operation::Delete, &request).await;
            let deletion = answer.and_then(|answer| answer.deletion());
            if let Some(told) = tell_deletion(deletion.as_ref().err()) {
                self.found.facts.tell(Topic::LiveDeletion, told);
            }
            if deletion.is_ok() {
                continue;
            }
            self.found.left_behind.push(format!(
                "{} {} at iDenfy: lapses within {} minutes, with an EXPIRED callback",
                token.what,
                token.scan_ref,
                EXPIRY_SECONDS / 60
            ));
        }
    }

    /// This token was submitted: it does not lapse.
    pub(super) fn used_up(&mut self, used: &ProbeToken) {
        self.tokens.retain(|token| token.scan_ref != used.scan_ref);
    }

    /// Deletes a finished verification of the probe.
    pub(super) async fn delete(&mut self, scan_ref: &str) -> Result<(), Error> {
        let request = json!({"scanRef": scan_ref});
        self.exchange(Operation::Delete, &request).await?.deletion()
    }

    /// The overall word of a verification.
    pub(super) async fn overall(&mut self, scan_ref: &str) -> Result<idenfy::Status, Error> {
        self.ask_status(scan_ref).await?.verification_status()
    }

    /// Whether `/files` refuses a verification.
    pub(super) async fn has_files(&mut self, scan_ref: &str) -> Result<(), Error> {
        let request = json!({"scanRef": scan_ref});
        let answer = self.exchange(Operation::Files, &request).await?;
        answer.files().map(|_| ())
    }

    pub(super) const fn token_field(&self) -> TokenField {
        match self.found.token_field {
            Some(field) => field,
            None => self.account.parameters.token_field,
        }
    }
}

pub fn name_of(field: TokenField) -> &'static str {
    match field {
        TokenField::Token => "token",
        TokenField::AuthToken => "authToken",
    }
}
