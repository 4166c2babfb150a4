//! Every metric that the functions write, with its unit and the sets of dimensions that it counts
//! under. What alarms and the dashboard of `template.yaml` name is held to this list.

/// One metric. Its value is written with the value of each dimension that its sets name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub name: &'static str,
    pub unit: Unit,
    /// CloudWatch keeps one series for each set and never adds two of them up: what an alarm wants
    /// to sum must be a set of its own.
    pub dimensions: &'static [&'static [&'static str]],
}

/// A unit as CloudWatch spells it. (Source: `MetricDatum`, Amazon CloudWatch API reference.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    Bytes,
    Milliseconds,
    Seconds,
}

impl Unit {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

type Sets = &'static [&'static [&'static str]];

const BY_STACK: Sets = &[&["StackName"]];
const BY_REASON: Sets = &[&["StackName"], &["StackName", "Reason"]];
const BY_VERDICT: Sets = &[&["StackName"], &["StackName", "Verdict"]];
const BY_CAUSE: Sets = &[&["StackName"], &["StackName", "Cause"]];
const BY_KIND: Sets = &[&["StackName"], &["StackName", "Kind"]];
const BY_COMPARISON: Sets = &[&["StackName"], &["StackName", "Person", "Document"]];
const BY_OPERATION: Sets = &[&["StackName"], &["StackName", "Operation"]];
/// The last for alarms on what concerns the whole account, whichever operation met it.
const BY_OPERATION_AND_KIND: Sets = &[
    &["StackName"],
    &["StackName", "Operation"],
    &["StackName", "Operation", "Kind"],
    &["StackName", "Kind"],
];

macro_rules! metrics {
    ($($(#[$documentation:meta])* $constant:ident = $name:literal, $unit:ident, $dimensions:ident;)*) => {
        $(
            $(#[$documentation])*
            pub(super) const $constant: Metric = Metric { name: $name, unit: Unit::$unit, dimensions: $dimensions };
        )*

        /// All of them.
        pub const METRICS: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    SESSIONS_OPENED = "SessionsOpened", Count, BY_STACK;
    CALLBACKS_RECEIVED = "CallbacksReceived", Count, BY_STACK;
    CALLBACKS_REJECTED = "CallbacksRejected", Count, BY_REASON;
    CALLBACKS_UNREADABLE = "CallbacksUnreadable", Count, BY_STACK;
    CALLBACKS_IGNORED = "CallbacksIgnored", Count, BY_STACK;
    /// Until the answer is ready; the process's start is not in it.
    ANSWER_DURATION = "AnswerDuration", Milliseconds, BY_STACK;
    CALLBACK_DURATION = "CallbackDuration", Milliseconds, BY_STACK;
    PAIRINGS_QUALIFIED = "PairingsQualified", Count, BY_STACK;
    PAIRINGS_DECLINED = "PairingsDeclined", Count, BY_REASON;
    PAIRINGS_EXPIRED = "PairingsExpired", Count, BY_STACK;
    FILES_CAPTURED = "FilesCaptured", Count, BY_STACK;
    CAPTURE_BYTES = "CaptureBytes", Bytes, BY_STACK;
    CAPTURE_DURATION = "CaptureDuration", Milliseconds, BY_STACK;
    CAPTURE_DEFERRED = "CaptureDeferred", Count, BY_STACK;
    /// When copying began. Absent for links that do not tell when they die.
    LINK_TIME_LEFT = "LinkTimeLeft", Seconds, BY_STACK;
    SECOND_TOKENS_CREATED = "SecondTokensCreated", Count, BY_STACK;
    DOCUMENTS_SUBMITTED = "DocumentsSubmitted", Count, BY_STACK;
    PROVIDER_DURATION = "ProviderDuration", Milliseconds, BY_OPERATION;
    PROVIDER_ERRORS = "ProviderErrors", Count, BY_OPERATION_AND_KIND;
    CIRCUIT_OPENED = "CircuitOpened", Count, BY_CAUSE;
    PAIRINGS_SETTLED = "PairingsSettled", Count, BY_VERDICT;
    TIME_TO_SETTLE = "TimeToSettle", Milliseconds, BY_VERDICT;
    /// With every verdict, unless the parameter `Comparison` is `Off`.
    COMPARISONS_MADE = "ComparisonsMade", Count, BY_COMPARISON;
    PAIRINGS_REVOKED = "PairingsRevoked", Count, BY_REASON;
    PAIRINGS_PARKED = "PairingsParked", Count, BY_REASON;
    /// Found by one run of the reconciler, at most that run's limit. Written by every run.
    PAIRINGS_OVERDUE = "PairingsOverdue", Count, BY_STACK;
    /// How long the longest overdue pairing of the run has been so; 0 if none is.
    OLDEST_OVERDUE = "OldestOverdue", Seconds, BY_STACK;
    OUTCOMES_PUSHED = "OutcomesPushed", Count, BY_STACK;
    /// Attempts that the application did not answer 2xx.
    OUTCOME_PUSH_ERRORS = "OutcomePushErrors", Count, BY_KIND;
    OUTCOME_PUSH_DURATION = "OutcomePushDuration", Milliseconds, BY_STACK;
    /// Time since an outcome when an attempt to push it failed.
    OUTCOME_PUSH_AGE = "OutcomePushAge", Seconds, BY_STACK;
}
