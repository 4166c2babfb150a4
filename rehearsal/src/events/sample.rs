//! A sample event: its function, its name, and the events before it.

use serde_json::Value;

/// A function of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Function {
    Webhook,
    Processor,
    Api,
    Reconciler,
    Publisher,
    PreTraffic,
    OutcomePush,
}

impl Function {
    /// The folder of its events, and its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Processor => "processor",
            Self::Api => "api",
            Self::Reconciler => "reconciler",
            Self::Publisher => "publisher",
            Self::PreTraffic => "pre-traffic",
            Self::OutcomePush => "outcome-push",
        }
    }

    /// Its name in `template.yaml`.
    pub const fn logical_id(self) -> &'static str {
        match self {
            Self::Webhook => "WebhookFunction",
            Self::Processor => "ProcessorFunction",
            Self::Api => "ApiFunction",
            Self::Reconciler => "ReconcilerFunction",
            Self::Publisher => "PublisherFunction",
            Self::PreTraffic => "PreTrafficFunction",
            Self::OutcomePush => "OutcomePushFunction",
        }
    }
}

/// One sample event.
#[derive(Clone, Debug)]
pub struct Sample {
    pub function: Function,
    pub name: String,
    pub event: Value,
    /// Events that must have been handled before, for the same customer: paths below `events/`
    /// without `.json`, in this order.
    pub after: &'static [&'static str],
}

impl Sample {
    /// Of a function whose events need no others before, unless [`after`](Self::after) says so.
    pub fn new(function: Function, name: &str, event: Value) -> Self {
        Self {
            function,
            name: name.to_owned(),
            event,
            after: &[],
        }
    }

    /// The same, for a customer about whom these events have been handled.
    pub fn after(self, after: &'static [&'static str]) -> Self {
        Self { after, ..self }
    }

    /// Its path below `events/`, without `.json`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.function.name(), self.name)
    }
}
