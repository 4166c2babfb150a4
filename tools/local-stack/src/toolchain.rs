//! The Python programs of the local stack, in private virtual environments.
//!
//! The emulator and the SAM CLI have one each: they pin different versions of the same library. The
//! contract's client and the AWS CLI have theirs, made when they are asked for. Every file is
//! checked against a recorded hash. An environment is named after the digest of its requirements
//! and of the interpreter: it is made once, made anew when either changes, and never seen half
//! made. An outdated one is left, because a stack may be running from it. Removing `.local` removes
//! them all.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::guard::GuardedCommand;
use crate::python::Python;
use crate::{Progress, workspace};

const EMULATOR_REQUIREMENTS: &str = include_str!("../python/emulator.txt");
const CONTRACT_REQUIREMENTS: &str = include_str!("../python/contract.txt");
const OPERATOR_REQUIREMENTS: &str = include_str!("../python/operator.txt");
const SAM_REQUIREMENTS: &str = include_str!("../python/sam.txt");

/// Between two lines about a running installation.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Both environments, ready for use.
#[derive(Debug, Clone)]
pub struct Toolchain {
    python: Python,
    emulator: PathBuf,
    sam: PathBuf,
}

impl Toolchain {
    /// Finds or makes both environments. The first time takes a minute or two and some 600 MB below
    /// `.local`.
    ///
    /// # Errors
    /// When there is no suitable Python, or a package cannot be fetched or does not have the
    /// recorded hash.
    pub async fn prepare(progress: Progress) -> Result<Self> {
        let python = Python::find()?;
        let emulator = environment(&python, "emulator", EMULATOR_REQUIREMENTS, progress);
        let sam = environment(&python, "sam", SAM_REQUIREMENTS, progress);
        let (emulator, sam) = tokio::try_join!(emulator, sam)?;
        Ok(Self {
            python,
            emulator,
            sam,
        })
    }

    /// Finds or makes the environment of `schemathesis`, and returns the directory that the program
    /// is in.
    ///
    /// # Errors
    /// As for [`Self::prepare`].
    pub async fn contract(&self, progress: Progress) -> Result<PathBuf> {
        let environment =
            environment(&self.python, "contract", CONTRACT_REQUIREMENTS, progress).await?;
        Ok(environment.join("bin"))
    }

    /// Finds or makes the environment of the AWS CLI, and returns the directory that the program is
    /// in.
    ///
    /// # Errors
    /// As for [`Self::prepare`].
    pub async fn operator(&self, progress: Progress) -> Result<PathBuf> {
        let environment =
            environment(&self.python, "operator", OPERATOR_REQUIREMENTS, progress).await?;
        Ok(environment.join("bin"))
    }

    /// The interpreter that guards child processes.
    pub fn python(&self) -> &Python {
        &self.python
    }

    /// The interpreter that has the emulator.
    pub(crate) fn emulator_python(&self) -> PathBuf {
        self.emulator.join("bin/python")
    }

    /// The directory of `sam`, `cargo-lambda`, `cfn-lint` and `python-zig`. `sam build` needs it on
    /// the search path.
    pub fn sam_directory(&self) -> PathBuf {
        self.sam.join("bin")
    }

    /// The SAM CLI.
    pub fn sam(&self) -> PathBuf {
        self.sam_directory().join("sam")
    }
}

/// One more environment, such as that of a benchmark peer, made and kept like the others. Returns
/// its directory, whose `bin/python` has the packages.
///
/// # Errors
/// When there is no suitable Python, or a package cannot be fetched or does not have the recorded
/// hash.
pub async fn python_environment(
    name: &str,
    requirements: &str,
    progress: Progress,
) -> Result<PathBuf> {
    environment(&Python::find()?, name, requirements, progress).await
}

