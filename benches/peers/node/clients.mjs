// What both functions share: clients made once per process, and the provider's secret.

import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";
import { SecretsProvider } from "@aws-lambda-powertools/parameters/secrets";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";

export const logger = new Logger({ serviceName: "peer" });
export const metrics = new Metrics({ namespace: "DualVerificationPeer", serviceName: "peer" });
export const s3 = new S3Client({ forcePathStyle: Boolean(process.env.AWS_ENDPOINT_URL) });
export const sqs = new SQSClient({});
export const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
export const tableName = process.env.PAIRING_TABLE;
export const bucket = process.env.DOCUMENT_BUCKET;

const secrets = new SecretsProvider();

/** The provider's key, secret and signing keys; kept for five minutes. */
export const secret = () => secrets.get(process.env.IDENFY_SECRET_ARN, { maxAge: 300, transform: "json" });
