//! Plays `docs/openapi.yaml` against the deployed API: a property-based client makes requests that
//! the contract allows and requests that it forbids, follows what answers lead to, and holds every
//! answer to the contract.

use anyhow::{Context, Result};
use local_stack::{LocalStack, REGION, Toolchain, workspace};
use tokio::process::Command;

use rehearsal::process::{progress, run_to_end};

/// Requests of each kind and operation: enough to try every member and bound, in some twenty
/// seconds.
const EXAMPLES: &str = "20";

/// The same requests in every run, so that what fails fails again. `SCHEMATHESIS_SEED` asks for
/// others.
const SEED: &str = "1";

/// Runs it to the end.
///
/// # Errors
/// An answer that the contract does not allow, or a request that it allows and the API refuses.
pub(crate) async fn check(toolchain: &Toolchain, stack: &LocalStack) -> Result<()> {
    let program = toolchain.contract(progress).await?.join("schemathesis");
    let root = workspace::root();
    // The client keeps notes where it runs.
    let notes = tempfile::tempdir()?;
    let seed = seed().unwrap_or_else(|| SEED.to_owned());
    let mut command = Command::new(program);
    command
        .arg("--config-file")
        .arg(root.join("tests/contract/schemathesis.toml"))
        .arg("run")
        .arg(root.join("docs/openapi.yaml"))
        .args([
            "--url",
            stack.output("ApiUrl")?,
            "--max-examples",
            EXAMPLES,
            "--seed",
            &seed,
        ])
        .arg("--header")
        // Of the right form; the emulator looks no further.
        .arg(format!(
            "Authorization: AWS4-HMAC-SHA256 \
                Credential=test/20260101/{REGION}/lambda/aws4_request, SignedHeaders=host, \
                Signature=0"
        ))
        .arg("--no-color");
    run_to_end(command.current_dir(notes.path()))
        .await
        .context("the API and docs/openapi.yaml differ; what is printed above says where")
}

#[expect(
    clippy::disallowed_methods,
    reason = "asked for by whoever runs the tests"
)]
fn seed() -> Option<String> {
    std::env::var("SCHEMATHESIS_SEED")
        .ok()
        .filter(|seed| !seed.is_empty())
}
