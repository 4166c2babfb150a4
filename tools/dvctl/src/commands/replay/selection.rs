//! Selects the archived callbacks to replay.

use adapters::{ArchivedCallback, S3CallbackArchive};
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{CallbackArchive, HistoryEntry, Pairings};
use verification::upload::Age;
use verification::{Pairing, State, Timestamp};

use super::Callback;
use crate::commands::Context;
use crate::failure::Failure;
use crate::history;

pub struct Selection {
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub choice: Choice,
    pub limit: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Callbacks that may still have an effect.
    Failed,
    /// Callbacks without an effect so far.
    WithoutEffect,
}

pub struct Chosen {
    pub callbacks: Vec<(ArchivedCallback, &'static str)>,
    pub passed_over: Vec<(ArchivedCallback, &'static str)>,
    pub looked_at: usize,
}

/// The fate of one callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    Send(&'static str),
    /// Ignored by the webhook.
    PassOver(&'static str),
    LeaveOut,
}

/// What is known of a callback's verification.
enum Known {
    /// Erased: the webhook ignores it.
    Forgotten,
    Nothing,
    Pairing {
        pairing: Box<Pairing>,
        history: Vec<HistoryEntry>,
    },
}

impl Selection {
    /// Lists the archive and looks up every verification.
    ///
    /// # Errors
    /// The archive or the table is unavailable.
    pub async fn collect(
        &self,
        context: &mut Context<'_>,
        scan_ref: Option<&ScanRef>,
    ) -> Result<Chosen, Failure> {
        let archive = context.archive()?;
        let mut candidates = Vec::new();
        let mut next = None;
        let mut listed: usize = 0;
        loop {
            let page = archive.list(scan_ref, next).await?;
            listed = listed.saturating_add(page.callbacks.len());
            candidates.extend(
                page.callbacks
                    .into_iter()
                    .filter(|callback| self.is_in_window(callback.kept_at)),
            );
            next = page.next;
            context.output.progress(format_args!(
                "{listed} callbacks listed, {} in the window",
                candidates.len()
            ));
            if next.is_none() || context.interruption().came() {
                break;
            }
        }
        let looked_at = candidates.len();
        candidates.sort_by(|a, b| (a.kept_at, &a.digest).cmp(&(b.kept_at, &b.digest)));
        let mut callbacks = Vec::new();
        let mut passed_over = Vec::new();
        for callback in candidates {
            if callbacks.len() == self.limit {
                context.output.note(format_args!(
                    "only the oldest {} are taken; repeat the command for more",
                    self.limit
                ));
                break;
            }
            if context.interruption().came() {
                break;
            }
            let known = known(context, callback.scan_ref.as_ref()).await?;
            let mut decision = decide(
                &known,
                callback.scan_ref.as_ref(),
                &callback.digest,
                self.choice,
            );
            if matches!(decision, Decision::Send(_))
                && names_older_upload(&archive, &known, &callback).await?
            {
                decision =
                    Decision::PassOver("newer documents have replaced the ones that it names");
            }
            match decision {
                Decision::Send(why) => callbacks.push((callback, why)),
                Decision::PassOver(why) => passed_over.push((callback, why)),
                Decision::LeaveOut => {}
            }
            context
                .output
                .progress(format_args!("{} of {looked_at} chosen", callbacks.len()));
        }
        Ok(Chosen {
            callbacks,
            passed_over,
            looked_at,
        })
    }

    fn is_in_window(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

async fn known(context: &Context<'_>, scan_ref: Option<&ScanRef>) -> Result<Known, Failure> {
    let Some(scan_ref) = scan_ref else {
        return Ok(Known::Nothing);
    };
    let pairings = context.pairings()?;
    let Some(pairing) = pairings.find(scan_ref).await? else {
        let forgotten = pairings.is_forgotten(scan_ref).await?;
        return Ok(if forgotten {
            Known::Forgotten
        } else {
            Known::Nothing
        });
    };
    let history = pairings.history(&pairing.first, history::LIMIT).await?;
    Ok(Known::Pairing {
        pairing: Box::new(pairing),
        history,
    })
}

fn decide(
    known: &Known,
    scan_ref: Option<&ScanRef>,
    digest: &Digest256,
    choice: Choice,
) -> Decision {
    let (pairing, history) = match known {
        Known::Forgotten => return Decision::PassOver("the customer was erased"),
        Known::Nothing if scan_ref.is_none() => return Decision::Send("unreadable when it came"),
        Known::Nothing => return Decision::Send("no verification knows it"),
        Known::Pairing { pairing, history } => (pairing, history),
    };
    let had_effect = pairing.has_heard(digest)
        || history
            .iter()
            .any(|entry| entry.callback.as_ref() == Some(digest));
    let is_second = scan_ref.is_some_and(|scan_ref| *scan_ref != pairing.first);
    let is_awaited = match &pairing.state {
        State::Erasing { .. } => return Decision::PassOver("the customer is being erased"),
        State::AwaitingCallback { .. } | State::Expired => !is_second,
        State::Submitted { .. } | State::Submitting { .. } | State::Authorized { .. } => is_second,
        _ => false,
    };
    match choice {
        _ if had_effect => Decision::PassOver("it has had its effect"),
        _ if is_awaited => Decision::Send("the verification waits for it"),
        Choice::WithoutEffect => Decision::Send("had no effect"),
        Choice::Failed => Decision::LeaveOut,
    }
}

/// Whether newer documents are known than the result names.
async fn names_older_upload(
    archive: &S3CallbackArchive,
    known: &Known,
    callback: &ArchivedCallback,
) -> Result<bool, Failure> {
    let (Known::Pairing { pairing, .. }, Some(scan_ref)) = (known, &callback.scan_ref) else {
        return Ok(false);
    };
    if *scan_ref != pairing.first || pairing.uploads.is_empty() {
        return Ok(false);
    }
    let facts = archive.read(scan_ref, &callback.digest).await?;
    Ok(facts.is_some_and(|facts| facts.upload().age(&pairing.uploads) == Age::Older))
}

impl From<(ArchivedCallback, &'static str)> for Callback {
    fn from((callback, why): (ArchivedCallback, &'static str)) -> Self {
        Self {
            scan_ref: callback.scan_ref,
            sha256: callback.digest,
            came_at: callback.kept_at,
            why,
            status: None,
            state: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn first() -> ScanRef {
        "first".parse().unwrap()
    }

    fn known(state: Option<State>, named: Option<&Digest256>) -> Known {
        let now = Timestamp::from_milliseconds(1_800_000_000_000);
        let mut pairing = Pairing::opened(first(), None, now, now.plus(Duration::from_secs(60)));
        pairing.state = state.unwrap_or(pairing.state);
        let entry = |digest: &Digest256| HistoryEntry {
            at: now,
            what: "FirstQualifies".to_owned(),
            state: "Capturing".to_owned(),
            reason: None,
            callback: Some(digest.clone()),
        };
        Known::Pairing {
            pairing: Box::new(pairing),
            history: named.map(entry).into_iter().collect(),
        }
    }

    #[test]
    fn what_had_its_effect_is_passed_over() {
        let digest = Digest256::of(b"body");
        let known = known(None, Some(&digest));
        for choice in [Choice::WithoutEffect, Choice::Failed] {
            let decision = decide(&known, Some(&first()), &digest, choice);
            assert_eq!(decision, Decision::PassOver("it has had its effect"));
        }
        let other = decide(
            &known,
            Some(&first()),
            &Digest256::of(b"other"),
            Choice::WithoutEffect,
        );
        assert!(matches!(other, Decision::Send(_)));
    }

    #[test]
    fn failed_are_the_unreadable_the_unknown_and_the_awaited() {
        let digest = Digest256::of(b"body");
        let is_sent = |known: &Known, scan_ref: Option<&ScanRef>| {
            matches!(
                decide(known, scan_ref, &digest, Choice::Failed),
                Decision::Send(_)
            )
        };
        assert!(is_sent(&Known::Nothing, None));
        assert!(is_sent(&Known::Nothing, Some(&first())));
        assert!(is_sent(&known(None, None), Some(&first())));
        assert!(
            !is_sent(&known(None, None), Some(&"second".parse().unwrap())),
            "the first result is awaited, not this one"
        );
        let settled = State::Settled {
            verdict: verification::Verdict::Approved,
            reason: None,
        };
        assert!(!is_sent(&known(Some(settled), None), Some(&first())));
    }

    #[test]
    fn what_is_erased_stays_so() {
        let digest = Digest256::of(b"body");
        let erasing = State::Erasing {
            again_at: Timestamp::from_milliseconds(0),
            deleted: Vec::new(),
        };
        for known in [Known::Forgotten, known(Some(erasing), None)] {
            for choice in [Choice::Failed, Choice::WithoutEffect] {
                let decision = decide(&known, Some(&first()), &digest, choice);
                assert!(matches!(decision, Decision::PassOver(_)), "{decision:?}");
            }
        }
    }
}
