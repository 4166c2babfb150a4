//! From an unsuccessful answer to its cause.
//!
//! A documented identifier decides.
//! Otherwise the code does.
//! Otherwise the request was rejected.
//! Codes alone mislead: older pages say that every error comes with 400, and some come with 200.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::{Error, member, retry_after};
use crate::selection::Members;
use crate::word::UNRECOGNISED;

pub(crate) fn classify(answer: &Answer) -> Error {
    let status = answer.status;
    let members = answer.object();
    let identifier = members.as_ref().and_then(identifier_of);
    let message = members
        .as_ref()
        .and_then(|members| members.text("message"))
        .unwrap_or_default();

    if let Some(error) = identifier
        .as_deref()
        .and_then(|identifier| by_identifier(identifier, message, answer))
    {
        return error;
    }
    if let Some(error) = by_code(answer) {
        return error;
    }
    match (identifier, members.as_ref()) {
        (Some(identifier), _) => Error::Rejected {
            identifier,
            status,
            member: member::named_in(message),
        },
        // The provider's own error without an identifier, or an answer without a body.
        (None, Some(_)) => Error::RejectedWithoutIdentifier { status },
        (None, None) if is_client_error(status) && is_blank(answer) => {
            Error::RejectedWithoutIdentifier { status }
        }
        (None, None) => Error::UnreadableAnswer { status },
    }
}

/// The `identifier` of an error body, if it is a word.
pub(crate) fn identifier_of(members: &Map<String, Value>) -> Option<String> {
    members
        .word("identifier")
        .filter(|identifier| identifier != UNRECOGNISED)
}

fn by_identifier(identifier: &str, message: &str, answer: &Answer) -> Option<Error> {
    let status = answer.status;
    Some(match identifier {
        "UNAUTHORIZED" => Error::Unauthorized,
        "TOO_MANY_REQUESTS" => Error::RateLimited {
            retry_after: retry_after::read(&answer.headers),
        },
        "TOKEN_NOT_VALID" => Error::TokenNotValid,
        "PARTNER_CONTRACT_ERROR" => Error::NotInContract,
        // One identifier for two causes. The other's documented text is "Partner reached token
        // limit."
        "PERMISSIONS_ERROR" if message.to_ascii_lowercase().contains("token limit") => {
            Error::OutOfFunds
        }
        "PERMISSIONS_ERROR" => Error::Forbidden,
        "INTERNAL_ERROR" => Error::ServerError { status },
        // The request's content is wrong, with any code but 409. That one has no documented
        // identifier, so there the code is believed.
        "BAD_VALUE" | "MISSING_VALUE" | "VALIDATION_ERROR" | "ENCODING_ERROR" | "JSON_ERROR"
        | "METHOD_NOT_ALLOWED"
            if status != 409 =>
        {
            Error::Rejected {
                identifier: identifier.to_owned(),
                status,
                member: member::named_in(message),
            }
        }
        _ => return None,
    })
}

fn by_code(answer: &Answer) -> Option<Error> {
    let status = answer.status;
    Some(match status {
        401 => Error::Unauthorized,
        402 => Error::OutOfFunds,
        403 => Error::Forbidden,
        409 => Error::ActiveSession,
        413 => Error::TooLarge,
        429 => Error::RateLimited {
            retry_after: retry_after::read(&answer.headers),
        },
        500.. => Error::ServerError { status },
        _ => return None,
    })
}

fn is_client_error(status: u16) -> bool {
    (400..500).contains(&status)
}

