//! The team's policy, from the variables that the template sets on every function that judges
//! callbacks.

use std::str::FromStr;

use verification::Policy;
use verification::policy::{ComparisonPolicy, StepVerdictPolicy};

use crate::environment::Environment;

/// Reads the policy's variables.
#[derive(Debug)]
pub struct PolicySettings;

impl PolicySettings {
    /// `None`: something is wrong, and `environment` knows what.
    pub fn read(environment: &mut Environment) -> Option<Policy> {
        let step_verdict = environment.required::<StepVerdict>("STEP_VERDICT");
        let step_images = environment.optional("STEP_IMAGES").unwrap_or_default();
        let default_country = environment.optional("DEFAULT_COUNTRY");
        let confirm_results = environment.required::<bool>("CONFIRM_RESULTS");
        let comparison = environment.required::<Comparison>("COMPARISON");
        let (StepVerdict(step_verdict), Comparison(comparison)) = (step_verdict?, comparison?);
        Some(Policy {
            step_verdict,
            step_images,
            default_country,
            confirm_results: confirm_results?,
            comparison,
        })
    }
}

struct Comparison(ComparisonPolicy);

impl FromStr for Comparison {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Off" => Ok(Self(ComparisonPolicy::Off)),
            "Report" => Ok(Self(ComparisonPolicy::Report)),
            "Require" => Ok(Self(ComparisonPolicy::Require)),
            _ => Err("Off, Report or Require"),
        }
    }
}

struct StepVerdict(StepVerdictPolicy);

impl FromStr for StepVerdict {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "RequireValid" => Ok(Self(StepVerdictPolicy::RequireValid)),
            "AcceptUnjudged" => Ok(Self(StepVerdictPolicy::AcceptUnjudged)),
            _ => Err("RequireValid or AcceptUnjudged"),
        }
    }
}
