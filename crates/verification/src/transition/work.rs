//! Workers' reports: what was begun and how it ended.

use super::{
    ALREADY_KNOWN, Confirmed, Effect, MAXIMUM_ATTEMPTS, MAXIMUM_PREPARATIONS, Machine,
    OUT_OF_PLACE, Transition, merge,
};
use crate::identifiers::{Digest256, ScanRef, UploadId};
use crate::pairing::document::{Plan, StoredDocument};
use crate::pairing::prepared::Preparation;
use crate::pairing::reason::{ParkReason, WaitingReason};
use crate::pairing::{Pairing, Preparing, Resume, Second, Standing, State};
use crate::secret::AuthToken;
use crate::time::Timestamp;

impl Machine<'_> {
    pub(super) fn capture_taken(&self, lease_until: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Capturing {
                lease_until: held, ..
            } if *held > self.now => Transition::HeldUntil(*held),
            State::Capturing {
                plan,
                displaced,
                waiting,
                ..
            } => self.to(
                "CaptureTaken",
                // The message that the worker acts on comes again if it dies.
                &[],
                State::Capturing {
                    plan: plan.clone(),
                    lease_until,
                    displaced: displaced.clone(),
                    waiting: *waiting,
                },
            ),
            _ => OUT_OF_PLACE,
        }
    }

    /// The callback's links are dead, and `/files` lists files that may differ.
    /// No old file is submitted with them.
    pub(super) fn files_replaced(&self, upload: &UploadId, files: UploadId) -> Transition {
        let State::Capturing {
            plan,
            lease_until,
            displaced,
            ..
        } = &self.pairing.state
        else {
            return OUT_OF_PLACE;
        };
        if plan.upload != *upload || plan.upload == files {
            return OUT_OF_PLACE;
        }
        let plan = Plan {
            upload: files,
            are_links_replaced: true,
            ..plan.clone()
        };
        self.to(
            "FilesReplaced",
            &[],
            State::Capturing {
                plan,
                lease_until: *lease_until,
                displaced: displaced.clone(),
                waiting: None,
            },
        )
    }

    pub(super) fn capture_ended(
        &self,
        upload: &UploadId,
        documents: Vec<StoredDocument>,
        waiting: Option<WaitingReason>,
    ) -> Transition {
        let State::Capturing {
            plan, displaced, ..
        } = &self.pairing.state
        else {
            return OUT_OF_PLACE;
        };
        // The worker copied files of an upload that was replaced meanwhile.
        if plan.upload != *upload {
            return OUT_OF_PLACE;
        }
        let mut next = self.pairing.clone();
        merge(&mut next.documents, documents, plan);
        let mut state = after_capture(&next, plan, displaced.as_deref(), self.now);
        if let State::Capturing { waiting: why, .. } = &mut state {
            *why = waiting;
        }
        show_sides(&mut next.documents, &state);
        let (what, effects): (_, &[Effect]) = match &state {
            state
                if Some(state) != displaced.as_deref()
                    && matches!(state, State::Captured { .. }) =>
            {
                ("DocumentsCaptured", &[Effect::Enqueue])
            }
            State::Capturing { .. } => ("CaptureDeferred", &[Effect::Enqueue]),
            State::Parked {
                cause: ParkReason::SeveralFiles { .. },
                ..
            } => ("CaptureRefused", &[]),
            _ => ("SameDocuments", &[]),
        };
        let documents = next.documents;
        self.change(what, effects, |next| {
            next.documents = documents;
            next.state = state;
        })
    }

    pub(super) fn capture_refused(
        &self,
        upload: &UploadId,
        documents: Vec<StoredDocument>,
        cause: ParkReason,
    ) -> Transition {
        match &self.pairing.state {
            // Captured and Authorized too: a mismatch shows only when all files are here.
            State::Capturing { plan, .. }
            | State::Captured { plan, .. }
            | State::Authorized { plan, .. }
                if plan.upload == *upload =>
            {
                let plan = plan.clone();
                self.change("CaptureRefused", &[], |next| {
                    merge(&mut next.documents, documents, &plan);
                    next.state = State::Parked {
                        cause,
                        resume: Resume::Plan(plan),
                    };
                })
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// Stays `Captured`: the documents were complete, and now their copies are known.
    /// Once a token is being created, the copies do not change.
    pub(super) fn documents_prepared(
        &self,
        upload: &UploadId,
        preparations: Vec<Preparation>,
    ) -> Transition {
        let plan = match &self.pairing.state {
            State::Captured { plan, .. } if plan.upload == *upload => plan.clone(),
            _ => return OUT_OF_PLACE,
        };
        let mut documents = self.pairing.documents.clone();
        for Preparation {
            step,
            original,
            file,
        } in preparations
        {
            // The same file may have been uploaded twice for a step.
            for document in &mut documents {
                if document.upload == *upload
                    && document.step == step
                    && document.sha256 == original
                {
                    document.prepared = Some(file.clone());
                }
            }
        }
        if documents == self.pairing.documents {
            return ALREADY_KNOWN;
        }
        self.change("DocumentsPrepared", &[], |next| {
            next.documents = documents;
            next.state = State::captured(plan);
        })
    }

    /// A document may stop its worker, so each attempt is recorded before it begins.
    pub(super) fn preparation_started(
        &self,
        upload: &UploadId,
        lease_until: Timestamp,
    ) -> Transition {
        let (plan, begun) = match &self.pairing.state {
            State::Captured { plan, preparing } if plan.upload == *upload => {
                (plan.clone(), preparing.as_ref())
            }
            _ => return OUT_OF_PLACE,
        };
        let tries = match begun {
            Some(preparing) if preparing.lease_until > self.now => {
                return Transition::HeldUntil(preparing.lease_until);
            }
            Some(preparing) => preparing.tries,
            None => 0,
        };
        if tries >= MAXIMUM_PREPARATIONS {
            let cause = ParkReason::PreparationUnfinished;
            let resume = Resume::Plan(plan);
            return self.to("PreparationGivenUp", &[], State::Parked { cause, resume });
        }
        let preparing = Some(Preparing {
            lease_until,
            tries: tries.saturating_add(1),
        });
        self.to(
            "PreparationStarted",
            &[],
            State::Captured { plan, preparing },
        )
    }

    /// The bucket was in trouble, which says nothing of the documents.
    pub(super) fn preparation_failed(&self, held: Timestamp) -> Transition {
        match &self.pairing.state {
            State::Captured {
                plan,
                preparing: Some(Preparing { lease_until, tries }),
            } if *lease_until == held => {
                let preparing = Some(Preparing {
                    lease_until: self.now,
                    tries: tries.saturating_sub(1),
                });
                let plan = plan.clone();
                self.to(
                    "PreparationFailed",
                    &[],
                    State::Captured { plan, preparing },
                )
            }
            _ => OUT_OF_PLACE,
        }
    }

    pub(super) fn authorization_started(
        &self,
        lease_until: Timestamp,
        Confirmed(()): Confirmed,
    ) -> Transition {
        let plan = match &self.pairing.state {
            State::Captured { plan, .. } => plan,
            State::Authorizing {
                lease_until: held, ..
            } if *held > self.now => return Transition::HeldUntil(*held),
            // The answer was lost. If a token exists, its secret is lost, so it counts as dead.
            State::Authorizing { plan, .. } => plan,
            _ => return OUT_OF_PLACE,
        };
        if self.pairing.is_doubted() || self.pairing.is_waiting_for_confirmation() {
            return UNCONFIRMED;
        }
        if !self.pairing.is_newest(plan) {
            return self.newer_upload_parked();
        }
        if self.pairing.attempts >= MAXIMUM_ATTEMPTS {
            return self.change("AttemptsExhausted", &[], |next| {
                next.state = State::Parked {
                    cause: ParkReason::AttemptsExhausted,
                    resume: Resume::Plan(plan.clone()),
                };
            });
        }
        self.change("AuthorizationStarted", &[], |next| {
            next.attempts = next.attempts.saturating_add(1);
            next.state = State::Authorizing {
                plan: plan.clone(),
                lease_until,
            };
        })
    }

    /// Replaced documents are not submitted, even if the newer ones cannot be.
    fn newer_upload_parked(&self) -> Transition {
        let callback = self
            .pairing
            .uploads
            .last()
            .map(|upload| upload.callback.clone());
        self.to(
            "NewerUploadNotApproved",
            &[],
            State::Parked {
                cause: ParkReason::NewerUploadNotApproved,
                resume: Resume::Callback(callback.unwrap_or_else(|| Digest256::of(b""))),
            },
        )
    }

    pub(super) fn second_token_created(
        &self,
        held: Timestamp,
        scan_ref: ScanRef,
        auth_token: AuthToken,
    ) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("SecondTokenCreated", &[], |next| {
            next.superseded
                .extend(next.second.take().map(|earlier| earlier.scan_ref));
            next.second = Some(Second::new(scan_ref, plan.upload.clone()));
            next.state = State::Authorized {
                plan: plan.clone(),
                auth_token,
            };
        })
    }

    pub(super) fn authorization_failed(&self, held: Timestamp) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.change("AuthorizationFailed", &[], |next| {
            next.attempts = next.attempts.saturating_sub(1);
            next.state = State::captured(plan.clone());
        })
    }

    pub(super) fn authorization_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some(plan) = self.authorizing_under(held) else {
            return OUT_OF_PLACE;
        };
        self.to(
            "AuthorizationRefused",
            &[],
            State::Parked {
                cause,
                resume: Resume::Plan(plan.clone()),
            },
        )
    }

    pub(super) fn submission_started(&self, lease_until: Timestamp) -> Transition {
        let (plan, auth_token) = match &self.pairing.state {
            State::Submitting {
                lease_until: held, ..
            } if *held > self.now => return Transition::HeldUntil(*held),
            // The first verification has turned negative, or newer documents wait: these are not
            // posted again.
            State::Submitting { plan, .. } if !self.pairing.may_be_posted_again(plan) => {
                return OUT_OF_PLACE;
            }
            // From Submitting only after evidence that the token is unused.
            State::Authorized { plan, auth_token }
            | State::Submitting {
                plan, auth_token, ..
            } => (plan, auth_token),
            _ => return OUT_OF_PLACE,
        };
        if self.pairing.is_doubted() || self.pairing.is_waiting_for_confirmation() {
            return UNCONFIRMED;
        }
        if matches!(self.pairing.state, State::Authorized { .. }) && !self.pairing.is_newest(plan) {
            return self.newer_upload_parked();
        }
        self.to(
            "SubmissionStarted",
            &[],
            State::Submitting {
                plan: plan.clone(),
                auth_token: auth_token.clone(),
                lease_until,
            },
        )
    }

    pub(super) fn submission_accepted(&self, second: Option<&ScanRef>) -> Transition {
        let State::Submitting { plan, .. } = &self.pairing.state else {
            return OUT_OF_PLACE;
        };
        if !self.is_current(second) {
            return OUT_OF_PLACE;
        }
        self.to(
            "DocumentsSubmitted",
            &[],
            State::Submitted {
                plan: plan.clone(),
                since: self.now,
                check_at: self.now.plus(Pairing::RESULT_PATIENCE),
            },
        )
    }

    /// The documents are certainly not with the provider.
    /// If the first verification has turned negative meanwhile, the pairing is declined.
    /// Newer documents, if any, are next.
    pub(super) fn not_submitted(&self, what: &'static str, state: State) -> Transition {
        let effects: &[Effect] = match (&self.pairing.next_upload, &state) {
            (None, State::Authorized { .. } | State::Parked { .. }) => &[],
            _ => &[Effect::Enqueue],
        };
        match self.pairing.revoked {
            Some(reason) => self.change(what, &[], |next| {
                next.revoked = None;
                next.next_upload = None;
                next.keep_only_what_may_reopen();
                next.forget_second_question();
                next.state = State::Declined { reason };
            }),
            None => self.change(what, effects, |next| {
                next.forget_second_question();
                next.state = match next.next_upload.take() {
                    Some(plan) => self.capturing(plan, None),
                    None => state,
                };
            }),
        }
    }

    pub(super) fn submission_failed(&self, held: Timestamp) -> Transition {
        let Some((plan, auth_token)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        let state = State::Authorized {
            plan: plan.clone(),
            auth_token: auth_token.clone(),
        };
        self.not_submitted("SubmissionFailed", state)
    }

    pub(super) fn submission_refused(&self, held: Timestamp, cause: ParkReason) -> Transition {
        let Some((plan, _)) = self.submitting_under(held) else {
            return OUT_OF_PLACE;
        };
        let state = State::Parked {
            cause,
            resume: Resume::Plan(plan.clone()),
        };
        self.not_submitted("SubmissionRefused", state)
    }

    pub(super) fn answer_lost(&self, held: Timestamp, again_at: Timestamp) -> Transition {
        let state = if let Some(plan) = self.authorizing_under(held) {
            State::Authorizing {
                plan: plan.clone(),
                lease_until: again_at,
            }
        } else if let Some((plan, auth_token)) = self.submitting_under(held) {
            State::Submitting {
                plan: plan.clone(),
                auth_token: auth_token.clone(),
                lease_until: again_at,
            }
        } else {
            return OUT_OF_PLACE;
        };
        self.to("AnswerLost", &[], state)
    }

    /// The older documents were not approved, and newer ones are there.
    pub(super) fn next_attempt_started(&self) -> Transition {
        if !self.pairing.is_next_attempt_due() {
            return OUT_OF_PLACE;
        }
        let displaced = Some(Box::new(self.pairing.state.clone()));
        self.change("NextAttemptStarted", &[], |next| {
            if let Some(plan) = next.next_upload.take() {
                next.first_callback = Some(plan.callback.clone());
                next.forget_second_question();
                next.state = self.capturing(plan, displaced);
            }
        })
    }

    fn authorizing_under(&self, held: Timestamp) -> Option<&Plan> {
        match &self.pairing.state {
            State::Authorizing { plan, lease_until } if *lease_until == held => Some(plan),
            _ => None,
        }
    }

    fn submitting_under(&self, held: Timestamp) -> Option<(&Plan, &AuthToken)> {
        match &self.pairing.state {
            State::Submitting {
                plan,
                auth_token,
                lease_until,
            } if *lease_until == held => Some((plan, auth_token)),
            _ => None,
        }
    }
}

