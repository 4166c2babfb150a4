//! Places: the checkout that this crate was compiled from, the directory kept between runs, and the
//! directory of one run.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The file in a run's directory that its program keeps locked. The lock ends with the program.
const IN_USE: &str = "in-use";

/// The root of the checkout, where `template.yaml` and `samconfig.toml` are.
pub fn root() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = crate_directory.ancestors().nth(2);
    root.unwrap_or(crate_directory).to_path_buf()
}

/// Kept between runs: the Python environments. Ignored by git and not touched by `cargo clean`.
pub fn kept_directory() -> PathBuf {
    root().join(".local")
}

/// The directory of one run, removed when the value is dropped.
#[derive(Debug)]
pub struct RunDirectory {
    directory: TempDir,
    _in_use: File,
}

impl RunDirectory {
    /// A new, empty one. Also removes those of killed programs.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn create() -> Result<Self> {
        Self::create_in(&kept_directory().join("run"))
    }

    fn create_in(parent: &Path) -> Result<Self> {
        let failed = || format!("cannot create a directory in {}", parent.display());
        std::fs::create_dir_all(parent).with_context(failed)?;
        // Held for a moment: no other program takes a new directory for an abandoned one.
        let creating = File::create(parent.join("creating")).with_context(failed)?;
        creating.lock().with_context(failed)?;
        remove_abandoned(parent);
        let directory = tempfile::Builder::new()
            .prefix("")
            .tempdir_in(parent)
            .with_context(failed)?;
        let in_use = File::create(directory.path().join(IN_USE)).with_context(failed)?;
        in_use.lock().with_context(failed)?;
        Ok(Self {
            directory,
            _in_use: in_use,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// What cannot be removed now is tried again by the next run.
fn remove_abandoned(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        let in_use = File::open(path.join(IN_USE)).is_ok_and(|file| file.try_lock().is_err());
        if path.is_dir() && !in_use {
            drop(std::fs::remove_dir_all(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_run_removes_only_what_was_abandoned() {
        let parent = tempfile::tempdir().unwrap();
        let abandoned = parent.path().join("abandoned");
        std::fs::create_dir(&abandoned).unwrap();
        File::create(abandoned.join(IN_USE)).unwrap();

        let first = RunDirectory::create_in(parent.path()).unwrap();
        assert!(!abandoned.exists());
        let second = RunDirectory::create_in(parent.path()).unwrap();
        assert!(first.path().exists() && second.path().exists());

        let path = second.path().to_path_buf();
        drop(second);
        assert!(!path.exists());
    }
}
