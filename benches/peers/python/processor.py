"""Drives a captured pairing forward: creates Token 2, posts the documents, records each step before and after."""

import base64
import json
import os

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from boto3.dynamodb.conditions import Attr
from urllib3.util import make_headers

from clients import http, logger, metrics, s3, secret, table

BUCKET = os.environ["DOCUMENT_BUCKET"]
PROVIDER = os.environ["IDENFY_BASE_URL"]
batch = BatchProcessor(event_type=EventType.SQS)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    return process_partial_response(event=event, record_handler=submit, processor=batch, context=context)


def submit(record: SQSRecord) -> None:
    scan_ref = json.loads(record.body)["scanRef"]
    key = {"pk": f"PAIRING#{scan_ref}", "sk": "PAIRING"}
    pairing = table.get_item(Key=key, ConsistentRead=True)["Item"]
    if pairing["state"] != "Captured":
        return
    advance(key, "Captured", "Authorizing")
    token = post(
        "/api/v2/token",
        {
            "clientId": pairing["client_id"],
            "tokenType": "DOCUMENT",
            "externalRef": f"dv2:{scan_ref}",
            "expiryTime": 3600,
            "additionalSteps": {"ALL": {"ALL": {}}},
            "questionnaire": None,
        },
    )
    advance(key, "Authorizing", "Submitting", token=token["authToken"])
    images = {side_of(step): document(name) for step, name in pairing["documents"].items()}
    post("/api/v2/process", {"token": token["authToken"], "country": "LT", "documentType": "PASSPORT", "images": images})
    advance(key, "Submitting", "Submitted")
    metrics.add_metric(name="DocumentsSubmitted", unit=MetricUnit.Count, value=1)
    logger.info("submitted", scan_ref=scan_ref)


def side_of(step: str) -> str:
    return "BACK" if step.endswith("_BACK") else "FRONT"


def document(name: str) -> str:
    return base64.b64encode(s3.get_object(Bucket=BUCKET, Key=name)["Body"].read()).decode()


def post(path: str, body: dict) -> dict:
    credentials = secret()
    headers = make_headers(basic_auth=f"{credentials['apiKey']}:{credentials['apiSecret']}")
    response = http.request("POST", PROVIDER + path, json=body, headers=headers)
    if response.status not in (200, 201):
        raise ValueError(f"{path} was answered with {response.status}")
    return response.json() if response.data else {}


def advance(key: dict, before: str, after: str, **attributes: str) -> None:
    names = {"#state": "state"} | {f"#{name}": name for name in attributes}
    values = {":after": after} | {f":{name}": value for name, value in attributes.items()}
    table.update_item(
        Key=key,
        UpdateExpression="SET #state = :after" + "".join(f", #{name} = :{name}" for name in attributes),
        ConditionExpression=Attr("state").eq(before),
        ExpressionAttributeNames=names,
        ExpressionAttributeValues=values,
    )
