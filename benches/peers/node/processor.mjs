// Drives a captured pairing forward: creates Token 2, posts the documents, records each step before and after.

import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import { MetricUnit } from "@aws-lambda-powertools/metrics";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { bucket, logger, metrics, s3, secret, table, tableName } from "./clients.mjs";

const provider = process.env.IDENFY_BASE_URL;
const batch = new BatchProcessor(EventType.SQS);

export const handler = async (event, context) => {
  logger.addContext(context);
  try {
    return await processPartialResponse(event, submit, batch, { context });
  } finally {
    metrics.publishStoredMetrics();
  }
};

const submit = async (record) => {
  const { scanRef } = JSON.parse(record.body);
  const key = { pk: `PAIRING#${scanRef}`, sk: "PAIRING" };
  const { Item: pairing } = await table.send(new GetCommand({ TableName: tableName, Key: key, ConsistentRead: true }));
  if (pairing.state !== "Captured") return;
  await advance(key, "Captured", "Authorizing");
  const { authToken } = await post("/api/v2/token", {
    clientId: pairing.client_id,
    tokenType: "DOCUMENT",
    externalRef: `dv2:${scanRef}`,
    expiryTime: 3600,
    additionalSteps: { ALL: { ALL: {} } },
    questionnaire: null,
  });
  await advance(key, "Authorizing", "Submitting", { token: authToken });
  const documents = Object.entries(pairing.documents);
  const images = Object.fromEntries(
    await Promise.all(documents.map(async ([step, name]) => [sideOf(step), await document(name)])),
  );
  await post("/api/v2/process", { token: authToken, country: "LT", documentType: "PASSPORT", images });
  await advance(key, "Submitting", "Submitted");
  metrics.addMetric("DocumentsSubmitted", MetricUnit.Count, 1);
  logger.info("submitted", { scanRef });
};

const sideOf = (step) => (step.endsWith("_BACK") ? "BACK" : "FRONT");

const document = async (name) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: name }));
  return Body.transformToString("base64");
};

const post = async (path, body) => {
  const { apiKey, apiSecret } = await secret();
  const response = await fetch(provider + path, {
    method: "POST",
    headers: {
      Authorization: `Basic ${Buffer.from(`${apiKey}:${apiSecret}`).toString("base64")}`,
      "Content-Type": "application/json",
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} was answered with ${response.status}`);
  const text = await response.text();
  return text ? JSON.parse(text) : {};
};

const advance = (key, before, after, attributes = {}) => {
  const names = Object.keys(attributes);
  return table.send(
    new UpdateCommand({
      TableName: tableName,
      Key: key,
      UpdateExpression: ["SET #state = :after", ...names.map((name) => `#${name} = :${name}`)].join(", "),
      ConditionExpression: "#state = :before",
      ExpressionAttributeNames: { "#state": "state", ...Object.fromEntries(names.map((name) => [`#${name}`, name])) },
      ExpressionAttributeValues: {
        ":before": before,
        ":after": after,
        ...Object.fromEntries(names.map((name) => [`:${name}`, attributes[name]])),
      },
    }),
  );
};
