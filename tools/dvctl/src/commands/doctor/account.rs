//! Checks iDenfy's account without spending a credit.

use adapters::Credentials;
use idenfy::{Client, Error};
use url::Url;
use verification::circuit::Gate;

use super::Check;
use crate::commands::Context;
use crate::failure::Failure;

/// No verification has this name. Asking for its status costs nothing ("Identification data
/// retrieval").
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

pub async fn check(context: &Context<'_>, credentials: Option<&Credentials>) -> Check {
    let Some(credentials) = credentials else {
        return Check::failed("iDenfy", "not checked", "make the secret usable first");
    };
    let base_url = context.stack.parameter("IdenfyBaseUrl").and_then(|url| {
        Url::parse(url).map_err(|error| {
            Failure::new("IdenfyBaseUrl is no address")
                .because(error)
                .advise("deploy with a correct IdenfyBaseUrl")
        })
    });
    match base_url {
        Ok(base_url) => {
            let client = Client::new(context.http().clone(), base_url, credentials.clone());
            judge(client.status(NOBODY).await.err())
        }
        Err(failure) => Check::of("iDenfy", &failure),
    }
}

/// Whether the circuit to iDenfy is open.
pub async fn circuit(context: &Context<'_>) -> Check {
    let gate = context.provider_gate().await;
    Check::from("circuit", gate.map(judge_gate))
}

fn judge_gate(gate: Gate) -> Check {
    let advice =
        "it mends itself once iDenfy answers; see ProviderCircuitOpened in docs/OPERATIONS.md";
    match gate {
        Gate::Closed => Check::ok("circuit", "the functions call iDenfy"),
        Gate::Open { until } => Check::warning(
            "circuit",
            format!("open until {until}: calls to iDenfy failed for every customer"),
            advice,
        ),
        Gate::HalfOpen { .. } => Check::warning(
            "circuit",
            "half-open: one call at a time probes iDenfy",
            advice,
        ),
    }
}

/// Any answer about the verification means that the key is valid.
fn judge(error: Option<Error>) -> Check {
    let Some(error) = error else {
        return Check::ok("iDenfy", "the API key is accepted");
    };
    match error {
        Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. } | Error::TokenNotValid => {
            Check::ok("iDenfy", "the API key is accepted")
        }
        Error::Unauthorized => Check::failed(
            "iDenfy",
            "the API key is refused",
            "put a current apiKey and apiSecret into the secret (dashboard, Settings, API keys)",
        ),
        Error::Forbidden | Error::NotInContract | Error::OutOfFunds => Check::failed(
            "iDenfy",
            error.to_string(),
            "ask iDenfy's support what the account lacks",
        ),
        Error::RateLimited { .. } => Check::warning(
            "iDenfy",
            error.to_string(),
            "wait; see what else uses the key",
        ),
        Error::ServerError { .. } | Error::UnreadableAnswer { .. } => Check::warning(
            "iDenfy",
            error.to_string(),
            "see status.idenfy.com, and that IdenfyBaseUrl is right",
        ),
        error => {
            let failure = Failure::new("not reached from this machine").because(error);
            Check::failed(
                "iDenfy",
                failure.message(),
                "check the network and IdenfyBaseUrl",
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    #[test]
    fn an_unknown_verification_tells_a_good_key_from_a_bad_one() {
        let rejected = Error::Rejected {
            identifier: "BAD_VALUE".to_owned(),
            status: 400,
            member: None,
        };
        assert_eq!(judge(Some(rejected)).result, Health::Ok);
        assert_eq!(
            judge(Some(Error::RejectedWithoutIdentifier { status: 404 })).result,
            Health::Ok
        );
        assert_eq!(judge(Some(Error::Unauthorized)).result, Health::Failed);
        assert_eq!(judge(Some(Error::OutOfFunds)).result, Health::Failed);
        assert_eq!(
            judge(Some(Error::ServerError { status: 500 })).result,
            Health::Warning
        );
    }

    #[test]
    fn a_circuit_that_is_not_closed_is_worth_a_look() {
        assert_eq!(judge_gate(Gate::Closed).result, Health::Ok);
        assert_eq!(
            judge_gate(Gate::HalfOpen {
                has_answered: false
            })
            .result,
            Health::Warning
        );
        let until = "2026-11-23T08:05:00Z".parse().unwrap();
        assert!(
            judge_gate(Gate::Open { until })
                .found
                .contains("until 2026-11-23T08:05:00.000Z")
        );
    }
}
