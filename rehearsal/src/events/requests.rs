//! Requests as a function URL hands them over. (Source: "Invoking Lambda function URLs", request
//! payload format 2.0.)

use serde_json::{Value, json};

/// What a provider sends to the webhook.
pub fn callback(method: &str, signature: Option<&str>, body: &str) -> Value {
    let mut headers = json!({"content-type": "application/json",
        "idenfy-event-type": "IDENTIFICATION_MANUAL_FINISHED",
        "host": "url-id.lambda-url.eu-west-1.on.aws"});
    if let (Some(signature), Some(headers)) = (signature, headers.as_object_mut()) {
        headers.insert("idenfy-signature".to_owned(), json!(signature));
    }
    request(&Request {
        method,
        path: "/",
        query: "",
        headers,
        account_id: "anonymous",
        body,
    })
}

/// The same as an HTTP API of API Gateway hands it over. (Source: "Create AWS Lambda proxy
/// integrations for HTTP APIs in API Gateway", payload format version 2.0.)
pub fn by_http_api(mut callback: Value) -> Value {
    let host = "api-id.execute-api.eu-west-1.amazonaws.com";
    if let Some(headers) = callback.get_mut("headers").and_then(Value::as_object_mut) {
        headers.insert("host".to_owned(), json!(host));
        headers.insert("x-forwarded-for".to_owned(), json!("192.0.2.1"));
        headers.insert("x-forwarded-port".to_owned(), json!("443"));
        headers.insert("x-forwarded-proto".to_owned(), json!("https"));
    }
    if let Some(context) = callback
        .get_mut("requestContext")
        .and_then(Value::as_object_mut)
    {
        context.insert("accountId".to_owned(), json!("000000000000"));
        context.insert("apiId".to_owned(), json!("api-id"));
        context.insert("domainName".to_owned(), json!(host));
        context.insert("domainPrefix".to_owned(), json!("api-id"));
        context.insert("requestId".to_owned(), json!("SPECIMENoFiAEMAg="));
    }
    callback
}

/// An application's request to the API after Lambda has checked its signature. `target` is the path
/// and, after a question mark, the query.
pub fn application(method: &str, target: &str, body: &str) -> Value {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut event = request(&Request {
        method,
        path,
        query,
        headers: json!({"content-type": "application/json",
            "host": "url-id.lambda-url.eu-west-1.on.aws"}),
        account_id: "000000000000",
        body,
    });
    let caller = json!({"iam": {
        "accessKey": "ASIASPECIMEN",
        "accountId": "000000000000",
        "callerId": "AROASPECIMEN:application",
        "cognitoIdentity": null,
        "principalOrgId": null,
        "userArn": "arn:aws:sts::000000000000:assumed-role/application/application",
        "userId": "AROASPECIMEN:application"
    }});
    if let Some(context) = event
        .get_mut("requestContext")
        .and_then(Value::as_object_mut)
    {
        context.insert("authorizer".to_owned(), caller);
    }
    event
}

struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Value,
    account_id: &'a str,
    body: &'a str,
}

fn request(request: &Request<'_>) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": request.headers,
        "requestContext": {
            "accountId": request.account_id,
            "apiId": "url-id",
            "domainName": "url-id.lambda-url.eu-west-1.on.aws",
            "domainPrefix": "url-id",
            "http": {"method": request.method, "path": request.path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1", "userAgent": "sample"},
            "requestId": "00000000-0000-4000-8000-000000000000",
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:08:21:03 +0000",
            "timeEpoch": 1_795_422_063_000_i64
        },
        "body": request.body,
        "isBase64Encoded": false
    })
}
