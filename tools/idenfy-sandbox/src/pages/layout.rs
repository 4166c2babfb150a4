//! The common parts of all pages: the frame, the security headers, and the error summary. Nothing
//! is loaded from elsewhere and nothing is inline. A page does not send its address, which may hold
//! a token, to others.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// A page before it has a frame.
#[derive(Debug)]
pub(crate) struct Page {
    pub status: StatusCode,
    pub title: String,
    pub body: Markup,
    /// Under `/pages/`.
    pub script: Option<&'static str>,
    /// Seconds until the page loads itself again.
    pub refresh: Option<u32>,
    /// Whether other sites may show the page in an iFrame.
    pub framed: bool,
    /// Whether the page is as wide as a table needs.
    pub wide: bool,
    /// Whether a form of this page may be redirected to another site.
    pub leaves: bool,
}

impl Page {
    pub(crate) fn new(title: impl Into<String>, body: Markup) -> Self {
        Self {
            status: StatusCode::OK,
            title: title.into(),
            body,
            script: None,
            refresh: None,
            framed: false,
            wide: false,
            leaves: false,
        }
    }

    fn policy(&self) -> String {
        // Chromium applies `form-action` to every redirect after a form; the other site decides on
        // these.
        let form_action = if self.leaves {
            "'self' http: https:"
        } else {
            "'self'"
        };
        let ancestors = if self.framed { "*" } else { "'none'" };
        format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
             form-action {form_action}; frame-ancestors {ancestors}"
        )
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let policy = HeaderValue::from_str(&self.policy())
            .unwrap_or(HeaderValue::from_static("default-src 'none'"));
        let headers = [
            (header::CONTENT_SECURITY_POLICY, policy),
            (
                header::REFERRER_POLICY,
                HeaderValue::from_static("no-referrer"),
            ),
            (
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="robots" content="noindex";
                    @if let Some(seconds) = self.refresh {
                        meta http-equiv="refresh" content=(seconds);
                    }
                    title { (self.title) " – Verification sandbox" }
                    link rel="stylesheet" href="/pages/style.css";
                    link rel="icon" href="/pages/icon.svg" type="image/svg+xml";
                    @if let Some(script) = self.script {
                        script src={ "/pages/" (script) } defer {}
                    }
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    header.top {
                        p.brand { "Verification " span.tag { "sandbox" } }
                        p.notice { "A stand-in for tests. Do not upload real documents." }
                    }
                    main #main .wide[self.wide] tabindex="-1" { (self.body) }
                }
            }
        };
        (self.status, headers, Html(document.into_string())).into_response()
    }
}

/// A complaint about one field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Complaint {
    /// `id` of the field.
    pub field: String,
    pub label: String,
    pub text: String,
}

/// All complaints about a form, each with a link to its field; empty without complaints.
pub(crate) fn error_summary(complaints: &[Complaint]) -> Markup {
    html! {
        @if !complaints.is_empty() {
            div.errors #errors role="alert" tabindex="-1" autofocus {
                h2 { "There is a problem" }
                ul {
                    @for complaint in complaints {
                        li {
                            a href={ "#" (complaint.field) } {
                                (complaint.label) ": " (complaint.text)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A size for people: bytes, kB or MB, in powers of ten.
pub(crate) fn size(bytes: usize) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A page that says one thing.
pub(crate) fn message(status: StatusCode, title: &str, text: &str) -> Page {
    let body = html! {
        h1 { (title) }
        p.lead { (text) }
    };
    Page {
        status,
        ..Page::new(title, body)
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, size};
    use maud::html;

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(999), "999 bytes");
        assert_eq!(size(1_001), "2 kB");
        assert_eq!(size(1_950_000), "1.9 MB");
    }

    #[test]
    fn forms_and_frames_are_allowed_only_where_a_page_says_so() {
        let mut page = Page::new("", html! {});
        assert!(
            page.policy()
                .contains("form-action 'self'; frame-ancestors 'none'")
        );
        (page.leaves, page.framed) = (true, true);
        assert!(
            page.policy()
                .ends_with("form-action 'self' http: https:; frame-ancestors *")
        );
    }
}
