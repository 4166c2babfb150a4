//! From arguments to exit status.

use std::ffi::OsString;
use std::time::Duration;

use clap::{CommandFactory, Parser};

use crate::arguments::{Arguments, Command};
use crate::commands::{self, Context};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Time for an interrupted command to finish its step.
const GRACE: Duration = Duration::from_secs(5);

/// Runs one command to its end.
pub async fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    mut output: Output,
) -> Exit {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => return explain(&error, &mut output),
    };
    output.set_json(arguments.global.json);
    let interruption = environment.interruption.clone();
    let ended = {
        let command = execute(arguments, environment, &mut output);
        tokio::pin!(command);
        tokio::select! {
            ended = &mut command => Some(ended),
            () = async {
                interruption.wait().await;
                tokio::time::sleep(GRACE).await;
            } => None,
        }
    };
    match ended {
        Some(Ok(exit)) => exit,
        Some(Err(failure)) if failure.is_unread => Exit::Done,
        Some(Err(failure)) => {
            output.failure(&failure);
            failure.exit
        }
        None => {
            output.note("dvctl: interrupted");
            Exit::Interrupted
        }
    }
}

/// Help and version are answers. Everything else is wrong usage.
fn explain(error: &clap::Error, output: &mut Output) -> Exit {
    if error.use_stderr() {
        output.note(error.render().to_string().trim_end());
        Exit::Usage
    } else {
        output
            .raw(error.render())
            .map_or(Exit::Failed, |()| Exit::Done)
    }
}

async fn execute(
    arguments: Arguments,
    environment: Environment,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if let Command::Completions { shell } = arguments.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "dvctl", &mut script);
        output.raw(String::from_utf8_lossy(&script))?;
        return Ok(Exit::Done);
    }
    if let Command::Probe(probe) = arguments.command {
        // There may be no stack yet.
        return commands::probe::run(&arguments.global, environment, output, probe).await;
    }
    let mut context = Context::open(&arguments.global, environment, output).await?;
    match arguments.command {
        Command::Show(arguments) => commands::show::run(&mut context, arguments).await,
        Command::List(arguments) => commands::list::run(&mut context, arguments).await,
        Command::Park(arguments) => commands::park::run(&mut context, arguments).await,
        Command::Retry(arguments) => commands::retry::run(&mut context, arguments).await,
        Command::Replay(arguments) => commands::replay::run(&mut context, arguments).await,
        Command::Redrive(arguments) => commands::redrive::run(&mut context, arguments).await,
        Command::Pause(arguments) => commands::pause::pause(&mut context, arguments).await,
        Command::Resume(arguments) => commands::pause::resume(&mut context, arguments).await,
        Command::Erase(arguments) => commands::erase::run(&mut context, arguments).await,
        Command::Session(arguments) => commands::session::run(&mut context, arguments).await,
        Command::Sign(arguments) => commands::sign::run(&mut context, arguments).await,
        Command::Watch(arguments) => commands::watch::run(&mut context, arguments).await,
        Command::Doctor(arguments) => commands::doctor::run(&mut context, arguments).await,
        Command::Export(arguments) => commands::export::run(&mut context, arguments).await,
        Command::Completions { .. } | Command::Probe(_) => Ok(Exit::Done),
    }
}