fn is_blank(answer: &Answer) -> bool {
    answer
        .body
        .as_ref()
        .is_some_and(|body| body.trim_ascii().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use reqwest::header::HeaderMap;

    fn kind(status: u16, body: &'static str) -> &'static str {
        error(status, body).kind()
    }

    fn error(status: u16, body: &'static str) -> Error {
        classify(&Answer {
            status,
            headers: HeaderMap::new(),
            body: Some(Bytes::from_static(body.as_bytes())),
        })
    }

    #[test]
    fn a_known_identifier_decides_whatever_the_code() {
        for status in [200, 400, 403, 404, 500] {
            assert_eq!(
                kind(status, r#"{"identifier":"UNAUTHORIZED"}"#),
                "unauthorized"
            );
            assert_eq!(
                kind(status, r#"{"identifier":"TOO_MANY_REQUESTS"}"#),
                "rate_limited"
            );
            assert_eq!(
                kind(status, r#"{"identifier":"token_not_valid"}"#),
                "token_not_valid"
            );
            assert_eq!(
                kind(status, r#"{"identifier":"PARTNER_CONTRACT_ERROR"}"#),
                "not_in_contract"
            );
            assert_eq!(
                kind(status, r#"{"identifier":"PERMISSIONS_ERROR"}"#),
                "forbidden"
            );
            assert_eq!(
                kind(status, r#"{"identifier":"INTERNAL_ERROR"}"#),
                "server_error"
            );
            assert_eq!(kind(status, r#"{"identifier":"BAD_VALUE"}"#), "rejected");
        }
    }

    #[test]
    fn used_up_credits_are_told_from_other_refusals_by_the_text() {
        let body = r#"{"identifier":"PERMISSIONS_ERROR","message":"Partner reached token limit."}"#;
        assert_eq!(kind(400, body), "out_of_funds");
    }

    #[test]
    fn without_a_known_identifier_the_code_decides() {
        for body in [
            "",
            "{}",
            r#"{"message":"no"}"#,
            "<html>no</html>",
            r#"{"identifier":"SOMETHING_NEW"}"#,
        ] {
            assert_eq!(kind(401, body), "unauthorized");
            assert_eq!(kind(402, body), "out_of_funds");
            assert_eq!(kind(403, body), "forbidden");
            assert_eq!(kind(409, body), "active_session");
            assert_eq!(kind(413, body), "too_large");
            assert_eq!(kind(429, body), "rate_limited");
            assert_eq!(kind(500, body), "server_error");
            assert_eq!(kind(502, body), "server_error");
        }
    }

    #[test]
    fn an_unknown_identifier_is_a_rejection_that_names_it() {
        let error = error(
            400,
            r#"{"identifier":"PARTNER_ERROR","message":"Token has not expired yet."}"#,
        );
        assert!(
            matches!(error, Error::Rejected { identifier, status: 400, .. } if identifier == "PARTNER_ERROR")
        );
    }

    #[test]
    fn a_rejection_names_the_member_and_quotes_nothing() {
        let error = error(
            400,
            r#"{"identifier":"MISSING_VALUE","message":"'token' of Ona Petraite"}"#,
        );
        assert!(
            matches!(&error, Error::Rejected { member: Some(member), .. } if member == "token")
        );
        assert!(!format!("{error} {error:?}").contains("Ona"));
    }

    #[test]
    fn an_identifier_that_is_not_a_word_is_none() {
        let error = error(400, r#"{"identifier":"Ona Petraitė"}"#);
        assert!(matches!(
            error,
            Error::RejectedWithoutIdentifier { status: 400 }
        ));
    }

    #[test]
    fn what_cannot_be_read_is_in_doubt_unless_the_code_refuses() {
        for (status, body, in_doubt) in [
            (200, "<html>", true),
            (302, "", true),
            (404, "<html>", false),
            (200, "[]", true),
        ] {
            let error = error(status, body);
            assert_eq!(error.kind(), "unreadable_answer", "{status} {body}");
            assert_eq!(
                error.may_have_been_carried_out(),
                in_doubt,
                "{status} {body}"
            );
        }
        assert_eq!(kind(404, " "), "rejected_without_identifier");
        assert!(error(200, r#"{"message":"hm"}"#).may_have_been_carried_out());
    }

    #[test]
    fn a_conflict_is_always_an_active_session() {
        assert_eq!(kind(409, r#"{"identifier":"BAD_VALUE"}"#), "active_session");
        assert_eq!(
            kind(409, r#"{"identifier":"VALIDATION_ERROR"}"#),
            "active_session"
        );
    }
}