/// How a pairing comes to rest, or continues with newer documents.
impl Machine<'_> {
    /// A plan whose files any worker may copy now.
    fn capturing(&self, plan: Plan, displaced: Option<Box<State>>) -> State {
        State::Capturing {
            plan,
            lease_until: self.now,
            displaced,
            waiting: None,
        }
    }

    /// The submission came to nothing.
    /// A newer upload is verified now, unless the first result has turned negative.
    /// Without one, or if its files are the same, a person must look.
    pub(super) fn rest(&self, next: &mut Pairing, cause: ParkReason) {
        let Some(plan) = self.pairing.state.plan().cloned() else {
            return;
        };
        let is_revoked = next.revoked.is_some();
        next.forget_second_question();
        let parked = State::Parked {
            cause,
            resume: Resume::Plan(plan),
        };
        next.state = match next.next_upload.take_if(|_| !is_revoked) {
            Some(newer) => self.capturing(newer, Some(Box::new(parked))),
            None => parked,
        };
    }

    pub(super) fn rest_effects(&self) -> &'static [Effect] {
        if self.pairing.next_upload.is_some() && self.pairing.revoked.is_none() {
            &[Effect::Enqueue]
        } else {
            &[]
        }
    }

    /// The pairing as it stands, to be taken up from there.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            state: self.pairing.state.clone(),
            first_question: self.pairing.first_question.clone(),
            second_question: self
                .pairing
                .second
                .as_ref()
                .and_then(|second| second.question.clone()),
        }
    }

    #[expect(clippy::unused_self, reason = "belongs to standing()")]
    pub(super) fn park_standing(&self, next: &mut Pairing, cause: ParkReason, standing: Standing) {
        next.first_question = None;
        next.forget_second_question();
        next.state = State::Parked {
            cause,
            resume: Resume::Standing(Box::new(standing)),
        };
    }

    /// A person sets the pairing aside.
    /// Work under a lease is left to its holder.
    pub(super) fn set_aside(&self, note: String) -> Transition {
        if let Some(lease_until) = self
            .pairing
            .state
            .lease_until()
            .filter(|lease_until| *lease_until > self.now)
        {
            return Transition::HeldUntil(lease_until);
        }
        match &self.pairing.state {
            State::AwaitingCallback { .. }
            | State::Capturing { .. }
            | State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Submitting { .. }
            | State::Submitted { .. } => self.change("SetAside", &[], |next| {
                self.park_standing(next, ParkReason::SetAside { note }, self.standing());
            }),
            _ => OUT_OF_PLACE,
        }
    }

    /// Nothing has worked for so long that a person must look.
    pub(super) fn given_up(&self) -> Transition {
        match &self.pairing.state {
            State::Submitted { .. } => self.change("GivenUp", self.rest_effects(), |next| {
                self.rest(next, ParkReason::ResultOverdue)
            }),
            State::AwaitingCallback { .. }
            | State::Capturing { .. }
            | State::Captured { .. }
            | State::Authorizing { .. }
            | State::Authorized { .. }
            | State::Submitting { .. } => self.change("GivenUp", &[], |next| {
                self.park_standing(next, ParkReason::ProviderUnavailable, self.standing());
            }),
            _ => OUT_OF_PLACE,
        }
    }
}

