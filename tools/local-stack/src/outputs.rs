//! Stack outputs as addresses on this machine. CloudFormation names a function or an HTTP API by
//! its address in AWS; here the emulator serves it.

use std::collections::BTreeMap;

use url::{Host, Url};

/// Replaces addresses in AWS, `https://<id>.lambda-url.<region>.on.aws/` and
/// `https://<id>.execute-api.<region>.amazonaws.com/`, by the emulator's path-style form
/// `http://127.0.0.1:<port>/_aws/lambda-url/<id>/`. That form needs no name server and no Host
/// header. All else stays.
pub fn make_reachable(
    outputs: BTreeMap<String, String>,
    endpoint: &Url,
) -> BTreeMap<String, String> {
    outputs
        .into_iter()
        .map(|(name, value)| {
            let value = reachable_url(&value, endpoint).unwrap_or(value);
            (name, value)
        })
        .collect()
}

/// The same for one address; `None` if it is no function's or API's in AWS.
pub fn reachable_url(value: &str, endpoint: &Url) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let path = match (
        host.split_once(".lambda-url."),
        host.split_once(".execute-api."),
    ) {
        (Some((id, rest)), _) if rest.ends_with(".on.aws") => format!("/_aws/lambda-url/{id}"),
        // The stage is named there, also the default one.
        (_, Some((id, rest))) if rest.ends_with(".amazonaws.com") => {
            format!("/_aws/execute-api/{id}/$default")
        }
        _ => return None,
    };
    let mut reachable = endpoint.clone();
    reachable.set_path(&format!("{path}{}", url.path()));
    Some(reachable.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_the_emulator_and_the_rest_stays() {
        let endpoint = Url::parse("http://127.0.0.1:4566/").unwrap();
        let outputs = BTreeMap::from([
            (
                "WebhookUrl".to_owned(),
                "https://abc123.lambda-url.eu-west-1.on.aws/".to_owned(),
            ),
            (
                "HttpApi".to_owned(),
                "https://abc123.execute-api.eu-west-1.amazonaws.com/".to_owned(),
            ),
            ("PairingTableName".to_owned(), "table".to_owned()),
            (
                "SubmissionQueueUrl".to_owned(),
                "http://127.0.0.1:4566/000000000000/q".to_owned(),
            ),
        ]);
        let reachable = make_reachable(outputs, &endpoint);
        assert_eq!(
            reachable["WebhookUrl"],
            "http://127.0.0.1:4566/_aws/lambda-url/abc123/"
        );
        assert_eq!(
            reachable["HttpApi"],
            "http://127.0.0.1:4566/_aws/execute-api/abc123/$default/"
        );
        assert_eq!(reachable["PairingTableName"], "table");
        assert_eq!(
            reachable["SubmissionQueueUrl"],
            "http://127.0.0.1:4566/000000000000/q"
        );
    }
}
