"""Creates sessions at the stack's API. Requests and answers have the types of docs/openapi.yaml."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

import settings

if TYPE_CHECKING:
    from contract.api import Session, SessionRequest

ATTEMPTS = 4
# A customer waits: no pause is longer.
LONGEST_PAUSE_SECONDS = 5

credentials = boto3.Session().get_credentials()
http = urllib3.PoolManager(maxsize=10)


class NoSession(Exception):
    """The API has created none, or does not answer."""


def create_session(key: str, request: SessionRequest) -> Session:
    """Creates a session, or gets the one that was created with the same key and request.

    A lost answer is no reason for a second session: the request is repeated with its key. So is
    one that the API asks to repeat, by Retry-After.
    """
    why = "no answer"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            answer = signed_post("/sessions", json.dumps(request), {"Idempotency-Key": key})
        except urllib3.exceptions.HTTPError as error:
            logging.warning("no answer from the API: %s", error)
            pause = float(attempt)
        else:
            if answer.status == 201:
                session: Session = answer.json()
                # For the stack's operators: no customer of this session can settle.
                for warning in session.get("warnings", []):
                    logging.warning("%s", warning)
                return session
            why = answer.data.decode()
            pause = float(answer.headers.get("Retry-After", "inf"))
        if attempt == ATTEMPTS or pause > LONGEST_PAUSE_SECONDS:
            break
        time.sleep(pause)
    raise NoSession(why)


def signed_post(path: str, body: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    headers = {"Content-Type": "application/json", **headers}
    request = AWSRequest("POST", settings.API_URL + path, data=body, headers=headers)
    SigV4Auth(credentials, "lambda", settings.REGION).add_auth(request)
    # The API answers within 30 s.
    return http.request(
        "POST", request.url, body=body, headers=dict(request.headers), timeout=35, retries=False
    )
