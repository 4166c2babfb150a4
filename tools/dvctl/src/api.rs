//! The deployment's own API. An operator can do only what an application can.

use api_client::{ApiClient, Credentials};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Debug)]
pub struct Api(ApiClient);

/// A problem (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    field: String,
    message: String,
}

impl Api {
    pub fn new(http: reqwest::Client, url: &str, region: &str, credentials: Credentials) -> Self {
        Self(ApiClient::new(http, url, region, credentials))
    }

    /// Sends one request and reads the answer.
    ///
    /// # Errors
    /// There is no answer, or it is a problem, which becomes the message.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = self.0.send(method, path, body).await.map_err(|error| {
            Failure::new("the API was not reached")
                .because(error)
                .advise(
                    "`dvctl doctor` tells more; whether the request had an effect is \
                    unknown, so look before you repeat it",
                )
        })?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.map_err(|error| {
            Failure::new("the API's answer was cut off")
                .because(error.without_url())
                .advise(
                    "whether the request had an effect is unknown, so look before you repeat it",
                )
        })?;
        if status < 300 {
            return serde_json::from_slice(&bytes).map_err(|_| {
                Failure::new(format!("the API's answer (HTTP {status}) cannot be read"))
            });
        }
        Err(problem(
            status,
            serde_json::from_slice(&bytes).unwrap_or_default(),
        ))
    }
}

fn problem(status: u16, problem: Problem) -> Failure {
    let Problem {
        code,
        detail,
        errors,
    } = problem;
    if code.is_empty() {
        // Lambda itself answered, not the function.
        let failure = Failure::new(format!("the API refused (HTTP {status})"));
        return match status {
            403 => failure.advise(
                "you need lambda:InvokeFunctionUrl and lambda:InvokeFunction on ApiFunction, in \
                 the stack's own account; also check your clock",
            ),
            429 | 502..=504 => failure.advise(
                "the function is throttled or broken: see its \
                log, and try again",
            ),
            _ => failure,
        };
    }
    let fields: Vec<String> = errors
        .into_iter()
        .map(|error| format!("{} {}", error.field, error.message))
        .collect();
    let fields = if fields.is_empty() {
        String::new()
    } else {
        format!(": {}", fields.join("; "))
    };
    let failure = Failure::new(format!("{detail}{fields} ({code})")).with_exit(match status {
        404 => Exit::NotFound,
        400 => Exit::Usage,
        _ => Exit::Failed,
    });
    match code.as_str() {
        "verification_not_found" => failure.advise(
            "check the scanRef and --stack; a verification is forgotten \
                RetentionDays after its last change",
        ),
        "not_parked" => failure.advise("`dvctl show` tells what happens next with it"),
        "at_rest" => failure.advise("nothing has to be done; `dvctl show` tells why it rests"),
        "held" => failure.advise("wait, and ask again"),
        "still_parked" => failure.advise(
            "change what the reason is about (a parameter of the template, or \
                the verification at iDenfy), then retry",
        ),
        "callback_gone" => failure.advise(
            "have iDenfy send the callback again from its dashboard; without it \
                there are no files to submit",
        ),
        "storage_unavailable" | "provider_unavailable" | "rate_limited" => {
            failure.advise("wait a moment and try again")
        }
        "secret_unavailable" | "secret_malformed" | "provider_account" => {
            failure.advise("`dvctl doctor` checks the secret and the account")
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(status: u16, body: Value) -> Failure {
        problem(status, serde_json::from_value(body).unwrap_or_default())
    }

    #[test]
    fn problems_keep_their_code_and_name_every_field() {
        let failure = read(
            400,
            json!({
                "code": "invalid_request",
                "detail": "Fields.",
                "errors": [{"field": "country", "message": "must be two letters"}],
            }),
        );
        assert_eq!(
            failure.message(),
            "Fields.: country must be two letters (invalid_request)"
        );
        assert_eq!(failure.exit, Exit::Usage);
        assert_eq!(
            read(
                404,
                json!({"code": "verification_not_found", "detail": "None."})
            )
            .exit,
            Exit::NotFound
        );
        assert_eq!(
            read(409, json!({"code": "not_parked", "detail": "No."})).exit,
            Exit::Failed
        );
    }

    #[test]
    fn what_lambda_refuses_itself_is_explained() {
        let failure = read(403, json!({"Message": "Forbidden"}));
        assert!(
            failure.message().contains("HTTP 403")
                && failure
                    .advice()
                    .unwrap()
                    .contains("lambda:InvokeFunctionUrl")
        );
    }
}
