//! The test's callbacks, as a function URL delivers them.
//!
//! (Source: "Invoking Lambda function URLs", request payload format 2.0.)

use adapters::PROBE_BODY;
use idenfy::{SIGNATURE_HEADER, SigningKey};
use serde_json::{Value, json};
use verification::Timestamp;

use crate::config::Source;

/// The probe, signed as iDenfy signs.
pub fn signed(key: &SigningKey, source: Source, now: Timestamp) -> Value {
    event(Some(&key.sign(PROBE_BODY.as_bytes())), source, now)
}

/// Callbacks that a version must refuse.
///
/// - The signature's last digit is wrong: a version that compares only a prefix accepts it.
/// - There is no signature.
/// - The signature is right for another body.
pub fn forged(key: &SigningKey, source: Source, now: Timestamp) -> [Value; 3] {
    let mut signature = key.sign(PROBE_BODY.as_bytes());
    let wrong = if signature.pop() == Some('0') {
        '1'
    } else {
        '0'
    };
    signature.push(wrong);
    let of_another = key.sign(format!("{PROBE_BODY} ").as_bytes());
    [Some(signature), None, Some(of_another)]
        .map(|signature| event(signature.as_deref(), source, now))
}

fn event(signature: Option<&str>, Source(source): Source, now: Timestamp) -> Value {
    let mut headers = json!({"content-type": "application/json", "host": "pre-traffic.invalid"});
    if let (Some(signature), Some(headers)) = (signature, headers.as_object_mut()) {
        headers.insert(SIGNATURE_HEADER.to_ascii_lowercase(), json!(signature));
    }
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "pre-traffic",
            "domainName": "pre-traffic.invalid",
            "domainPrefix": "pre-traffic",
            "http": {
                "method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": source,
                "userAgent": "pre-traffic",
            },
            "requestId": "pre-traffic",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": now.milliseconds(),
        },
        "body": PROBE_BODY,
        "isBase64Encoded": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(event: &Value) -> &str {
        event["headers"]["idenfy-signature"].as_str().unwrap()
    }

    #[test]
    fn a_forged_callback_differs_in_its_signature_alone() {
        // Enough keys for signatures that end in each digit.
        for number in 0..100 {
            let key = SigningKey::new(format!("key {number}")).unwrap();
            let now = Timestamp::from_milliseconds(0);
            let signed = signed(&key, Source::default(), now);
            let [mut forged, unsigned, of_another] = forged(&key, Source::default(), now);
            assert_eq!(unsigned["headers"].get("idenfy-signature"), None);
            assert_ne!(signature(&of_another), signature(&signed));
            assert_eq!(of_another["body"], signed["body"]);
            assert_eq!(signature(&signed), key.sign(PROBE_BODY.as_bytes()));
            let digits = signature(&signed).bytes().zip(signature(&forged).bytes());
            assert_eq!(digits.filter(|(right, wrong)| right != wrong).count(), 1);
            assert_eq!(signature(&forged).len(), 64);
            assert!(
                signature(&forged)
                    .bytes()
                    .all(|digit| digit.is_ascii_hexdigit())
            );
            forged["headers"]["idenfy-signature"] = signed["headers"]["idenfy-signature"].clone();
            assert_eq!(signed, forged);
        }
    }
}
