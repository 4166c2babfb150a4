//! `cargo xtask drill`: causes every failure that an alarm exists for on the local stack. The
//! alarm's metric must cross its threshold by the template's own definition. The runbook's commands
//! under the alarm's name are run as they stand there. The affected customer must be settled at the
//! end.
#![allow(
    clippy::indexing_slicing,
    reason = "indexing a JSON value answers null where there is no such member"
)]

mod callbacks;
mod cloudwatch;
mod customers;
mod drills;
mod exercise;
mod functions;
mod outcomes;
mod provider;
mod report;
mod shell;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use harness::{Interruption, PushReceiver, WatchedStack};
use local_stack::{Functions, Options, Parameters, Toolchain};
use operations::{Runbook, Template};

use drills::DRILLS;
use exercise::{Drill, Exercise, World};
use report::{Report, Row};
use shell::Shell;

/// Bring about every failure that an alarm exists for, and repair it by the runbook
///
/// Starts a stack of its own. For each alarm: a customer is served and the alarm is quiet; the
/// failure is brought about; the alarm's metric crosses its threshold; the commands of
/// docs/OPERATIONS.md under the alarm's name are run as they stand there; the affected customer is
/// settled and the alarm is quiet again. The exit status is 0 only if all of that was seen for
/// each.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these alarms, by the names of their headings in the runbook; all without any
    #[arg(value_name = "ALARM")]
    alarms: Vec<String>,

    /// Print one line of JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Print what the runbook's commands print
    #[arg(long)]
    show: bool,
}

/// Runs the command to its end.
///
/// # Errors
/// The stack or a tool does not start. Failures of drills are in the report and the exit status.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interruption = Interruption::watch()?;
    let chosen = choose(&arguments.alarms)?;
    let report = tokio::select! {
        report = drill(&chosen, arguments.show) => report?,
        code = interruption.wait() => return Ok(code),
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{report}");
    }
    Ok(if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// All drills, as a part of `cargo xtask test`.
///
/// # Errors
/// A drill failed; the report is printed before.
pub async fn check() -> Result<()> {
    let report = drill(&choose(&[])?, false).await?;
    eprint!("{report}");
    ensure!(report.is_clean(), "not every alarm led to its remedy");
    Ok(())
}

fn choose(names: &[String]) -> Result<Vec<&'static Drill>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !DRILLS.iter().any(|drill| drill.alarm == name.as_str()))
    {
        let known: Vec<&str> = DRILLS.iter().map(|drill| drill.alarm).collect();
        bail!(
            "there is no alarm {unknown}; there are {}",
            known.join(", ")
        );
    }
    let is_chosen =
        |drill: &&Drill| names.is_empty() || names.iter().any(|name| name == drill.alarm);
    Ok(DRILLS.iter().filter(is_chosen).collect())
}

async fn drill(chosen: &[&'static Drill], show: bool) -> Result<Report> {
    let toolchain = Toolchain::prepare(progress).await?;
    let programs = [
        operators_command().await?,
        toolchain.sam(),
        toolchain.operator(progress).await?.join("aws"),
    ];
    let application = PushReceiver::start().await?;
    let parameters = Parameters::from([
        (
            "ConcurrencyAlarmThreshold".to_owned(),
            functions::CONCURRENCY.to_owned(),
        ),
        ("OutcomePushUrl".to_owned(), application.url.clone()),
    ]);
    let options = Options {
        functions: Functions::Build,
        parameters: parameters.clone(),
        progress,
        ..Options::default()
    };
    let watched = WatchedStack::start(options).await?;
    let runbook = Runbook::read()?;
    let mut shell = Shell::new(&watched.stack().description, &programs, show)?;
    for command in runbook.first_commands() {
        // The stack's name is known; what is broken is asked in the drills.
        for name in ["IDENFY_SECRET_ARN", "SIGNING_SECRET_ARN"] {
            if command.starts_with(&format!("export {name}=")) {
                shell.export(name, &command).await?;
            }
        }
    }
    let world = World::new(
        watched,
        application,
        shell,
        Template::read()?,
        runbook,
        parameters,
    );
    world.prepare().await?;
    let mut report = Report::default();
    for drill in chosen {
        report.rows.push(one(&world, drill).await);
    }
    world.stop().await;
    Ok(report)
}

/// Plays one drill. A failure is reported, and the other drills go on.
async fn one(world: &World, drill: &'static Drill) -> Row {
    progress(&format!("{}: {}", drill.alarm, drill.failure));
    let mut exercise = Exercise::new(world, drill);
    let played = async {
        exercise.begin().await?;
        (drill.play)(&mut exercise).await?;
        exercise.end().await
    };
    let failed = played.await.err().map(|error| format!("{error:#}"));
    if failed.is_some()
        && let Err(error) = world.tidy_up().await
    {
        progress(&format!("cannot tidy up: {error:#}"));
    }
    let row = exercise.row(failed);
    progress(&row.to_string());
    row
}

/// Builds `dvctl` and returns its path. The features are those of the whole workspace: nothing is
/// compiled twice.
///
/// # Errors
/// It does not build.
pub async fn operators_command() -> Result<PathBuf> {
    let mut build = tokio::process::Command::new("cargo");
    build.args([
        "build",
        "--workspace",
        "--bin",
        "dvctl",
        "--profile",
        "local",
    ]);
    crate::process::run_to_end(&mut build)
        .await
        .context("cannot build dvctl")?;
    Ok(local_stack::workspace::root()
        .join("target")
        .join("local")
        .join("dvctl"))
}

fn progress(line: &str) {
    eprintln!("[drill] {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_alarm_is_named_and_so_are_the_known_ones() {
        let message = choose(&["Parked".to_owned()]).unwrap_err().to_string();
        assert!(
            message.contains("no alarm Parked") && message.contains("PairingsParked"),
            "{message}"
        );
        assert_eq!(choose(&["PairingsParked".to_owned()]).unwrap().len(), 1);
    }
}
