"""Receives outcomes from the queue. Events have the types of docs/events."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

import boto3

import settings

if TYPE_CHECKING:
    from contract.DualVerificationDeclined import DualVerificationDeclined
    from contract.DualVerificationExpired import DualVerificationExpired
    from contract.DualVerificationParked import DualVerificationParked
    from contract.DualVerificationReinstated import DualVerificationReinstated
    from contract.DualVerificationRevoked import DualVerificationRevoked
    from contract.DualVerificationSettled import DualVerificationSettled

    Outcome: TypeAlias = (
        DualVerificationDeclined
        | DualVerificationExpired
        | DualVerificationParked
        | DualVerificationReinstated
        | DualVerificationRevoked
        | DualVerificationSettled
    )

# What an outcome means to this application.
Standing: TypeAlias = Literal["verified", "rejected", "in review", "try again"]


def standing(outcome: Outcome) -> Standing:
    kind = outcome["detail-type"]
    if kind in ("DualVerificationDeclined", "DualVerificationExpired"):
        return "try again"
    if (
        outcome["detail-type"] == "DualVerificationSettled"
        or outcome["detail-type"] == "DualVerificationReinstated"
    ):
        verdict = outcome["detail"].get("verdict")
        if verdict == "Denied":
            return "rejected"
        # Approved says that each document is good. These say that they are two, of one person.
        comparison = outcome["detail"].get("comparison")
        if verdict == "Approved" and comparison == {"person": "Same", "document": "Different"}:
            return "verified"
    # Also Parked and Revoked, and event types that this version does not know.
    return "in review"


def receive_outcomes(record: Callable[[Outcome], None]) -> NoReturn:
    """Hands every outcome to `record`, without end.

    A message is deleted once its outcome is recorded. Outcomes come at least once and in any
    order. A message that fails holds up no other. It comes again, and after five times it goes to
    the dead-letter queue.
    """
    sqs = boto3.client("sqs", region_name=settings.REGION)
    queue = settings.QUEUE_URL
    while True:
        try:
            answer = sqs.receive_message(
                QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10
            )
        except Exception:
            logging.exception("outcomes cannot be received")
            time.sleep(1)
            continue
        for message in answer.get("Messages", []):
            try:
                record(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            except Exception:
                logging.exception("message %s cannot be handled", message["MessageId"])
