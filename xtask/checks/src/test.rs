//! `cargo xtask test`: everything that must hold before a change goes in, cheapest first. A person
//! and the build server run the same.

use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use harness::{Description, Interruption, STACK_VARIABLE, describe};
use local_stack::{Functions, LocalStack, Options, Toolchain};
use tokio::process::Command;

use crate::{
    arrows, bench, bundle, contract, documents, parameters, permissions, second_opinion,
    supply_chain,
};
use rehearsal::process::{progress, run_to_end};
use rehearsal::{drill, events, invoke, release, soak};

/// Check and test everything
///
/// Formatting, lints, the direction of dependencies, the template, unit and integration tests
/// against the deployed template, and the release build that `sam build` makes. Stops at the first
/// step that fails. What cannot run on this machine is named at the end.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Leave out the release build, which takes the longest
    #[arg(long)]
    without_release: bool,

    /// What a change needs while it is being made: formatting, arrows, lints, unit tests and the
    /// simulation, without a stack
    #[arg(long, conflicts_with_all = ["without_release", "filter"])]
    fast: bool,

    /// Run only the tests whose names contain this text, and no other step. `permissions` and
    /// `parameters` run the step of that name as well; `bundle` and `second_opinion` run the steps
    /// of that name alone
    #[arg(value_name = "NAME")]
    filter: Option<String>,
}

/// Runs the command to its end.
///
/// # Errors
/// The first step that fails.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    tokio::select! {
        outcome = steps(&arguments) => outcome.map(|()| ExitCode::SUCCESS),
        code = interruption.wait() => {
            // The children are in this program's process group and get the signal as well.
            tokio::time::sleep(Duration::from_millis(500)).await;
            Ok(code)
        }
    }
}

async fn steps(arguments: &Arguments) -> Result<()> {
    let began = Instant::now();
    let mut run = Run::default();
    if arguments.filter.is_none() {
        run.step("formatting", cargo(["fmt", "--all", "--check"]))
            .await?;
        run.step("direction of dependencies", async { arrows::check() })
            .await?;
        run.step("sample events", async { events::check_all() })
            .await?;
        run.step("licences and bans", supply_chain::dependencies())
            .await?;
        run.step("workflows", supply_chain::workflows()).await?;
        run.optional("unused dependencies", "cargo-machete", cargo(["machete"]))
            .await?;
        run.step(
            "lints",
            cargo([
                "clippy",
                "--workspace",
                "--all-targets",
                "--profile",
                "local",
                "--",
                "--deny",
                "warnings",
            ]),
        )
        .await?;
    }
    if arguments.filter.is_none() && !arguments.fast {
        // libFuzzer is written in C++.
        let fuzz = [
            "check",
            "--package",
            "fuzz",
            "--features",
            "coverage",
            "--profile",
            "local",
        ];
        run.optional("fuzz targets, guided by coverage", "g++", cargo(fuzz))
            .await?;
    }
    if arguments.fast {
        run.step("tests without a stack", tests_without_a_stack())
            .await?;
        run.report(began.elapsed());
        return Ok(());
    }
    let toolchain = Toolchain::prepare(progress).await?;
    if arguments.filter.as_deref() == Some(bundle::NAME) {
        release_build(&mut run, &toolchain).await?;
        run.report(began.elapsed());
        return Ok(());
    }
    if arguments.filter.as_deref() == Some(second_opinion::NAME) {
        run.step(second_opinion::NAME, second_opinion::check(&toolchain))
            .await?;
        run.report(began.elapsed());
        return Ok(());
    }
    if arguments.filter.is_none() {
        run.step("template", template(&toolchain)).await?;
        run.step(documents::NAME, documents::check(&toolchain))
            .await?;
    }
    let filter = arguments.filter.as_deref();
    if filter.is_none_or(|name| name == parameters::NAME) {
        run.step(parameters::NAME, parameters::check(&toolchain))
            .await?;
    }
    permissions::forget_calls()?;
    on_the_stack(&mut run, &toolchain, filter).await?;
    if filter.is_none_or(|name| name == permissions::NAME) {
        run.optional(permissions::NAME, "npm", permissions::check(&toolchain))
            .await?;
    }
    if arguments.filter.is_none() {
        run.step(second_opinion::NAME, second_opinion::check(&toolchain))
            .await?;
        run.step("drill", drill::check()).await?;
        run.step(
            "documentation examples",
            cargo([
                "test",
                "--doc",
                "--workspace",
                "--profile",
                "local",
                "--quiet",
            ]),
        )
        .await?;
        if arguments.without_release {
            run.left_out
                .push("the release build (--without-release)".to_owned());
        } else {
            release_build(&mut run, &toolchain).await?;
            run.step("measurements, the shortest form", bench::short(&toolchain))
                .await?;
            let mut without_docker = None;
            run.step("sample events, invoked", async {
                without_docker = invoke::check(&toolchain).await?;
                Ok(())
            })
            .await?;
            run.left_out
                .extend(without_docker.map(|why| format!("sam local invoke in Docker: {why}")));
        }
    }
    run.report(began.elapsed());
    Ok(())
}

