//! A provider behind an address: the flow's calls by its own client, all others as they are.

use async_trait::async_trait;
use futures_util::StreamExt;
use harness::pictures;
use idenfy::{
    AdditionalSteps, AuthToken, Client, CreateToken, Credentials, Error, Image, Questionnaire,
    Submission, TokenField, TokenType,
};
use provider_cases::{Key, Refusal, Subject, Token, TokenKind, WireAnswer};
use serde_json::Value;

pub struct OverHttp {
    http: reqwest::Client,
    client: Client,
    url: String,
    key: (String, String),
    /// Keeps apart the clients of two runs against one account.
    run: String,
}

impl OverHttp {
    pub fn new(url: &str, key: &str, secret: &str) -> Self {
        let http = adapters::http_client().expect("an HTTP client");
        let credentials = Credentials::new(key, secret);
        Self {
            client: Client::new(http.clone(), url.parse().expect("an address"), credentials),
            http,
            url: url.trim_end_matches('/').to_owned(),
            key: (key.to_owned(), secret.to_owned()),
            run: uuid::Uuid::new_v4().simple().to_string(),
        }
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::TokenNotValid => Refusal::TokenNotValid,
        Error::Rejected { identifier, .. } if identifier == "PARTNER_ERROR" => Refusal::StillLive,
        Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. } => Refusal::Rejected,
        other => Refusal::Other(other.kind().to_owned()),
    }
}

#[async_trait]
impl Subject for OverHttp {
    async fn token(&self, kind: TokenKind, client_id: &str) -> Result<Token, Refusal> {
        let request = CreateToken {
            expiry_seconds: 300,
            ..CreateToken::new(format!("{client_id}-{}", self.run))
        };
        let request = match kind {
            TokenKind::First => request,
            TokenKind::Second => CreateToken {
                token_type: TokenType::Document,
                additional_steps: AdditionalSteps::Suppressed,
                questionnaire: Questionnaire::None,
                ..request
            },
        };
        let token = self.client.create_token(&request).await.map_err(refusal)?;
        Ok(Token {
            auth_token: token.auth_token.expose().to_owned(),
            steps: token.steps.map(|steps| steps.len()),
            scan_ref: token.scan_ref,
        })
    }

    async fn status(&self, scan_ref: &str) -> Result<String, Refusal> {
        let status = self.client.status(scan_ref).await.map_err(refusal)?;
        let overall = status.overall.map(|overall| overall.as_str().to_owned());
        Ok(overall.unwrap_or_default())
    }

    async fn files(&self, scan_ref: &str) -> Result<usize, Refusal> {
        let files = self.client.files(scan_ref).await.map_err(refusal)?;
        Ok(files.file_urls.iter().count() + files.additional_step_pdf_urls.iter().count())
    }

    async fn delete(&self, scan_ref: &str) -> Result<(), Refusal> {
        self.client.delete(scan_ref).await.map_err(refusal)
    }

    async fn submit(&self, auth_token: &str) -> Result<(), Refusal> {
        let image = |step: &str, bytes: Vec<u8>| Image {
            step: step.to_owned(),
            length: bytes.len() as u64,
            content: futures_util::stream::once(async move { Ok(bytes.into()) }).boxed(),
        };
        let submission = Submission {
            token: AuthToken::new(auth_token),
            token_field: TokenField::Token,
            country: "LT".to_owned(),
            document_type: None,
            images: vec![
                image("FRONT", pictures::jpeg(30_000)),
                image("BACK", pictures::png(20_000)),
            ],
        };
        self.client.process(submission).await.map_err(refusal)
    }

    async fn send(&self, operation: &str, mut body: Value, key: Key) -> Option<WireAnswer> {
        // Two runs against one account must not meet in a client.
        if let Some(Value::String(client_id)) = body.get_mut("clientId")
            && (1..=60).contains(&client_id.len())
        {
            client_id.push_str(&format!("-{}", self.run));
        }
        let (name, secret) = &self.key;
        let secret = if key == Key::Right { secret } else { "wrong" };
        let request = self.http.post(format!("{}/api/v2/{operation}", self.url));
        let answer = request
            .basic_auth(name, Some(secret))
            .json(&body)
            .send()
            .await
            .ok()?;
        Some(WireAnswer {
            status: answer.status().as_u16(),
            members: answer.json().await.unwrap_or_default(),
        })
    }
}
