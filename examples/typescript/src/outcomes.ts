// Receives outcomes from the queue. Events have the types of docs/events.

import { setTimeout as sleep } from "node:timers/promises";

import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";

import type {
  DualVerificationDeclined,
  DualVerificationExpired,
  DualVerificationParked,
  DualVerificationReinstated,
  DualVerificationRevoked,
  DualVerificationSettled,
} from "../generated/events.js";
import { settings } from "./settings.js";

export type Outcome =
  | DualVerificationDeclined
  | DualVerificationExpired
  | DualVerificationParked
  | DualVerificationReinstated
  | DualVerificationRevoked
  | DualVerificationSettled;

/** What an outcome means to this application. */
export type Standing = "verified" | "rejected" | "in review" | "try again";

export function standing(outcome: Outcome): Standing {
  switch (outcome["detail-type"]) {
    case "DualVerificationSettled":
    case "DualVerificationReinstated": {
      const { verdict, comparison } = outcome.detail;
      if (verdict === "Denied") return "rejected";
      // Approved says that each document is good. These say that they are two, of one person.
      const fits = comparison?.person === "Same" && comparison.document === "Different";
      return verdict === "Approved" && fits ? "verified" : "in review";
    }
    case "DualVerificationDeclined":
    case "DualVerificationExpired":
      return "try again";
    // Parked and Revoked, and event types that this version does not know.
    default:
      return "in review";
  }
}

/**
 * Hands every outcome to `record`, without end.
 *
 * A message is deleted once its outcome is recorded. Outcomes come at least once and in any order.
 * A message that fails holds up no other. It comes again, and after five times it goes to the
 * dead-letter queue.
 */
export async function receiveOutcomes(record: (outcome: Outcome) => void): Promise<never> {
  const sqs = new SQSClient();
  const QueueUrl = settings.queueUrl;
  const receive = { QueueUrl, WaitTimeSeconds: 20, MaxNumberOfMessages: 10 };
  for (;;) {
    try {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand(receive));
      await Promise.all(Messages.map(handle));
    } catch (error) {
      console.error("outcomes cannot be received:", error);
      await sleep(1000);
    }
  }

  async function handle({ Body = "", MessageId, ReceiptHandle }: Message) {
    try {
      record(JSON.parse(Body) as Outcome);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    } catch (error) {
      console.error(`message ${MessageId} cannot be handled:`, error);
    }
  }
}
