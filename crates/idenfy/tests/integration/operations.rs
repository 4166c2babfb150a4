//! The operations other than direct processing: requests and readings of answers.

use idenfy::{
    AdditionalSteps, AuthToken, CreateToken, Error, OverallWord, Questionnaire, Step, StepKind,
    StepsVerdictWord, TokenType,
};
use serde_json::json;

use crate::server::{Server, client, run};

#[test]
fn a_token_is_created_by_200_as_well_as_201() {
    for status in [200, 201, 202] {
        run(async {
            let body = json!({
                "message": "Token created successfully", "authToken": "abc-auth",
                "scanRef": "abc-scan", "tokenType": "DOCUMENT",
                "expiryTime": 1800,
                "redirectUrl": "https://ivs.idenfy.com/api/v2/redirect?authToken=abc-auth",
                "additionalSteps": {"ALL": {"ALL": {"SECOND_DOC": {"type": "UPLOAD"}}}},
                "digitString": null,
            });
            let mut server = Server::answering(status, &body.to_string()).await;
            let request = CreateToken {
                token_type: TokenType::Document,
                additional_steps: AdditionalSteps::Suppressed,
                questionnaire: Questionnaire::None,
                ..CreateToken::new("user-123")
            };
            let token = server.client.create_token(&request).await.unwrap();
            assert_eq!(token.auth_token.expose(), "abc-auth");
            assert_eq!(token.scan_ref, "abc-scan");
            assert_eq!(token.expiry_seconds, 1800);
            assert!(token.redirect_url.is_some());
            let step = Step {
                name: "SECOND_DOC".to_owned(),
                kind: StepKind::Upload,
            };
            assert_eq!(token.steps, Some(vec![step]));

            let sent = server.request().await;
            assert!(sent.head.starts_with("POST /api/v2/token HTTP/1.1"));
            assert_eq!(sent.header("content-type"), Some("application/json"));
            assert_eq!(sent.json(), serde_json::to_value(&request).unwrap());
        });
    }
}

#[test]
fn a_token_needs_nothing_but_its_two_names() {
    run(async {
        let server =
            Server::answering(201, r#"{"authToken":"a","scanRef":"s","redirectUrl":null}"#).await;
        let token = server
            .client
            .create_token(&CreateToken::new("user-123"))
            .await
            .unwrap();
        assert_eq!(token.expiry_seconds, 3_600);
        assert_eq!(token.redirect_url, None);
        assert_eq!(token.steps, None);
    });
}

#[test]
fn a_status_is_read_flat_or_nested() {
    for body in [
        json!({"status": "APPROVED", "manualFace": null, "autoDocument": "DOC_VALIDATED", "scanRef": "s", "fraudTags": ["NEW_TAG"]}),
        json!({"status": {"overall": "APPROVED", "autoDocument": "DOC_VALIDATED", "fraudTags": ["NEW_TAG"]}}),
        json!({"overall": "APPROVED", "autoDocument": "DOC_VALIDATED", "fraudTags": ["NEW_TAG"]}),
    ] {
        run(async {
            let mut server = Server::answering(200, &body.to_string()).await;
            let status = server.client.status("abc").await.unwrap();
            assert_eq!(status.overall, Some(OverallWord::Approved));
            assert_eq!(status.additional_steps, StepsVerdictWord::NotJudged);
            assert_eq!(status.auto_document.as_deref(), Some("DOC_VALIDATED"));
            assert_eq!(status.fraud_tags, ["NEW_TAG"]);
            assert_eq!(status.is_final, None);
            let sent = server.request().await;
            assert!(sent.head.starts_with("POST /api/v2/status HTTP/1.1"));
            assert_eq!(sent.json(), json!({"scanRef": "abc"}));
        });
    }
}

#[test]
fn files_come_with_fresh_links() {
    run(async {
        let body =
            json!({"FRONT": "https://files.example/f", "SECOND_DOC": "https://files.example/s"});
        let mut server = Server::answering(200, &body.to_string()).await;
        let files = server.client.files("abc").await.unwrap();
        assert_eq!(
            files.links_of("SECOND_DOC").collect::<Vec<_>>(),
            ["https://files.example/s"]
        );
        assert!(
            server
                .request()
                .await
                .head
                .starts_with("POST /api/v2/files HTTP/1.1")
        );
    });
}

#[test]
fn files_of_a_deleted_verification_are_an_error_even_with_200() {
    run(async {
        let body = r#"{"identifier":"BAD_VALUE","message":"Wrong scanRef","documentation":"https://documentation.idenfy.com"}"#;
        let error = Server::answering(200, body)
            .await
            .client
            .files("abc")
            .await
            .unwrap_err();
        assert_eq!(error.kind(), "rejected", "{error:?}");
    });
}

#[test]
fn a_verification_is_deleted_unless_the_answer_objects() {
    run(async {
        let mut server = Server::answering(200, "").await;
        server.client.delete("abc").await.unwrap();
        let sent = server.request().await;
        assert!(sent.head.starts_with("POST /api/v2/delete HTTP/1.1"));
        assert_eq!(sent.json(), json!({"scanRef": "abc"}));

        let active = r#"{"identifier":"PARTNER_ERROR","message":"Token has not expired yet."}"#;
        let error = Server::answering(400, active)
            .await
            .client
            .delete("abc")
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Rejected { identifier, .. } if identifier == "PARTNER_ERROR")
        );
    });
}

#[test]
fn a_base_url_s_path_is_kept_and_the_link_is_escaped() {
    let client = client("http://127.0.0.1:1/stand-in/?x=1#y");
    let link = client.redirect_link(&AuthToken::new("a b&c"));
    assert_eq!(
        link,
        "http://127.0.0.1:1/stand-in/api/v2/redirect?authToken=a+b%26c"
    );
}
