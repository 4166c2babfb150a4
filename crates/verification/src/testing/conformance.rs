//! What every implementation of a port must do.
//! The in-memory and the AWS implementations pass the same suite.

use std::time::Duration;

use crate::circuit::{Cause, Circuit, Gate, Health};
use crate::comparison::Subject;
use crate::identifiers::{ClientId, Digest256, ScanRef};
use crate::pairing::document::Plan;
use crate::pairing::reason::ParkReason;
use crate::pairing::{ExpectedDocument, Pairing, Resume, Second, State};
use crate::policy::{Judgement, Policy};
use crate::ports::{
    CallbackArchive, Circuits, HistoryEntry, PairingWrite, Pairings, Saved, SessionKeys,
};
use crate::secret::{AuthToken, SessionLink};
use crate::session::{Opened, Session, SessionStep, StepKind};
use crate::session_key::{IdempotentRequest, SessionKey};
use crate::testing::fixtures::approved;
use crate::time::Timestamp;

fn write(pairing: &Pairing, version: u64, what: &str) -> PairingWrite {
    let at = pairing.created_at.plus(Duration::from_millis(version));
    PairingWrite {
        announcement: None,
        answered: None,
        pairing: Pairing {
            version,
            ..pairing.clone()
        },
        history: HistoryEntry::of(what, pairing, at, Some(Digest256::of(b"body"))),
    }
}

fn plan(first: &ScanRef) -> Plan {
    match Policy::default().judge(
        &approved(first.as_str(), "client-1"),
        &ExpectedDocument::default(),
    ) {
        Judgement::Qualifies(plan) => plan,
        other => panic!("the fixture qualifies, but {other:?}"),
    }
}

/// `prefix` separates runs against a shared store: 2 to 20 characters.
pub async fn pairings(store: &dyn Pairings, prefix: &str) {
    let scan_ref = |name: &str| -> ScanRef { format!("{prefix}-{name}").parse().unwrap() };
    let client: ClientId = format!("{prefix}-client").parse().unwrap();
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let first = scan_ref("first");
    let opened = Pairing::opened(
        first.clone(),
        Some(client),
        now,
        now.plus(Duration::from_secs(60)),
    );

    assert_eq!(
        store.find(&first).await.unwrap(),
        None,
        "an unknown scanRef has no pairing"
    );
    assert!(store.history(&first, 10).await.unwrap().is_empty());

    assert_eq!(
        store.save(&write(&opened, 1, "Opened")).await.unwrap(),
        Saved::Won
    );
    assert_eq!(
        store.find(&first).await.unwrap(),
        Some(Pairing {
            version: 1,
            ..opened.clone()
        }),
        "what is saved is found, whole"
    );
    assert_eq!(
        store
            .save(&write(&opened, 1, "Opened again"))
            .await
            .unwrap(),
        Saved::Lost,
        "only one opening wins"
    );
    assert_eq!(
        store.save(&write(&opened, 3, "Too new")).await.unwrap(),
        Saved::Lost,
        "a version cannot be skipped"
    );

    let second = scan_ref("second");
    let authorized = Pairing {
        second: Some(Second::new(second.clone(), plan(&first).upload)),
        state: State::Authorized {
            plan: plan(&first),
            auth_token: AuthToken::new("secret"),
        },
        ..opened.clone()
    };
    assert_eq!(store.find(&second).await.unwrap(), None);
    assert_eq!(
        store
            .save(&write(&authorized, 2, "SecondTokenCreated"))
            .await
            .unwrap(),
        Saved::Won
    );
    let found = store
        .find(&second)
        .await
        .unwrap()
        .expect("Token 2's scanRef leads to the pairing");
    assert_eq!(
        found,
        Pairing {
            version: 2,
            ..authorized.clone()
        },
        "every member survives storage"
    );

    let third = scan_ref("third");
    let stale = Pairing {
        second: Some(Second::new(third.clone(), plan(&first).upload)),
        ..authorized.clone()
    };
    assert_eq!(
        store.save(&write(&stale, 2, "Stale")).await.unwrap(),
        Saved::Lost
    );
    assert_eq!(
        store.find(&third).await.unwrap(),
        None,
        "a lost write leaves nothing behind, not even the way back from Token 2"
    );

    let newer = Pairing {
        second: Some(Second::new(third.clone(), plan(&first).upload)),
        ..authorized
    };
    assert_eq!(
        store
            .save(&write(&newer, 3, "SecondTokenCreated"))
            .await
            .unwrap(),
        Saved::Won
    );
    let parked = Pairing {
        state: State::Parked {
            cause: ParkReason::SecondExpired,
            resume: Resume::Plan(plan(&first)),
        },
        ..newer
    };
    assert_eq!(
        store
            .save(&write(&parked, 4, "SecondExpired"))
            .await
            .unwrap(),
        Saved::Won
    );
    for token in [&first, &second, &third] {
        assert_eq!(
            store.find(token).await.unwrap().expect("found").version,
            4,
            "older tokens still lead to the pairing"
        );
    }

    let history = store.history(&first, 10).await.unwrap();
    let what: Vec<&str> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "Opened",
            "SecondTokenCreated",
            "SecondTokenCreated",
            "SecondExpired"
        ],
        "the history has every won write, oldest first"
    );
    assert_eq!(history[0], write(&opened, 1, "Opened").history);
    assert_eq!(history[3], write(&parked, 4, "SecondExpired").history);
    assert_eq!(history[3].reason.as_deref(), Some("SecondExpired"));
    assert_eq!(
        store.history(&first, 2).await.unwrap().len(),
        2,
        "the limit holds"
    );
}

