//! The Python programs that the local stack consists of, in two private virtual environments: the
//! emulator's and the SAM CLI's, which pin different versions of the same library; and one each for
//! what plays the API's contract and for the AWS CLI, made when they are asked for. Every file is
//! checked against a recorded hash. An environment is named after the digest of its requirements
//! and of the interpreter, so it is made once, made anew when either changes, and never seen half
//! made. One that is out of date is left, since a stack may be running from it; removing `.local`
//! removes them all.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::guard::GuardedCommand;
use crate::python::Python;
use crate::{Progress, workspace};

const EMULATOR_REQUIREMENTS: &str = include_str!("../python/emulator.txt");
const CONTRACT_REQUIREMENTS: &str = include_str!("../python/contract.txt");
const OPERATOR_REQUIREMENTS: &str = include_str!("../python/operator.txt");
const SAM_REQUIREMENTS: &str = include_str!("../python/sam.txt");

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

    /// The directory of `sam`, `cargo-lambda`, `cfn-lint` and `python-zig`; on the search path, it
    /// is what `sam build` needs.
    pub fn sam_directory(&self) -> PathBuf {
        self.sam.join("bin")
    }

    /// The SAM CLI.
    pub fn sam(&self) -> PathBuf {
        self.sam_directory().join("sam")
    }
}

/// One more environment, such as that of a program which is compared with ours, made and kept as
/// the others are. Returns its directory, whose `bin/python` has the packages.
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
    // One maker at a time; the second finds the work done. The lock goes with the process that
    // holds it.
    let lock = lock(parent.join(format!("{name}.lock"))).await?;
    if marker.exists() {
        return Ok(target);
    }
    progress(&format!("installing the {name} tools (once)"));
    remove(&target)?;
    make(python, name, requirements, &target)
        .await
        .with_context(|| format!("cannot install the {name} tools"))?;
    std::fs::write(&marker, "")?;
    drop(lock);
    Ok(target)
}

/// Scripts in a virtual environment hold its path, so it is made in its final place; the marker,
/// written last, is what makes it count.
async fn make(python: &Python, name: &str, requirements: &str, target: &Path) -> Result<()> {
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
        .run_quietly("pip install", &target.with_file_name(format!("{name}.log")))
        .await?;
    Ok(())
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
