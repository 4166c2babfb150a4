//! A provider whose status may lag, and the bodies that it has signed.

use verification::Policy;
use verification::Timestamp;
use verification::identifiers::{Digest256, ScanRef};
use verification::pairing::ExpectedDocument;
use verification::policy::{ComparisonPolicy, Judgement};
use verification::question::SecondNews;
use verification::result::{CallbackContent, Overall};
use verification::secret::FileLink;
use verification::testing::fixtures::{approved, second};
use verification::transition::{Event, FirstResult, SecondResult};

/// One result of the first verification, and its upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    pub overall: Overall,
    pub upload: i64,
}

pub const fn decision(overall: Overall, upload: i64) -> Decision {
    Decision { overall, upload }
}

/// What the provider has of a Token 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    Active,
    Expired,
    Accepted,
    Decided(Overall),
}

impl Stage {
    pub const fn status(self) -> Overall {
        match self {
            Self::Active => Overall::Active,
            Self::Expired => Overall::Expired,
            Self::Accepted => Overall::Reviewing,
            Self::Decided(overall) => overall,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    pub stage: Stage,
    /// What a status that lags behind still says.
    pub before: Stage,
    /// The upload whose documents were accepted.
    pub accepted: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Provider {
    /// How many of the script's decisions are made.
    pub decided: usize,
    /// The newest one may not show in the status yet.
    pub lags: bool,
    /// Which bodies have been delivered at least once.
    pub delivered: Vec<bool>,
    pub tokens: Vec<Token>,
}

pub fn scan_ref(number: usize) -> ScanRef {
    format!("second-{number}").parse().unwrap()
}

/// The body about the script's decision of this number.
pub fn body(number: usize, decision: Decision) -> CallbackContent {
    let mut content = approved("first", "client");
    for (step, links) in &mut content.links {
        *links = vec![FileLink::new(format!(
            "https://files.example/{}/{step}",
            decision.upload
        ))];
    }
    CallbackContent {
        overall: Some(decision.overall),
        finished_at: Some(decision.upload),
        digest: Digest256::of(format!("body {number}").as_bytes()),
        ..content
    }
}

pub fn first_result(content: &CallbackContent, lease_until: Timestamp) -> Event {
    let judgement: Judgement = Policy::default().judge(content, &ExpectedDocument::default());
    Event::FirstResult(FirstResult {
        overall: content.overall.unwrap(),
        tags: Vec::new(),
        judgement,
        upload: content.upload(),
        callback: Some(content.digest.clone()),
        lease_until,
        confirm: true,
        is_retry: false,
    })
}

pub fn second_result(number: usize, overall: Overall) -> Event {
    let content = second(scan_ref(number).as_str(), "first", overall);
    Event::SecondResult(SecondResult {
        scan_ref: content.scan_ref.clone(),
        news: SecondNews {
            overall,
            tags: Vec::new(),
            callback: Some(Digest256::of(format!("{number} {overall}").as_bytes())),
        },
        provisional: false,
        confirm: true,
        comparison: None,
        comparison_policy: ComparisonPolicy::Off,
    })
}
