//! What iDenfy's documentation leaves open, and what this account does.

use std::collections::BTreeMap;

use serde::Serialize;

macro_rules! topics {
    ($($name:ident: $topic:literal, $told_by:literal;)*) => {
        /// One point on which the documentation is silent or contradicts itself.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Topic { $($name),* }

        impl Topic {
            const ALL: &'static [Self] = &[$(Self::$name),*];

            const fn text(self) -> &'static str {
                match self { $(Self::$name => $topic),* }
            }

            /// What would tell it.
            const fn told_by(self) -> &'static str {
                match self { $(Self::$name => $told_by),* }
            }
        }
    };
}

topics! {
    CreatedStatus: "HTTP status of a created token", "a created token";
    TwoTokens: "a second token while the client's first is unused", "a second token";
    SuppressedEcho: "echo of suppressed steps", "a second token";
    StatusFinal: "`final` in the answer of /status", "the status of a token";
    ErrorForm: "form of an error", "a refused call";
    ErrorStatus: "HTTP status of an error", "a refused call";
    RateHeaders: "headers about the rate limit", "any answer";
    FilesShape: "form of the answer of /files", "the files of a token";
    UnknownVerification: "answers about an unknown scanRef", "a refused call";
    LiveDeletion: "deletion of an unused token", "the deletion";
    ProcessTokenField: "member of the token in direct processing", "a submission";
    DocumentTypeOptional: "direct processing without documentType", "--spend";
    ProcessEnabled: "direct processing in this environment", "--spend";
    DirectReview: "review of a direct submission", "--spend";
    DeletedFiles: "/files after a deletion", "--spend";
    CallbackKey: "key that signs callbacks", "--spend with a stack";
    CallbackFinal: "`final` in a direct submission's callback", "--spend with a stack";
    DirectCallback: "members of a direct submission's callback", "--spend with a stack";
    DirectTimes: "startTime and finishTime of a direct submission", "--spend with a stack";
    ProcessTolerance: "extra members, a burnt token, odd documents in direct processing",
        "submissions that may each cost a credit";
    DocumentSides: "BACK of a one-sided document, PDFs of several pages",
        "submissions that may each cost a credit";
    PictureTypes: "sizes and types that direct processing takes",
        "submissions that may each cost a credit";
    StepsVerdict: "verdict on steps, and its spelling", "a customer's callback";
    StepFiles: "names, links and number of a step's files", "a customer's callback";
    CallbackEvents: "names of callback events, and how many per notification", "iDenfy's dashboard";
    CallbackRepeats: "repeats of callbacks, and which answers count", "iDenfy's dashboard";
    CallbackUrl: "signature of callbacks to a token's own callbackUrl", "iDenfy's support";
    CustomersPage: "the customer's page after a callback that failed", "a customer's session";
    LapsedCallback: "body of an EXPIRED callback", "the callback of a token that lapses";
    LaterResults: "results after a final one", "time";
    DefaultExpiry: "expiry of a token that names none", "not asked: it is always named";
    Country: "country of the second document", "a decision: DefaultCountry";
    Charges: "what is charged", "your contract";
    Comparing: "spelling of names and numbers in two results", "customers' results";
    RequestInformation: "asking a customer again for a step", "iDenfy's support";
    ProviderRetention: "how long iDenfy keeps data", "your contract";
}

/// What the answers told.
#[derive(Debug, Default)]
pub struct Facts(BTreeMap<Topic, String>);

#[derive(Debug, Serialize)]
pub struct Fact {
    pub topic: &'static str,
    pub found: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Open {
    pub topic: &'static str,
    pub told_by: &'static str,
}

impl Facts {
    pub fn tell(&mut self, topic: Topic, found: impl Into<String>) {
        self.0.insert(topic, found.into());
    }

    /// What is known, and what is open, in the order of the topics.
    pub fn split(mut self) -> (Vec<Fact>, Vec<Open>) {
        let (mut known, mut open) = (Vec::new(), Vec::new());
        for topic in Topic::ALL {
            match self.0.remove(topic) {
                Some(found) => known.push(Fact {
                    topic: topic.text(),
                    found,
                }),
                None => open.push(Open {
                    topic: topic.text(),
                    told_by: topic.told_by(),
                }),
            }
        }
        (known, open)
    }
}
