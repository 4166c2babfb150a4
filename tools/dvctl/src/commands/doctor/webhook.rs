//! Checks the webhook as iDenfy meets it: reachable, strict about signatures.

use std::time::Duration;

use adapters::{PROBE_BODY, SigningKeys};
use idenfy::SIGNATURE_HEADER;
use reqwest::header::DATE;
use verification::Timestamp;

use super::Check;
use crate::commands::Context;
use crate::failure::Failure;
use crate::when::describe;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// AWS refuses signatures older than five minutes.
const LARGEST_SKEW: Duration = Duration::from_secs(4 * 60);
const NOTABLE_SKEW: Duration = Duration::from_secs(30);

pub async fn checks(context: &Context<'_>, keys: Option<&SigningKeys>) -> Vec<Check> {
    let url = match context.stack.output("WebhookUrl") {
        Ok(url) => url,
        Err(failure) => return vec![Check::of("webhook", &failure)],
    };
    let (reachable, date) = reachable(context, url).await;
    let mut checks = vec![reachable, clock(context.now(), date.as_deref())];
    checks.push(match keys {
        Some(keys) => signed(context, url, keys).await,
        None => Check::failed("signature", "not checked", "make the secret usable first"),
    });
    checks
}

/// The function refuses this request at once.
async fn reachable(context: &Context<'_>, url: &str) -> (Check, Option<String>) {
    let answer = match context.http().get(url).timeout(ANSWER_TIMEOUT).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let failure = Failure::new("WebhookUrl is not reached").because(error.without_url());
            return (
                Check::failed(
                    "webhook",
                    failure.message(),
                    "check the network, and that WebhookFunction and its URL exist",
                ),
                None,
            );
        }
    };
    let date = answer
        .headers()
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .map(str::to_owned);
    let check = match answer.status().as_u16() {
        405 => Check::ok("webhook", "WebhookUrl is reached"),
        403 => Check::failed(
            "webhook",
            "WebhookUrl answers 403",
            "its URL must have AuthType NONE and allow public invocation: deploy the template \
             again",
        ),
        502 => Check::failed(
            "webhook",
            "WebhookUrl answers 502: the function ends before it answers",
            "see the log of WebhookFunction; `exec format error` means that it was built for \
             another processor than Architecture says (docs/DEPLOYING.md, arm64)",
        ),
        status => Check::failed(
            "webhook",
            format!("WebhookUrl answers {status} where 405 is due"),
            "see the log of WebhookFunction",
        ),
    };
    (check, date)
}

async fn signed(context: &Context<'_>, url: &str, keys: &SigningKeys) -> Check {
    let signature = keys.current().sign(PROBE_BODY.as_bytes());
    let request = context
        .http()
        .post(url)
        .timeout(ANSWER_TIMEOUT)
        .body(PROBE_BODY);
    let request = request
        .header("content-type", "application/json")
        .header(SIGNATURE_HEADER, signature);
    let status = match request.send().await {
        Ok(answer) => answer.status().as_u16(),
        Err(error) => {
            let failure =
                Failure::new("a signed callback is not answered").because(error.without_url());
            return Check::failed(
                "signature",
                failure.message(),
                "see the log of WebhookFunction",
            );
        }
    };
    match status {
        200 => Check::ok(
            "signature",
            "a callback signed with the current key is accepted",
        ),
        401 => Check::failed(
            "signature",
            "a callback signed with the current key is refused (401)",
            "the function reads a rotated secret within a minute: wait and repeat; then check \
             that the stack's parameter names the secret that you have changed",
        ),
        403 => Check::warning(
            "signature",
            "not checked: this machine's address is not in AllowedSourceIps",
            "run doctor from an allowed address",
        ),
        503 => Check::failed(
            "signature",
            "a signed callback could not be kept (503)",
            "see the log of WebhookFunction: a store is unavailable to it",
        ),
        status => Check::failed(
            "signature",
            format!("a signed callback is answered with {status}"),
            "see the log of WebhookFunction",
        ),
    }
}

/// Compares this machine's clock with the other side's.
fn clock(now: Timestamp, date: Option<&str>) -> Check {
    let Some(theirs) = date.and_then(read_date) else {
        return Check::warning(
            "clock",
            "not checked: the webhook's answer has no usable date",
            "compare this machine's clock with another",
        );
    };
    let skew = now.since(theirs).max(theirs.since(now));
    let found = format!("differs from AWS by {}", describe(skew));
    let advice = "set this machine's clock (NTP): AWS refuses signatures that are five minutes off";
    match skew {
        skew if skew > LARGEST_SKEW => Check::failed("clock", found, advice),
        skew if skew > NOTABLE_SKEW => Check::warning("clock", found, advice),
        _ => Check::ok("clock", found),
    }
}

/// Reads `Mon, 23 Nov 2026 08:00:00 GMT`, the only form that servers send.
fn read_date(date: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = date.strip_suffix(" GMT")?.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    format!("{year}-{month:02}-{day}T{time}Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn a_clock_is_judged_by_how_far_it_is_off() {
        let now: Timestamp = "2026-11-23T08:05:00Z".parse().unwrap();
        let result = |date| clock(now, date).result;
        assert_eq!(result(Some("Mon, 23 Nov 2026 08:05:10 GMT")), Health::Ok);
        assert_eq!(
            result(Some("Mon, 23 Nov 2026 08:04:00 GMT")),
            Health::Warning
        );
        assert_eq!(
            result(Some("Mon, 23 Nov 2026 08:10:00 GMT")),
            Health::Failed
        );
        assert_eq!(result(Some("yesterday")), Health::Warning);
        assert_eq!(result(None), Health::Warning);
    }
}