/// Lists, page by page. `prefix` as above.
pub async fn pairings_of_client(store: &dyn Pairings, prefix: &str) {
    let start = Timestamp::from_milliseconds(1_795_422_063_000);
    let client: ClientId = format!("{prefix}-lister").parse().unwrap();
    let mut expected = Vec::new();
    for number in 0..5_u64 {
        let first: ScanRef = format!("{prefix}-listed-{number}").parse().unwrap();
        let at = start.plus(Duration::from_secs(number));
        let pairing = Pairing::opened(
            first.clone(),
            Some(client.clone()),
            at,
            at.plus(Duration::from_secs(60)),
        );
        assert_eq!(
            store.save(&write(&pairing, 1, "Opened")).await.unwrap(),
            Saved::Won
        );
        expected.insert(0, first);
    }
    let mut seen = Vec::new();
    let mut next = None;
    for size in [2, 2, 1] {
        let page = store.of_client(&client, next.as_ref(), 2).await.unwrap();
        assert_eq!(page.pairings.len(), size, "pages are full until the last");
        assert!(
            page.pairings
                .iter()
                .all(|summary| summary.state == "AwaitingCallback")
        );
        seen.extend(page.pairings.into_iter().map(|summary| summary.first));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected, "newest first, each once");
    let stranger: ClientId = format!("{prefix}-stranger").parse().unwrap();
    assert_eq!(
        store.of_client(&stranger, None, 10).await.unwrap(),
        crate::ports::Page::default()
    );
}

/// Forgets for good, and remembers that it did.
pub async fn forgetting(store: &dyn Pairings, prefix: &str) {
    let scan_ref = |name: &str| -> ScanRef { format!("{prefix}-{name}").parse().unwrap() };
    let (first, second) = (scan_ref("forget"), scan_ref("forget-second"));
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let opened = Pairing::opened(first.clone(), None, now, now);
    let authorized = Pairing {
        second: Some(Second::new(second.clone(), plan(&first).upload)),
        state: State::Authorized {
            plan: plan(&first),
            auth_token: AuthToken::new("secret"),
        },
        ..opened.clone()
    };
    assert_eq!(
        store.save(&write(&opened, 1, "Opened")).await.unwrap(),
        Saved::Won
    );
    assert_eq!(
        store
            .save(&write(&authorized, 2, "SecondTokenCreated"))
            .await
            .unwrap(),
        Saved::Won
    );
    assert!(!store.is_forgotten(&first).await.unwrap());
    let pairing = store.find(&first).await.unwrap().unwrap();
    assert_eq!(
        store.forget(&pairing).await.unwrap(),
        4,
        "the pairing, two history lines and an alias"
    );
    for token in [&first, &second] {
        assert_eq!(store.find(token).await.unwrap(), None);
        assert!(store.is_forgotten(token).await.unwrap());
    }
    assert!(store.history(&first, 10).await.unwrap().is_empty());
    assert_eq!(
        store.forget(&pairing).await.unwrap(),
        0,
        "forgetting twice is forgetting once"
    );
}

/// Of many concurrent writers of one version, exactly one wins.
/// Needs as many stores as there are workers.
pub async fn pairings_race(stores: &[std::sync::Arc<dyn Pairings>], prefix: &str) {
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let first: ScanRef = format!("{prefix}-race").parse().unwrap();
    let opened = Pairing::opened(first, None, now, now.plus(Duration::from_secs(60)));
    for version in 1..=3 {
        let write = write(&opened, version, "Race");
        let saves = stores.iter().map(|store| store.save(&write));
        let saved = futures_util::future::join_all(saves).await;
        let won = saved
            .into_iter()
            .map(Result::unwrap)
            .filter(|saved| *saved == Saved::Won)
            .count();
        assert_eq!(won, 1, "version {version}");
    }
}

