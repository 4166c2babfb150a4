// Creates sessions at the stack's API. Requests and answers have the types of docs/openapi.yaml.

import { setTimeout as sleep } from "node:timers/promises";

import { Sha256 } from "@aws-crypto/sha256-js";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { SignatureV4 } from "@smithy/signature-v4";
import createClient from "openapi-fetch";

import type { components, paths } from "../generated/api.js";
import { settings } from "./settings.js";

type SessionRequest = components["schemas"]["SessionRequest"];
type Session = components["schemas"]["Session"];

const ATTEMPTS = 4;
/** A customer waits: no pause is longer. */
const LONGEST_PAUSE_SECONDS = 5;

const signer = new SignatureV4({
  service: "lambda",
  region: settings.region,
  credentials: defaultProvider(),
  sha256: Sha256,
});

async function signedFetch(request: Request): Promise<Response> {
  const url = new URL(request.url);
  const { method, headers, body } = await signer.sign({
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { ...Object.fromEntries(request.headers), host: url.host },
    body: await request.text(),
  });
  // The API answers within 30 s.
  return fetch(url, { method, headers, body, signal: AbortSignal.timeout(35_000) });
}

const api = createClient<paths>({ baseUrl: settings.apiUrl, fetch: signedFetch });

/**
 * Creates a session, or gets the one that was created with the same key and request.
 *
 * A lost answer is no reason for a second session: the request is repeated with its key. So is one
 * that the API asks to repeat, by Retry-After.
 */
export async function createSession(key: string, request: SessionRequest): Promise<Session> {
  const init = { params: { header: { "Idempotency-Key": key } }, body: request };
  for (let attempt = 1; ; attempt += 1) {
    const answer = await api.POST("/sessions", init).catch((error: unknown) => {
      console.warn("no answer from the API:", error);
    });
    if (answer?.data) {
      // For the stack's operators: no customer of this session can settle.
      for (const warning of answer.data.warnings ?? []) console.warn(warning);
      return answer.data;
    }
    const asked = answer?.response.headers.get("retry-after") ?? (answer ? Infinity : attempt);
    if (attempt === ATTEMPTS || Number(asked) > LONGEST_PAUSE_SECONDS) {
      throw new Error(`no session: ${JSON.stringify(answer?.error ?? "no answer")}`);
    }
    await sleep(Number(asked) * 1000);
  }
}
