//! What a refused call says about the account.

use idenfy::Error;

use crate::commands::check::Check;

/// The account's fault, or no answer that tells. `what` is what was asked for.
pub fn refused(name: &'static str, what: &str, error: &Error) -> Check {
    match error {
        Error::Unauthorized => Check::unknown(
            name,
            "the API key is refused",
            "check apiKey and apiSecret (dashboard, Settings, API keys); sandbox and live have \
             keys of their own",
        ),
        Error::OutOfFunds => Check::failed(
            name,
            "the account's credits or token limit are used up",
            "top up, or ask iDenfy's support for credits in this environment",
        ),
        Error::Forbidden | Error::NotInContract => Check::failed(
            name,
            format!("{what} is refused to this account ({})", error.kind()),
            format!("ask iDenfy's support to enable {what} for this key's environment"),
        ),
        Error::RateLimited { .. } => Check::unknown(
            name,
            error.to_string(),
            "wait, and see what else uses the key",
        ),
        Error::Rejected { .. } | Error::RejectedWithoutIdentifier { .. } | Error::TokenNotValid => {
            Check::failed(
                name,
                format!("{what} is refused: {}", describe(error)),
                "ask iDenfy's support what the account lacks",
            )
        }
        _ => Check::unknown(
            name,
            format!("{what}: {error}"),
            "see status.idenfy.com, the network and the address, and probe again",
        ),
    }
}

/// The error with the member that it is about. Nothing of the provider's text.
pub fn describe(error: &Error) -> String {
    match error {
        Error::Rejected {
            member: Some(member),
            ..
        } => format!("{error}, about {member}"),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::check::Health;

    #[test]
    fn a_missing_permission_does_not_fit_and_a_failure_tells_nothing() {
        for (error, result) in [
            (Error::Unauthorized, Health::Unknown),
            (Error::OutOfFunds, Health::Failed),
            (Error::Forbidden, Health::Failed),
            (Error::NotInContract, Health::Failed),
            (
                Error::RejectedWithoutIdentifier { status: 400 },
                Health::Failed,
            ),
            (Error::RateLimited { retry_after: None }, Health::Unknown),
            (Error::ServerError { status: 502 }, Health::Unknown),
            (Error::UnreadableAnswer { status: 200 }, Health::Unknown),
        ] {
            let check = refused("Token 1", "creating tokens", &error);
            assert_eq!(check.result, result, "{error}");
            assert!(check.advice.is_some(), "{error}");
        }
    }
}