/// Idempotency keys, and answers stored with their pairing. `prefix` as above.
pub async fn session_keys(keys: &dyn SessionKeys, pairings: &dyn Pairings, prefix: &str) {
    let now = Timestamp::from_milliseconds(1_795_422_063_007);
    let hour = Duration::from_secs(3_600);
    let request = IdempotentRequest::new(prefix, "key", b"body");
    let claim = SessionKey::claim(&request, hour, now);
    let later = SessionKey::claim(&request, hour, now.plus(hour));
    assert_eq!(keys.find_key(&request.key).await.unwrap(), None);
    keys.release_key(&claim)
        .await
        .expect("releasing nothing is no error");

    assert_eq!(keys.claim_key(None, &claim).await.unwrap(), Saved::Won);
    assert_eq!(
        keys.find_key(&request.key).await.unwrap(),
        Some(claim.clone())
    );
    assert_eq!(
        keys.claim_key(None, &later).await.unwrap(),
        Saved::Lost,
        "only one claim wins"
    );
    assert_eq!(
        keys.claim_key(Some(&claim), &later).await.unwrap(),
        Saved::Won,
        "a known claim is replaced"
    );
    assert_eq!(
        keys.claim_key(Some(&claim), &later).await.unwrap(),
        Saved::Lost,
        "and only once"
    );
    keys.release_key(&claim).await.unwrap();
    assert_eq!(
        keys.find_key(&request.key).await.unwrap(),
        Some(later.clone()),
        "a claim that was taken over releases nothing"
    );

    let scan_ref = |name: &str| -> ScanRef { format!("{prefix}-{name}").parse().unwrap() };
    let opened = |scan_ref: &ScanRef| Opened {
        session: Session {
            scan_ref: scan_ref.clone(),
            auth_token: AuthToken::new("secret"),
            redirect_url: SessionLink::new("https://provider.example/secret"),
            steps: Some(vec![SessionStep {
                name: "SECOND_DOC".parse().unwrap(),
                kind: StepKind::Upload,
            }]),
        },
        expires_at: now.plus(hour),
    };
    let answering = |claim: &SessionKey, name: &str| {
        let pairing = Pairing::opened(scan_ref(name), None, now, now);
        PairingWrite {
            answered: Some(claim.answered(&opened(&pairing.first))),
            ..write(&pairing, 1, "Opened")
        }
    };
    let overtaken = answering(&claim, "overtaken");
    assert_eq!(
        pairings.save(&overtaken).await.unwrap(),
        Saved::Lost,
        "the claim is not held any more"
    );
    assert_eq!(
        pairings.find(&overtaken.pairing.first).await.unwrap(),
        None,
        "a lost answer leaves no pairing behind"
    );
    let answered = answering(&later, "answered");
    let first = &answered.pairing.first;
    assert_eq!(
        keys.forget_answer(&request.key, first).await.unwrap(),
        0,
        "a claim is no answer"
    );
    assert_eq!(pairings.save(&answered).await.unwrap(), Saved::Won);
    let stored = keys.find_key(&request.key).await.unwrap();
    assert_eq!(stored, answered.answered, "every member survives storage");
    let repeated = answering(&later, "repeated");
    assert_eq!(
        pairings.save(&repeated).await.unwrap(),
        Saved::Lost,
        "an answer is stored once"
    );
    keys.release_key(&later).await.unwrap();
    assert_eq!(
        keys.find_key(&request.key).await.unwrap(),
        stored,
        "an answer is not released"
    );
    assert_eq!(
        keys.claim_key(Some(&later), &claim).await.unwrap(),
        Saved::Lost,
        "a claim that was answered meanwhile is not taken over"
    );
    assert_eq!(
        keys.claim_key(stored.as_ref(), &claim).await.unwrap(),
        Saved::Won,
        "an answer is replaced"
    );
    assert_eq!(
        keys.claim_key(stored.as_ref(), &later).await.unwrap(),
        Saved::Lost,
        "and only once"
    );
    let newest = answering(&claim, "newest");
    assert_eq!(pairings.save(&newest).await.unwrap(), Saved::Won);
    assert_eq!(
        keys.forget_answer(&request.key, first).await.unwrap(),
        0,
        "the answer of a later session under the key stays"
    );
    assert_eq!(
        keys.forget_answer(&request.key, &newest.pairing.first)
            .await
            .unwrap(),
        1
    );
    assert_eq!(keys.find_key(&request.key).await.unwrap(), None);
    assert_eq!(
        pairings
            .save(&answering(&claim, "forgotten"))
            .await
            .unwrap(),
        Saved::Lost,
        "what was forgotten does not come back"
    );
}

