//! Batches, ticks and deployments as the event sources hand them over.

use serde_json::{Value, json};

/// Messages of the submission queue. (Source: "Using Lambda with Amazon SQS".)
pub fn messages(bodies: &[&str]) -> Value {
    let record = |(number, body): (usize, &&str)| {
        json!({
            "messageId": format!("00000000-0000-4000-8000-00000000000{number}"),
            "receiptHandle": format!("sample-receipt-{number}"),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1795422063000",
                "SenderId": "AIDASPECIMEN",
                "ApproximateFirstReceiveTimestamp": "1795422063010"
            },
            "messageAttributes": {},
            "md5OfBody": "",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:dual-verification-submissions",
            "awsRegion": "eu-west-1"
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// New lines of a pairing's history, each with its place in the table's stream; `None` for an
/// unknown place. (Source: "Using AWS Lambda with Amazon DynamoDB".)
pub fn added_lines(lines: &[(Option<&str>, Value)]) -> Value {
    let record = |(sequence_number, image): &(Option<&str>, Value)| {
        let mut change = json!({
            "ApproximateCreationDateTime": 1_795_422_063.0,
            "Keys": {"pk": image.get("pk"), "sk": image.get("sk")},
            "NewImage": image,
            "SizeBytes": 512,
            "StreamViewType": "NEW_IMAGE"
        });
        if let (Some(number), Some(change)) = (sequence_number, change.as_object_mut()) {
            change.insert("SequenceNumber".to_owned(), json!(number));
        }
        json!({
            "eventID": "sample",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": change,
            "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/dual-verification/stream/2026-11-23T08:00:00.000"
        })
    };
    json!({"Records": lines.iter().map(record).collect::<Vec<_>>()})
}

/// The reconciler's schedule. (Source: "Events from Amazon EventBridge scheduled rules".)
pub fn tick() -> Value {
    json!({
        "version": "0",
        "id": "00000000-0000-4000-8000-000000000000",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "000000000000",
        "time": "2026-11-23T08:25:00Z",
        "region": "eu-west-1",
        "resources": ["arn:aws:events:eu-west-1:000000000000:rule/dual-verification-overdue"],
        "detail": {}
    })
}

/// A deployment that has come to its hook. (Source: "AppSpec 'hooks' section for an AWS Lambda
/// deployment".)
pub fn deployment() -> Value {
    json!({"DeploymentId": "d-SPECIMEN1", "LifecycleEventHookExecutionId": "sample-hook-execution"})
}
