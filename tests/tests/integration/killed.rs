//! Functions are killed with SIGKILL at every call that changes anything: just before it, just
//! after it, and midway through the documents. In every case the pairing settles with one accepted
//! submission, and no message or file is left over.

use std::time::Duration;

use futures_util::future::join_all;
use harness::{
    BACK, Call, FRONT, PendingHold, ProcessorTuning, Session, Side, WatchedStack, pictures, writes,
};
use local_stack::Options;
use serde_json::{Value, json};

/// Leases of killed workers last 10 s, and their messages come back after 20 s. One message at a
/// time: killing the worker of one pairing does not kill that of another.
const TUNING: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 15,
    visibility_seconds: 20,
    batch_size: 1,
};

/// Files that take more than one read to pass on.
const FILE_BYTES: usize = 300_000;

/// A call of one pairing's flow that changes something, in the order of the flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// The first callback is archived.
    ArchiveFirst,
    /// The pairing is written in this state.
    Write(&'static str),
    /// The file of this step is stored.
    Store(&'static str),
    /// The claim check is sent that arrives when the lease is over.
    SendLater,
    /// The claim check is sent.
    Send,
    /// Token 2 is created.
    CreateToken,
    /// The documents are posted.
    Submit,
    /// The second callback is archived.
    ArchiveSecond,
    /// The second result is written down, to be confirmed.
    Ask,
}

/// Before the answer to the first callback.
const BEFORE_ANSWER: [Effect; 3] = [
    Effect::ArchiveFirst,
    Effect::SendLater,
    Effect::Write("Capturing"),
];

/// In the same invocation, after the answer.
const AFTER_ANSWER: [Effect; 4] = [
    Effect::Store(FRONT),
    Effect::Store(BACK),
    Effect::Send,
    Effect::Write("Captured"),
];

const OF_SECOND_CALLBACK: [Effect; 2] = [Effect::ArchiveSecond, Effect::Ask];

const BY_PROCESSOR: [Effect; 7] = [
    Effect::Write("Authorizing"),
    Effect::CreateToken,
    Effect::Write("Authorized"),
    Effect::Write("Submitting"),
    Effect::Submit,
    Effect::Write("Submitted"),
    Effect::Write("Settled"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_killed_at_any_effect_loses_nothing() {
    let effects = [&BEFORE_ANSWER[..], &AFTER_ANSWER, &OF_SECOND_CALLBACK].concat();
    everything_settles(&effects, "WebhookFunction").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_processor_that_is_killed_at_any_effect_loses_nothing() {
    everything_settles(&BY_PROCESSOR, "ProcessorFunction").await;
}

async fn everything_settles(effects: &[Effect], function: &str) {
    let world = WatchedStack::start(Options::default()).await.unwrap();
    world.stack().tune_processor(TUNING).await.unwrap();
    let moments = effects.iter().flat_map(|effect| {
        let sides: &[Side] = match effect {
            Effect::Store(_) | Effect::Submit => &[Side::Before, Side::Midway, Side::After],
            _ => &[Side::Before, Side::After],
        };
        sides.iter().map(|side| (*effect, *side))
    });
    let flows =
        moments.map(|(effect, side)| settles_although_killed(&world, effect, side, function));
    tokio::select! {
        _ = join_all(flows) => {}
        () = world.stack().keep_reconciling(Duration::from_secs(2)) => {
            panic!("reconciling goes on")
        }
    }
    world.assert_queues_empty().await.unwrap();
    world.stop().await;
}

async fn settles_although_killed(world: &WatchedStack, effect: Effect, side: Side, function: &str) {
    let session = world.stack().session().await.unwrap();
    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(FILE_BYTES))
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(FILE_BYTES))
        .await
        .unwrap();
    let killing = async {
        let held = hold(world, &session, effect, side).await;
        let killed = held.held().await.unwrap().kill_caller().unwrap();
        assert!(killed.contains(function), "{effect:?} is made by {killed}");
    };
    let ((), deliveries) = tokio::join!(killing, session.finish(json!({})));
    let deliveries = deliveries.unwrap();
    let status = &deliveries[0]["status"];
    if BEFORE_ANSWER.contains(&effect) {
        assert_ne!(*status, 200, "the dead do not answer: {effect:?} {side:?}");
    } else {
        assert_eq!(*status, 200, "it was answered: {effect:?} {side:?}");
    }
    let what = format!("{effect:?} {side:?}");
    session.until_settled().await.unwrap();
    assert_once(&session, &what).await;
    world
        .assert_answers_are_durable(&session.client_id)
        .await
        .unwrap();
}

/// Holds the call of an effect. Direct processing gets a token and nothing else: the token is read
/// on the way.
async fn hold(
    world: &WatchedStack,
    session: &Session<'_>,
    effect: Effect,
    side: Side,
) -> PendingHold {
    let (first, client) = (session.scan_ref.clone(), session.client_id.clone());
    match effect {
        Effect::ArchiveFirst => world
            .services
            .hold(side, stores(format!("/callbacks/{first}/"), String::new())),
        Effect::ArchiveSecond => world.services.hold(side, move |call: &Call| {
            let is_archived = stores("/callbacks/".to_owned(), client.clone())(call);
            is_archived && !call.path.contains(&first)
        }),
        Effect::Store(step) => world.services.hold(side, move |call| {
            let is_file = stores(format!("/documents/{first}/"), String::new())(call);
            is_file && call.path.contains(step)
        }),
        Effect::Send => world.services.hold(side, move |call| {
            let is_later = call.body.contains("DelaySeconds");
            call.operation == "SendMessage" && call.body.contains(&first) && !is_later
        }),
        Effect::SendLater => world.services.hold(side, move |call| {
            let is_later = call.body.contains("DelaySeconds");
            call.operation == "SendMessage" && call.body.contains(&first) && is_later
        }),
        Effect::Ask => world.services.hold(side, move |call| {
            call.body.contains(&first) && call.body.contains("SecondResultInQuestion")
        }),
        Effect::Write(state) => world.services.hold(side, writes(&first, state)),
        Effect::CreateToken => world.provider.hold(side, move |call| {
            call.path == "/api/v2/token" && call.body.contains(&client)
        }),
        Effect::Submit => {
            let submitting = world
                .services
                .hold(Side::After, writes(&first, "Submitting"))
                .held()
                .await
                .unwrap();
            let pairing = session.pairing().await.unwrap().expect("a pairing").pairing;
            let token = pairing["state"]["auth_token"]
                .as_str()
                .expect("Token 2's secret")
                .to_owned();
            let posted = world.provider.hold(side, move |call| {
                call.path == "/api/v2/process" && call.body.contains(&token)
            });
            submitting.release();
            posted
        }
    }
}

fn stores(path: String, text: String) -> impl Fn(&Call) -> bool + Send {
    move |call| call.method == "PUT" && call.path.contains(&path) && call.body.contains(&text)
}

/// One submission, at most one live token, which is lost, and each file once and whole.
async fn assert_once(session: &Session<'_>, what: &str) {
    let submissions = session.accepted_submissions().await.unwrap();
    assert_eq!(submissions.len(), 1, "{what}: {submissions:?}");
    let tokens = session.sessions("DOCUMENT").await.unwrap();
    let live = tokens
        .iter()
        .filter(|token| token["live"] == Value::Bool(true))
        .count();
    assert!(live <= 1 && tokens.len() <= 2, "{what}: {tokens:?}");
    let documents = session.documents().await.unwrap();
    let sizes: Vec<u64> = documents.iter().map(|document| document.bytes).collect();
    assert_eq!(sizes, [FILE_BYTES as u64; 2], "{what}: {documents:?}");
}