async fn release_build(run: &mut Run, toolchain: &Toolchain) -> Result<()> {
    let build = release::check(toolchain, release::Architecture::default());
    run.step("release build", build).await?;
    run.step(bundle::NAME, bundle::check(toolchain)).await
}

#[derive(Default)]
struct Run {
    /// The steps that passed, and how long each took.
    passed: Vec<(String, Duration)>,
    left_out: Vec<String>,
}

impl Run {
    async fn step(&mut self, name: &str, work: impl Future<Output = Result<()>>) -> Result<()> {
        progress(name);
        let began = Instant::now();
        work.await.with_context(|| format!("step '{name}'"))?;
        self.passed.push((name.to_owned(), began.elapsed()));
        Ok(())
    }

    fn report(&self, took: Duration) {
        for (name, took) in &self.passed {
            progress(&format!("{:>8.1} s  {name}", took.as_secs_f64()));
        }
        for left_out in &self.left_out {
            progress(&format!("LEFT OUT: {left_out}"));
        }
        progress(&format!(
            "all {} steps passed in {:.0} s",
            self.passed.len(),
            took.as_secs_f64()
        ));
    }

    /// A step that needs a program which newcomers need not have.
    async fn optional(
        &mut self,
        name: &str,
        program: &str,
        work: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        if is_installed(program).await {
            return self.step(name, work).await;
        }
        self.left_out
            .push(format!("{name} ({program} is not installed)"));
        Ok(())
    }
}

pub(crate) async fn is_installed(program: &str) -> bool {
    let status = Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .status()
        .await;
    status.is_ok_and(|status| status.success())
}

async fn cargo<const N: usize>(arguments: [&str; N]) -> Result<()> {
    run_to_end(Command::new("cargo").args(arguments)).await
}

async fn template(toolchain: &Toolchain) -> Result<()> {
    let sam = toolchain.sam();
    let mut validate = Command::new(&sam);
    validate
        .args(["validate", "--lint"])
        .env("AWS_DEFAULT_REGION", local_stack::REGION)
        .env("SAM_CLI_TELEMETRY", "0");
    run_to_end(&mut validate).await?;
    run_to_end(Command::new(toolchain.sam_directory().join("cfn-lint")).arg("template.yaml")).await
}

/// What needs the deployed stack, on one that all of it shares.
async fn on_the_stack(run: &mut Run, toolchain: &Toolchain, filter: Option<&str>) -> Result<()> {
    let stack = LocalStack::start(Options {
        functions: Functions::Build,
        progress,
        ..Options::default()
    })
    .await?;
    let outcome = async {
        run.step("tests", tests(&stack, filter)).await?;
        if filter.is_none() {
            run.step("contract", contract::check(toolchain, &stack))
                .await?;
            // The last one: it kills the stack's processes.
            run.step("soak", soak::short(Description::of(&stack)?))
                .await?;
        }
        Ok(())
    };
    let outcome = outcome.await;
    stack.stop().await;
    outcome
}

/// The tests in files, and those of the crates that decide.
async fn tests_without_a_stack() -> Result<()> {
    let mut command = Command::new("cargo");
    if is_installed("cargo-nextest").await {
        command.args(["nextest", "run", "--cargo-profile", "local"]);
    } else {
        command.args(["test", "--profile", "local"]);
    }
    command.args(["--workspace", "--lib", "--bins"]);
    for test in [
        "circuit",
        "comparison",
        "flow",
        "model",
        "simulation",
        "stop_anywhere",
        "transition_table",
    ] {
        command.args(["--test", test]);
    }
    run_to_end(&mut command).await
}

async fn tests(stack: &LocalStack, filter: Option<&str>) -> Result<()> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), describe(stack).to_string())?;
    let mut command = Command::new("cargo");
    if is_installed("cargo-nextest").await {
        command.args(["nextest", "run", "--cargo-profile", "local", "--workspace"]);
    } else {
        command.args(["test", "--profile", "local", "--workspace", "--all-targets"]);
    }
    run_to_end(command.args(filter).env(STACK_VARIABLE, file.path())).await
}
