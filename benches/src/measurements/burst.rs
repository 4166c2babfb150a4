//! Two hundred customers finish at the same moment: whether every callback is answered, how long
//! the last answer takes, and whether all files are in the bucket in the end.

use std::time::{Duration, Instant};

use anyhow::Result;
use futures_util::future::try_join_all;
use harness::Session;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::report::Line;
use crate::statistics::Sample;

pub const NAME: &str = "burst";

const CUSTOMERS: usize = 200;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// After that, what is not there counts as missing.
const PATIENCE: Duration = Duration::from_secs(240);

pub async fn measure(bench: &Bench) -> Result<Vec<Line>> {
    bench.world.connect_provider(true).await?;
    let lines = connected(bench).await;
    bench.world.connect_provider(false).await?;
    lines
}

async fn connected(bench: &Bench) -> Result<Vec<Line>> {
    let mut sessions = Vec::new();
    for _ in 0..CUSTOMERS {
        sessions.push(bench.world.system.session_with_documents().await?);
    }
    let began = Instant::now();
    let finishing = sessions.iter().map(|session| session.finish(json!({})));
    let deliveries = try_join_all(finishing).await?;
    let is_answered =
        |delivery: &Value| delivery.get("status").and_then(Value::as_u64) == Some(200);
    let count = |is_good: &dyn Fn(&Vec<Value>) -> bool| {
        deliveries.iter().filter(|one| is_good(one)).count() as f64
    };
    let at_once = count(&|attempts| attempts.first().is_some_and(is_answered));
    let at_all = count(&|attempts| attempts.iter().any(is_answered));
    let attempts = deliveries.iter().flatten();
    let times = attempts.filter_map(|delivery| delivery.get("milliseconds")?.as_f64());
    let times = Sample::of(times);
    let captured = until(bench, &sessions, began, &|state| {
        !matches!(state, None | Some("Capturing"))
    })
    .await;
    let submitted = until(bench, &sessions, began, &|state| {
        matches!(state, Some("Submitted" | "Settled"))
    })
    .await;

    let all = CUSTOMERS as f64;
    let counted = |what: &str, count: f64| {
        let line = Line::alone(NAME, format!("burst of {CUSTOMERS}: {what}"), "", count);
        line.more_is_better().bound(all)
    };
    let timed = |what: &str, unit, figure: f64| {
        Line::alone(NAME, format!("burst of {CUSTOMERS}: {what}"), unit, figure)
    };
    Ok(vec![
        counted("answered 200, repeats by the provider included", at_all),
        timed("answered 200 at the first attempt", "", at_once),
        timed("answer, median", "ms", times.median()),
        timed("answer, longest", "ms", times.percentile(100)),
        counted("files captured", captured.customers as f64),
        timed("until the last capture", "s", captured.after.as_secs_f64()),
        counted("submitted", submitted.customers as f64),
        timed(
            "until the last submission",
            "s",
            submitted.after.as_secs_f64(),
        ),
    ])
}

/// How many got there, and when the last one did.
struct Arrived {
    customers: usize,
    after: Duration,
}

async fn until(
    bench: &Bench,
    sessions: &[Session<'_>],
    began: Instant,
    is_there: &dyn Fn(Option<&str>) -> bool,
) -> Arrived {
    let mut missing: Vec<&str> = sessions.iter().map(|one| one.scan_ref.as_str()).collect();
    let mut after = Duration::ZERO;
    while !missing.is_empty() && began.elapsed() < PATIENCE {
        let mut still = Vec::new();
        for scan_ref in missing {
            // While the emulator is busy, a look may fail; the next one tells.
            let state = bench.world.system.state(scan_ref).await;
            if state.is_ok_and(|state| is_there(state.as_deref())) {
                after = began.elapsed();
            } else {
                still.push(scan_ref);
            }
        }
        missing = still;
        if !missing.is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    Arrived {
        customers: sessions.len() - missing.len(),
        after,
    }
}
