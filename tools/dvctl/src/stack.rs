//! A deployment, by the names in its template.

use url::{Host, Url};

use crate::aws::Aws;
use crate::aws::cloudformation::{Description, Resource};
use crate::failure::Failure;

/// The parameters that name a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretParameter {
    /// API credentials, and signing keys unless they have a secret of their own.
    Idenfy,
    /// Signing keys alone.
    Signing,
}

impl SecretParameter {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idenfy => "IdenfySecretArn",
            Self::Signing => "SigningSecretArn",
        }
    }
}

/// A stack's description.
#[derive(Clone, Debug)]
pub struct Stack {
    pub name: String,
    description: Description,
    /// Of an emulator.
    endpoint: Option<Url>,
}

impl Stack {
    /// Reads a stack's outputs and parameters.
    ///
    /// # Errors
    /// There is no such stack, or CloudFormation is unavailable.
    pub async fn read(aws: &Aws, name: &str) -> Result<Self, Failure> {
        let description = aws.describe_stack(name).await?.ok_or_else(|| {
            Failure::not_found(format!("there is no stack {name} in {}", aws.region())).advise(
                "give --stack (or DVCTL_STACK) and --region; `aws cloudformation \
                    list-stacks` shows what there is",
            )
        })?;
        let mut stack = Self {
            name: name.to_owned(),
            description,
            endpoint: aws
                .endpoint()
                .and_then(|endpoint| Url::parse(endpoint).ok()),
        };
        stack.make_reachable();
        Ok(stack)
    }

    pub fn status(&self) -> &str {
        &self.description.status
    }

    /// # Errors
    /// The stack has no such output.
    pub fn output(&self, name: &str) -> Result<&str, Failure> {
        self.description
            .outputs
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| {
                Failure::new(format!("the stack {} has no output {name}", self.name))
                    .advise("check --stack; if it is the right one, deploy the current template")
            })
    }

    /// # Errors
    /// The stack has no such parameter.
    pub fn parameter(&self, name: &str) -> Result<&str, Failure> {
        self.description
            .parameters
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| {
                Failure::new(format!("the stack {} has no parameter {name}", self.name))
                    .advise("check --stack; if it is the right one, deploy the current template")
            })
    }

    /// Where the signing keys are. A stack from before the parameter has one secret.
    pub fn signing_secret(&self) -> SecretParameter {
        match self.parameter(SecretParameter::Signing.name()) {
            Ok(arn) if !arn.is_empty() => SecretParameter::Signing,
            _ => SecretParameter::Idenfy,
        }
    }

    /// AWS's name of a template's resource.
    ///
    /// # Errors
    /// There is no such resource, or CloudFormation is unavailable.
    pub async fn physical_id(&self, aws: &Aws, logical_id: &str) -> Result<String, Failure> {
        let resources = self.resources(aws).await?;
        let found = resources
            .into_iter()
            .find(|resource| resource.logical_id == logical_id);
        found.map(|resource| resource.physical_id).ok_or_else(|| {
            Failure::new(format!(
                "the stack {} has no resource {logical_id}",
                self.name
            ))
            .advise("check --stack; if it is the right one, deploy the current template")
        })
    }

    pub async fn resources(&self, aws: &Aws) -> Result<Vec<Resource>, Failure> {
        aws.stack_resources(&self.name).await
    }

    /// The log group of a function, such as `webhook` or `processor`.
    pub fn log_group(&self, function: &str) -> String {
        format!("/aws/lambda/{}-{function}", self.name)
    }

    /// An emulator reports AWS's addresses but serves them at its own.
    fn make_reachable(&mut self) {
        let Some(endpoint) = &self.endpoint else {
            return;
        };
        for value in self.description.outputs.values_mut() {
            if let Some(reachable) = reachable_at(value, endpoint) {
                *value = reachable;
            }
        }
    }
}

/// `https://<id>.lambda-url.<region>.on.aws/` as `<endpoint>/_aws/lambda-url/<id>/`, and the same
/// for an HTTP API.
///
/// This form needs no name server.
fn reachable_at(value: &str, endpoint: &Url) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let (id, rest) = host.split_once('.')?;
    let path = match rest.split_once('.')? {
        ("lambda-url", rest) if rest.ends_with(".on.aws") => format!("/_aws/lambda-url/{id}"),
        ("execute-api", rest) if rest.ends_with(".amazonaws.com") => {
            format!("/_aws/execute-api/{id}/$default")
        }
        _ => return None,
    };
    let mut reachable = endpoint.clone();
    reachable.set_path(&format!("{path}{}", url.path()));
    Some(reachable.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_functions_lead_to_the_emulator_and_nothing_else_does() {
        let endpoint = Url::parse("http://127.0.0.1:4566").unwrap();
        for (in_aws, here) in [
            (
                "https://abc.lambda-url.eu-west-1.on.aws/",
                "http://127.0.0.1:4566/_aws/lambda-url/abc/",
            ),
            (
                "https://abc.execute-api.eu-west-1.amazonaws.com/",
                "http://127.0.0.1:4566/_aws/execute-api/abc/$default/",
            ),
        ] {
            assert_eq!(reachable_at(in_aws, &endpoint).as_deref(), Some(here));
        }
        for other in [
            "http://127.0.0.1:4566/0/queue",
            "table",
            "https://abc.lambda-url.example.com/",
        ] {
            assert_eq!(reachable_at(other, &endpoint), None, "{other}");
        }
    }
}
