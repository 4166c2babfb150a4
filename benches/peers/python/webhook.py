"""Verifies a callback, archives it, claims the pairing, copies the second document's files, enqueues the submission."""

import base64
import hashlib
import hmac
import json
import os
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from aws_lambda_powertools.metrics import MetricUnit
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError

from clients import http, logger, metrics, s3, secret, sqs, table

BUCKET = os.environ["DOCUMENT_BUCKET"]
QUEUE = os.environ["SUBMISSION_QUEUE_URL"]
FILE_ORIGINS = set(os.environ["FILE_ORIGINS"].split(","))
copies = ThreadPoolExecutor(max_workers=2)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event, context):
    body = event.get("body") or ""
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    metrics.add_metric(name="CallbacksReceived", unit=MetricUnit.Count, value=1)
    if not is_signed(body, event.get("headers", {}).get("idenfy-signature", "")):
        return {"statusCode": 401}
    callback = json.loads(body)
    scan_ref = callback["scanRef"]

    s3.put_object(
        Bucket=BUCKET,
        Key=f"callbacks/{scan_ref}/{hashlib.sha256(body).hexdigest()}.json",
        Body=body,
        ContentType="application/json",
    )
    status = callback["status"]
    qualifies = callback.get("final") and status["overall"] == "APPROVED" and status.get("additionalSteps") == "VALID"
    if not claim(scan_ref, callback["clientId"], "Capturing" if qualifies else "Declined"):
        logger.info("callback repeated", scan_ref=scan_ref)
        return {"statusCode": 200}
    if qualifies:
        steps = callback["additionalSteps"]
        links = {step: callback["fileUrls"][step] for step in steps if step in callback["fileUrls"]}
        documents = dict(copies.map(lambda item: copy(scan_ref, *item), links.items()))
        sqs.send_message(QueueUrl=QUEUE, MessageBody=json.dumps({"type": "SubmitDocumentsV1", "scanRef": scan_ref}))
        table.update_item(
            Key={"pk": f"PAIRING#{scan_ref}", "sk": "PAIRING"},
            UpdateExpression="SET #state = :captured, documents = :documents",
            ConditionExpression=Attr("state").eq("Capturing"),
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":captured": "Captured", ":documents": documents},
        )
    logger.info("callback answered", scan_ref=scan_ref, qualifies=bool(qualifies))
    return {"statusCode": 200}


def is_signed(body: bytes, signature: str) -> bool:
    keys = secret()["signingKeys"]
    return any(hmac.compare_digest(hmac.new(key.encode(), body, hashlib.sha256).hexdigest(), signature) for key in keys)


def claim(scan_ref: str, client_id: str, state: str) -> bool:
    try:
        table.put_item(
            Item={"pk": f"PAIRING#{scan_ref}", "sk": "PAIRING", "client_id": client_id, "state": state, "version": 1},
            ConditionExpression=Attr("pk").not_exists(),
        )
        return True
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False


def copy(scan_ref: str, step: str, link: str) -> tuple[str, str]:
    parts = urlsplit(link)
    if f"{parts.scheme}://{parts.netloc}" not in FILE_ORIGINS:
        raise ValueError("a link leads elsewhere")
    key = f"documents/{scan_ref}/{step}{os.path.splitext(parts.path)[1]}"
    with http.request("GET", link, preload_content=False, redirect=False) as response:
        if response.status != 200:
            raise ValueError(f"a file was answered with {response.status}")
        s3.upload_fileobj(response, BUCKET, key)
    return step, key
