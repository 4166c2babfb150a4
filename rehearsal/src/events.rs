//! `cargo xtask events`: the sample events in `events/`; those of the webhook made from the
//! callback bodies in `events/callbacks/` and signed with the development key, so that a body can
//! be edited and its events follow.

mod batches;
mod catalog;
mod requests;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use idenfy::SigningKey;
use local_stack::{ProviderSecret, workspace};

pub use catalog::{CLIENT, FIRST, SECOND};
pub use sample::{Function, Sample};

/// Make the sample events anew
///
/// For each function what it is there for and how it goes wrong, as Lambda would hand it over. Each
/// body of events/callbacks is signed with the key of events/secret.local.json.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Change nothing; fail if a file is not what it would be made
    #[arg(long)]
    check: bool,
}

/// Runs the command to its end.
///
/// # Errors
/// A body or the secret cannot be read, or, with `--check`, a file differs.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let made = make(&root())?;
    if arguments.check {
        check(&made)?;
    } else {
        for (path, content) in &made {
            let failed = || format!("cannot write {}", path.display());
            std::fs::create_dir_all(path.parent().unwrap_or(path)).with_context(failed)?;
            std::fs::write(path, content).with_context(failed)?;
            println!(
                "{}",
                path.strip_prefix(workspace::root())
                    .unwrap_or(path)
                    .display()
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// Names the first file that is not as it would be made.
pub fn check_all() -> Result<()> {
    check(&make(&root())?)
}

fn check(made: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (path, content) in made {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        ensure!(
            found == *content,
            "{} is out of date: run `cargo xtask events`",
            path.display()
        );
    }
    Ok(())
}

fn make(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let mut made = BTreeMap::new();
    for sample in samples()? {
        let text = format!("{}\n", serde_json::to_string_pretty(&sample.event)?);
        made.insert(root.join(sample.path()).with_extension("json"), text);
    }
    Ok(made)
}

/// Every sample event, as it is made.
///
/// # Errors
/// A body or the secret cannot be read.
pub fn samples() -> Result<Vec<Sample>> {
    catalog::samples(&root().join("callbacks"), &development_key()?)
}

/// Where the events are.
pub fn root() -> PathBuf {
    workspace::root().join("events")
}

/// The secret of development, which opens nothing but a sandbox.
pub fn secret() -> PathBuf {
    root().join("secret.local.json")
}

/// The key that sample callbacks are signed with.
///
/// # Errors
/// The secret cannot be read.
pub fn development_key() -> Result<SigningKey> {
    let keys = ProviderSecret::read(&secret())?.signing_keys;
    let key = keys
        .into_iter()
        .next()
        .context("events/secret.local.json has no signing key")?;
    Ok(SigningKey::new(key)?)
}
