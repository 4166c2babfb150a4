//! The script of one first verification: the customer's actions and the provider's results.

use verification::identifiers::ScanRef;
use verification::result::{Overall, StepsVerdict};

use super::random_faults::RandomFaults;
use super::timeline::{DAY, HOUR, MINUTE, SECOND, Timeline};
use super::uploads::Finished;

/// A result that the provider comes to.
#[derive(Clone, Debug)]
pub struct Emission {
    pub scan_ref: ScanRef,
    pub result: ProviderResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProviderResult {
    pub overall: Overall,
    pub is_final: bool,
    pub steps: StepsVerdict,
    /// The body names no country.
    pub is_without_country: bool,
    /// The body names no step.
    pub is_without_steps: bool,
    /// The body has no links.
    pub is_without_links: bool,
    /// The body names another client than the session.
    pub is_of_another_client: bool,
    /// It is about files that the customer uploaded since the result before.
    pub uploaded: Option<Finished>,
}

impl ProviderResult {
    pub fn of(overall: Overall) -> Self {
        Self {
            overall,
            is_final: true,
            steps: StepsVerdict::Valid,
            is_without_country: false,
            is_without_steps: false,
            is_without_links: false,
            is_of_another_client: false,
            uploaded: None,
        }
    }

    pub fn not_final(overall: Overall) -> Self {
        Self {
            is_final: false,
            ..Self::of(overall)
        }
    }

    /// The same about newer files.
    pub fn of_newer_files(self, timeline: &Timeline) -> Self {
        let finished = timeline.weighted(&[
            (8, Finished::Later),
            (1, Finished::SameTime),
            (1, Finished::Unknown),
        ]);
        Self {
            uploaded: Some(finished),
            ..self
        }
    }

    /// The decision that the provider may have made final by this.
    /// `None`: none.
    pub fn decision(&self) -> Option<Decision> {
        let is_approved = match self.overall {
            Overall::Approved => true,
            Overall::Denied | Overall::Suspected => false,
            _ => return None,
        };
        self.is_final.then_some(Decision {
            overall: self.overall,
            is_positive: is_approved
                && !matches!(self.steps, StepsVerdict::Invalid | StepsVerdict::NotFound),
        })
    }

    /// Whether the documents may be submitted on the strength of this.
    pub fn qualifies(&self) -> bool {
        self.is_final
            && self.overall == Overall::Approved
            && self.steps == StepsVerdict::Valid
            && !self.is_without_steps
    }

    /// Whether it may qualify after a change of policy that accepts an unjudged step.
    pub fn may_qualify(&self) -> bool {
        self.is_final
            && self.overall == Overall::Approved
            && matches!(self.steps, StepsVerdict::Valid | StepsVerdict::NotJudged)
            && !self.is_without_steps
    }
}

/// A final result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    pub overall: Overall,
    pub is_positive: bool,
}

