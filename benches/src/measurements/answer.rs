//! How long a webhook takes to answer a callback, by what its files do. The functions answer first
//! and copy afterwards; the peers copy first, as it is usually done.
//!
//! One warm process each. The time is from handing over the event to the answer. It includes the
//! emulator's own time for archive and claim. The work after an answer is done before the next
//! callback.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use bytes::Bytes;
use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};

use crate::bench::{Bench, deliver, new_scan_ref};
use crate::file_server::{FileServer, HANGS};
use crate::peers::Role;
use crate::pictures::jpeg;
use crate::program::Running;
use crate::report::{Figures, Line, Who};
use crate::statistics::{Sample, milliseconds};

pub const NAME: &str = "answer";

const STEPS: [&str; 2] = ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"];

/// Callbacks before, which are not counted.
const WARM_UP: usize = 3;

/// What the files of a callback do, and how many such callbacks each program gets.
struct Case {
    what: &'static str,
    file: Option<&'static str>,
    callbacks: usize,
}

const CASES: [Case; 4] = [
    Case {
        what: "without files",
        file: None,
        callbacks: 100,
    },
    Case {
        what: "2 × 1 MB",
        file: Some("1-MB.jpg"),
        callbacks: 40,
    },
    Case {
        what: "2 × 10 MB",
        file: Some("10-MB.jpg"),
        callbacks: 15,
    },
    Case {
        what: "links that hang 14 s",
        file: Some("hangs.jpg"),
        callbacks: 3,
    },
];

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    let table = bench.world.table(NAME).await?;
    let small = jpeg(400, 300, 1_000_000)?;
    let contents: BTreeMap<String, Bytes> = [
        ("1-MB.jpg".to_owned(), small.clone()),
        ("10-MB.jpg".to_owned(), jpeg(2400, 1800, 10_000_000)?),
        (format!("{HANGS}.jpg"), small),
    ]
    .into();
    let files = FileServer::start(contents.clone()).await?;
    let mut webhooks = Vec::new();
    for (who, program) in bench.contestants(Role::Webhook, &table, &files.origin)? {
        let mut running = program.start().await?;
        for _ in 0..WARM_UP {
            answer(bench, &mut running, &files, None).await?;
        }
        webhooks.push((who, running));
    }
    let mut lines = Vec::new();
    for case in CASES {
        let expected = case.file.and_then(|name| contents.get(name));
        let mut answers: BTreeMap<Who, Vec<f64>> = BTreeMap::new();
        for _ in 0..case.callbacks {
            for (who, took) in round(bench, &mut webhooks, &files, &case, expected).await? {
                answers.entry(who).or_default().push(took);
            }
        }
        lines.extend(lines_of(&case, &answers));
    }
    for (_, webhook) in webhooks {
        webhook.stop().await?;
    }
    Ok(lines)
}

/// One callback for each program: by turns, or at the same time where they only wait.
async fn round(
    bench: &Bench,
    webhooks: &mut [(Who, Running)],
    files: &FileServer,
    case: &Case,
    expected: Option<&Bytes>,
) -> Result<Vec<(Who, f64)>> {
    let mut calls = Vec::new();
    for (who, webhook) in webhooks {
        calls.push(async move {
            let (scan_ref, took) = answer(bench, webhook, files, case.file).await?;
            if let Some(file) = expected {
                let prefix = format!("documents/{scan_ref}/");
                let digest = hex::encode(Sha256::digest(file));
                ensure!(
                    bench.world.take_digests(&prefix).await? == [digest.clone(), digest],
                    "{who:?} has not copied the files"
                );
            }
            anyhow::Ok((*who, took))
        });
    }
    if case.file.is_some_and(|name| name.starts_with(HANGS)) {
        return try_join_all(calls).await;
    }
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await?);
    }
    Ok(answers)
}

/// One callback; its `scanRef`, and the milliseconds until its answer.
async fn answer(
    bench: &Bench,
    webhook: &mut Running,
    files: &FileServer,
    file: Option<&str>,
) -> Result<(String, f64)> {
    let scan_ref = new_scan_ref();
    let event = match file {
        Some(name) => {
            let links = STEPS.map(|step| (step, files.link(name)));
            bench.world.callbacks.approved(&scan_ref, &links)?
        }
        None => bench.world.callbacks.denied(&scan_ref)?,
    };
    let invocation = deliver(webhook, &event).await?;
    Ok((scan_ref, milliseconds(invocation.answered)))
}

fn lines_of(case: &Case, answers: &BTreeMap<Who, Vec<f64>>) -> [Line; 2] {
    let figures = |percent| -> Figures {
        let figure = |(who, times): (&Who, &Vec<f64>)| {
            let sample = Sample::of(times.iter().copied());
            (*who, sample.percentile(percent))
        };
        answers.iter().map(figure).collect()
    };
    let (what, callbacks) = (case.what, case.callbacks);
    let median = format!("answer, {what}: median of {callbacks}");
    let longest = format!("answer, {what}: {} of {callbacks}", high(callbacks));
    let median = Line::new(NAME, median, "ms", &figures(50)).first_among_peers();
    [
        // Fewer have no curve to speak of.
        if callbacks < 20 {
            median
        } else {
            median.with_distribution(answers)
        },
        Line::new(NAME, longest, "ms", &figures(99)),
    ]
}

/// What the 99th percentile of so many is.
pub(super) fn high(count: usize) -> &'static str {
    if count < 100 { "longest" } else { "p99" }
}
