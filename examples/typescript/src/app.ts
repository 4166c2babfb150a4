// Sends customers off to be verified and shows each where they stand.

import { randomUUID } from "node:crypto";

import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { html } from "hono/html";

import { type Customer, find, record, save } from "./customers.js";
import { receiveOutcomes } from "./outcomes.js";
import { createSession } from "./sessions.js";
import { port, settings } from "./settings.js";

const app = new Hono();

const page = (heading: string, content: unknown, refresh = false) => html`<!doctype html>
  <html lang="en">
    <head>
      <meta name="viewport" content="width=device-width">
      ${refresh ? html`<meta http-equiv="refresh" content="2">` : ""}
      <title>${heading}</title>
    </head>
    <body><h1>${heading}</h1>${content}</body>
  </html>`;

const button = (action: string, text: string) =>
  html`<form method="post" action="${action}"><button>${text}</button></form>`;

app.get("/", (context) => context.html(page("Welcome", button("/customers", "Sign up"))));

app.post("/customers", (context) => {
  const customer = { id: randomUUID(), attempt: 1 };
  save(customer);
  return context.redirect(`/customers/${customer.id}`, 303);
});

app.get("/customers/:id", (context) => {
  const customer = find(context.req.param("id"));
  return customer ? context.html(show(customer)) : context.notFound();
});

function show({ id, scanRef, standing }: Customer) {
  const verify = button(`/customers/${id}/verification`, "Verify your identity");
  switch (standing) {
    case "verified": return page("You are verified", "");
    case "rejected": return page("Your documents were not accepted", "");
    case "in review": return page("We are looking at your documents", "", true);
    case "try again": return page("Please try again", verify);
    default:
      return scanRef ? page("We are waiting for your result", verify, true)
        : page("Please verify your identity", verify);
  }
}

app.post("/customers/:id/verification", async (context) => {
  const customer = find(context.req.param("id"));
  if (customer === undefined) return context.notFound();
  const { id, standing } = customer;
  const here = `${settings.publicUrl}/customers/${id}`;
  if (standing !== undefined && standing !== "try again") return context.redirect(here, 303);
  const attempt = standing === "try again" ? customer.attempt + 1 : customer.attempt;
  if (attempt !== customer.attempt) save({ id, attempt });
  // One key for each attempt. Whatever is pressed twice, reloaded or lost, one session is made.
  const session = await createSession(`${id}-${attempt}`, {
    clientId: id,
    successUrl: here,
    errorUrl: here,
    unverifiedUrl: here,
  });
  // A session that is known may have its outcome by now.
  if (find(id)?.scanRef !== session.scanRef) save({ id, attempt, scanRef: session.scanRef });
  return context.redirect(session.redirectUrl, 303);
});

app.onError((error, context) => {
  console.error(error);
  return context.html(page("That did not work. Please go back and try again.", ""), 502);
});

void receiveOutcomes(record);
serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(settings.publicUrl));
