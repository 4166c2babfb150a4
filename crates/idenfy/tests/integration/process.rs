//! Direct processing over a real connection.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use idenfy::{
    AuthToken, BoxError, Error, Image, MAXIMUM_REQUEST_BYTES, SourceError, Submission, TokenField,
};
use proptest::prelude::*;
use serde_json::json;

use crate::server::{Server, Then, answer, run};

pub fn image(step: &str, length: u64, chunks: Vec<Result<Bytes, BoxError>>) -> Image {
    Image {
        step: step.to_owned(),
        length,
        content: stream::iter(chunks).boxed(),
    }
}

fn cut(bytes: &[u8], size: usize) -> Vec<Result<Bytes, BoxError>> {
    bytes
        .chunks(size)
        .map(|chunk| Ok(Bytes::copy_from_slice(chunk)))
        .collect()
}

pub fn submission(images: Vec<Image>) -> Submission {
    Submission {
        token: AuthToken::new("the-auth-token"),
        token_field: TokenField::Token,
        country: "lt".to_owned(),
        document_type: None,
        images,
    }
}

fn small() -> Submission {
    submission(vec![image("FRONT", 5, cut(b"front", 2))])
}

/// Not all zeros, so that a byte out of place shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|position| u8::try_from(position * 31 % 251).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_arrives_is_the_json_however_images_were_cut(
        (front, back) in (0_usize..70_000, 0_usize..400), front_size in 1_usize..40_000, back_size in 1_usize..10,
    ) {
        let (front, back) = (pattern(front), pattern(back));
        let submission = submission(vec![
            image("FRONT", front.len() as u64, cut(&front, front_size)),
            image("BACK", back.len() as u64, cut(&back, back_size)),
        ]);
        let length = submission.content_length();
        let request = run(async {
            let mut server = Server::answering(200, "").await;
            server.client.process(submission).await.unwrap();
            server.request().await
        });
        prop_assert_eq!(request.content_length, Some(usize::try_from(length).unwrap()));
        prop_assert!(request.is_whole());
        let expected = json!({
            "token": "the-auth-token", "country": "LT",
            "images": {"FRONT": STANDARD.encode(front), "BACK": STANDARD.encode(back)},
        });
        prop_assert_eq!(request.json(), expected);
    }
}

