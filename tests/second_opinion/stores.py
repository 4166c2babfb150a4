"""Plays AWS's stores by moto, with the template's table, bucket and queues in them.

    stores.py TEMPLATE

TEMPLATE is what tests/permissions/translate.py has printed. moto's CloudFormation creates the stores,
without what is for the functions. One line of JSON describes them as `cargo xtask up --json` does a
stack. They stay until the standard input ends.
"""

import json
import sys
from urllib.parse import urlsplit

import boto3
from moto.server import ThreadedMotoServer

STORES = {
    "PairingTable": "PairingTableName",
    "DocumentBucket": "DocumentBucketName",
    "SubmissionQueue": "SubmissionQueueUrl",
    "SubmissionDeadLetterQueue": "SubmissionDeadLetterQueueUrl",
}
NAME = "dual-verification-local"
REGION = "eu-west-1"


def main(template_path: str) -> None:
    with open(template_path, encoding="utf-8") as file:
        template = json.load(file)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(json.dumps(create(template, f"http://{host}:{port}")), flush=True)
    sys.stdin.read()
    server.stop()


def create(template: dict, endpoint: str) -> dict:
    stores = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": template["Parameters"],
        "Conditions": template["Conditions"],
        "Resources": {name: template["Resources"][name] for name in STORES},
    }
    session = boto3.Session("test", "test", region_name=REGION)
    cloudformation = session.client("cloudformation", endpoint_url=endpoint)
    secret = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:idenfy-a1B2c3"
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=json.dumps(stores),
        Parameters=[{"ParameterKey": "IdenfySecretArn", "ParameterValue": secret}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=NAME)
    created = cloudformation.describe_stack_resources(StackName=NAME)["StackResources"]
    # A queue is named by its address in AWS.
    outputs = {
        STORES[one["LogicalResourceId"]]: endpoint + urlsplit(one["PhysicalResourceId"]).path
        if "Queue" in one["LogicalResourceId"]
        else one["PhysicalResourceId"]
        for one in created
    }
    nowhere = "http://127.0.0.1:1/"
    return {
        **outputs,
        "WebhookUrl": nowhere,
        "ApiUrl": nowhere,
        "EventBusName": "default",
        "endpointUrl": endpoint,
        "region": REGION,
        "sandboxUrl": nowhere,
        "stackName": NAME,
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
