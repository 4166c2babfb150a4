// Verifies a callback, archives it, claims the pairing, copies the second document's files, enqueues the submission.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { extname } from "node:path";
import { Readable } from "node:stream";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { SendMessageCommand } from "@aws-sdk/client-sqs";
import { PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { bucket, logger, metrics, s3, secret, sqs, table, tableName } from "./clients.mjs";

const queueUrl = process.env.SUBMISSION_QUEUE_URL;
const fileOrigins = new Set(process.env.FILE_ORIGINS.split(","));

export const handler = async (event, context) => {
  logger.addContext(context);
  metrics.addMetric("CallbacksReceived", MetricUnit.Count, 1);
  try {
    return await receive(Buffer.from(event.body ?? "", event.isBase64Encoded ? "base64" : "utf8"), event.headers ?? {});
  } finally {
    metrics.publishStoredMetrics();
  }
};

const receive = async (body, headers) => {
  if (!(await isSigned(body, headers["idenfy-signature"] ?? ""))) return { statusCode: 401 };
  const callback = JSON.parse(body);
  const { scanRef, status } = callback;
  const digest = createHash("sha256").update(body).digest("hex");
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: `callbacks/${scanRef}/${digest}.json`,
      Body: body,
      ContentType: "application/json",
    }),
  );
  const qualifies = callback.final && status.overall === "APPROVED" && status.additionalSteps === "VALID";
  if (!(await claim(scanRef, callback.clientId, qualifies ? "Capturing" : "Declined"))) {
    logger.info("callback repeated", { scanRef });
    return { statusCode: 200 };
  }
  if (qualifies) {
    const steps = Object.keys(callback.additionalSteps).filter((step) => callback.fileUrls[step]);
    const documents = await Promise.all(steps.map((step) => copy(scanRef, step, callback.fileUrls[step])));
    const message = JSON.stringify({ type: "SubmitDocumentsV1", scanRef });
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: message }));
    await table.send(
      new UpdateCommand({
        TableName: tableName,
        Key: { pk: `PAIRING#${scanRef}`, sk: "PAIRING" },
        UpdateExpression: "SET #state = :captured, documents = :documents",
        ConditionExpression: "#state = :capturing",
        ExpressionAttributeNames: { "#state": "state" },
        ExpressionAttributeValues: {
          ":capturing": "Capturing",
          ":captured": "Captured",
          ":documents": Object.fromEntries(documents),
        },
      }),
    );
  }
  logger.info("callback answered", { scanRef, qualifies: Boolean(qualifies) });
  return { statusCode: 200 };
};

const isSigned = async (body, signature) => {
  const { signingKeys } = await secret();
  const given = Buffer.from(signature);
  return signingKeys.some((key) => {
    const right = Buffer.from(createHmac("sha256", key).update(body).digest("hex"));
    return right.length === given.length && timingSafeEqual(right, given);
  });
};

const claim = async (scanRef, clientId, state) => {
  try {
    await table.send(
      new PutCommand({
        TableName: tableName,
        Item: { pk: `PAIRING#${scanRef}`, sk: "PAIRING", client_id: clientId, state, version: 1 },
        ConditionExpression: "attribute_not_exists(pk)",
      }),
    );
    return true;
  } catch (error) {
    if (error.name === "ConditionalCheckFailedException") return false;
    throw error;
  }
};

const copy = async (scanRef, step, link) => {
  const url = new URL(link);
  if (!fileOrigins.has(url.origin)) throw new Error("a link leads elsewhere");
  const response = await fetch(url, { redirect: "error" });
  if (response.status !== 200) throw new Error(`a file was answered with ${response.status}`);
  const key = `documents/${scanRef}/${step}${extname(url.pathname)}`;
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: Readable.fromWeb(response.body),
      ContentLength: Number(response.headers.get("content-length")),
    }),
  );
  return [step, key];
};
