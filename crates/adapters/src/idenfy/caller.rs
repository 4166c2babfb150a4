//! Calls to iDenfy: guarded by the shared circuit, authenticated, measured, errors classified.

use std::sync::Arc;
use std::time::Duration;

use idenfy::{Credentials, Error};
use url::Url;
use verification::circuit::{Cause, Gate, Health};
use verification::observation::Observation;
use verification::ports::{Clock, Observer, ProviderError, RefusalKind, UnavailableKind};
use verification::reason::ParkReason;
use verification::{Admission, Breaker, Permit, Timestamp};

use super::secret::{SecretError, Secrets};

/// Everything that a call needs. Cheap to clone.
#[derive(Clone)]
pub struct IdenfyCaller {
    http: reqwest::Client,
    base_url: Url,
    secrets: Arc<Secrets<Credentials>>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    breaker: Arc<Breaker>,
    obeys: bool,
}

impl IdenfyCaller {
    /// A caller that obeys the circuit.
    pub fn new(
        http: reqwest::Client,
        base_url: Url,
        secrets: Arc<Secrets<Credentials>>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
        breaker: Arc<Breaker>,
    ) -> Self {
        Self {
            http,
            base_url,
            secrets,
            clock,
            observer,
            breaker,
            obeys: true,
        }
    }

    /// The same, bypassing the circuit but still reporting to it.
    ///
    /// For calls that a customer waits for. An open circuit would turn a likely failure into a
    /// certain one, and a failed attempt costs the customer only the call's time limit.
    #[must_use]
    pub fn whatever_the_circuit_says(self) -> Self {
        Self {
            obeys: false,
            ..self
        }
    }

    /// Until when the circuit is open.
    ///
    /// Once its pause is over, `ask` runs as a probe. It must cost nothing: a provider that is
    /// still down then costs no pairing an attempt.
    pub(crate) async fn circuit_open_until<F>(
        &self,
        ask: impl FnOnce() -> F + Send,
    ) -> Option<Timestamp>
    where
        F: Future<Output = ()> + Send,
    {
        if let Gate::HalfOpen {
            has_answered: false,
        } = self.breaker.gate().await
        {
            ask().await;
        }
        match self.breaker.gate().await {
            Gate::Open { until } => Some(until),
            Gate::Closed | Gate::HalfOpen { .. } => None,
        }
    }

