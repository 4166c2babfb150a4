//! `POST /sessions`: how long it takes beyond the provider's own time, which is what the
//! application's customer waits for. Once through the deployed stack, where the emulator's share is
//! most of it, and once with the function by itself, where only its table is the emulator's.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::bench::{Bench, new_scan_ref};
use crate::report::Line;
use crate::statistics::Sample;

pub const NAME: &str = "sessions";

const SESSIONS: usize = 300;

/// Sessions before, which are not counted.
const WARM_UP: usize = 10;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (what, sample) in [
        ("function alone", alone(bench).await?),
        ("deployed on the emulator", deployed(bench).await?),
    ] {
        for percent in [50, 99] {
            let what = format!("POST /sessions beyond the provider, p{percent}, {what}");
            lines.push(Line::alone(NAME, what, "ms", sample.percentile(percent)));
        }
    }
    Ok(lines)
}

/// Through the function's URL, as an application does.
async fn deployed(bench: &Bench) -> Result<Sample> {
    let url = format!(
        "{}/sessions",
        bench.world.output("ApiUrl")?.trim_end_matches('/')
    );
    let mut beyond = Vec::new();
    for _ in 0..WARM_UP + SESSIONS {
        bench.world.provider.took();
        let began = Instant::now();
        let request = bench
            .world
            .http
            .post(&url)
            .header("Authorization", AUTHORIZATION)
            .json(&session());
        let answer = request.send().await?;
        let status = answer.status();
        answer.bytes().await?;
        beyond.push(began.elapsed().saturating_sub(bench.world.provider.took()));
        ensure!(status == 201, "the API answered with {status}");
    }
    Ok(warm(beyond))
}

/// The emulator reads the region from it and checks nothing.
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 \
    Credential=test/20200101/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0";

async fn alone(bench: &Bench) -> Result<Sample> {
    let table = bench.world.table(NAME).await?;
    let function = bench.function("ApiFunction", &table, "http://127.0.0.1")?;
    let provider = bench.world.provider.url.clone();
    let mut running = function
        .with([("IDENFY_BASE_URL", provider)])
        .start()
        .await?;
    let mut beyond = Vec::new();
    for _ in 0..WARM_UP + SESSIONS {
        bench.world.provider.took();
        let invocation = running.invoke(&event()).await?;
        beyond.push(
            invocation
                .answered
                .saturating_sub(bench.world.provider.took()),
        );
        let status = invocation.answer.get("statusCode").and_then(Value::as_u64);
        ensure!(
            status == Some(201),
            "the API answered with {}",
            invocation.answer
        );
    }
    running.stop().await?;
    Ok(warm(beyond))
}

fn warm(beyond: Vec<Duration>) -> Sample {
    Sample::of_durations(beyond.into_iter().skip(WARM_UP))
}

fn session() -> Value {
    json!({ "clientId": new_scan_ref() })
}

/// The request as a function URL hands it over. (Source: "Invoking Lambda function URLs", request
/// payload.)
fn event() -> Value {
    json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/sessions",
        "rawQueryString": "",
        "headers": { "content-type": "application/json",
            "host": "url-id.lambda-url.eu-west-1.on.aws" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "url-id",
            "domainName": "url-id.lambda-url.eu-west-1.on.aws",
            "domainPrefix": "url-id",
            "http": {
                "method": "POST",
                "path": "/sessions",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "measurement",
            },
            "requestId": new_scan_ref(),
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:08:21:03 +0000",
            "timeEpoch": 1_795_422_063_000_u64,
        },
        "body": session().to_string(),
        "isBase64Encoded": false,
    })
}
