//! The command line.

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::commands::{
    doctor, erase, export, list, park, pause, probe, redrive, replay, retry, session, show, sign,
    watch,
};
use crate::global::Global;

const EXIT_STATUS: &str = "\
Exit status:
    0  done
    1  failed; standard error says what to do
    2  the command line is wrong
    3  what was named does not exist
    4  partly done: some of several were not, or something remains
    5  doctor, probe: it works, and something should be looked at
    6  probe only: the account does not fit
  130  interrupted; where the work can go on, standard error has said how

Credentials and region are found as the AWS CLI finds them: environment, profiles, SSO, processes,
metadata services. Nothing that is printed is personal unless a flag asks for it
(--show-client-ids). Answers go to standard output, all else to standard error.

Examples:
    dvctl doctor                                        is this deployment well?
    dvctl --stack dv-production list --state parked --since 2h
    dvctl show 6b0f5b7e-6a4e-4d5e-9c51-0c4f3e7f2a10
    dvctl --stack dual-verification-local --endpoint http://127.0.0.1:4566 watch";

/// Look at verifications, and repair what stands still
#[derive(Debug, Parser)]
#[command(name = "dvctl", version, after_help = EXIT_STATUS, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Show(show::Arguments),
    List(list::Arguments),
    Park(park::Arguments),
    Retry(retry::Arguments),
    Replay(replay::Arguments),
    Redrive(redrive::Arguments),
    Pause(pause::PauseArguments),
    Resume(pause::ResumeArguments),
    Export(export::Arguments),
    Erase(erase::Arguments),
    Session(session::Arguments),
    Sign(sign::Arguments),
    Watch(watch::Arguments),
    Doctor(doctor::Arguments),
    Probe(probe::Arguments),
    /// Print a completion script for a shell
    #[command(after_help = "\
Example:
    dvctl completions bash > ~/.local/share/bash-completion/completions/dvctl")]
    Completions {
        shell: Shell,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_description_and_an_example() {
        for command in Arguments::command().get_subcommands() {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains(&format!("dvctl {}", command.get_name())),
                "{}: {help}",
                command.get_name()
            );
        }
    }
}
