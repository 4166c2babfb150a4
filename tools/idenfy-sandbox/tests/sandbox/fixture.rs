//! One sandbox, one receiver and one HTTP client, and the few things that every test does with
//! them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use idenfy_sandbox::{Sandbox, Secret, Settings};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::receiver::Receiver;

pub const SIGNING_KEY: &str = "the signing key";
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n a picture, as far as anybody looks \xff\xfe\xfb";
pub const PDF: &[u8] = b"%PDF-1.7\n1 0 obj << >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n";

pub struct Fixture {
    pub sandbox: Sandbox,
    pub receiver: Receiver,
    pub client: Client,
}

/// A session as its creator knows it.
pub struct Opened {
    pub scan_ref: String,
    pub auth_token: String,
}

/// An answer that has been read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub headers: HeaderMap,
    pub raw: Vec<u8>,
}

impl Answer {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text());
        self.headers["location"].to_str().unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.raw).into_owned()
    }

    /// The identifier of a provider's error, whose four members must all be there.
    pub fn identifier(&self) -> String {
        let error = self.json();
        assert!(
            error["message"].is_string()
                && error["documentation"].is_string()
                && error["severity"].is_string(),
            "{error}"
        );
        error["identifier"].as_str().unwrap().to_owned()
    }
}

impl Fixture {
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    /// Starts with these settings, quick in everything that takes time.
    pub async fn with(settings: Settings) -> Self {
        let receiver = Receiver::start().await;
        let sandbox = Sandbox::start(Settings {
            callback_url: Some(receiver.url.clone()),
            signing_key: Secret::new(SIGNING_KEY),
            callback_retry_pause_milliseconds: 1,
            processing_milliseconds: 1,
            ..settings
        });
        Self {
            sandbox: sandbox.await.unwrap(),
            receiver,
            client: client(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    /// A provider request with the key.
    pub fn request(&self, path: &str, body: &Value) -> RequestBuilder {
        let key = ("sandbox-api-key", Some("sandbox-api-secret"));
        self.client
            .post(self.url(path))
            .basic_auth(key.0, key.1)
            .json(body)
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        read(self.request(path, &body).send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = self
            .client
            .get(self.url(path))
            .basic_auth("sandbox-api-key", Some("sandbox-api-secret"));
        read(request.send().await.unwrap()).await
    }

    /// An admin request that succeeds.
    pub async fn admin(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.try_admin(method, path, body).await;
        assert!(
            answer.status < 300,
            "{method} {path}: {} {}",
            answer.status,
            answer.text()
        );
        if answer.raw.is_empty() {
            Value::Null
        } else {
            answer.json()
        }
    }

    pub async fn try_admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self
            .client
            .request(method.parse().unwrap(), self.url(&format!("/admin{path}")));
        read(request.json(&body).send().await.unwrap()).await
    }

    /// Sends a form as a browser does, but follows no redirect.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self.client.post(self.url(path)).body(form);
        read(
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Sends a form with files: fields, and for each file its key, name and content.
    pub async fn upload(&self, fields: &[(&str, &str)], files: &[(&str, &str, &[u8])]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!(
                    "--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .bytes(),
            );
        }
        for (key, name, content) in files {
            let head = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{key}\"; \
                    filename=\"{name}\"\r\n\r\n"
            );
            body.extend(head.bytes().chain(content.iter().copied()).chain(*b"\r\n"));
        }
        body.extend(b"--edge--\r\n");
        let request = self
            .client
            .post(self.url("/verification/documents"))
            .body(body);
        read(
            request
                .header("content-type", "multipart/form-data; boundary=edge")
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub async fn settings(&self, patch: Value) {
        self.admin("PATCH", "/settings", patch).await;
    }

    pub async fn fault(&self, fault: Value) {
        self.admin("POST", "/faults", fault).await;
    }

    /// A session of a customer, made as an application makes it.
    pub async fn session(&self, client_id: &str) -> Opened {
        self.open(json!({"clientId": client_id, "tokenType": "IDENTIFICATION"}))
            .await
    }

    /// A token for direct processing.
    pub async fn document_token(&self, client_id: &str) -> Opened {
        let steps = json!({"ALL": {"ALL": {}}});
        let request = json!({"clientId": client_id, "tokenType": "DOCUMENT",
            "additionalSteps": steps, "questionnaire": null});
        self.open(request).await
    }

    pub async fn open(&self, request: Value) -> Opened {
        let answer = self.post("/api/v2/token", request).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |name: &str| answer.json()[name].as_str().unwrap().to_owned();
        Opened {
            scan_ref: text("scanRef"),
            auth_token: text("authToken"),
        }
    }

    pub async fn put_file(&self, session: &Opened, key: &str, content_type: &str, bytes: &[u8]) {
        let path = format!("/admin/sessions/{}/files/{key}", session.scan_ref);
        let request = self
            .client
            .put(self.url(&path))
            .header("content-type", content_type)
            .body(bytes.to_vec());
        assert_eq!(request.send().await.unwrap().status(), 200);
    }

    pub async fn finish(&self, session: &Opened, how: Value) -> Value {
        self.admin(
            "POST",
            &format!("/sessions/{}/finish", session.scan_ref),
            how,
        )
        .await
    }

    pub async fn shown(&self, session: &Opened) -> Value {
        self.admin("GET", &format!("/sessions/{}", session.scan_ref), json!({}))
            .await
    }

    /// Waits until a session's callbacks were delivered this often, repeats included.
    pub async fn all_delivered(&self, session: &Opened, attempts: usize) {
        let path = format!("/deliveries?scanRef={}", session.scan_ref);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let journal = self.admin("GET", &path, json!({})).await;
            let made = journal["deliveries"].as_array().unwrap().len();
            if made >= attempts {
                return;
            }
            assert!(Instant::now() < deadline, "{made} of {attempts}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The journal's records of requests on one route.
    pub async fn requests(&self, route: &str) -> Vec<Value> {
        let journal = self.admin("GET", "/requests", json!({})).await;
        journal["requests"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|record| record["route"] == route)
            .cloned()
            .collect()
    }
}

/// A submission that is accepted.
pub fn submission(session: &Opened) -> Value {
    json!({"token": session.auth_token, "country": "LT", "images": {"FRONT": STANDARD.encode(PNG),
        "BACK": STANDARD.encode(PDF)}})
}

pub async fn read(response: Response) -> Answer {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let content_type = headers
        .get("content-type")
        .map(|value| value.to_str().unwrap().to_owned());
    let raw = response.bytes().await.expect("a whole body").to_vec();
    Answer {
        status,
        content_type: content_type.unwrap_or_default(),
        headers,
        raw,
    }
}

fn client() -> Client {
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth();
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox shares nothing with the code that it is the other side of"
    )]
    let builder = Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}
