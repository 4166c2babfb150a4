"""What both functions share: clients made once per process, and the provider's secret."""

import os

import boto3
import urllib3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities import parameters
from botocore.config import Config

logger = Logger(service="peer")
metrics = Metrics(namespace="DualVerificationPeer", service="peer")

_config = Config(retries={"mode": "standard", "max_attempts": 3}, tcp_keepalive=True)
_session = boto3.session.Session()
s3 = _session.client("s3", config=_config)
sqs = _session.client("sqs", config=_config)
table = _session.resource("dynamodb", config=_config).Table(os.environ["PAIRING_TABLE"])
http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=3, read=30))

_secrets = parameters.SecretsProvider(boto3_session=_session)


def secret() -> dict:
    """The provider's key, secret and signing keys; kept for five minutes."""
    return _secrets.get(os.environ["IDENFY_SECRET_ARN"], max_age=300, transform="json")
