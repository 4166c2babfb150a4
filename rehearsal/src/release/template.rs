//! The template and the settings of a bundle, made of those of the repository.
//!
//! They are edited as text: no library writes CloudFormation's tags (`!Ref`) and the comments back
//! as they were. Each replacement must fit exactly as often as it should, or the bundle is refused.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::Architecture;

const FUNCTION: &str = "    Type: AWS::Serverless::Function\n";
const CODE_URI: &str = "      CodeUri: functions/";

/// A function of the template, and the program that it runs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub logical_id: String,
    pub program: String,
}

/// The functions in the template's order.
///
/// # Errors
/// A function has no `CodeUri` below `functions/`.
pub(super) fn functions(template: &str) -> Result<Vec<Function>> {
    let mut found = Vec::new();
    let mut logical_id = "";
    for line in template.lines() {
        let name = line
            .strip_prefix("  ")
            .and_then(|line| line.strip_suffix(':'));
        if let Some(name) = name.filter(|name| !name.starts_with([' ', '#'])) {
            logical_id = name;
        }
        if let Some(program) = line.strip_prefix(CODE_URI) {
            found.push(Function {
                logical_id: logical_id.to_owned(),
                program: program.to_owned(),
            });
        }
    }
    let functions = template.matches(FUNCTION).count();
    ensure!(
        functions > 0 && found.len() == functions,
        "{} of {functions} functions have their CodeUri below functions/",
        found.len()
    );
    Ok(found)
}

/// The template for programs that are built already: each `CodeUri` names a zip file beside the
/// template, nothing is said about building, and the only processor is the archive's.
///
/// # Errors
/// A text that is to be replaced is not there, or is there too often.
pub(super) fn derive(template: &str, architecture: Architecture) -> Result<String> {
    let mut derived = template.to_owned();
    let functions = functions(template)?;
    let programs: BTreeMap<&str, usize> = functions.iter().fold(BTreeMap::new(), |mut all, one| {
        *all.entry(one.program.as_str()).or_default() += 1;
        all
    });
    for (program, times) in programs {
        let metadata = format!(
            "      BuildMethod: rust-cargolambda\n      BuildProperties:\n        \
            Binary: {program}\n"
        );
        derived = replace(&derived, &metadata, "", times)?;
        let code = format!("{CODE_URI}{program}\n");
        let zipped = format!("{CODE_URI}{program}.zip\n");
        derived = replace(&derived, &code, &zipped, times)?;
    }
    // Where nothing else was in it.
    derived = derived.replace("    Metadata:\n    Properties:\n", "    Properties:\n");
    let (default, values) = (
        "    Default: x86_64\n",
        "    AllowedValues: [x86_64, arm64]\n",
    );
    derived = replace(
        &derived,
        default,
        &format!("    Default: {architecture}\n"),
        1,
    )?;
    derived = replace(
        &derived,
        values,
        &format!("    AllowedValues: [{architecture}]\n"),
        1,
    )?;
    ensure!(
        !derived.contains("BuildMethod"),
        "the template says something else about building"
    );
    Ok(derived)
}

fn replace(text: &str, from: &str, to: &str, times: usize) -> Result<String> {
    let found = text.matches(from).count();
    ensure!(
        found == times,
        "the template has {from:?} {found} times, not {times}"
    );
    Ok(text.replace(from, to))
}

/// The settings of the SAM CLI without those for building, checking and the emulator. A paragraph
/// of `samconfig.toml` is one table.
pub(super) fn settings(samconfig: &str) -> String {
    let is_kept = |paragraph: &&str| {
        let table = paragraph.lines().find_map(|line| line.strip_prefix('['));
        table.is_none_or(|table| {
            !table.starts_with("local.")
                && !table.contains(".build.")
                && !table.contains(".validate.")
        })
    };
    let kept: Vec<&str> = samconfig.split("\n\n").filter(is_kept).collect();
    format!("{}\n", kept.join("\n\n").trim_end())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use local_stack::workspace;

    use super::{Architecture, derive, functions, settings};

    fn file(name: &str) -> String {
        std::fs::read_to_string(workspace::root().join(name)).unwrap()
    }

    #[test]
    fn functions_are_found_with_their_programs() {
        let found = functions(&file("template.yaml")).unwrap();
        let of = |name: &str| found.iter().find(|function| function.logical_id == name);
        assert_eq!(of("WebhookFunction").unwrap().program, "webhook");
        assert_eq!(of("PreTrafficFunction").unwrap().program, "pre-traffic");
    }

    #[test]
    fn only_building_and_processor_differ_from_the_template() {
        let template = file("template.yaml");
        let derived = derive(&template, Architecture::Arm).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (before, after) = (lines(&template), lines(&derived));
        let added: Vec<_> = after.difference(&before).cloned().collect();
        let expected: BTreeSet<_> = functions(&template)
            .unwrap()
            .iter()
            .map(|function| format!("      CodeUri: functions/{}.zip", function.program))
            .chain(["    AllowedValues: [arm64]", "    Default: arm64"].map(str::to_owned))
            .collect();
        assert_eq!(added, expected.into_iter().collect::<Vec<_>>());
        let allowed = [
            "Binary:",
            "BuildMethod:",
            "BuildProperties:",
            "CodeUri:",
            "Default: x86_64",
        ];
        for line in before.difference(&after) {
            let is_allowed = allowed
                .iter()
                .any(|start| line.trim_start().starts_with(start));
            assert!(is_allowed || line.contains("[x86_64, arm64]"), "{line}");
        }
    }

    #[test]
    fn metadata_for_other_tools_stays() {
        let derived = derive(&file("template.yaml"), Architecture::X86).unwrap();
        assert!(derived.contains("ignore_checks: [W3011]"));
        assert_eq!(derived.matches("    Metadata:\n      cfn-lint:").count(), 1);
        assert!(!derived.contains("    Metadata:\n    Properties:"));
    }

    #[test]
    fn a_template_in_another_layout_is_refused() {
        let other = file("template.yaml").replace("rust-cargolambda", "makefile");
        assert!(derive(&other, Architecture::X86).is_err());
        let twice = format!("{0}{0}", file("template.yaml"));
        assert!(derive(&twice, Architecture::X86).is_err());
    }

    #[test]
    fn settings_keep_the_environments_that_are_deployed() {
        let settings = settings(&file("samconfig.toml"));
        for kept in [
            "[default.deploy.",
            "[staging.global.",
            "[production.deploy.",
        ] {
            assert!(settings.contains(kept), "{kept}");
        }
        for left_out in ["build", "validate", "local", "emulator"] {
            assert!(!settings.contains(left_out), "{left_out}: {settings}");
        }
    }
}