#[test]
fn the_request_is_authenticated_json_of_a_known_length() {
    let request = run(async {
        let mut server = Server::answering(200, " \r\n").await;
        server.client.process(small()).await.unwrap();
        server.request().await
    });
    assert!(request.head.starts_with("POST /api/v2/process HTTP/1.1"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("transfer-encoding"), None);
    let credentials = format!("Basic {}", STANDARD.encode("the-api-key:the-api-secret"));
    assert_eq!(request.header("authorization"), Some(credentials.as_str()));
}

#[test]
fn ten_megabytes_go_through() {
    let chunk = Bytes::from(pattern(64 * 1024));
    let chunks: Vec<_> = (0..160).map(|_| Ok(chunk.clone())).collect();
    let request = run(async {
        let mut server = Server::answering(200, "").await;
        server
            .client
            .process(submission(vec![image("FRONT", 160 * 64 * 1024, chunks)]))
            .await
            .unwrap();
        server.request().await
    });
    assert!(request.is_whole());
    assert_eq!(
        request.json()["images"]["FRONT"].as_str().unwrap().len(),
        13_981_016
    );
}

/// Sends an image with a wrong stream.
/// Returns the error, and whether the server got a whole request.
fn broken(length: u64, chunks: Vec<Result<Bytes, BoxError>>) -> (SourceError, bool) {
    run(async {
        let mut server = Server::answering(200, "").await;
        let error = server
            .client
            .process(submission(vec![image("FRONT", length, chunks)]))
            .await
            .unwrap_err();
        assert!(!error.may_have_been_carried_out());
        let Error::Source(reason) = error else {
            panic!("not the image's error: {error:?}")
        };
        (reason, server.request().await.is_whole())
    })
}

#[test]
fn an_image_that_ends_early_breaks_the_request_off() {
    let (reason, arrived_whole) = broken(200_001, cut(&pattern(200_000), 1_000));
    assert!(matches!(
        reason,
        SourceError::EndedEarly {
            declared: 200_001,
            received: 200_000
        }
    ));
    assert!(!arrived_whole);
}

#[test]
fn an_image_that_goes_on_breaks_the_request_off() {
    let (reason, arrived_whole) = broken(199_999, cut(&pattern(200_000), 1_000));
    assert!(matches!(reason, SourceError::TooLong { declared: 199_999 }));
    assert!(!arrived_whole);
}

#[test]
fn an_image_that_cannot_be_read_breaks_the_request_off() {
    let mut chunks = cut(&pattern(100_000), 1_000);
    chunks.push(Err("the storage is gone".into()));
    let (reason, arrived_whole) = broken(200_000, chunks);
    assert!(matches!(reason, SourceError::Failed(_)));
    assert!(!arrived_whole);
}

#[test]
fn a_request_over_the_limit_is_not_sent() {
    let server = run(async {
        let server = Server::answering(200, "").await;
        let error = server
            .client
            .process(submission(vec![image("FRONT", 15_000_000, vec![])]))
            .await
            .unwrap_err();
        let Error::RequestTooLarge { bytes, maximum } = error else {
            panic!("not too large: {error:?}")
        };
        assert!(bytes > maximum);
        assert_eq!(maximum, MAXIMUM_REQUEST_BYTES);
        server
    });
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_request_of_exactly_the_limit_is_begun() {
    // The step's name adjusts the length: base64's lengths are multiples of four.
    let longest = |step: &str| submission(vec![image(step, 14_999_000, vec![])]);
    let missing = MAXIMUM_REQUEST_BYTES - longest("").content_length();
    let step = "S".repeat(usize::try_from(missing).unwrap());
    assert_eq!(longest(&step).content_length(), MAXIMUM_REQUEST_BYTES);
    let begin = |step: &str| {
        run(async {
            Server::answering(200, "")
                .await
                .client
                .process(longest(step))
                .await
                .unwrap_err()
        })
    };
    assert!(
        matches!(begin(&step), Error::Source(_)),
        "it fails only for the image that is not there"
    );
    assert!(matches!(
        begin(&format!("{step}S")),
        Error::RequestTooLarge { .. }
    ));
}

#[test]
fn a_length_beyond_all_bounds_is_too_large_and_no_overflow() {
    let submission = submission(vec![
        image("FRONT", u64::MAX, vec![]),
        image("BACK", u64::MAX, vec![]),
    ]);
    assert_eq!(submission.content_length(), u64::MAX);
}

#[test]
fn an_error_that_comes_with_200_is_an_error() {
    let body = r#"{"message":"Document not found in photo","identifier":"BAD_VALUE","documentation":"","severity":"NOT_SEVERE"}"#;
    let error = run(async {
        Server::answering(200, body)
            .await
            .client
            .process(small())
            .await
            .unwrap_err()
    });
    assert!(
        matches!(&error, Error::Rejected { identifier, status: 200, .. } if identifier == "BAD_VALUE")
    );
    assert!(!error.may_have_been_carried_out());
}

#[test]
fn a_used_token_is_told_from_other_rejections() {
    let body = r#"{"message":"Token is not valid","identifier":"TOKEN_NOT_VALID"}"#;
    let error = run(async {
        Server::answering(400, body)
            .await
            .client
            .process(small())
            .await
            .unwrap_err()
    });
    assert!(matches!(error, Error::TokenNotValid));
}

#[test]
fn an_accepted_submission_whose_answer_is_lost_is_in_doubt() {
    run(async {
        for then in [Then::Reset, Then::Close] {
            let server = Server::saying("", then).await;
            let error = server.client.process(small()).await.unwrap_err();
            assert!(
                matches!(error, Error::ConnectionLost(_)),
                "{then:?}: {error:?}"
            );
            assert!(error.may_have_been_carried_out());
        }
    });
}

#[test]
fn an_image_that_stalls_is_not_in_doubt() {
    run(async {
        let server = Server::answering(200, "")
            .await
            .with_timeouts(Duration::from_millis(100));
        let content = stream::iter(cut(b"fr", 2)).chain(stream::pending()).boxed();
        let stalled = Image {
            step: "FRONT".to_owned(),
            length: 5,
            content,
        };
        let error = server
            .client
            .process(submission(vec![stalled]))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotSent(_)), "{error:?}");
        assert!(error.is_retryable() && !error.may_have_been_carried_out());
    });
}

#[test]
fn silence_after_the_whole_request_is_in_doubt() {
    run(async {
        let server = Server::saying("", Then::Hang)
            .await
            .with_timeouts(Duration::from_millis(300));
        let error = server.client.process(small()).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(_)), "{error:?}");
        assert!(error.may_have_been_carried_out());
    });
}

#[test]
fn an_answer_that_comes_before_the_request_is_whole_is_read() {
    run(async {
        let page = answer(413, "", "<html>too large</html>");
        let server = Server::interrupting(page).await;
        let content = stream::iter(cut(b"fr", 2)).chain(stream::pending()).boxed();
        let endless = Image {
            step: "FRONT".to_owned(),
            length: 5,
            content,
        };
        let error = server
            .client
            .process(submission(vec![endless]))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::TooLarge), "{error:?}");
    });
}

#[test]
fn a_gateway_that_takes_less_says_so() {
    let page = answer(
        413,
        "Content-Type: text/html\r\n",
        "<html>413 Request Entity Too Large</html>",
    );
    let error = run(async {
        Server::saying(page, Then::Close)
            .await
            .client
            .process(small())
            .await
            .unwrap_err()
    });
    assert!(matches!(error, Error::TooLarge));
}
