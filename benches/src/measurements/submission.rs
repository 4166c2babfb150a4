//! The processor submitting two documents of 7 MB, as large as the provider takes them: how much
//! memory it needs, and what it costs.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::bench::{Bench, deliver, process};
use crate::callbacks::claim_check;
use crate::file_server::FileServer;
use crate::peers::Role;
use crate::pictures::jpeg;
use crate::report::{Figures, Line, Who};
use crate::statistics::{Sample, milliseconds};
use crate::tls::{Authority, Connections, TlsFront};

pub const NAME: &str = "submission";

const ROUNDS: usize = 5;

const FILE_BYTES: usize = 7_000_000;

/// In megabytes of a million bytes.
const MOST_MEMORY: f64 = 14.0;

/// In milliseconds.
const MOST_CPU: f64 = 30.0;

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let document = jpeg(2000, 1500, FILE_BYTES)?;
    let digest = hex::encode(Sha256::digest(&document));
    let files = FileServer::start([("document.jpg".to_owned(), document)].into()).await?;
    let links =
        ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"].map(|step| (step, files.link("document.jpg")));
    let webhooks = bench.contestants(Role::Webhook, &table, &files.origin)?;
    let processors = bench.contestants(Role::Processor, &table, &files.origin)?;
    let mut memory: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    let mut cpu: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    let mut with_tls: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
    let (authority, client) = (Authority::create()?, &bench.world.http);
    let [stores, provider] = [bench.world.endpoint_url(), bench.world.sandbox.url()];
    let stores = TlsFront::start(client.clone(), stores, &authority, Connections::Kept).await?;
    let provider = TlsFront::start(client.clone(), provider, &authority, Connections::Kept).await?;
    let fronts = [
        ("AWS_ENDPOINT_URL", stores.url.clone()),
        ("IDENFY_BASE_URL", provider.url.clone()),
    ];
    for round in 0..2 * ROUNDS {
        let is_encrypted = round % 2 == 1;
        for ((who, webhook), (_, processor)) in webhooks.iter().zip(&processors) {
            let scan_ref = bench.world.approved_scan_ref().await?;
            let mut webhook = webhook.start().await?;
            deliver(
                &mut webhook,
                &bench.world.callbacks.approved(&scan_ref, &links)?,
            )
            .await?;
            webhook.stop().await?;

            let mut processor = processor.clone();
            if is_encrypted {
                processor = processor.with(fronts.clone()).with(authority.variables()?);
            }
            let mut processor = processor.start().await?;
            let invocation = process(&mut processor, &claim_check(&scan_ref)?).await?;
            let used = milliseconds(invocation.cpu);
            if is_encrypted {
                with_tls.entry(*who).or_default().push(used);
                ensure!(
                    stores.take_handshakes() > 0 && provider.take_handshakes() > 0,
                    "{who:?} has not used TLS"
                );
            } else {
                cpu.entry(*who).or_default().push(used);
                let peak = processor.peak_memory()? as f64 / 1e6;
                memory.entry(*who).or_default().push(peak);
            }
            processor.stop().await?;
            bench
                .world
                .take_digests(&format!("documents/{scan_ref}/"))
                .await?;
            ensure!(
                submitted(bench, &scan_ref).await? == [digest.clone(), digest.clone()],
                "{who:?} has not submitted the documents"
            );
        }
    }
    let memory: Figures = memory
        .into_iter()
        .map(|(who, peaks)| (who, Sample::of(peaks).percentile(100)))
        .collect();
    let medians = |cpu: BTreeMap<Who, Vec<f64>>| -> Figures {
        let medians = cpu.into_iter();
        medians
            .map(|(who, cpu)| (who, Sample::of(cpu).median()))
            .collect()
    };
    Ok(vec![
        Line::new(
            NAME,
            "peak memory, processor submitting 14 MB",
            "MB",
            &memory,
        )
        .bound(MOST_MEMORY),
        Line::new(
            NAME,
            "CPU of a first submission of 14 MB",
            "ms",
            &medians(cpu),
        )
        .bound(MOST_CPU),
        Line::new(
            NAME,
            "CPU of a first submission of 14 MB, with TLS",
            "ms",
            &medians(with_tls),
        ),
    ])
}

/// The digests of the documents that the provider got for this session's customer.
async fn submitted(bench: &Bench, scan_ref: &str) -> Result<Vec<String>> {
    let requests = bench
        .world
        .requests(&format!("customer-{scan_ref}"), "process")
        .await?;
    let images = requests
        .iter()
        .filter_map(|request| request.get("images")?.as_array())
        .flatten();
    let digests = images.filter_map(|image| image.get("sha256").and_then(Value::as_str));
    Ok(digests.map(str::to_owned).collect())
}
