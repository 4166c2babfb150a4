//! The header `Idempotency-Key`.

use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use serde_json::{Map, Value};
use verification::session_key::IdempotentRequest;

use crate::problem::FieldError;

/// Names a request that may be repeated.
const KEY: &str = "Idempotency-Key";

/// Marks an answer that repeats an earlier one.
pub const REPLAYED: &str = "Idempotency-Replayed";

const LONGEST_KEY: usize = 255;

/// `None`: the request has no key.
///
/// # Errors
/// The key is not 1 to 255 visible ASCII characters, or there are several.
pub fn read(
    request: &Request,
    body: &Map<String, Value>,
) -> Result<Option<IdempotentRequest>, FieldError> {
    let mut keys = request.headers().get_all(KEY).iter();
    let Some(key) = keys.next() else {
        return Ok(None);
    };
    let is_valid = |key: &&str| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = key
        .to_str()
        .ok()
        .filter(is_valid)
        .filter(|_| keys.next().is_none());
    let key = key.ok_or_else(|| FieldError {
        field: KEY.to_owned(),
        message: format!("must be one key of 1 to {LONGEST_KEY} visible ASCII characters"),
    })?;
    // A repeat may have other white space or another order of members. So normalised JSON is
    // compared, with its members sorted.
    let body = Value::Object(body.clone()).to_string();
    Ok(Some(IdempotentRequest::new(
        &caller(request),
        key,
        body.as_bytes(),
    )))
}

/// The principal that Lambda has authenticated. An emulator names none: all callers are one.
pub fn principal(request: &Request) -> &str {
    let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() else {
        return "";
    };
    let iam = context
        .authorizer
        .as_ref()
        .and_then(|authorizer| authorizer.iam.as_ref());
    let arn = iam.and_then(|iam| iam.user_arn.as_deref().or(iam.account_id.as_deref()));
    arn.unwrap_or_default()
}

/// The caller, whichever session it has.
fn caller(request: &Request) -> String {
    let arn = principal(request);
    // `arn:aws:sts::<account>:assumed-role/<role>/<session>`: a repeat may come from another
    // instance of the application, with another session.
    let role = arn.rsplit_once('/').map(|(role, _session)| role);
    role.filter(|_| arn.contains(":assumed-role/"))
        .unwrap_or(arn)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use lambda_http::http::HeaderValue;
    use lambda_http::request::from_str;
    use serde_json::json;

    use super::*;

    fn request(arn: Option<&str>, keys: &[&[u8]]) -> Request {
        let iam = arn.map(|arn| json!({"iam": {"userArn": arn, "accountId": "123456789012"}}));
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/sessions",
            "rawQueryString": "", "headers": {},
            "requestContext": {
                "accountId": "123456789012", "apiId": "id",
                "domainName": "id.lambda-url.eu-west-1.on.aws", "domainPrefix": "id",
                "http": {
                    "method": "POST", "path": "/sessions", "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "a",
                },
                "authorizer": iam, "requestId": "r", "routeKey": "$default", "stage": "$default",
                "time": "", "timeEpoch": 0
            },
            "isBase64Encoded": false
        });
        let mut request = from_str(&event.to_string()).unwrap();
        for key in keys {
            request
                .headers_mut()
                .append(KEY, HeaderValue::from_bytes(key).unwrap());
        }
        request
    }

    fn members(json: &str) -> Map<String, Value> {
        serde_json::from_str(json).unwrap()
    }

    fn id(arn: Option<&str>, key: &str, body: &str) -> IdempotentRequest {
        read(&request(arn, &[key.as_bytes()]), &members(body))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn no_header_is_no_key() {
        assert_eq!(read(&request(None, &[]), &Map::new()).unwrap(), None);
    }

    #[test]
    fn a_key_is_1_to_255_visible_ascii_characters() {
        for key in ["~", "!", &"k".repeat(255)] {
            assert!(
                read(&request(None, &[key.as_bytes()]), &Map::new()).is_ok(),
                "{key}"
            );
        }
        let long = "k".repeat(256);
        for bad in [
            &b""[..],
            b"a b",
            b" ",
            b"a, b",
            b"\xc5\xbe",
            long.as_bytes(),
        ] {
            let error = read(&request(None, &[bad]), &Map::new()).unwrap_err();
            assert_eq!(error.field, "Idempotency-Key", "{bad:?}");
        }
        assert!(read(&request(None, &[b"one", b"two"]), &Map::new()).is_err());
    }

    #[test]
    fn the_same_members_in_another_order_are_the_same_request() {
        let one = id(
            None,
            "k",
            r#"{"clientId": "c", "secondDocument": {"country": "LT", "documentType": "PASSPORT"}}"#,
        );
        let two = id(
            None,
            "k",
            r#"{"secondDocument":{"documentType":"PASSPORT","country":"LT"},"clientId":"c"}"#,
        );
        assert_eq!(one, two);
        let other = id(None, "k", r#"{"clientId": "d"}"#);
        assert_eq!(one.key, other.key);
        assert_ne!(one.body, other.body);
    }

    #[test]
    fn the_sessions_of_a_role_are_one_caller() {
        let key = |arn: &str| id(Some(arn), "k", "{}").key;
        let role = "arn:aws:sts::123456789012:assumed-role/shop";
        assert_eq!(
            key(&format!("{role}/instance-1")),
            key(&format!("{role}/instance-2"))
        );
        let others = [
            "arn:aws:sts::123456789012:assumed-role/other/instance-1",
            "arn:aws:sts::210987654321:assumed-role/shop/instance-1",
            "arn:aws:iam::123456789012:user/team/one",
            "arn:aws:iam::123456789012:user/team/two",
        ];
        let mut keys: Vec<_> = others.into_iter().map(key).collect();
        keys.push(key(&format!("{role}/instance-1")));
        keys.push(id(None, "k", "{}").key);
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 6);
    }
}