/// The results of one first verification, each with the pause before it.
pub fn script(timeline: &Timeline, random_faults: &RandomFaults) -> Vec<(i64, ProviderResult)> {
    let busy = timeline.between(SECOND, 8 * MINUTE);
    let review = timeline.weighted(&[(3, 5 * MINUTE), (2, 3 * HOUR), (1, 2 * DAY)]);
    let of = ProviderResult::of;
    let approved = of(Overall::Approved);
    if random_faults.trouble.is_some() {
        return vec![(busy, approved)];
    }
    let mut script = timeline.weighted(&[
        (60, vec![(busy, approved)]),
        (
            10,
            vec![
                (busy, ProviderResult::not_final(Overall::Approved)),
                (review, approved),
            ],
        ),
        (
            5,
            vec![
                (busy, ProviderResult::not_final(Overall::Reviewing)),
                (review, approved),
            ],
        ),
        (
            3,
            vec![
                (busy, ProviderResult::not_final(Overall::Approved)),
                (review, of(Overall::Denied)),
            ],
        ),
        (4, vec![(busy, of(Overall::Denied))]),
        (3, vec![(busy, of(Overall::Suspected))]),
        (2, vec![(busy, of(Overall::Unknown))]),
        (2, vec![(busy, of(Overall::Deleted))]),
        (2, vec![(busy, of(Overall::Expired)), (review, approved)]),
        (
            2,
            vec![
                (busy, of(Overall::Expired)),
                (review, ProviderResult::not_final(Overall::Reviewing)),
                (review, of(Overall::Denied)),
            ],
        ),
        (
            2,
            vec![(
                busy,
                ProviderResult {
                    steps: StepsVerdict::NotJudged,
                    ..approved
                },
            )],
        ),
        (
            2,
            vec![(
                busy,
                ProviderResult {
                    steps: StepsVerdict::NotFound,
                    ..approved
                },
            )],
        ),
        (
            2,
            vec![(
                busy,
                ProviderResult {
                    is_without_country: true,
                    ..approved
                },
            )],
        ),
        (
            1,
            vec![(
                busy,
                ProviderResult {
                    is_without_steps: true,
                    ..approved
                },
            )],
        ),
        // The customer closes the window.
        (6, Vec::new()),
    ]);
    if timeline.chance(random_faults.odd_bodies * 0.2)
        && let Some((_, result)) = script.first_mut()
    {
        result.is_of_another_client = true;
    }
    while !script.is_empty() && timeline.chance(random_faults.second_thoughts * 0.6) {
        let later = timeline.weighted(&[
            (3, SECOND),
            (2, MINUTE),
            (2, HOUR),
            (1, 3 * DAY),
            (1, 9 * DAY),
        ]);
        let mut result = timeline.weighted(&[
            (6, of(Overall::Denied)),
            (6, approved),
            (2, of(Overall::Suspected)),
            (1, of(Overall::Expired)),
            (1, of(Overall::Deleted)),
            (1, of(Overall::Unknown)),
            (1, ProviderResult::not_final(Overall::Reviewing)),
        ]);
        // A missing step is there only once the customer has uploaded it.
        let was_missing = script
            .last()
            .is_some_and(|(_, result)| result.steps == StepsVerdict::NotFound);
        if was_missing {
            result.uploaded = Some(Finished::Later);
        } else if timeline.chance(random_faults.several_uploads) {
            result = result.of_newer_files(timeline);
        }
        result.is_without_links =
            result.overall != Overall::Approved && timeline.chance(random_faults.odd_bodies * 0.5);
        script.push((timeline.between(1, later), result));
    }
    script
}

/// The results of one second verification, each with the pause before it.
pub fn second_script(
    timeline: &Timeline,
    random_faults: &RandomFaults,
) -> Vec<(i64, ProviderResult)> {
    if timeline.chance(random_faults.no_result) {
        timeline.count("no second result at all");
        return Vec::new();
    }
    if random_faults.trouble.is_some() {
        return vec![(
            timeline.between(SECOND, HOUR),
            ProviderResult::of(Overall::Approved),
        )];
    }
    // The result may overtake the answer to our own call.
    let first = timeline.weighted(&[
        (3, 3),
        (3, 3 * SECOND),
        (3, 20 * MINUTE),
        (1, DAY),
        (1, 8 * DAY),
    ]);
    let of = ProviderResult::of;
    let verdict = || {
        timeline.weighted(&[
            (8, of(Overall::Approved)),
            (2, of(Overall::Denied)),
            (2, of(Overall::Suspected)),
        ])
    };
    let mut script = Vec::new();
    if timeline.chance(0.3) {
        let provisional = timeline.weighted(&[
            (1, Overall::Approved),
            (1, Overall::Reviewing),
            (1, Overall::Denied),
        ]);
        script.push((
            timeline.between(1, first),
            ProviderResult::not_final(provisional),
        ));
    }
    if timeline.chance(random_faults.refusal * 0.7) {
        let odd = timeline.weighted(&[
            (1, Overall::Expired),
            (1, Overall::Unknown),
            (1, Overall::Deleted),
        ]);
        script.push((timeline.between(1, first), of(odd)));
        if timeline.chance(0.5) {
            return script;
        }
    }
    script.push((timeline.between(1, first), verdict()));
    while timeline.chance(random_faults.second_thoughts * 0.4) {
        let later = timeline.weighted(&[(2, SECOND), (2, HOUR), (1, 2 * DAY)]);
        let result = if timeline.chance(0.2) {
            ProviderResult::not_final(Overall::Reviewing)
        } else {
            verdict()
        };
        script.push((timeline.between(1, later), result));
    }
    script
}
