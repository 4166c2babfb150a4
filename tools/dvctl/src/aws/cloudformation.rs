//! The stack's description and resources.

use std::collections::BTreeMap;

use roxmltree::Document;

use super::{Aws, failed, unreadable, xml};
use crate::failure::Failure;

const VERSION: (&str, &str) = ("Version", "2010-05-15");

/// A stack as CloudFormation describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    pub status: String,
    pub outputs: BTreeMap<String, String>,
    pub parameters: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    pub logical_id: String,
    pub physical_id: String,
    pub kind: String,
}

impl Aws {
    /// Describes a stack. `None`: there is no such stack.
    ///
    /// # Errors
    /// CloudFormation was not reached or refuses.
    pub async fn describe_stack(&self, name: &str) -> Result<Option<Description>, Failure> {
        let form = [("Action", "DescribeStacks"), VERSION, ("StackName", name)];
        match self.calls("cloudformation").query(&form).await {
            Ok(text) => description(&text)
                .map(Some)
                .ok_or_else(|| unreadable("cloudformation")),
            // Only a name without a stack is invalid in this request.
            Err(error) if error.code() == Some("ValidationError") => Ok(None),
            Err(error) => Err(failed("cloudformation", error)),
        }
    }

    /// All resources of a stack.
    ///
    /// # Errors
    /// CloudFormation was not reached or refuses.
    pub async fn stack_resources(&self, name: &str) -> Result<Vec<Resource>, Failure> {
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut form = vec![
                ("Action", "ListStackResources"),
                VERSION,
                ("StackName", name),
            ];
            form.extend(next.as_deref().map(|next| ("NextToken", next)));
            let text = self.query("cloudformation", &form).await?;
            all.extend(resources(&text).ok_or_else(|| unreadable("cloudformation"))?);
            next = xml::text_of(&text, "NextToken");
            if next.is_none() {
                return Ok(all);
            }
        }
    }
}

fn description(text: &str) -> Option<Description> {
    let document = Document::parse(text).ok()?;
    let stack = *xml::members(document.root(), "Stacks").first()?;
    let pairs = |list: &str, key: &str, value: &str| {
        let list = xml::child(stack, list);
        let members = list
            .into_iter()
            .flat_map(|list| list.children())
            .filter(roxmltree::Node::is_element);
        members
            .map(|member| (xml::child_text(member, key), xml::child_text(member, value)))
            .collect()
    };
    Some(Description {
        status: xml::child_text(stack, "StackStatus"),
        outputs: pairs("Outputs", "OutputKey", "OutputValue"),
        parameters: pairs("Parameters", "ParameterKey", "ParameterValue"),
    })
}

fn resources(text: &str) -> Option<Vec<Resource>> {
    let document = Document::parse(text).ok()?;
    let read = |member| Resource {
        logical_id: xml::child_text(member, "LogicalResourceId"),
        physical_id: xml::child_text(member, "PhysicalResourceId"),
        kind: xml::child_text(member, "ResourceType"),
    };
    Some(
        xml::members(document.root(), "StackResourceSummaries")
            .into_iter()
            .map(read)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_read_whatever_the_namespace() {
        let text = r#"
            <DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
            <DescribeStacksResult><Stacks><member>
            <StackName>s</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>
            <Outputs><member>
            <OutputKey>ApiUrl</OutputKey><OutputValue>https://a/?b=1&amp;c=2</OutputValue>
            </member></Outputs>
            <Parameters><member>
            <ParameterKey>Stage</ParameterKey><ParameterValue>dev</ParameterValue>
            </member><member>
            <ParameterKey>DefaultCountry</ParameterKey><ParameterValue/>
            </member></Parameters>
            </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"#;
        let stack = description(text).unwrap();
        assert_eq!(stack.status, "UPDATE_COMPLETE");
        assert_eq!(stack.outputs["ApiUrl"], "https://a/?b=1&c=2");
        assert_eq!(
            (
                stack.parameters["Stage"].as_str(),
                stack.parameters["DefaultCountry"].as_str()
            ),
            ("dev", "")
        );
        assert_eq!(description("<html/>"), None);
    }

    #[test]
    fn resources_are_read_page_by_page() {
        let text = "<R><StackResourceSummaries><member>\
                    <LogicalResourceId>A</LogicalResourceId>\
                    <PhysicalResourceId>a-1</PhysicalResourceId>\
                    <ResourceType>AWS::SQS::Queue</ResourceType>\
                    </member></StackResourceSummaries><NextToken>n</NextToken></R>";
        let found = resources(text).unwrap();
        assert_eq!(
            (found[0].logical_id.as_str(), found[0].physical_id.as_str()),
            ("A", "a-1")
        );
        assert_eq!(xml::text_of(text, "NextToken").as_deref(), Some("n"));
    }
}
