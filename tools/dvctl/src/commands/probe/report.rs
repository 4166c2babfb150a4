//! What the probe prints.

use std::fmt;

use idenfy::TokenField;
use serde::Serialize;

use super::account::Account;
use super::calls::{Found, name_of};
use super::facts::{Fact, Open};
use super::steps::ShownStep;
use crate::commands::check::{Check, Health};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    provider: String,
    /// The stack whose parameters the account was judged against.
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<String>,
    result: &'static str,
    checks: Vec<Check>,
    steps: Vec<ShownStep>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<ProposedParameters>,
    facts: Vec<Fact>,
    open: Vec<Open>,
    left_behind: Vec<String>,
    #[serde(skip)]
    worst: Health,
}

/// Values for the template's parameters.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ProposedParameters {
    step_verdict: &'static str,
    step_images: String,
    process_token_field: &'static str,
    confirm_results: bool,
}

impl Report {
    pub fn of(found: Found, account: &Account) -> Self {
        let worst = found.checks.iter().map(|check| check.result).max();
        let worst = worst.unwrap_or(Health::Unknown);
        let confirm_results = account.parameters.policy.confirm_results && !found.has_no_status;
        let parameters = found.proposal.map(|proposal| ProposedParameters {
            step_verdict: proposal.step_verdict,
            step_images: proposal.step_images,
            process_token_field: name_of(found.token_field.unwrap_or(TokenField::Token)),
            confirm_results,
        });
        let (facts, open) = found.facts.split();
        Self {
            provider: account.provider().to_owned(),
            stack: account.stack.as_ref().map(|stack| stack.name.clone()),
            result: match worst {
                Health::Ok => "fits",
                Health::Warning => "fits_with_changes",
                Health::Unknown => "unknown",
                Health::Failed => "does_not_fit",
            },
            checks: found.checks,
            steps: found.steps,
            parameters,
            facts,
            open,
            left_behind: found.left_behind,
            worst,
        }
    }

    pub const fn worst(&self) -> Health {
        self.worst
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stack = self.stack.as_ref();
        let against = stack.map_or_else(
            || "the template's defaults".to_owned(),
            |stack| format!("the parameters of {stack}"),
        );
        writeln!(f, "{}, against {against}\n", self.provider)?;
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "{check}"))?;
        section(f, "The account's steps", &self.steps, |step| {
            let text = match step.text.is_empty() {
                true => String::new(),
                false => format!("  \"{}\"", step.text),
            };
            format!(
                "{:<24} {:<8} {}{text}",
                step.name, step.kind, step.customers
            )
        })?;
        if let Some(parameters) = &self.parameters {
            writeln!(f, "\nProposed parameters")?;
            writeln!(f, "  StepVerdict={}", parameters.step_verdict)?;
            let why = if parameters.step_images.is_empty() {
                "   (empty: the names tell)"
            } else {
                ""
            };
            writeln!(f, "  StepImages={}{why}", parameters.step_images)?;
            writeln!(f, "  ProcessTokenField={}", parameters.process_token_field)?;
            writeln!(f, "  ConfirmResults={}", parameters.confirm_results)?;
        }
        section(
            f,
            "What the documentation leaves open, and this account does",
            &self.facts,
            |fact| format!("{}: {}", fact.topic, fact.found),
        )?;
        section(f, "Not told by these answers", &self.open, |open| {
            format!("{} ({})", open.topic, open.told_by)
        })?;
        section(f, "Left behind", &self.left_behind, Clone::clone)?;
        writeln!(
            f,
            "\n{}",
            match self.worst {
                Health::Ok => "The account fits.",
                Health::Warning => "The account fits, with the changes above.",
                Health::Unknown => "Whether the account fits could not be found out.",
                Health::Failed => "The account does not fit.",
            }
        )
    }
}

fn section<T>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    lines: &[T],
    line: impl Fn(&T) -> String,
) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(f, "\n{title}")?;
    lines
        .iter()
        .try_for_each(|item| writeln!(f, "  {}", line(item)))
}
