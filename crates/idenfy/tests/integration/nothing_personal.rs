//! Formats every public type with an invented person's data, and searches the output for them.

use std::error::Error as _;
use std::fmt::Debug;

use bytes::Bytes;
use idenfy::{
    AdditionalSteps, AuthToken, Callback, CreateToken, Credentials, Operation, OverallWord,
    SigningKey, SigningKeys, VerifiedBody,
};
use serde_json::{Value, json};

use crate::callbacks::{FIXTURES, callback};
use crate::process::{image, submission};
use crate::server::{KEY, SECRET, Server, client, run};

/// Both ways of formatting for debugging.
fn shown(value: &impl Debug) -> String {
    format!("{value:?}\n{value:#?}")
}

/// An error with everything that it is caused by.
fn told(error: &idenfy::Error) -> String {
    let mut text = format!("{error}\n{}", shown(error));
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}\n{error}\n{error:?}");
        cause = error.source();
    }
    text
}

#[track_caller]
fn hides(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(
            !text.contains(secret.as_str()),
            "{secret:?} shows in {text}"
        );
    }
}

/// Every personal text of the fixture: not the reference, verdicts, steps and the company's own id.
/// Texts of fewer than four characters would match by chance.
fn personal(body: &[u8]) -> Vec<String> {
    fn collect(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::String(text) if text.chars().count() > 3 => texts.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
            Value::Object(members) => members.values().for_each(|member| collect(member, texts)),
            _ => {}
        }
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let mut texts = Vec::new();
    for (name, value) in body.as_object().unwrap() {
        if !["scanRef", "status", "additionalSteps", "final"].contains(&name.as_str()) {
            collect(value, &mut texts);
        }
    }
    texts
}

#[test]
fn a_callback_shows_nobody_and_no_link() {
    for (name, body) in FIXTURES {
        let mut secrets = personal(body);
        assert!(secrets.len() > 1 || *name == "nulls_everywhere", "{name}");
        secrets.extend(["https://", "Signature", "Ona", "ONA"].map(str::to_owned));
        let verified = VerifiedBody::previously_verified(Bytes::from_static(body));
        let Callback {
            status,
            file_urls,
            additional_step_pdf_urls,
            ..
        } = callback(name);
        hides(&shown(&verified), &secrets);
        hides(&shown(&verified.parse()), &secrets);
        hides(&shown(&verified.identity()), &secrets);
        hides(
            &shown(&(status, file_urls, additional_step_pdf_urls)),
            &secrets,
        );
        // Cut off anywhere, the error shows nothing either.
        let cut =
            VerifiedBody::previously_verified(Bytes::from_static(body).slice(..body.len() - 3));
        let error = cut.parse().unwrap_err();
        hides(&format!("{error} {:?} {error:?}", error.source()), &secrets);
    }
}

#[test]
fn secrets_and_requests_show_nothing() {
    let secrets = ["ona@", "secret", "https://app", "key-"].map(str::to_owned);
    let key = SigningKey::new("secret-key").unwrap();
    hides(&shown(&key), &secrets);
    hides(&shown(&SigningKeys::new(vec![key])), &secrets);
    hides(&shown(&Credentials::new("key-1", "secret-2")), &secrets);
    hides(&shown(&AuthToken::new("secret-token")), &secrets);
    hides(
        &shown(&client("http://user:secret-password@127.0.0.1/secret-path")),
        &secrets,
    );
    let request = CreateToken {
        external_ref: Some("ona@mail.example".to_owned()),
        success_url: Some("https://app.example/ona@".parse().unwrap()),
        additional_steps: AdditionalSteps::Given(json!({"ALL": {"ALL": {"secret": {}}}})),
        ..CreateToken::new("ona@mail.example")
    };
    hides(&shown(&request), &secrets);
    let mut submission = submission(vec![image(
        "FRONT",
        6,
        vec![Ok(Bytes::from_static(b"secret"))],
    )]);
    submission.token = AuthToken::new("secret-token");
    hides(&shown(&submission), &secrets);
    hides(&shown(&OverallWord::from("secret ona@")), &secrets);
}

/// What the provider might say about the person, in an error and in a success.
fn gossip() -> Value {
    json!({
        "message": "Ona Petraityte, token secret-token", "identifier": "Ona Petraityte",
        "documentation": "https://files.example/ona",
        "authToken": "secret-token", "scanRef": "abc",
        "redirectUrl": "https://ui.example/?authToken=secret-token",
        "status": "Ona Petraityte", "docFirstName": "Ona", "docType": "Ona Petraityte",
        "clientId": "ona@mail.example",
        "FRONT": "https://files.example/ona",
        "results": [{"scanRef": "abc", "status": "Ona"}, {"scanRef": "Ona Petraityte"}],
    })
}

#[test]
fn answers_and_errors_show_nothing_of_what_the_provider_said() {
    let secrets = ["Ona", "ONA", "ona@", "secret", "https://", KEY, SECRET].map(str::to_owned);
    for status in [200, 302, 400, 401, 409, 500] {
        run(async {
            let body = gossip()
                .to_string()
                .replace("\"status\":\"Ona\"", "\"status\":\"ACTIVE\"");
            let client = || async { Server::answering(status, &body).await.client };
            let request = CreateToken::new("ona@mail.example");
            let answers = [
                client()
                    .await
                    .create_token(&request)
                    .await
                    .map(|token| shown(&token)),
                client()
                    .await
                    .status("abc")
                    .await
                    .map(|status| shown(&status)),
                client().await.files("abc").await.map(|files| shown(&files)),
                client().await.delete("abc").await.map(|()| String::new()),
                client()
                    .await
                    .process(submission(vec![]))
                    .await
                    .map(|()| String::new()),
            ];
            for answer in answers {
                hides(&answer.unwrap_or_else(|error| told(&error)), &secrets);
            }
        });
    }
}

#[test]
fn a_failed_connection_shows_neither_client_nor_credentials() {
    run(async {
        let error = client("http://127.0.0.1:1/")
            .status("ona@mail.example")
            .await
            .unwrap_err();
        hides(&told(&error), &["ona", KEY, SECRET].map(str::to_owned));
    });
}

#[test]
fn an_exchange_holds_the_answer_and_hides_it() {
    run(async {
        let body = r#"{"authToken":"secret-token","scanRef":"s","questionnaire":null}"#;
        let mut server = Server::answering(201, body).await;
        let request = json!({"clientId": "c"});
        let answer = server.client.exchange(Operation::Token, &request).await;
        let answer = answer.unwrap();
        assert_eq!((answer.status(), answer.identifier()), (201, None));
        assert!(answer.members().unwrap()["questionnaire"].is_null());
        assert!(answer.has_header("Content-Type") && !answer.has_header("Retry-After"));
        assert_eq!(answer.token(60).unwrap().expiry_seconds, 60);
        assert_eq!(
            answer.deletion().unwrap_err().kind(),
            "rejected_without_identifier"
        );
        hides(&shown(&answer), &["secret-token".to_owned()]);
        assert_eq!(server.request().await.json(), request);
    });
}
