//! The unpacked archive of a release, deployed by what its `DEPLOY.md` says: `sam deploy --guided`,
//! away from the checkout and without Cargo.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::guard::GuardedCommand;
use crate::parameters::{self, Parameters};
use crate::toolchain::Toolchain;
use crate::{REGION, STACK_NAME};

/// What is answered after the parameters: changes need not be confirmed, roles may be made,
/// failures are rolled back, and the answers are saved.
const OTHER_ANSWERS: [&str; 6] = ["n", "y", "n", "y", "", ""];

/// A copy of a bundle's files in the system's directory for temporary files.
#[derive(Debug)]
pub(crate) struct Bundle(TempDir);

impl Bundle {
    /// Copies what is deployed. The template is given, because the emulator needs another one.
    ///
    /// # Errors
    /// A file is missing or cannot be copied.
    pub fn copy(from: &Path, template: &str) -> Result<Self> {
        let to = tempfile::tempdir()?;
        let copy = |name: &Path| {
            std::fs::copy(from.join(name), to.path().join(name))
                .with_context(|| format!("{} has no {}", from.display(), name.display()))
        };
        copy(Path::new("samconfig.toml"))?;
        let functions = Path::new("functions");
        std::fs::create_dir(to.path().join(functions))?;
        for entry in std::fs::read_dir(from.join(functions))
            .with_context(|| format!("{} is no unpacked bundle", from.display()))?
        {
            copy(&functions.join(entry?.file_name()))?;
        }
        std::fs::write(to.path().join("template.yaml"), template)?;
        Ok(Self(to))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn template(&self) -> PathBuf {
        self.path().join("template.yaml")
    }

    /// `sam deploy --guided`, with the answers that a person would type.
    ///
    /// # Errors
    /// A parameter cannot be given in this way.
    pub fn deploy(&self, toolchain: &Toolchain, given: &Parameters) -> Result<GuardedCommand> {
        let template = std::fs::read_to_string(self.template())?;
        std::fs::write(self.path().join("answers"), answers(&template, given)?)?;
        // The guard keeps its standard input for itself.
        let script = "exec \"$0\" deploy --guided --no-progressbar < answers";
        let shell = GuardedCommand::new(toolchain.python(), "/bin/sh");
        Ok(shell.args(["-c", script]).arg(toolchain.sam()))
    }
}

/// One line for each question, in the order of the template. An empty line takes the default.
fn answers(template: &str, given: &Parameters) -> Result<String> {
    let mut lines = vec![STACK_NAME, REGION];
    for name in parameters::names(template) {
        let value = given.get(name).map_or("", String::as_str);
        let default = parameters::default_of(template, name).unwrap_or_default();
        ensure!(
            !given.contains_key(name) || !value.is_empty() || default.is_empty(),
            "{name} cannot be made empty: an empty answer takes the default"
        );
        lines.push(value);
    }
    lines.extend(OTHER_ANSWERS);
    Ok(format!("{}\n", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::{Parameters, REGION, STACK_NAME, answers};

    const TEMPLATE: &str = "Parameters:\n  Stage:\n    Default: dev\n  Secret:\n    Type: String\n\n\
                            Resources:\n";

    #[test]
    fn questions_are_answered_in_the_templates_order() {
        let given = Parameters::from([("Secret".to_owned(), "arn".to_owned())]);
        let answers = answers(TEMPLATE, &given).unwrap();
        let lines: Vec<_> = answers.lines().collect();
        assert_eq!(&lines[..4], [STACK_NAME, REGION, "", "arn"]);
    }

    #[test]
    fn a_default_cannot_be_answered_away() {
        let given = Parameters::from([("Stage".to_owned(), String::new())]);
        assert!(answers(TEMPLATE, &given).is_err());
    }
}