/// The first result may have turned negative.
/// The provider is asked before anything is spent.
const UNCONFIRMED: Transition = Transition::Nothing("Unconfirmed");

/// The next state with these files in the bucket.
/// The only way into `Captured`.
/// So no document with an uncertain side is submitted, and none is parked for that before it is
/// kept.
///
/// Files that equal those of the `displaced` state restore it: no document is verified twice.
pub(super) fn after_capture(
    pairing: &Pairing,
    plan: &Plan,
    displaced: Option<&State>,
    now: Timestamp,
) -> State {
    let plan = plan.clone();
    if pairing.missing(&plan).is_some() {
        return State::Capturing {
            plan,
            lease_until: now,
            displaced: displaced.cloned().map(Box::new),
            waiting: None,
        };
    }
    if let Some(displaced) = displaced.and_then(|displaced| restored(pairing, &plan, displaced)) {
        return displaced;
    }
    let plan = plan.without_repeats(&pairing.documents);
    match pairing.undecided_step(&plan).cloned() {
        None => State::captured(plan),
        Some(step) => State::Parked {
            cause: ParkReason::SeveralFiles { step },
            resume: Resume::Plan(plan),
        },
    }
}

/// What each file of the state's plan shows, noted beside it.
pub(super) fn show_sides(documents: &mut [StoredDocument], state: &State) {
    let Some(plan) = state.plan() else { return };
    for document in documents
        .iter_mut()
        .filter(|document| document.upload == plan.upload)
    {
        document.side = plan.side_of(&document.step, document.file);
    }
}

/// The displaced state, if the files are its own.
fn restored(pairing: &Pairing, plan: &Plan, displaced: &State) -> Option<State> {
    let old_upload = match displaced {
        State::Settled { .. } => &pairing.second.as_ref()?.upload,
        state => &state.plan()?.upload,
    };
    let digests = |upload: &UploadId| -> Vec<(String, &Digest256)> {
        let of_upload = pairing
            .documents
            .iter()
            .filter(|stored| stored.upload == *upload);
        let mut digests: Vec<_> = of_upload
            .map(|stored| (format!("{}/{}", stored.step, stored.file), &stored.sha256))
            .collect();
        digests.sort();
        digests
    };
    if digests(old_upload) != digests(&plan.upload) {
        return None;
    }
    let mut state = displaced.clone();
    if let State::Parked {
        resume: Resume::Plan(old),
        ..
    } = &mut state
    {
        // The same files under a newer name.
        old.callback = plan.callback.clone();
        old.fingerprint = plan.fingerprint.clone();
    }
    Some(state)
}
