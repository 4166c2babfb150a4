//! `dvctl probe`: does an iDenfy account fit this flow?

mod account;
mod answers;
mod calls;
mod facts;
mod refusal;
mod report;
mod spend;
mod steps;

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use self::account::Account;
use self::calls::Probe;
use self::report::Report;
use self::spend::Specimen;
use super::check::Health;
use crate::confirm::confirm;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Output;
use crate::when::duration;

/// Check whether an iDenfy account fits this flow, and propose the template's parameters
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
    dvctl probe --secret-file secret.json        before there is a stack
    dvctl probe                                  with the stack's secret, against its parameters
    dvctl probe --spend                          also submits a specimen, and awaits the result
    dvctl --json probe | jq .parameters

Without --spend nothing is verified, and iDenfy says that it charges approved verifications. Two
tokens are created that nobody opens. Both are deleted, or lapse after five minutes. Their callbacks
reach your receiver; this webhook ignores them. With --spend one submission is made, which may cost
a credit: use a test environment. Nothing that is printed is secret or personal, so it can be pasted
into an issue.
Exit status: 0 the account fits, 5 it fits with what is printed, 6 it does not fit, 1 that could not
be found out.")]
pub struct Arguments {
    /// Take iDenfy's key from this file, not from a stack: the JSON that the secret will have. -
    /// reads standard input
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,

    /// iDenfy's address; with a stack, its IdenfyBaseUrl
    #[arg(
        long,
        value_name = "URL",
        requires = "secret_file",
        default_value = "https://ivs.idenfy.com"
    )]
    base_url: Url,

    /// Submit a specimen once to direct processing. May cost a credit
    #[arg(long)]
    spend: bool,

    /// A picture or PDF to submit as the front; without it, a drawn specimen card
    #[arg(long, value_name = "FILE", requires = "spend")]
    front: Option<PathBuf>,

    /// A picture or PDF to submit as the back
    #[arg(long, value_name = "FILE", requires = "front")]
    back: Option<PathBuf>,

    /// The issuing country to submit (ISO 3166-1 alpha-2)
    #[arg(long, value_name = "COUNTRY", requires = "spend", default_value = "LT", value_parser = country)]
    country: String,

    /// How long to wait for the result of the submission
    #[arg(long, value_name = "TIME", requires = "spend", default_value = "10m", value_parser = wait)]
    wait: Duration,

    /// Do not ask for confirmation before spending
    #[arg(long, requires = "spend")]
    yes: bool,
}

fn country(text: &str) -> Result<String, String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_code
        .then(|| text.to_ascii_uppercase())
        .ok_or_else(|| "give two letters, such as LT".to_owned())
}

fn wait(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "give a time such as 90s or 10m".to_owned())
}

pub async fn run(
    global: &Global,
    environment: Environment,
    output: &mut Output,
    arguments: Arguments,
) -> Result<Exit, Failure> {
    let specimen = match arguments.spend {
        true => Some(Specimen::read(arguments.front, arguments.back, arguments.country).await?),
        false => None,
    };
    let account = match arguments.secret_file {
        Some(file) => Account::of_file(file, arguments.base_url, &environment, output).await?,
        None => Account::of_stack(global, &environment, output).await?,
    };
    if specimen.is_some() && !arguments.yes {
        let question = format!(
            "This submits one document to {}, which may cost a credit.",
            account.provider()
        );
        confirm(output, &question, "spend").await?;
    }
    let mut probe = Probe::new(&account, &environment, output);
    probe.run(specimen, arguments.wait).await;
    let report = Report::of(probe.finish(), &account);
    output.answer(&report)?;
    if environment.interruption.came() {
        return Ok(Exit::Interrupted);
    }
    Ok(match report.worst() {
        Health::Ok => Exit::Done,
        Health::Warning => Exit::Warned,
        Health::Unknown => Exit::Failed,
        Health::Failed => Exit::Unfit,
    })
}
