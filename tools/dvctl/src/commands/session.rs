//! `dvctl session`: creates a session through the API.

use std::fmt;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use verification::Timestamp;

use super::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// Create a session, and print the link to send the customer to
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl session --client-id customer-1
    dvctl session --client-id customer-1 --country LT --second-country PL --locale lt
    open \"$(dvctl --json session --client-id customer-1 | jq -r .redirectUrl)\"

The link opens the customer's session; anyone who has it can use it. An opened session costs a
credit at iDenfy. The API names every wrong value at once.")]
pub struct Arguments {
    /// Your own opaque name for the customer, 1 to 100 ASCII characters
    #[arg(long, value_name = "CLIENTID")]
    client_id: String,

    /// Country of the first document (ISO 3166-1 alpha-2)
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,

    /// Language of the pages, such as lt
    #[arg(long, value_name = "LOCALE")]
    locale: Option<String>,

    /// Types of the first document, such as PASSPORT; may be repeated or separated by commas
    #[arg(long = "document", value_name = "TYPE", value_delimiter = ',')]
    documents: Vec<String>,

    /// Where the customer goes after a success
    #[arg(long, value_name = "URL")]
    success_url: Option<String>,

    /// Where the customer goes after a failure
    #[arg(long, value_name = "URL")]
    error_url: Option<String>,

    /// Where the customer goes if the result is not there yet
    #[arg(long, value_name = "URL")]
    unverified_url: Option<String>,

    /// Your own reference, at most 40 characters
    #[arg(long, value_name = "TEXT")]
    external_ref: Option<String>,

    /// Until the customer must have started, 0 to 2,592,000 seconds
    #[arg(long, value_name = "SECONDS")]
    expiry_seconds: Option<u64>,

    /// From starting to finishing, 60 to 3,600 seconds
    #[arg(long, value_name = "SECONDS")]
    session_seconds: Option<u64>,

    /// Country of the second document (ISO 3166-1 alpha-2)
    #[arg(long, value_name = "COUNTRY")]
    second_country: Option<String>,

    /// Type of the second document, such as ID_CARD; without it, iDenfy detects it
    #[arg(long, value_name = "TYPE")]
    second_type: Option<String>,
}

/// The API's answer without the bare token.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Session {
    scan_ref: String,
    redirect_url: String,
    expires_at: Timestamp,
    /// Why no customer of this session can settle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

#[derive(Serialize, Deserialize)]
struct Warning {
    code: String,
    message: String,
}

pub async fn run(context: &mut Context<'_>, arguments: Arguments) -> Result<Exit, Failure> {
    let api = context.api().await?;
    let session: Session = api
        .ask(Method::POST, "/sessions", Some(&body(arguments)))
        .await?;
    context.output.answer(&session)?;
    Ok(Exit::Done)
}

fn body(arguments: Arguments) -> Value {
    let second = members([
        ("country", arguments.second_country.map(Value::from)),
        ("documentType", arguments.second_type.map(Value::from)),
    ]);
    let body = members([
        ("clientId", Some(arguments.client_id.into())),
        ("country", arguments.country.map(Value::from)),
        ("locale", arguments.locale.map(Value::from)),
        (
            "documents",
            (!arguments.documents.is_empty()).then(|| json!(arguments.documents)),
        ),
        ("successUrl", arguments.success_url.map(Value::from)),
        ("errorUrl", arguments.error_url.map(Value::from)),
        ("unverifiedUrl", arguments.unverified_url.map(Value::from)),
        ("externalRef", arguments.external_ref.map(Value::from)),
        ("expirySeconds", arguments.expiry_seconds.map(Value::from)),
        ("sessionSeconds", arguments.session_seconds.map(Value::from)),
        (
            "secondDocument",
            (!second.is_empty()).then_some(Value::Object(second)),
        ),
    ]);
    Value::Object(body)
}

fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Map<String, Value> {
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "scanRef  {}", self.scan_ref)?;
        writeln!(f, "expires  {}", self.expires_at)?;
        writeln!(f, "link     {}", self.redirect_url)?;
        self.warnings
            .iter()
            .try_for_each(|warning| writeln!(f, "warning  {}", warning.message))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn only_what_was_given_is_sent() {
        let body_of = |words: &[&str]| body(Line::parse_from([&["x"], words].concat()).arguments);
        assert_eq!(body_of(&["--client-id", "c"]), json!({"clientId": "c"}));
        assert_eq!(
            body_of(&[
                "--client-id",
                "c",
                "--document",
                "PASSPORT,ID_CARD",
                "--second-country",
                "PL",
                "--session-seconds",
                "60"
            ]),
            json!({
                "clientId": "c",
                "documents": ["PASSPORT", "ID_CARD"],
                "secondDocument": {"country": "PL"},
                "sessionSeconds": 60,
            })
        );
    }
}
