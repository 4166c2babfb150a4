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
    event(&key.sign(PROBE_BODY.as_bytes()), source, now)
}

/// The same with the signature's last digit wrong.
///
/// A version that compares only a prefix accepts it.
pub fn forged(key: &SigningKey, source: Source, now: Timestamp) -> Value {
    let mut signature = key.sign(PROBE_BODY.as_bytes());
    let wrong = if signature.pop() == Some('0') {
        '1'
    } else {
        '0'
    };
    signature.push(wrong);
    event(&signature, source, now)
}

fn event(signature: &str, Source(source): Source, now: Timestamp) -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {
            "content-type": "application/json",
            "host": "pre-traffic.invalid",
            SIGNATURE_HEADER.to_ascii_lowercase(): signature,
        },
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
    fn a_forged_callback_differs_in_one_digit_of_its_signature() {
        // Enough keys for signatures that end in each digit.
        for number in 0..100 {
            let key = SigningKey::new(format!("key {number}")).unwrap();
            let now = Timestamp::from_milliseconds(0);
            let (signed, mut forged) = (
                signed(&key, Source::default(), now),
                forged(&key, Source::default(), now),
            );
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