/// Of many concurrent requests under one key, exactly one wins.
/// Needs as many stores as there are workers.
pub async fn session_keys_race(stores: &[std::sync::Arc<dyn SessionKeys>], prefix: &str) {
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let request = IdempotentRequest::new(prefix, "race", b"body");
    let claim = SessionKey::claim(&request, Duration::from_secs(3_600), now);
    let claims = stores.iter().map(|store| store.claim_key(None, &claim));
    let claimed = futures_util::future::join_all(claims).await;
    let won = claimed
        .into_iter()
        .map(Result::unwrap)
        .filter(|saved| *saved == Saved::Won)
        .count();
    assert_eq!(won, 1);
}

/// `body` must be a callback with the link `link` for the step `step`, and tell of `subject`.
pub async fn archive(
    archive: &dyn CallbackArchive,
    scan_ref: &ScanRef,
    body: &[u8],
    (step, link): (&str, &str),
    subject: &Subject,
) {
    let digest = Digest256::of(body);
    assert!(
        archive.read(scan_ref, &digest).await.unwrap().is_none(),
        "what was never kept is not there"
    );
    assert_eq!(
        archive.subject(scan_ref, &digest).await.unwrap(),
        None,
        "nor tells it anything"
    );
    archive.keep(Some(scan_ref), &digest, body).await.unwrap();
    archive
        .keep(Some(scan_ref), &digest, body)
        .await
        .expect("keeping twice is keeping once");
    let content = archive
        .read(scan_ref, &digest)
        .await
        .unwrap()
        .expect("kept");
    assert_eq!(content.links[&step.parse().unwrap()][0].expose(), link);
    let told = archive.subject(scan_ref, &digest).await.unwrap();
    assert!(told.as_ref() == Some(subject), "every member reads back");
    archive
        .keep(None, &Digest256::of(b"unreadable"), b"unreadable")
        .await
        .unwrap();
}

/// `store` must hold no circuit yet.
pub async fn circuits(store: &dyn Circuits) {
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let never_needed = store.circuit().await.unwrap();
    assert_eq!(
        never_needed,
        Circuit::default(),
        "nothing stored is a circuit that was never needed"
    );
    let failing = Health::Failing {
        cause: Cause::RateLimited,
        retry_after: Some(Duration::from_secs(30)),
    };
    let mut circuit = never_needed;
    for at in [now, now.plus(Duration::from_secs(30))] {
        let next = circuit
            .after_call("CreateToken", failing, at)
            .expect("a failure counts")
            .next;
        assert_eq!(store.replace_circuit(&next).await.unwrap(), Saved::Won);
        assert_eq!(
            store.replace_circuit(&next).await.unwrap(),
            Saved::Lost,
            "each version is written once"
        );
        assert_eq!(
            store.circuit().await.unwrap(),
            next,
            "every member survives storage"
        );
        circuit = next;
    }
    assert!(matches!(
        circuit.gate(now.plus(Duration::from_secs(45))),
        Gate::Open { .. }
    ));
    let taken = circuit
        .with_probe_taken(now.plus(Duration::from_secs(600)))
        .expect("the pause is over");
    let skipped = taken
        .with_probe_taken(now.plus(Duration::from_secs(1_200)))
        .expect("the try took too long");
    assert_eq!(
        store.replace_circuit(&skipped).await.unwrap(),
        Saved::Lost,
        "a version cannot be skipped"
    );
    assert_eq!(store.replace_circuit(&taken).await.unwrap(), Saved::Won);
    assert_eq!(store.circuit().await.unwrap(), taken);
}

/// Of many concurrent callers, exactly one gets the probe.
/// Needs as many stores as there are workers.
pub async fn circuits_race(stores: &[std::sync::Arc<dyn Circuits>]) {
    let failing = Health::Failing {
        cause: Cause::Unreachable,
        retry_after: None,
    };
    let now = Timestamp::from_milliseconds(1_795_422_063_000);
    let circuit = Circuit::default()
        .after_call("Process", failing, now)
        .expect("a failure counts")
        .next;
    let saves = stores.iter().map(|store| store.replace_circuit(&circuit));
    let saved = futures_util::future::join_all(saves).await;
    let won = saved
        .into_iter()
        .map(Result::unwrap)
        .filter(|saved| *saved == Saved::Won)
        .count();
    assert_eq!(won, 1);
}
