// Receives pushed outcomes (docs/PUSH.md). The signature is checked by the package standardwebhooks.

import { createServer } from "node:http";

import { Webhook } from "standardwebhooks";

// Both secrets during a rotation, separated by a space.
const secrets = process.env.SIGNING_SECRETS.split(" ").map((secret) => new Webhook(secret));
// In yours, a unique key of your database: it must outlive this process.
const seen = new Set();

/** The outcome, or nothing: the request is not from the stack, or is older than five minutes. */
function verified(body, headers) {
  for (const secret of secrets) {
    try {
      return secret.verify(body, headers);
    } catch {
      // Perhaps by the other one.
    }
  }
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  // The bytes as they came: JSON that was parsed and written again has another signature.
  const outcome = verified(Buffer.concat(chunks), request.headers);
  if (outcome === undefined) return response.writeHead(401).end();
  // The same outcome may come again, and has the same id then.
  const id = request.headers["webhook-id"];
  if (!seen.has(id)) {
    // Store it here, and work on it after the answer: without one in 15 s the outcome comes again.
    console.log(outcome.type, outcome.data.scanRef, outcome.data.verdict ?? outcome.data.reason ?? "");
    seen.add(id);
  }
  response.writeHead(204).end();
});

server.listen(Number(process.env.PORT ?? 8080), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
