//! What the reviewer's page looks like.

use maud::{Markup, html};
use serde::Deserialize;

use crate::pages::layout::{Page, size};
use crate::provider::callback::implied_step_verdict;
use crate::provider::images::sniff;
use crate::world::clock::timestamp;
use crate::world::invented_person::SecondDocument;
use crate::world::journal::DeliveryRecord;
use crate::world::session::{Session, SessionState, step_types};
use crate::world::settings::Settings;

/// How a page is wanted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct View {
    /// Page of the list, from 1.
    pub page: usize,
    /// Seconds after which the page loads itself again.
    pub refresh: Option<u32>,
    /// What was just done.
    pub done: Option<String>,
}

/// Seconds between two loads of a page that refreshes itself.
const REFRESH_SECONDS: u32 = 5;

pub(crate) fn list(
    sessions: &[&Session],
    while_processing: &str,
    page: usize,
    has_more: bool,
    refresh: Option<u32>,
) -> Page {
    let body = html! {
        h1 { "Sessions" }
        (toolbar("/reviewer", refresh, &html! {
            li { a href="/reviewer/deliveries" { "Delivery log" } }
        }))
        @if sessions.is_empty() {
            p.lead { "No session has been opened" @if page > 1 { " so early" } " yet." }
        }
        ul.list {
            @for session in sessions {
                li.card {
                    div.cardhead {
                        h2 { a href=(address(session)) { (session.client_id) } }
                        span { (badges(session, while_processing)) }
                    }
                    dl {
                        dt { "Session" } dd { code { (session.scan_ref) } }
                        dt { "Type" } dd { (session.token_type.name()) }
                        dt { "Opened" } dd { (moment(session.created_at)) }
                        dt { "Files" } dd { (files_in_words(session)) }
                    }
                }
            }
        }
        @if page > 1 || has_more {
            nav aria-label="Pages" {
                ul.toolbar {
                    @if page > 1 { li { a href={ "/reviewer?page=" (page - 1) } { "Newer" } } }
                    li { "Page " (page) }
                    @if has_more { li { a href={ "/reviewer?page=" (page + 1) } { "Older" } } }
                }
            }
        }
    };
    wide("Sessions", body, refresh)
}

pub(crate) fn deliveries(records: &[DeliveryRecord], refresh: Option<u32>) -> Page {
    let body = html! {
        h1 #log { "Delivery log" }
        (toolbar("/reviewer/deliveries", refresh, &html! {
            li { a href="/reviewer" { "All sessions" } }
        }))
        p.lead { "Every attempt at delivering a callback, newest first." }
        (log(records, true))
    };
    wide("Delivery log", body, refresh)
}

/// What the page of one session shows.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    pub session: &'a Session,
    pub second_document: SecondDocument,
    pub settings: &'a Settings,
    pub records: &'a [DeliveryRecord],
}

