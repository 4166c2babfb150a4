//! Template parameters as a caller gives them: `Name=Value`, checked against the template's own
//! names before anything is started.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};

/// Values by parameter name.
pub type Parameters = BTreeMap<String, String>;

/// What the local stack decides itself, because nothing else would work.
const DECIDED_HERE: [&str; 4] = [
    "AwsEndpointUrl",
    "IdenfySecretArn",
    "OutcomePushSecretArn",
    "SigningSecretArn",
];

/// Splits `Name=Value`. The value may hold further equals signs and may be empty.
///
/// # Errors
/// When there is no equals sign or no name before it.
pub fn parse(text: &str) -> Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .with_context(|| format!("{text:?} is not Name=Value"))?;
    ensure!(
        !name.is_empty()
            && name
                .chars()
                .all(|character| character.is_ascii_alphanumeric()),
        "{text:?} is not Name=Value: a name is letters and digits"
    );
    Ok((name.to_owned(), value.to_owned()))
}

/// Checks names against the template, and values against what can be handed to the SAM CLI.
///
/// # Errors
/// On the first parameter that the template does not have, that the local stack decides itself, or
/// whose value holds a quotation mark, a backslash or a control character; none of which any
/// parameter of the template allows.
pub fn check(parameters: &Parameters, template: &str) -> Result<()> {
    let known = names(template);
    for (name, value) in parameters {
        if !known.contains(&name.as_str()) {
            bail!(
                "template.yaml has no parameter {name:?}; it has {}",
                known.join(", ")
            );
        }
        ensure!(
            !DECIDED_HERE.contains(&name.as_str()),
            "{name} is decided by the local stack"
        );
        ensure!(
            !value.contains(['"', '\'', '\\']) && !value.contains(char::is_control),
            "the value of {name} holds a quotation mark, a backslash or a control character"
        );
    }
    Ok(())
}

/// The names under `Parameters:`, in the template's order. The template is this project's, so its
/// layout, two spaces per level, can be relied on, and a YAML parser that knows CloudFormation's
/// tags is not needed.
pub(crate) fn names(template: &str) -> Vec<&str> {
    template
        .lines()
        .skip_while(|line| *line != "Parameters:")
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with([' ', '#']))
        .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
        .filter(|name| {
            name.chars()
                .all(|character| character.is_ascii_alphanumeric())
        })
        .collect()
}

/// The default that the template gives a parameter, without quotation marks.
pub(crate) fn default_of<'template>(
    template: &'template str,
    name: &str,
) -> Option<&'template str> {
    let heading = format!("  {name}:");
    template
        .lines()
        .skip_while(|line| *line != heading)
        .skip(1)
        .take_while(|line| line.is_empty() || line.starts_with("    "))
        .find_map(|line| line.strip_prefix("    Default: "))
        .map(|value| value.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template() -> String {
        std::fs::read_to_string(crate::workspace::root().join("template.yaml")).unwrap()
    }

    fn check_one(text: &str) -> Result<()> {
        check(&Parameters::from([parse(text)?]), &template())
    }

    #[test]
    fn the_templates_parameters_are_accepted() {
        for text in ["Stage=test", "StepImages=A=FRONT,B=BACK", "DefaultCountry="] {
            check_one(text).unwrap();
        }
    }

    #[test]
    fn malformed_parameters_are_refused() {
        for text in [
            "Stage",
            "=dev",
            "Sta ge=dev",
            "",
            "Stage=a\"b",
            "Stage=a\nb",
        ] {
            assert!(check_one(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_refused_with_the_names_there_are() {
        let message = check_one("Stag=dev").unwrap_err().to_string();
        assert!(
            message.contains("\"Stag\"") && message.contains("StepVerdict"),
            "{message}"
        );
    }

    #[test]
    fn what_the_local_stack_decides_cannot_be_given() {
        assert!(check_one("AwsEndpointUrl=http://localhost:1").is_err());
    }

    #[test]
    fn defaults_are_read() {
        let template = template();
        assert_eq!(default_of(&template, "MaxProcessorConcurrency"), Some("5"));
        assert_eq!(default_of(&template, "StepImages"), Some(""));
        assert_eq!(default_of(&template, "IdenfySecretArn"), None);
    }

    #[test]
    fn only_parameters_are_taken_for_parameters() {
        let template = template();
        let names = names(&template);
        assert_eq!(names.first(), Some(&"Stage"));
        assert!(!names.contains(&"ProductionIsProtected"));
        assert!(!names.contains(&"Type"));
    }
}
