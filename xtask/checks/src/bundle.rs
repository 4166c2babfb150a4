//! Deploys the archive of a release as a stranger does: unpacked away from the checkout, with the
//! SAM CLI and without Cargo. Then a customer comes, until both results are in.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Description, Session, Stack};
use local_stack::{Functions, LocalStack, Options, Toolchain};
use rehearsal::process::{progress, run_to_end};
use rehearsal::release::{self, Architecture, Bundle};
use serde_json::json;
use tokio::process::Command;

use crate::supply_chain;

/// The step's name. `cargo xtask test` with it runs nothing else than the release build.
pub(crate) const NAME: &str = "bundle";

/// From the unpacked archive to the settled customer.
const PATIENCE: Duration = Duration::from_secs(180);

/// Packs what the release build has made, and uses it.
///
/// # Errors
/// The archive is not complete, not reproducible or not deployable; the customer does not settle.
pub(crate) async fn check(toolchain: &Toolchain) -> Result<()> {
    let architecture = Architecture::default();
    let path = release::bundle(toolchain, architecture).await?;
    let again = Bundle::pack(architecture)?;
    ensure!(
        std::fs::read(&path)? == again.archive,
        "the same programs and the same commit gave two archives"
    );

    let place = tempfile::tempdir()?;
    again.unpack(place.path())?;
    let directory = place.path().join(&again.name);
    checksums(&directory).await?;
    supply_chain::bill_of_materials(&directory.join("sbom.cdx.json")).await?;
    validate(toolchain, &directory).await?;

    let began = Instant::now();
    let stack = LocalStack::start(Options {
        functions: Functions::Bundle(directory.clone()),
        progress,
        ..Options::default()
    })
    .await?;
    let settled = tokio::time::timeout(PATIENCE, settle(&stack, &directory)).await;
    stack.stop().await;
    settled.context("the customer has not settled in time")??;
    let took = began.elapsed();
    progress(&format!(
        "from the unpacked archive to a settled customer: {:.0} s",
        took.as_secs_f64()
    ));
    ensure!(took <= PATIENCE, "that is more than {PATIENCE:?}");
    Ok(())
}

/// As `DEPLOY.md` says.
async fn checksums(directory: &Path) -> Result<()> {
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--quiet", "SHA256SUMS"]);
    run_to_end(check.current_dir(directory)).await
}

/// The same checks as for `template.yaml` of the repository.
async fn validate(toolchain: &Toolchain, directory: &Path) -> Result<()> {
    let mut validate = Command::new(toolchain.sam());
    validate
        .args(["validate", "--lint"])
        .current_dir(directory)
        .env("AWS_DEFAULT_REGION", local_stack::REGION)
        .env("SAM_CLI_TELEMETRY", "0");
    run_to_end(&mut validate).await
}

/// One customer, and the archive's own command on her verification.
async fn settle(stack: &LocalStack, directory: &Path) -> Result<()> {
    let client = Stack::connect(Description::of(stack)?)?;
    let session = client.session_with_documents().await?;
    session.finish_expecting_200(json!({})).await?;
    session.until_settled().await?;
    operate(stack, directory, &session).await
}

async fn operate(stack: &LocalStack, directory: &Path, session: &Session<'_>) -> Result<()> {
    let mut show = Command::new(directory.join("dvctl"));
    show.args(["--stack", local_stack::STACK_NAME])
        .args(["--endpoint", stack.endpoint_url(), "--json"])
        .args(["show", &session.scan_ref])
        .env_clear()
        .kill_on_drop(true);
    let answer = show.output().await.context("dvctl does not start")?;
    let said = String::from_utf8_lossy(&answer.stdout);
    let complaint = String::from_utf8_lossy(&answer.stderr);
    ensure!(answer.status.success(), "dvctl failed: {complaint}");
    ensure!(
        said.contains("Settled"),
        "dvctl does not say Settled: {said}"
    );
    Ok(())
}
