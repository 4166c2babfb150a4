//! `dvctl doctor`: is this deployment well, and if not, what is to be done?

mod account;
mod origins;
mod secrets;
mod steps;
mod stores;
mod surroundings;
mod webhook;

use std::fmt;

use serde::Serialize;

use super::Context;
use super::check::{Check, Health};
use crate::exit::Exit;
use crate::failure::Failure;

/// Check a deployment: stack, stores, secrets, webhook, API, iDenfy's account and steps, servers of
/// files, queues, concurrency, alarms, clock
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl doctor
    dvctl --json doctor | jq -r '.checks[] | select(.result != \"ok\") | .name'

It spends no credit and changes nothing. A signed body of a foreign kind shows that secret and
signature fit: the webhook acknowledges it, archives it once under the name dvctl-self-test, and
ignores it. iDenfy is asked for the status of a verification that does not exist.
Exit status: 0 all is well, 5 something should be looked at, 1 something is broken.")]
pub struct Arguments {}

#[derive(Serialize)]
struct Diagnosis {
    stack: String,
    result: Health,
    checks: Vec<Check>,
}

pub async fn run(context: &mut Context<'_>, _: Arguments) -> Result<Exit, Failure> {
    let mut checks = vec![surroundings::stack(context)];
    context
        .output
        .progress("looking at table, bucket and secret");
    checks.push(stores::table(context).await);
    checks.push(stores::bucket(context).await);
    let secrets = secrets::check(context).await;
    checks.extend(secrets.checks);
    context
        .output
        .progress("asking the webhook, the API and iDenfy");
    checks.extend(webhook::checks(context, secrets.signing_keys.as_ref()).await);
    checks.push(surroundings::api(context).await);
    checks.push(account::check(context, secrets.credentials.as_ref()).await);
    checks.push(account::circuit(context).await);
    checks.push(steps::check(context).await);
    checks.push(origins::check(context).await);
    context.output.progress("looking at queues and alarms");
    checks.push(surroundings::event_source(context).await);
    checks.push(stores::dead_letters(context).await);
    checks.extend(stores::outcome_push(context).await);
    checks.push(stores::overdue(context).await);
    checks.push(surroundings::concurrency(context).await);
    checks.push(surroundings::alarms(context).await);
    let result = checks
        .iter()
        .map(|check| check.result)
        .max()
        .unwrap_or(Health::Ok);
    context.output.answer(&Diagnosis {
        stack: context.stack.name.clone(),
        result,
        checks,
    })?;
    Ok(match result {
        Health::Ok => Exit::Done,
        Health::Warning => Exit::Warned,
        Health::Unknown | Health::Failed => Exit::Failed,
    })
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            writeln!(f, "{check}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_decides_and_every_line_says_what_to_do() {
        let checks = vec![
            Check::ok("table", "readable"),
            Check::failed("secret", "not readable", "allow it"),
            Check::warning("alarms", "none", "deploy"),
        ];
        assert_eq!(
            checks.iter().map(|check| check.result).max(),
            Some(Health::Failed)
        );
        let diagnosis = Diagnosis {
            stack: "s".to_owned(),
            result: Health::Failed,
            checks,
        };
        assert_eq!(
            diagnosis.to_string(),
            "ok       table          readable\nFAILED   secret         not readable; do: allow \
             it\nwarning  alarms         none; do: deploy\n"
        );
    }
}