    /// Runs one call if the circuit permits, and reports its outcome.
    pub(crate) async fn call<T, F>(
        &self,
        operation: &'static str,
        call: impl Fn(idenfy::Client) -> F + Send + Sync,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>> + Send,
        T: Send,
    {
        let permit = match self.obeys {
            true => match self.breaker.admit().await {
                Admission::Go(permit) => permit,
                Admission::Wait { until } => {
                    return Err(CallError::Ours(ProviderError::CircuitOpen { until }));
                }
            },
            false => Permit::WITHOUT_PROBE,
        };
        let answer = self.call_with_secret(operation, call).await;
        let health = match &answer {
            Ok(_) => Health::Answering,
            Err(CallError::Idenfy(error)) => health(error),
            Err(CallError::Ours(_)) => Health::Unknown,
        };
        self.breaker.report(permit, operation, health).await;
        answer
    }

    /// Runs one call. If the provider refuses the credentials, runs it once more with newer ones.
    ///
    /// A refused call did nothing, so this repeats nothing. It is not observed either: that our
    /// copy of the secret was old is no trouble of the account.
    async fn call_with_secret<T, F>(
        &self,
        operation: &'static str,
        call: impl Fn(idenfy::Client) -> F + Send + Sync,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>> + Send,
        T: Send,
    {
        let known = self.secrets.current().await.map_err(no_secret)?;
        let started = self.clock.now();
        let answer = call(self.client(&known)).await;
        if matches!(answer, Err(CallError::Idenfy(Error::Unauthorized)))
            && let Ok(Some(newer)) = self.secrets.newer_than(&known).await
        {
            let started = self.clock.now();
            let answer = call(self.client(&newer)).await;
            self.observe(operation, started, &answer);
            return answer;
        }
        self.observe(operation, started, &answer);
        answer
    }

    fn client(&self, credentials: &Credentials) -> idenfy::Client {
        idenfy::Client::new(
            self.http.clone(),
            self.base_url.clone(),
            credentials.clone(),
        )
    }

    fn observe<T>(
        &self,
        operation: &'static str,
        started: Timestamp,
        answer: &Result<T, CallError>,
    ) {
        let error = match answer {
            Ok(_) => None,
            Err(CallError::Idenfy(error)) => Some(error.kind()),
            Err(CallError::Ours(_)) => return,
        };
        self.observer.observe(Observation::ProviderCall {
            operation,
            took: self.clock.now().since(started),
            error,
        });
    }
}

/// Whether an error means that the provider is in trouble for everyone.
///
/// A refusal of one customer's call does not: it shows that the provider works. `Forbidden` and
/// `NotInContract` refuse one operation, not the account. iDenfy gives them to a deletion as well
/// as a submission, so they must not stop other calls.
///
/// Used-up funds and a refused key affect every call, so they open the circuit. The first pairings
/// are parked, counted and announced. The others wait, and go on by themselves once the account is
/// in order.
fn health(error: &Error) -> Health {
    let failing = |cause| Health::Failing {
        cause,
        retry_after: None,
    };
    match error {
        Error::NotConnected(_)
        | Error::NotSent(_)
        | Error::TimedOut(_)
        | Error::ConnectionLost(_)
        | Error::ServerError { .. }
        // A gateway's page, not the provider's program.
        | Error::UnreadableAnswer { .. } => failing(Cause::Unreachable),
        Error::RateLimited { retry_after } => Health::Failing {
            cause: Cause::RateLimited,
            retry_after: *retry_after,
        },
        Error::Unauthorized | Error::OutOfFunds => failing(Cause::Account),
        // An image of ours, or a request too large to send: no word from the provider.
        Error::Source(_) | Error::RequestTooLarge { .. } => Health::Unknown,
        _ => Health::Answering,
    }
}

/// Why a call failed, at the provider or before it.
pub(crate) enum CallError {
    Idenfy(Error),
    Ours(ProviderError),
}

fn no_secret(error: SecretError) -> CallError {
    let kind = match &error {
        SecretError::Unavailable(_) => UnavailableKind::SecretUnavailable,
        SecretError::Malformed(_) | SecretError::MalformedPush(_) => {
            UnavailableKind::SecretMalformed
        }
    };
    tracing::error!(
        event = "secret_unusable",
        error = %error,
        "iDenfy cannot be called without the secret"
    );
    CallError::Ours(ProviderError::Unavailable {
        kind,
        retry_after: None,
    })
}

/// What an error means for a call that must not be repeated blindly.
///
/// Unknown means in doubt.
pub(crate) fn classify(error: CallError) -> ProviderError {
    let error = match error {
        CallError::Idenfy(error) => error,
        CallError::Ours(error) => return error,
    };
    let kind = error.kind();
    match error {
        Error::TokenNotValid => ProviderError::TokenNotValid,
        Error::RequestTooLarge { .. } => ProviderError::Documents(ParkReason::DocumentsTooLarge),
        error if error.may_have_been_carried_out() => ProviderError::InDoubt { kind },
        Error::RateLimited { retry_after } => ProviderError::Unavailable {
            kind: UnavailableKind::RateLimited,
            retry_after,
        },
        // The customer has another open session, which ends within minutes.
        Error::ActiveSession => ProviderError::Unavailable {
            kind: UnavailableKind::ActiveSession,
            retry_after: Some(Duration::from_secs(60)),
        },
        error if error.is_retryable() => ProviderError::Unavailable {
            kind: UnavailableKind::Other(kind),
            retry_after: None,
        },
        Error::Unauthorized | Error::OutOfFunds | Error::Forbidden | Error::NotInContract => {
            ProviderError::Refused {
                kind: RefusalKind::Account(kind),
                identifier: None,
            }
        }
        Error::Rejected { identifier, .. } => ProviderError::Refused {
            kind: RefusalKind::Other(kind),
            identifier: Some(identifier),
        },
        _ => ProviderError::Refused {
            kind: RefusalKind::Other(kind),
            identifier: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(cause: Cause) -> Health {
        Health::Failing {
            cause,
            retry_after: None,
        }
    }

    #[test]
    fn what_would_meet_everybody_is_trouble() {
        let trouble = || std::io::Error::other("trouble");
        for error in [
            Error::NotConnected(trouble().into()),
            Error::NotSent(trouble().into()),
            Error::TimedOut(trouble().into()),
            Error::ConnectionLost(trouble().into()),
            Error::ServerError { status: 503 },
            Error::UnreadableAnswer { status: 200 },
        ] {
            assert_eq!(health(&error), failing(Cause::Unreachable), "{error}");
        }
        for error in [Error::Unauthorized, Error::OutOfFunds] {
            assert_eq!(health(&error), failing(Cause::Account), "{error}");
        }
        let retry_after = Some(Duration::from_secs(7));
        let limited = Health::Failing {
            cause: Cause::RateLimited,
            retry_after,
        };
        assert_eq!(health(&Error::RateLimited { retry_after }), limited);
    }

    #[test]
    fn a_refusal_of_one_customer_or_of_one_operation_is_none() {
        for error in [
            Error::ActiveSession,
            Error::TokenNotValid,
            Error::Forbidden,
            Error::NotInContract,
            Error::TooLarge,
            Error::RejectedWithoutIdentifier { status: 404 },
            Error::Rejected {
                identifier: "BAD_VALUE".to_owned(),
                status: 200,
                member: None,
            },
        ] {
            assert_eq!(health(&error), Health::Answering, "{error}");
        }
    }

    #[test]
    fn what_was_never_sent_says_nothing() {
        let too_large = Error::RequestTooLarge {
            bytes: 2,
            maximum: 1,
        };
        assert_eq!(health(&too_large), Health::Unknown);
    }
}
