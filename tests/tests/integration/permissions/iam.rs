//! A recorded call in IAM's words: action, resource, and what conditions may look at.
//!
//! Resources are written as in the template, so that the check can resolve both alike. Names that
//! differ from run to run are generalised: `${DocumentBucket.Arn}/documents/SCANREF/UPLOAD/FILE`.

use std::collections::{BTreeMap, BTreeSet};

use harness::{Call, Description, RecordedCall};
use serde_json::{Value, json};

/// What IAM is asked before a service does what a call wants.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IamRequest {
    /// Such as `s3:GetObject`.
    pub action: String,
    /// As in the template's `!Sub`.
    pub resource: String,
    /// The condition keys of the request that the caller decides.
    pub context: BTreeMap<String, BTreeSet<String>>,
}

impl IamRequest {
    fn of(action: &str, resource: impl Into<String>) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.into(),
            context: BTreeMap::new(),
        }
    }

    fn with<'text>(mut self, key: &str, values: impl IntoIterator<Item = &'text str>) -> Self {
        let values = values.into_iter().map(str::to_owned).collect();
        self.context.insert(key.to_owned(), values);
        self
    }

    pub fn to_json(&self) -> Value {
        json!({"action": self.action, "resource": self.resource, "context": self.context})
    }
}

/// The names of one stack's resources.
#[derive(Debug)]
pub struct Names<'stack> {
    pub description: &'stack Description,
    pub idenfy_secret_arn: &'stack str,
    pub signing_secret_arn: &'stack str,
    pub push_secret_arn: &'stack str,
    /// Name of the queue of dead letters of pushed outcomes.
    pub push_dead_letters: &'stack str,
    pub webhook: &'stack str,
}

impl Names<'_> {
    /// What IAM is asked for one call.
    ///
    /// # Panics
    /// The call is of a kind that is not known here, or to something that is not of the stack.
    pub fn requests(&self, recorded: &RecordedCall) -> Vec<IamRequest> {
        let call = &recorded.call;
        match call.service.as_str() {
            "dynamodb" => self.to_table(call),
            "s3" => {
                let request = self.to_bucket(call);
                let is_missing = recorded.status.is_some_and(|status| status == 404);
                // Without it S3 answers 403 for an object that is not there.
                // (Source: "GetObject", Amazon S3 API reference.)
                let listing = (request.action == "s3:GetObject" && is_missing)
                    .then(|| IamRequest::of("s3:ListBucket", "${DocumentBucket.Arn}"));
                [request].into_iter().chain(listing).collect()
            }
            "sqs" => vec![self.to_queue(call)],
            "events" => vec![self.to_bus(call)],
            "secretsmanager" => vec![self.to_secret(call)],
            "lambda" => vec![self.to_webhook(call)],
            "codedeploy" => vec![to_code_deploy(call)],
            _ => panic!("a call to a service that is not known here: {call:?}"),
        }
    }

    fn to_table(&self, call: &Call) -> Vec<IamRequest> {
        let body = body(call);
        if call.operation == "TransactWriteItems" {
            let items = body["TransactItems"].as_array().expect("items");
            let each = items.iter().map(|item| {
                let (kind, item) = item.as_object().unwrap().iter().next().unwrap();
                // A transaction is allowed by what it consists of.
                let action = match kind.as_str() {
                    "Put" => "dynamodb:PutItem",
                    "Update" => "dynamodb:UpdateItem",
                    "Delete" => "dynamodb:DeleteItem",
                    "ConditionCheck" => "dynamodb:ConditionCheckItem",
                    other => panic!("{other} in a transaction"),
                };
                IamRequest::of(action, self.table(item))
                    .with("dynamodb:EnclosingOperation", ["TransactWriteItems"])
            });
            return each.collect();
        }
        let single = [
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
        ];
        assert!(
            single.contains(&call.operation.as_str()),
            "not known: {call:?}"
        );
        let action = format!("dynamodb:{}", call.operation);
        let table = self.table(&body);
        let resource = match body["IndexName"].as_str() {
            Some(index) => format!("{table}/index/{index}"),
            None => table.to_owned(),
        };
        vec![IamRequest::of(&action, resource)]
    }

    fn table(&self, request: &Value) -> &'static str {
        assert_eq!(request["TableName"], *self.description.pairing_table);
        "${PairingTable.Arn}"
    }

    fn to_bucket(&self, call: &Call) -> IamRequest {
        let path = call.path.strip_prefix('/').expect("a path");
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        assert_eq!(bucket, self.description.document_bucket, "{call:?}");
        let parameters = parameters(&call.query);
        if key.is_empty() {
            let action = if parameters.contains_key("versions") {
                "s3:ListBucketVersions"
            } else {
                "s3:ListBucket"
            };
            assert_eq!(call.method, "GET", "not known: {call:?}");
            let prefix = generalised(parameters.get("prefix").map_or("", String::as_str));
            return IamRequest::of(action, "${DocumentBucket.Arn}").with("s3:prefix", [&*prefix]);
        }
        let has_version = parameters.contains_key("versionId");
        let action = match (call.method.as_str(), has_version) {
            ("GET" | "HEAD", false) => "s3:GetObject",
            ("GET" | "HEAD", true) => "s3:GetObjectVersion",
            ("PUT", false) => "s3:PutObject",
            ("DELETE", false) => "s3:DeleteObject",
            ("DELETE", true) => "s3:DeleteObjectVersion",
            _ => panic!("not known: {call:?}"),
        };
        let further = |name: &str| !["versionId", "x-id"].contains(&name);
        assert!(
            !parameters.keys().any(|name| further(name)),
            "not known: {call:?}"
        );
        let request = IamRequest::of(
            action,
            format!("${{DocumentBucket.Arn}}/{}", generalised(key)),
        );
        if call.is_write_once {
            request.with("s3:if-none-match", ["*"])
        } else {
            request
        }
    }

    fn to_queue(&self, call: &Call) -> IamRequest {
        let operation = call.operation.strip_suffix("Batch");
        let action = format!("sqs:{}", operation.unwrap_or(&call.operation));
        let known = ["sqs:SendMessage", "sqs:ChangeMessageVisibility"];
        assert!(known.contains(&action.as_str()), "not known: {call:?}");
        let body = body(call);
        let name = queue_name(body["QueueUrl"].as_str().expect("a queue"));
        let push = format!("{}-outcome-push", self.description.stack_name);
        let resource = if name == queue_name(&self.description.submission_queue_url) {
            "${SubmissionQueue.Arn}"
        } else if name == push {
            "${OutcomePushQueue.Arn}"
        } else {
            assert_eq!(name, self.push_dead_letters, "{call:?}");
            "${OutcomePushDeadLetterQueue.Arn}"
        };
        IamRequest::of(&action, resource)
    }

    fn to_bus(&self, call: &Call) -> IamRequest {
        assert_eq!(call.operation, "PutEvents", "not known: {call:?}");
        let body = body(call);
        let entries = body["Entries"].as_array().expect("entries");
        let of_each = |name: &str| {
            let values = entries.iter().map(|entry| entry[name].as_str().unwrap());
            values.map(str::to_owned).collect::<BTreeSet<_>>()
        };
        for bus in of_each("EventBusName") {
            assert!(bus.ends_with(&self.description.event_bus), "{bus}");
        }
        let (sources, types) = (of_each("Source"), of_each("DetailType"));
        IamRequest::of("events:PutEvents", "${EventBus.Arn}")
            .with("events:source", sources.iter().map(String::as_str))
            .with("events:detail-type", types.iter().map(String::as_str))
    }

    fn to_secret(&self, call: &Call) -> IamRequest {
        assert_eq!(call.operation, "GetSecretValue", "not known: {call:?}");
        let secret = match body(call)["SecretId"].as_str() {
            Some(arn) if arn == self.idenfy_secret_arn => "${IdenfySecretArn}",
            Some(arn) if arn == self.signing_secret_arn => "${SigningSecretArn}",
            Some(arn) if arn == self.push_secret_arn => "${OutcomePushSecretArn}",
            _ => panic!("not known: {call:?}"),
        };
        IamRequest::of("secretsmanager:GetSecretValue", secret)
    }

    fn to_webhook(&self, call: &Call) -> IamRequest {
        let path = call.path.strip_prefix("/2015-03-31/functions/");
        let name = path.and_then(|path| path.strip_suffix("/invocations"));
        assert_eq!(name, Some(self.webhook), "not known: {call:?}");
        let version: u64 = parameters(&call.query)["Qualifier"].parse().unwrap();
        assert!(version > 0);
        IamRequest::of("lambda:InvokeFunction", "${WebhookFunction.Arn}:1")
    }
}

