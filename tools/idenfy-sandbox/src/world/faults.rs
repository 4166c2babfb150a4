//! Scripted faults: kind, route, subject and count. Requests use up the faults that they match, in
//! the order of scripting. One request meets at most one fault.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::world::route::{Route, Subject};

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FaultKind {
    /// Not handled; an error with `status` and `identifier`.
    Status,
    /// Not handled; a gateway's page with `status`.
    Html,
    /// Not handled; HTTP 200 with an error as its body.
    #[serde(rename = "errorIn200")]
    ErrorInSuccess,
    /// Not handled; silence for `milliseconds`, then the connection is reset.
    Hang,
    /// Not handled; the connection is reset.
    Reset,
    /// Handled; the connection is reset in place of the answer.
    AcceptedThenReset,
    /// Handled; silence for `milliseconds`, then the connection is reset.
    AcceptedThenHang,
    /// Handled; the connection ends before the announced length.
    Truncate,
    /// Handled; half of the body is sent, under a length that makes it look whole.
    ShortContentLength,
    /// Handled; the body comes in drops, the last after `milliseconds`. On `callback`: sent that
    /// much later.
    Slow,
    /// Handled; the answer is declared as HTML.
    WrongContentType,
    /// On `file`: refused as expired. On `files`: the answered links have expired.
    ExpiredLink,
    /// On `status`: handled; the overall status is `overall`, and `final` is added if it is given.
    FixedStatus,
    /// On `status`: handled; the newest result is unknown until `milliseconds` after it.
    LaggingStatus,
    /// Callback is never sent.
    Drop,
    /// Callback is sent twice at the same time.
    Duplicate,
    /// Callback is signed with another key.
    BadSignature,
    /// Callback has no signature.
    Unsigned,
    /// Callback consists of the first half of its body, correctly signed.
    CutBody,
}

impl FaultKind {
    /// Whether this can happen on that route.
    fn fits(self, route: Route) -> bool {
        let on_callback = matches!(
            self,
            Self::Drop | Self::Duplicate | Self::BadSignature | Self::Unsigned | Self::CutBody
        );
        match self {
            Self::Slow => true,
            Self::ExpiredLink => matches!(route, Route::File | Route::Files),
            Self::FixedStatus | Self::LaggingStatus => route == Route::Status,
            _ => on_callback == (route == Route::Callback),
        }
    }
}

/// A scripted fault, as it is given and as it is shown.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    pub route: Route,
    /// Only requests about these; without it, all.
    #[serde(default, rename = "match")]
    pub subject: Subject,
    pub kind: FaultKind,
    pub status: Option<u16>,
    pub identifier: Option<String>,
    pub message: Option<String>,
    pub retry_after_seconds: Option<u64>,
    pub milliseconds: Option<u64>,
    /// Of `fixedStatus`.
    pub overall: Option<String>,
    #[serde(rename = "final")]
    pub is_final: Option<bool>,
    /// Whether an unhandled submission loses its token. By default a setting decides, for errors of
    /// the provider itself: a status below 500 or an error in 200.
    pub burns_token: Option<bool>,
    /// Matching requests that are let through first.
    #[serde(default)]
    pub skip: u32,
    /// Matching requests that meet the fault.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// How long this fault takes: `milliseconds`, a minute if not given.
    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.milliseconds.unwrap_or(60_000))
    }
}

/// The faults that are left.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    scripted: Vec<Fault>,
}

impl Faults {
    /// Adds a fault behind those already there.
    ///
    /// # Errors
    /// The fault cannot happen on its route, or has a status that does not exist or a member of
    /// another kind.
    pub(crate) fn add(&mut self, fault: Fault) -> Result<(), String> {
        if !fault.kind.fits(fault.route) {
            return Err(format!(
                "{:?} cannot happen on route {:?}",
                fault.kind, fault.route
            ));
        }
        if fault
            .status
            .is_some_and(|status| !(200..=599).contains(&status))
        {
            return Err("status must be from 200 to 599".to_owned());
        }
        let fixes_a_status = fault.kind == FaultKind::FixedStatus;
        if fixes_a_status != fault.overall.is_some()
            || (fault.is_final.is_some() && !fixes_a_status)
        {
            return Err("overall belongs to fixedStatus, and final may come with it".to_owned());
        }
        self.scripted.push(fault);
        Ok(())
    }

    /// Uses up one occurrence of the first fault that matches.
    pub(crate) fn take(&mut self, route: Route, subject: &Subject) -> Option<Fault> {
        let fault = self
            .scripted
            .iter_mut()
            .find(|fault| fault.route == route && fault.subject.matches(subject))?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let taken = fault.clone();
        fault.times = fault.times.saturating_sub(1);
        self.scripted.retain(|fault| fault.times > 0);
        Some(taken)
    }

    pub(crate) fn remaining(&self) -> &[Fault] {
        &self.scripted
    }

    pub(crate) fn clear(&mut self) {
        self.scripted.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fault, Faults};
    use crate::world::route::{Route, Subject};

    fn fault(json: Value) -> Fault {
        serde_json::from_value(json).unwrap()
    }

    fn of_client(client_id: &str) -> Subject {
        Subject {
            client_id: Some(client_id.to_owned()),
            ..Subject::default()
        }
    }

    #[test]
    fn a_fault_is_met_by_its_subject_as_often_as_it_says() {
        let mut faults = Faults::default();
        let scripted = json!({"route": "token", "match": {"clientId": "a"}, "kind": "reset",
            "times": 2, "skip": 1});
        faults.add(fault(scripted)).unwrap();
        assert!(faults.take(Route::Process, &of_client("a")).is_none());
        assert!(faults.take(Route::Token, &of_client("b")).is_none());
        let met: Vec<bool> = (0..4)
            .map(|_| faults.take(Route::Token, &of_client("a")).is_some())
            .collect();
        assert_eq!(met, [false, true, true, false]);
        assert!(faults.remaining().is_empty());
    }

    #[test]
    fn faults_that_cannot_happen_are_refused() {
        for impossible in [
            json!({"route": "callback", "kind": "reset"}),
            json!({"route": "token", "kind": "unsigned"}),
            json!({"route": "token", "kind": "expiredLink"}),
            json!({"route": "token", "kind": "status", "status": 42}),
            json!({"route": "data", "kind": "laggingStatus"}),
            json!({"route": "status", "kind": "fixedStatus"}),
            json!({"route": "status", "kind": "laggingStatus", "overall": "DENIED"}),
            json!({"route": "status", "kind": "hang", "final": true}),
        ] {
            assert!(
                Faults::default().add(fault(impossible.clone())).is_err(),
                "{impossible}"
            );
        }
    }
}