async fn environment(
    python: &Python,
    name: &str,
    requirements: &str,
    progress: Progress,
) -> Result<PathBuf> {
    let parent = workspace::kept_directory().join("toolchain");
    let target = parent.join(format!("{name}-{}", digest(python, requirements)));
    let marker = target.join("complete");
    if marker.exists() {
        return Ok(target);
    }
    std::fs::create_dir_all(&parent)
        .with_context(|| format!("cannot create {}", parent.display()))?;
    // One maker at a time; the second finds the work done. The lock ends with its process.
    let lock = lock(parent.join(format!("{name}.lock"))).await?;
    if marker.exists() {
        return Ok(target);
    }
    let packages = packages_in(requirements);
    progress(&format!(
        "installing the {name} tools: {packages} packages (once)"
    ));
    remove(&target)?;
    let log = target.with_file_name(format!("{name}.log"));
    let made = tokio::select! {
        made = make(python, requirements, &target, &log) => made,
        never = tell(name, packages, &log, progress) => match never {},
    };
    made.with_context(|| format!("cannot install the {name} tools"))?;
    std::fs::write(&marker, "")?;
    drop(lock);
    Ok(target)
}

/// Scripts in a virtual environment have its path: it is made in its final place. The marker is
/// written last and makes it valid.
async fn make(python: &Python, requirements: &str, target: &Path, log: &Path) -> Result<()> {
    GuardedCommand::new(python, python.path())
        .args(["-I", "-m", "venv"])
        .args([target])
        .with(|command| {
            command.stdout(std::process::Stdio::null());
        })
        .run("python -m venv")
        .await?;
    let list = target.join("requirements.txt");
    std::fs::write(&list, requirements)?;
    GuardedCommand::new(python, target.join("bin/python"))
        .args([
            "-m",
            "pip",
            "install",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .args(["--disable-pip-version-check", "--no-input", "--requirement"])
        .args([&list])
        .run_quietly("pip install", log)
        .await?;
    Ok(())
}

/// How many packages a list of requirements pins.
fn packages_in(requirements: &str) -> usize {
    let is_package = |line: &&str| line.contains("==") && !line.starts_with([' ', '#']);
    requirements.lines().filter(is_package).count()
}

/// Tells how far pip is, as its log says.
async fn tell(name: &str, packages: usize, log: &Path, progress: Progress) -> Infallible {
    loop {
        tokio::time::sleep(PROGRESS_INTERVAL).await;
        let log = std::fs::read_to_string(log).unwrap_or_default();
        progress(&how_far(name, packages, &log));
    }
}

/// pip fetches every package, each with a line `Collecting`, and then installs all of them.
fn how_far(name: &str, packages: usize, log: &str) -> String {
    if log
        .lines()
        .any(|line| line.starts_with("Installing collected packages"))
    {
        return format!("the {name} tools: all {packages} packages fetched, unpacking");
    }
    let collecting = |line: &&str| line.starts_with("Collecting ");
    let fetched = log.lines().filter(collecting).count();
    format!("the {name} tools: {fetched} of {packages} packages fetched")
}

fn digest(python: &Python, requirements: &str) -> String {
    let digest = Sha256::new()
        .chain_update(requirements)
        .chain_update(python.path().as_os_str().as_encoded_bytes())
        .finalize();
    hex::encode(digest).chars().take(12).collect()
}

async fn lock(path: PathBuf) -> Result<std::fs::File> {
    let file = std::fs::File::create(&path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    tokio::task::spawn_blocking(move || {
        file.lock()?;
        Ok(file)
    })
    .await?
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", directory.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_counted_without_their_hashes() {
        let list = "# by pip-compile\na==1.0 \\\n    --hash=sha256:00\nb==2.0 \\\n    \
            --hash=sha256:11\n    # via a==1\n";
        assert_eq!(packages_in(list), 2);
        assert!(packages_in(SAM_REQUIREMENTS) > 20);
    }

    #[test]
    fn the_log_of_pip_says_how_far_it_is() {
        let fetching = "Collecting a==1.0\n  Using cached a.whl\nCollecting b==2.0\n";
        assert_eq!(
            how_far("sam", 3, fetching),
            "the sam tools: 2 of 3 packages fetched"
        );
        let unpacking = format!("{fetching}Installing collected packages: b, a\n");
        assert_eq!(
            how_far("sam", 3, &unpacking),
            "the sam tools: all 3 packages fetched, unpacking"
        );
    }
}
