//! What a function with this program answers.

use std::str::FromStr;

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

use crate::problem::Problem;

/// The template's `SeparateErasure` decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routes {
    All,
    /// Another function erases, at an address of its own.
    AllButErasure,
    ErasureAlone,
}

impl FromStr for Routes {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "All" => Ok(Self::All),
            "AllButErasure" => Ok(Self::AllButErasure),
            "ErasureAlone" => Ok(Self::ErasureAlone),
            _ => Err("All, AllButErasure or ErasureAlone"),
        }
    }
}

impl Routes {
    /// `own_account` is the stack's.
    ///
    /// # Errors
    /// Erasing is not for this address, or not for this caller.
    pub fn permit_erasure(self, request: &Request, own_account: &str) -> Result<(), Problem> {
        match self {
            Self::AllButErasure => Err(Problem::erasure_not_allowed(
                "Erasing has an address of its own: the stack's output ErasureUrl.",
            )),
            Self::All | Self::ErasureAlone => match callers_account(request) {
                // An emulator names no caller.
                None => Ok(()),
                Some(account) if account == own_account => Ok(()),
                Some(_) => Err(Problem::erasure_not_allowed(
                    "Callers of another account may not erase.",
                )),
            },
        }
    }
}

fn callers_account(request: &Request) -> Option<&str> {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return None;
    };
    let iam = context.authorizer.as_ref()?.iam.as_ref()?;
    iam.account_id
        .as_deref()
        .or_else(|| account_in(iam.user_arn.as_deref()?))
}

fn account_in(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use lambda_http::request;
    use serde_json::{Value, json};

    use super::*;

    const OWN: &str = "123456789012";

    fn request(iam: &Value) -> Request {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/verifications/a",
            "rawQueryString": "", "headers": {},
            "requestContext": {
                "accountId": "123456789012", "apiId": "id",
                "domainName": "id.lambda-url.eu-west-1.on.aws", "domainPrefix": "id",
                "http": {
                    "method": "DELETE", "path": "/verifications/a", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "a",
                },
                "authorizer": {"iam": iam}, "requestId": "r", "routeKey": "$default",
                "stage": "$default", "time": "", "timeEpoch": 0
            },
            "isBase64Encoded": false
        });
        request::from_str(&event.to_string()).unwrap()
    }

    #[test]
    fn callers_of_another_account_may_not_erase() {
        let role = |account| format!("arn:aws:sts::{account}:assumed-role/shop/1");
        for (iam, may) in [
            (
                json!({"accountId": "123456789012", "userArn": role("123456789012")}),
                true,
            ),
            (
                json!({"accountId": "111122223333", "userArn": role("111122223333")}),
                false,
            ),
            (json!({"userArn": role("111122223333")}), false),
            // An emulator's.
            (Value::Null, true),
        ] {
            for routes in [Routes::All, Routes::ErasureAlone] {
                assert_eq!(
                    routes.permit_erasure(&request(&iam), OWN).is_ok(),
                    may,
                    "{iam}"
                );
            }
            assert!(
                Routes::AllButErasure
                    .permit_erasure(&request(&iam), OWN)
                    .is_err()
            );
        }
    }
}