pub(crate) fn session(shown: &Shown<'_>, view: &View) -> Page {
    let session = shown.session;
    let address = address(session);
    let done = match view.done.as_deref() {
        Some("decided") => Some("The decision was made; its callbacks are in the log below."),
        Some("set") => Some("The choice stands for results that are still to come."),
        Some("sent") => Some("The last callback was sent again."),
        _ => None,
    };
    let steps = step_types(&session.additional_steps)
        .into_keys()
        .collect::<Vec<_>>()
        .join(", ");
    let body = html! {
        (toolbar(&address, view.refresh, &html! { li { a href="/reviewer" { "All sessions" } } }))
        @if let Some(done) = done { p.done-note role="status" { (done) } }
        div.cardhead {
            h1 { (session.client_id) }
            span { (badges(session, &shown.settings.status_while_processing)) }
        }
        section {
            dl {
                dt { "Session" } dd { code { (session.scan_ref) } }
                dt { "Type" } dd { (session.token_type.name()) }
                dt { "External reference" }
                dd { (session.external_ref.as_deref().unwrap_or("none")) }
                dt { "Additional steps" } dd { @if steps.is_empty() { "none" } @else { (steps) } }
                dt { "Opened" } dd { (moment(session.created_at)) }
                dt { "Submitted" }
                dd { (session.processed_at.map_or_else(|| "not yet".to_owned(), moment)) }
            }
        }
        section aria-labelledby="files" {
            h2 #files { "Files" }
            (pictures(session, &address))
        }
        @if session.state != SessionState::Deleted {
            section aria-labelledby="decision" {
                h2 #decision { "Decision" }
                (decision(shown, &address))
            }
            section aria-labelledby="second" {
                h2 #second { "Second document" }
                (second_document(shown.second_document, &address))
            }
        }
        section aria-labelledby="log" {
            h2 #log { "Delivery log" }
            (log(shown.records, false))
        }
        @if !session.results.is_empty() {
            section aria-labelledby="again" {
                h2 #again { "Last callback" }
                form method="post" action={ (address) "/callback" } {
                    p.choice {
                        label {
                            input type="checkbox" name="freshLinks" value="1";
                            "with new file links"
                        }
                    }
                    div.actions { button.quiet type="submit" { "Send again" } }
                }
            }
        }
    };
    wide(
        &format!("Session of {}", session.client_id),
        body,
        view.refresh,
    )
}

fn decision(shown: &Shown<'_>, address: &str) -> Markup {
    let are_judged = !implied_step_verdict(shown.settings, shown.session).is_null();
    html! {
        form method="post" action={ (address) "/decision" } {
            p.choice {
                label for="steps" { "Verdict on the additional steps" }
                select #steps name="steps" {
                    option value="VALID" selected[are_judged] { "Valid" }
                    option value="INVALID" { "Invalid" }
                    option value="NOT_FOUND" { "Not found" }
                    option value="" selected[!are_judged] { "Not judged" }
                }
            }
            (tags("fraudTags", "Fraud tags", "DUPLICATE_FACE"))
            (tags("mismatchTags", "Mismatch tags", "NAME DATE_OF_BIRTH"))
            p.choice {
                label {
                    input type="checkbox" name="nonFinalFirst" value="1";
                    "Send a non-final result first"
                }
            }
            div.actions {
                button type="submit" name="finding" value="approve" { "Approve" }
                button.quiet type="submit" name="finding" value="deny" { "Deny" }
                button.quiet type="submit" name="finding" value="suspect" { "Suspect" }
                button.quiet type="submit" name="finding" value="cancel" { "Cancel session" }
            }
        }
    }
}

fn tags(name: &str, label: &str, example: &str) -> Markup {
    html! {
        p.choice {
            label for=(name) { (label) }
            input #(name) name=(name) type="text" placeholder=(example)
                autocomplete="off" spellcheck="false";
        }
    }
}

fn second_document(chosen: SecondDocument, address: &str) -> Markup {
    let choices = [
        (
            SecondDocument::OtherDocument,
            "OtherDocument",
            "Another one of the same person",
        ),
        (
            SecondDocument::OtherPerson,
            "OtherPerson",
            "Another person's",
        ),
        (
            SecondDocument::SameDocument,
            "SameDocument",
            "The first one again",
        ),
    ];
    html! {
        form method="post" action={ (address) "/second-document" } {
            p.choice {
                label for="secondDocument" { "What direct processing finds for this client" }
                select #secondDocument name="secondDocument" {
                    @for (choice, value, text) in choices {
                        option value=(value) selected[choice == chosen] { (text) }
                    }
                }
            }
            div.actions { button.quiet type="submit" { "Set" } }
        }
    }
}

fn pictures(session: &Session, address: &str) -> Markup {
    html! {
        @if session.files.is_empty() { p { "None yet." } }
        ul.pictures {
            @for (key, file) in &session.files {
                @let link = format!("{address}/files/{}", encoded(key));
                li {
                    a href=(link) {
                        @match sniff(&file.bytes) {
                            "png" | "jpeg" => { img.thumb src=(link) alt=""; }
                            "pdf" => { span.thumb aria-hidden="true" { "PDF" } }
                            _ => { span.thumb aria-hidden="true" { "?" } }
                        }
                        strong { (key) }
                    }
                    (file.name.as_deref().unwrap_or(&file.content_type))
                    ", " (size(file.bytes.len()))
                }
            }
        }
    }
}

