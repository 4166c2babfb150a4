//! Finds the Python of the tools: 3.10 or newer, with the module `venv`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

/// Newest first: the tools' wheels appear for new versions first. The plain names come last: a
/// distribution's own choice counts where no version is in the name.
const CANDIDATES: [&str; 7] = [
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.14",
    "python3",
    "python",
];

/// Prints its path if it will do, else the reason. Within a virtual environment it names the
/// interpreter below: that environment may be removed.
const QUESTION: &str = "\
import sys
if sys.version_info < (3, 10):
    sys.exit('is version %d.%d' % sys.version_info[:2])
try:
    import ensurepip, venv
except ImportError:
    sys.exit('has no module venv (Debian and Ubuntu: apt install python3-venv)')
print(getattr(sys, '_base_executable', None) or sys.executable)
";

/// An interpreter that answered the question above.
#[derive(Debug, Clone)]
pub struct Python(PathBuf);

impl Python {
    /// Looks through the search path.
    ///
    /// # Errors
    /// When no interpreter will do; the message names each one that was found and what it lacks.
    pub fn find() -> Result<Self> {
        let mut refused = Vec::new();
        for name in CANDIDATES {
            let Ok(answer) = Command::new(name)
                .args(["-I", "-c", QUESTION])
                .stdin(Stdio::null())
                .output()
            else {
                continue;
            };
            let path = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
            if answer.status.success() && !path.is_empty() {
                return Ok(Self(PathBuf::from(path)));
            }
            let reason = String::from_utf8_lossy(&answer.stderr);
            let reason = reason.lines().last().unwrap_or("does not run").to_owned();
            refused.push(format!("{name} {reason}"));
        }
        if refused.is_empty() {
            bail!(
                "the local stack needs Python 3.10 or newer, and there is no python3 on the \
                    search path"
            );
        }
        bail!(
            "the local stack needs Python 3.10 or newer with the venv module; {}",
            refused.join("; ")
        );
    }

    /// The interpreter's own path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}
