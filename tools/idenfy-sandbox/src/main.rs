//! The sandbox as a program. Settings come from the command line. Its address goes to standard
//! output, one line per request to standard error. It runs until interrupted.

#![expect(clippy::print_stdout, reason = "the address is this program's output")]

use clap::Parser;
use idenfy_sandbox::{
    ProcessTokenField, ReviewMode, Sandbox, Secret, Settings, StepVerdictSpelling,
};

/// A stand-in for the identity verification provider iDenfy, for laptops and tests.
///
/// It speaks the provider's documented API under /api/v2, sends signed callbacks, and is driven by
/// an admin API under /admin. Customers upload their documents on the page behind a session's link;
/// a reviewer's page is at /reviewer. It keeps everything in memory and listens on 127.0.0.1 only.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// TCP port; 0 lets the system choose
    #[arg(long, default_value_t = 8099)]
    port: u16,
    /// Where callbacks go; can be set later with PATCH /admin/settings
    #[arg(long, value_name = "URL")]
    callback_url: Option<String>,
    /// Origin of the file links, if others reach this sandbox by another name
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Key that callbacks are signed with
    #[arg(long, default_value = "sandbox-signing-key")]
    signing_key: String,
    /// User name that API calls must show
    #[arg(long, default_value = "sandbox-api-key")]
    api_key: String,
    /// Password that API calls must show
    #[arg(long, default_value = "sandbox-api-secret")]
    api_secret: String,
    /// Lifetime of file links in seconds
    #[arg(long, default_value_t = 3600)]
    file_link_seconds: u32,
    /// Time from an accepted direct submission to its callback
    #[arg(long, default_value_t = 300)]
    processing_milliseconds: u64,
    /// Repeats after a callback's first attempt
    #[arg(long, default_value_t = 3)]
    callback_retries: u32,
    /// Member that carries the token of a direct submission: token, authToken or either
    #[arg(long, default_value = "either", value_parser = process_token_field)]
    process_token_field: ProcessTokenField,
    /// Spell status.additionalSteps as a sentence ("Additional step is valid") and not as a word
    /// (VALID)
    #[arg(long)]
    verdicts_as_sentences: bool,
    /// Who judges what customers upload: automatic (approved at once), or reviewer, who does so at
    /// /reviewer
    #[arg(long, value_name = "MODE", default_value = "automatic", value_parser = review_mode)]
    review_mode: ReviewMode,
}

fn review_mode(text: &str) -> Result<ReviewMode, String> {
    match text {
        "automatic" => Ok(ReviewMode::Automatic),
        "reviewer" => Ok(ReviewMode::Reviewer),
        _ => Err("must be automatic or reviewer".to_owned()),
    }
}

fn process_token_field(text: &str) -> Result<ProcessTokenField, String> {
    match text {
        "token" => Ok(ProcessTokenField::Token),
        "authToken" => Ok(ProcessTokenField::AuthToken),
        "either" => Ok(ProcessTokenField::Either),
        _ => Err("must be token, authToken or either".to_owned()),
    }
}

impl From<Arguments> for Settings {
    fn from(arguments: Arguments) -> Self {
        let spelling = if arguments.verdicts_as_sentences {
            StepVerdictSpelling::Sentence
        } else {
            StepVerdictSpelling::Enum
        };
        Self {
            port: arguments.port,
            callback_url: arguments.callback_url,
            public_url: arguments.public_url,
            signing_key: Secret::new(arguments.signing_key),
            api_key: Secret::new(arguments.api_key),
            api_secret: Secret::new(arguments.api_secret),
            file_link_seconds: arguments.file_link_seconds,
            processing_milliseconds: arguments.processing_milliseconds,
            callback_retries: arguments.callback_retries,
            process_token_field: arguments.process_token_field,
            step_verdict_spelling: spelling,
            review_mode: arguments.review_mode,
            ..Self::default()
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false)
        .init();
    let sandbox = Sandbox::start(arguments.into()).await?;
    println!("{}", sandbox.url());
    tracing::info!(
        page = format!("{}/reviewer", sandbox.url()),
        "reviewer's page"
    );
    tokio::signal::ctrl_c().await?;
    sandbox.shutdown().await;
    Ok(())
}
