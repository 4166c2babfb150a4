//! What the customer's pages look like.

use axum::http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use url::Url;

use crate::pages::customer_actions::Refusal;
use crate::pages::final_page::FinalPage;
use crate::pages::layout::{Complaint, Page, error_summary, message, size};
use crate::pages::steps::{Slot, Step};
use crate::pages::upload::{FILE_LIMIT, formats};
use crate::world::session::Session;

/// How a customer came and what they use the session with.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Visit {
    pub auth_token: String,
    /// Language of the steps' texts, before the session's own.
    pub lang: String,
    /// Anything: the session is in an iFrame.
    pub frame: String,
}

impl Visit {
    pub(crate) fn is_framed(&self) -> bool {
        !self.frame.is_empty()
    }

    pub(crate) fn language(&self) -> Option<&str> {
        (!self.lang.is_empty()).then_some(&self.lang)
    }

    /// The page of this visit's session; `step` counts from 1.
    pub(crate) fn page(&self, step: Option<usize>) -> String {
        let mut query = self.query();
        if let Some(step) = step {
            query.append_pair("step", &step.to_string());
        }
        let path = if self.is_framed() {
            "/"
        } else {
            "/api/v2/redirect"
        };
        format!("{path}?{}", query.finish())
    }

    /// The page that says what became of the session.
    pub(crate) fn result_page(&self) -> String {
        let mut query = self.query();
        if self.is_framed() {
            query.append_pair("frame", "1");
        }
        format!("/verification/result?{}", query.finish())
    }

    fn query(&self) -> url::form_urlencoded::Serializer<'static, String> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("authToken", &self.auth_token);
        if let Some(language) = self.language() {
            query.append_pair("lang", language);
        }
        query
    }
}

/// `id` of a slot's input.
pub(crate) fn field_id(slot: &Slot) -> String {
    format!("file-{}", slot.key)
}

/// What the sandbox's own address shows.
pub(crate) fn home() -> Page {
    let body = html! {
        h1 { "Verification sandbox" }
        p.lead {
            "This stands in for an identity verification provider. "
            "Customers come here by the link of their session."
        }
        p { a.button href="/reviewer" { "Open the reviewer's page" } }
    };
    Page::new("Start", body)
}

/// Before the session's time runs.
pub(crate) fn start(visit: &Visit, session: &Session, steps: &[Step]) -> Page {
    let minutes = session.session_length.whole_minutes().max(1);
    let body = html! {
        h1 { "Verify your identity" }
        p.lead { "You will be asked for these, one after the other:" }
        ol.outline {
            @for step in steps {
                li lang=[foreign(step)] {
                    (step.title)
                    @if let Some(description) = &step.description { span.hint { (description) } }
                }
            }
        }
        p {
            "Once you start, you have " (minutes)
            @if minutes == 1 { " minute." } @else { " minutes." }
        }
        form method="post" action="/verification/start" {
            (hidden(visit))
            button type="submit" { "Start" }
        }
    };
    Page::new("Verify your identity", body)
}

/// One step's uploads; `index` counts from 0. Complaints are about its refused files.
pub(crate) fn step(
    visit: &Visit,
    session: &Session,
    steps: &[Step],
    (index, step): (usize, &Step),
    complaints: &[Complaint],
) -> Page {
    let total = steps.len() + 1;
    let body = html! {
        (error_summary(complaints))
        (progress(index + 1, total))
        h1 lang=[foreign(step)] { (step.title) }
        @if let Some(description) = &step.description {
            p.lead lang=[foreign(step)] { (description) }
        }
        form method="post" action="/verification/documents"
            enctype="multipart/form-data" data-upload {
            (hidden(visit))
            input type="hidden" name="step" value=(index + 1);
            @for slot in &step.slots { (slot_field(session, step, slot, complaints)) }
            div.transfer data-transfer hidden {
                label for="transfer" { "Uploading" }
                progress #transfer max="100" value="0" {}
            }
            p.status role="status" data-status {}
            div.actions {
                button type="submit" { "Continue" }
                button.quiet type="submit" name="specimen" value="1" formnovalidate { "Use specimen" }
            }
        }
        @if index > 0 { p { a href=(visit.page(Some(index))) { "Back" } } }
    };
    let problem = if complaints.is_empty() {
        ""
    } else {
        "Problem: "
    };
    Page {
        script: Some("upload.js"),
        ..Page::new(
            format!("{problem}{} (step {} of {total})", step.title, index + 1),
            body,
        )
    }
}

fn slot_field(session: &Session, step: &Step, slot: &Slot, complaints: &[Complaint]) -> Markup {
    let id = field_id(slot);
    let (hint_id, error_id) = (format!("{id}-hint"), format!("{id}-error"));
    let complaint = complaints.iter().find(|complaint| complaint.field == id);
    let described = if complaint.is_some() {
        format!("{error_id} {hint_id}")
    } else {
        hint_id.clone()
    };
    let file = session.files.get(&slot.key);
    let accepted = if slot.takes_pdf {
        "image/jpeg,image/png,application/pdf"
    } else {
        "image/jpeg,image/png"
    };
    html! {
        div.field .wrong[complaint.is_some()] {
            label for=(id) lang=[foreign(step)] {
                (slot.label)
                @if !slot.required { span.optional lang="en" { " (optional)" } }
            }
            p.hint #(hint_id) {
                "Choose " (formats(slot)) ", up to " (FILE_LIMIT / 1_000_000) " MB."
                @if let Some(file) = file {
                    " "
                    strong.received {
                        "Received: " (file.name.as_deref().unwrap_or(&slot.key))
                        ", " (size(file.bytes.len())) "."
                    }
                }
            }
            @if let Some(complaint) = complaint { p.error #(error_id) { (complaint.text) } }
            input #(id) type="file" name=(slot.key) accept=(accepted)
                capture=[slot.selfie.then_some("user")]
                aria-describedby=(described) aria-invalid=[complaint.map(|_| "true")];
        }
    }
}