fn to_code_deploy(call: &Call) -> IamRequest {
    let action = "PutLifecycleEventHookExecutionStatus";
    assert_eq!(call.operation, action, "not known: {call:?}");
    // The call names a deployment; what is allowed is its group.
    let group = "deploymentgroup:${ServerlessDeploymentApplication}/GROUP";
    IamRequest::of(
        &format!("codedeploy:{action}"),
        format!("arn:${{AWS::Partition}}:codedeploy:${{AWS::Region}}:${{AWS::AccountId}}:{group}"),
    )
}

fn body(call: &Call) -> Value {
    serde_json::from_str(&call.body).unwrap_or_else(|error| panic!("{error}: {call:?}"))
}

fn queue_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

fn parameters(query: &str) -> BTreeMap<String, String> {
    let base = reqwest::Url::parse("http://localhost").unwrap();
    let mut url = base;
    url.set_query(Some(query));
    url.query_pairs().into_owned().collect()
}

/// A key or prefix without the names of customers and files.
fn generalised(key: &str) -> String {
    let parts: Vec<&str> = key.split('/').collect();
    match parts[..] {
        ["documents", _, ""] => "documents/SCANREF/".to_owned(),
        ["documents", _, "prepared", _] => "documents/SCANREF/prepared/FILE".to_owned(),
        ["documents", _, _, _] => "documents/SCANREF/UPLOAD/FILE".to_owned(),
        ["callbacks", _, ""] => "callbacks/SCANREF/".to_owned(),
        ["callbacks", "unreadable", _] => "callbacks/unreadable/DIGEST.json".to_owned(),
        ["callbacks", _, _] => "callbacks/SCANREF/DIGEST.json".to_owned(),
        _ => panic!("a key of a kind that is not known here: {key}"),
    }
}