fn log(records: &[DeliveryRecord], with_client: bool) -> Markup {
    html! {
        @if records.is_empty() {
            p { "Nothing has been sent yet." }
        } @else {
            // A table wider than a phone scrolls by itself, also by keyboard.
            div.scroll role="region" aria-labelledby="log" tabindex="0" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Time" }
                            @if with_client { th scope="col" { "Client" } }
                            th scope="col" { "Event" }
                            th scope="col" { "Final" }
                            th scope="col" { "Overall" }
                            th scope="col" { "Attempt" }
                            th scope="col" { "Answer" }
                            th scope="col" { "Took" }
                        }
                    }
                    tbody { @for record in records { (log_row(record, with_client)) } }
                }
            }
        }
    }
}

fn log_row(record: &DeliveryRecord, with_client: bool) -> Markup {
    let class = if record.status == Some(200) {
        "badge good"
    } else {
        "badge bad"
    };
    let answer = match (record.status, record.error) {
        (Some(status), _) => status.to_string(),
        (None, error) => error.unwrap_or("none").to_owned(),
    };
    html! {
        tr {
            td { (seconds(&record.at)) }
            @if with_client {
                td {
                    a href={ "/reviewer/sessions/" (encoded(&record.scan_ref)) } {
                        (record.client_id)
                    }
                }
            }
            td { (record.event_type) }
            td { (record.is_final.map_or("–", |is_final| if is_final { "yes" } else { "no" })) }
            td { (record.overall.as_deref().unwrap_or("–")) }
            td { (record.attempt) }
            td { span class=(class) { (answer) } }
            td { (record.milliseconds) " ms" }
        }
    }
}

fn badges(session: &Session, while_processing: &str) -> Markup {
    let overall = session.overall(while_processing);
    let class = match overall.as_str() {
        "APPROVED" => "badge good",
        "DENIED" => "badge bad",
        _ => "badge",
    };
    html! {
        span.badge { (session.state.name()) }
        @if overall != session.state.name() { " " span class=(class) { (overall) } }
    }
}

/// Links of every page: reload, once or by itself, and others.
fn toolbar(address: &str, refresh: Option<u32>, others: &Markup) -> Markup {
    html! {
        ul.toolbar {
            (others)
            li {
                a href=(address) {
                    @if refresh.is_some() { "Stop refreshing" } @else { "Refresh" }
                }
            }
            @if refresh.is_none() {
                li {
                    a href={ (address) "?refresh=" (REFRESH_SECONDS) } {
                        "Refresh every " (REFRESH_SECONDS) " s"
                    }
                }
            }
        }
    }
}

fn wide(title: &str, body: Markup, refresh: Option<u32>) -> Page {
    Page {
        wide: true,
        refresh: refresh.map(|seconds| seconds.clamp(1, 3600)),
        ..Page::new(title, body)
    }
}

fn files_in_words(session: &Session) -> String {
    let keys: Vec<&str> = session.files.keys().map(String::as_str).collect();
    if keys.is_empty() {
        "none".to_owned()
    } else {
        keys.join(", ")
    }
}

fn address(session: &Session) -> String {
    format!("/reviewer/sessions/{}", encoded(&session.scan_ref))
}

fn encoded(segment: &str) -> String {
    // A space must be %20 in a path, where + stands for itself.
    url::form_urlencoded::byte_serialize(segment.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

fn moment(at: time::OffsetDateTime) -> String {
    seconds(&timestamp(at))
}

/// `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05 UTC`.
fn seconds(timestamp: &str) -> String {
    let whole = timestamp.split(['.', 'Z']).next().unwrap_or_default();
    format!("{} UTC", whole.replace('T', " "))
}