/// The last look before everything is sent.
pub(crate) fn check(visit: &Visit, session: &Session, steps: &[Step]) -> Page {
    let total = steps.len() + 1;
    let body = html! {
        (progress(total, total))
        h1 { "Check and send" }
        @for (index, step) in steps.iter().enumerate() {
            section.card {
                div.cardhead {
                    h2 lang=[foreign(step)] { (step.title) }
                    a href=(visit.page(Some(index + 1))) {
                        "Change"
                        span.away {
                            ": " (step.title) " "
                            (step.description.as_deref().unwrap_or_default())
                        }
                    }
                }
                dl.files {
                    @for slot in &step.slots {
                        dt lang=[foreign(step)] { (slot.label) }
                        dd {
                            @match session.files.get(&slot.key) {
                                Some(file) => {
                                    (file.name.as_deref().unwrap_or("a file"))
                                    ", " (size(file.bytes.len()))
                                }
                                None => "none",
                            }
                        }
                    }
                }
            }
        }
        form method="post" action="/verification/submit" {
            (hidden(visit))
            div.actions { button type="submit" { "Send for verification" } }
        }
    };
    let urls = &session.return_urls;
    let leaves = [&urls.success, &urls.error, &urls.unverified]
        .iter()
        .any(|link| link.is_some());
    Page {
        leaves: leaves && !visit.is_framed(),
        ..Page::new(format!("Check and send (step {total} of {total})"), body)
    }
}

/// The result of a submitted session. Tells it to a surrounding page, too.
pub(crate) fn result(visit: &Visit, ending: FinalPage, link: Option<&Url>) -> Page {
    let (title, text) = match ending {
        FinalPage::Waiting => (
            "Thank you, under review",
            "Your documents have been received and are being looked at.",
        ),
        FinalPage::Approved => (
            "Thank you, you are verified",
            "Your documents have been accepted.",
        ),
        FinalPage::Unacknowledged => (
            "Your verification could not be saved",
            "Your documents have been accepted, but the result was not taken by its receiver.",
        ),
        FinalPage::Failed => ("Not verified", "Your documents could not be accepted."),
        FinalPage::Unverified => (
            "Thank you, under further review",
            "Your documents need a closer look.",
        ),
    };
    let (status, manual_status, suspected) = ending.message();
    let data = format!(
        "{{\"status\":\"{status}\",\"manualStatus\":\"{manual_status}\",\"autoSuspected\":{suspected},\"manualSuspected\":{suspected}}}"
    );
    let body = html! {
        h1 { (title) }
        p.lead { (text) }
        div.actions {
            @if ending == FinalPage::Waiting {
                a.button href=(visit.result_page()) { "Check again" }
            }
            @if let Some(link) = link { a.button.quiet href=(link) { "Continue without waiting" } }
        }
        @if ending != FinalPage::Waiting { p { "You can close this page." } }
        @if visit.is_framed() { div #message data-message=(data) hidden {} }
    };
    Page {
        script: visit.is_framed().then_some("result.js"),
        ..Page::new(title, body)
    }
}

/// Why a link leads nowhere.
pub(crate) fn refused(refusal: Refusal) -> Page {
    match refusal {
        Refusal::Unknown => message(
            StatusCode::NOT_FOUND,
            "This link is not known",
            "Check that the whole link was copied, or ask whoever sent it for a new one.",
        ),
        Refusal::Expired => message(
            StatusCode::GONE,
            "This link has expired",
            "The time for this verification is over. Ask whoever sent the link for a new one.",
        ),
        Refusal::Used => message(
            StatusCode::GONE,
            "This link has been used",
            "The documents of this verification have been sent already. There is nothing left to do.",
        ),
    }
}

/// A form that could not be read.
pub(crate) fn unreadable(status: StatusCode) -> Page {
    let (title, text) = if status == StatusCode::PAYLOAD_TOO_LARGE {
        (
            "The files are too large",
            "Go back and choose smaller ones.",
        )
    } else {
        (
            "The upload was interrupted",
            "Go back and send the files again.",
        )
    };
    message(status, title, text)
}

fn progress(number: usize, total: usize) -> Markup {
    html! {
        p.steps { "Step " (number) " of " (total) }
        ol.bar aria-hidden="true" {
            @for position in 1..=total { li .done[position <= number] {} }
        }
    }
}

fn hidden(visit: &Visit) -> Markup {
    html! {
        input type="hidden" name="authToken" value=(visit.auth_token);
        @if !visit.lang.is_empty() { input type="hidden" name="lang" value=(visit.lang); }
        @if visit.is_framed() { input type="hidden" name="frame" value="1"; }
    }
}

/// The language of a step's texts where it is not that of the page.
fn foreign(step: &Step) -> Option<&str> {
    (step.language != "en").then_some(&step.language)
}
