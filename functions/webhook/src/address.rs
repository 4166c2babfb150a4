//! What of a request `lambda_http` makes an address of.

use lambda_http::LambdaEvent;
use lambda_http::http::header::HOST;
use lambda_http::request::LambdaRequest;

/// Takes the address out of an event. Nothing here reads it.
///
/// `lambda_http` panics where it cannot make a URI of path, query and host. Anybody could then have
/// this function answer 502, without a signature: an alarm that brings a good version back.
pub fn without_address(mut event: LambdaEvent<LambdaRequest>) -> LambdaEvent<LambdaRequest> {
    if let LambdaRequest::ApiGatewayV2(request) = &mut event.payload {
        request.raw_path = Some("/".to_owned());
        request.raw_query_string = None;
        request.request_context.stage = None;
        request.request_context.domain_name = None;
        request.headers.remove(HOST);
        request.headers.remove("x-forwarded-proto");
        request.headers.remove("x-forwarded-port");
    }
    event
}

#[cfg(test)]
mod tests {
    use lambda_http::{Context, Request};
    use serde_json::{Value, json};

    use super::*;

    fn event(path: &str, query: &str, headers: &Value) -> LambdaEvent<LambdaRequest> {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": headers, "body": "{}", "isBase64Encoded": false,
            "requestContext": {
                "accountId": "anonymous", "apiId": "id", "stage": "$default",
                "domainName": "id.lambda-url.eu-west-1.on.aws", "domainPrefix": "id",
                "http": {
                    "method": "POST", "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.1", "userAgent": "a",
                },
                "requestId": "r", "routeKey": "$default", "time": "", "timeEpoch": 0
            },
        });
        LambdaEvent::new(serde_json::from_value(event).unwrap(), Context::default())
    }

    /// Each would make `lambda_http` panic.
    #[test]
    fn no_address_ends_the_function() {
        let long = "a".repeat(70_000);
        for (path, query, headers) in [
            ("/", "\"", json!({})),
            ("/", "<", json!({})),
            ("/", "a b", json!({})),
            ("/", long.as_str(), json!({})),
            ("", "", json!({"host": "a:99999"})),
            ("/", "", json!({"host": "a", "x-forwarded-proto": "a b"})),
        ] {
            let event = event(path, query, &headers);
            let request = Request::from(without_address(event).payload);
            assert_eq!(request.method(), "POST");
        }
    }

    #[test]
    fn what_is_read_stays() {
        let event = event("/", "", &json!({"idenfy-signature": "s", "host": "a"}));
        let request = Request::from(without_address(event).payload);
        assert_eq!(request.headers()["idenfy-signature"], "s");
        assert_eq!(request.body().as_ref(), b"{}");
    }
}
