//! Every class of answer that is not a success.

use std::time::Duration;

use idenfy::{CreateToken, Error};

use crate::server::{Server, Then, answer, run};

/// The error of creating a token after this answer of the server.
fn error_of(raw: String) -> Error {
    run(async {
        let server = Server::saying(raw, Then::Close).await;
        server
            .client
            .create_token(&CreateToken::new("user-123"))
            .await
            .unwrap_err()
    })
}

fn error(status: u16, body: &str) -> Error {
    error_of(answer(status, "Content-Type: application/json\r\n", body))
}

#[test]
fn refusals_are_told_apart_and_certain() {
    for (status, body, kind, is_retryable) in [
        (
            401,
            r#"{"message":"Invalid credentials"}"#,
            "unauthorized",
            false,
        ),
        (
            400,
            r#"{"identifier":"UNAUTHORIZED","message":"no"}"#,
            "unauthorized",
            false,
        ),
        (402, r#"{"message":"No funds"}"#, "out_of_funds", false),
        (
            400,
            r#"{"identifier":"PERMISSIONS_ERROR","message":"Partner reached token limit."}"#,
            "out_of_funds",
            false,
        ),
        (
            403,
            r#"{"message":"Partner is not active"}"#,
            "forbidden",
            false,
        ),
        (
            400,
            r#"{"identifier":"PARTNER_CONTRACT_ERROR","message":"no"}"#,
            "not_in_contract",
            false,
        ),
        (429, "", "rate_limited", true),
        (
            400,
            r#"{"identifier":"TOO_MANY_REQUESTS","message":"slow"}"#,
            "rate_limited",
            true,
        ),
        (
            409,
            r#"{"message":"Client has an active session"}"#,
            "active_session",
            true,
        ),
        (
            400,
            r#"{"identifier":"MISSING_VALUE","message":"clientId"}"#,
            "rejected",
            false,
        ),
        (
            400,
            r#"{"identifier":"NEVER_SEEN_BEFORE"}"#,
            "rejected",
            false,
        ),
        (
            400,
            r#"{"message":"Could not parse"}"#,
            "rejected_without_identifier",
            false,
        ),
        (404, "", "rejected_without_identifier", false),
        (413, "<html></html>", "too_large", false),
    ] {
        let error = error(status, body);
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert_eq!(error.is_retryable(), is_retryable, "{status} {body}");
        assert!(!error.may_have_been_carried_out(), "{status} {body}");
    }
}

#[test]
fn faults_and_unreadable_answers_are_in_doubt() {
    for (status, body, kind) in [
        (
            500,
            r#"{"identifier":"INTERNAL_ERROR","message":"sorry"}"#,
            "server_error",
        ),
        (502, "<html><body>Bad Gateway</body></html>", "server_error"),
        (503, "", "server_error"),
        (200, "<html>maintenance</html>", "unreadable_answer"),
        (200, "", "unreadable_answer"),
        (201, r#"{"authToken":"only-half"}"#, "unreadable_answer"),
        (
            201,
            r#"{"authToken":"","scanRef":"abc"}"#,
            "unreadable_answer",
        ),
        (200, "[1,2]", "unreadable_answer"),
    ] {
        let error = error(status, body);
        assert_eq!(error.kind(), kind, "{status} {body}");
        assert!(error.is_retryable(), "{status} {body}");
        assert!(error.may_have_been_carried_out(), "{status} {body}");
    }
}

#[test]
fn an_error_that_comes_with_200_is_that_error() {
    let error = error(
        200,
        r#"{"identifier":"BAD_VALUE","message":"Wrong 'country'"}"#,
    );
    assert!(
        matches!(error, Error::Rejected { status: 200, member: Some(member), .. } if member == "country")
    );
}

#[test]
fn the_time_to_wait_is_read_from_the_header() {
    let error = error_of(answer(429, "Retry-After: 7\r\n", ""));
    assert!(
        matches!(error, Error::RateLimited { retry_after: Some(wait) } if wait == Duration::from_secs(7))
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let error = error_of(answer(302, "Location: /elsewhere\r\n", ""));
    assert!(
        matches!(error, Error::UnreadableAnswer { status: 302 }),
        "{error:?}"
    );
}

/// A valid answer of exactly this many bytes.
fn answer_of(bytes: usize) -> String {
    let said = |filler: &str| {
        format!(r#"{{"authToken":"a","scanRef":"s","identifier":"BAD_VALUE","filler":"{filler}"}}"#)
    };
    said(&"x".repeat(bytes - said("").len()))
}

#[test]
fn answers_are_read_up_to_a_bound() {
    let token = |body: String| {
        run(async {
            Server::answering(201, &body)
                .await
                .client
                .create_token(&CreateToken::new("user-123"))
                .await
        })
    };
    assert!(token(answer_of(1024 * 1024)).is_ok());
    assert!(matches!(
        token(answer_of(1024 * 1024 + 1)),
        Err(Error::UnreadableAnswer { status: 201 })
    ));
    assert!(matches!(
        error(400, &answer_of(64 * 1024)),
        Error::Rejected { .. }
    ));
    assert!(matches!(
        error(400, &answer_of(64 * 1024 + 1)),
        Error::UnreadableAnswer { status: 400 }
    ));
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let filler = "x".repeat(2 * 1024 * 1024);
    assert!(matches!(
        error(200, &filler),
        Error::UnreadableAnswer { status: 200 }
    ));
    assert!(matches!(
        error(400, &filler),
        Error::UnreadableAnswer { status: 400 }
    ));
    assert!(matches!(
        error(500, &filler),
        Error::ServerError { status: 500 }
    ));
}
