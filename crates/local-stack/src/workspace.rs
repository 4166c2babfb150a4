//! Where things are: the checkout that this crate was compiled from, what is kept between runs in it, and the directory of
//! one run, which nothing outlives.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// The root of the checkout, where `template.yaml` and `samconfig.toml` are.
pub fn root() -> PathBuf {
    let crate_directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_directory.ancestors().nth(2).unwrap_or(crate_directory).to_path_buf()
}

/// What is kept between runs: the Python environments. Ignored by git and not touched by `cargo clean`.
pub fn kept_directory() -> PathBuf {
    root().join(".local")
}

/// A new, empty directory for one run, removed when the value is dropped.
///
/// # Errors
/// When it cannot be created.
pub fn run_directory() -> Result<TempDir> {
    let parent = kept_directory().join("run");
    std::fs::create_dir_all(&parent).with_context(|| format!("cannot create {}", parent.display()))?;
    tempfile::Builder::new()
        .prefix("")
        .tempdir_in(&parent)
        .with_context(|| format!("cannot create a directory in {}", parent.display()))
}
