// Holds recorded calls against the policies of the transformed template, and prints a table.
//
//   node check.mjs TOOLS TEMPLATE CALLS
//
// TOOLS is the directory with node_modules. TEMPLATE is what translate.py has printed. CALLS is
// what the test permissions::every_call_of_every_function_is_recorded has written.
//
// Calls from and to other accounts are judged by the policies in docs/OTHER_ACCOUNTS.md, calls to
// the key by its policy in docs/DEPLOYING.md.
//
// Fails if a call is denied, if a grant is needed by no call, or if something is allowed that must
// be refused. A grant is one action of a statement on one of its resources.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

import { Policies } from "./policies.mjs";
import { Stack } from "./template.mjs";

const [tools, templatePath, callsPath] = process.argv.slice(2).map((path) => resolve(path));
const { runSimulation } = createRequire(join(tools, "package.json"))("@cloud-copilot/iam-simulate");

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const beside = (name) => read(new URL(name, import.meta.url));

const template = read(templatePath);
const ApiCallers = "111122223333,arn:aws:iam::444455556666:role/shop";
const bus = (name) => `arn:aws:events:eu-west-1:111122223333:event-bus/${name}`;
const key = (name) => `arn:aws:kms:eu-west-1:123456789012:key/${name}`;
/** Every choice that gives a function less, or a resource of its own. */
const choices = (name) => ({
  OutcomeTargetBusArn: bus(name),
  SigningSecretArn: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}/signing-a1B2c3`,
  SeparateErasure: "true",
  KmsKeyArn: key(name),
  OutcomePushUrl: "https://shop.example.com/outcomes",
  OutcomePushSecretArn: `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}/push-a1B2c3`,
  FrontDoor: "Both",
});
const stack = new Stack(template, "dual-verification", { ApiCallers, ...choices("shop") });
const anotherStack = new Stack(template, "another-stack", choices("another"));
const policies = new Policies(stack, runSimulation, {
  [bus("shop")]: documented("bus"),
  [key("shop")]: documented("key", "DEPLOYING"),
});
const { actors, functions, grants } = policies;

const recorded = read(callsPath);
const byAws = beside("by_aws.json");
const otherAccounts = beside("other_accounts.json");
const refused = beside("refused.json");
const shared = beside("shared.json");
const failures = [];

/** The policy of that name in a page of docs. */
function documented(name, of = "OTHER_ACCOUNTS") {
  const page = readFileSync(new URL(`../../docs/${of}.md`, import.meta.url), "utf8");
  return JSON.parse(page.split("```json " + name + "\n")[1].split("```")[0]);
}

const of = (some, call) => ({ ...call, resource: some.substitute(call.resource) });
const name = ({ action, resource }) => `${action} on ${resource}`;
const show = (call) => {
  const context = Object.keys(call.context ?? {}).length > 0 ? JSON.stringify(call.context) : "";
  return `${name(call)} ${context}`.trimEnd();
};

// ---- Calls -------------------------------------------------------------------------------------

/** The calls that AWS makes with an actor's role, each with the reason. */
function callsByAws(actor) {
  const isOfActor = ({ by }) => [by].flat().includes(actor) ||
    (by === "every function" && actor in functions);
  const group = functions[actor]?.Properties.LoggingConfig.LogGroup.Ref;
  return byAws.filter(isOfActor).flatMap(({ actions, resources, context, reason }) =>
    actions.flatMap((action) => resources.map((resource) =>
      ({
        action,
        resource: resource.replace("${LogGroup}", `\${${group}}`),
        context: stack.resolve(context),
        reason,
      }))));
}

/** Finds what is denied, and which grants could be taken away. Returns the actor's row. */
async function checkCalls(actor, own, ofAws) {
  if (actor in functions && own.length === 0) failures.push(`no call of ${actor} was recorded`);
  const [needed, neededByAws] = [new Set(), new Set()];
  let denied = 0;
  for (const call of [...own, ...ofAws]) {
    const found = await policies.allowing(actor, of(stack, call));
    if (found.length === 0) {
      denied += 1;
      failures.push(`denied: ${actor}: ${show(call)}`);
    }
    // Of two grants that allow a call, either can be taken away.
    if (found.length === 1) (ofAws.includes(call) ? neededByAws : needed).add(found[0]);
  }
  const isNeeded = (grant) => needed.has(grant) || neededByAws.has(grant);
  const unused = grants[actor].filter((grant) => !isNeeded(grant));
  failures.push(...unused.map((grant) => `needed by no call: ${actor}: ${grant.name}`));
  return {
    "": actor,
    recorded: own.length,
    "by AWS": ofAws.length,
    denied,
    grants: grants[actor].length,
    "for AWS alone": [...neededByAws].filter((grant) => !needed.has(grant)).length,
    unused: unused.length,
  };
}

const rows = [];
const calls = {};
for (const actor of actors) {
  const own = recorded.filter((call) => call.function === actor);
  const ofAws = callsByAws(actor);
  calls[actor] = [...own, ...ofAws];
  rows.push(await checkCalls(actor, own, ofAws));
}
for (const call of recorded.filter((call) => !(call.function in functions))) {
  failures.push(`made by ${call.function}, which the template does not have: ${show(call)}`);
}
for (const { service, actions, resources, context, reason } of byAws.filter((one) => one.service)) {
  for (const action of actions) {
    const call = stack.resolve({ action, resource: { "Fn::Sub": resources[0] }, context });
    const answer = await policies.ask(service, [], call);
    if (answer !== "Allowed") failures.push(`${answer}: ${service}: ${show(call)} (${reason})`);
  }
}

// ---- What must be refused ----------------------------------------------------------------------

let asked = 0;

function expectDenied(who, call, answer, why, explicitly) {
  asked += 1;
  if (answer.endsWith(explicitly ? "ExplicitlyDenied" : "Denied")) return;
  failures.push(`${answer}: ${who}: ${show(call)} (${why})`);
}

async function mustBeRefused(actor, call, why, explicitly = false) {
  expectDenied(actor, call, await policies.judge(actor, call), why, explicitly);
}

/** An actor's own calls, to another stack's resources and without TLS. */
async function refusedElsewhere(actor) {
  for (const call of calls[actor]) {
    // Alarms are read in one call that names no stack.
    if (call.resource === "*" || call.action === "cloudwatch:DescribeAlarms") continue;
    await mustBeRefused(actor, of(anotherStack, call), "of another stack");
    const own = of(stack, call);
    if (policies.policyOf(own.resource) === undefined) continue;
    const context = { ...call.context, "aws:SecureTransport": "false" };
    await mustBeRefused(actor, { ...own, context }, "without TLS", true);
  }
}

const stillShared = new Set();

/** What other actors do and this one does not. */
async function refusedOfOthers(actor) {
  const own = new Set(calls[actor].map(name));
  const others = actors.filter((other) => other !== actor).flatMap((other) => calls[other])
    .filter((call) => call.resource !== "*" && !own.has(name(call)));
  for (const call of new Map(others.map((call) => [show(call), call])).values()) {
    const share = shared.find(({ by, actions, resource }) =>
      by === actor && actions.includes(call.action) && resource === call.resource);
    if (share === undefined) {
      await mustBeRefused(actor, of(stack, call), "another function's");
    } else if ((await policies.allowing(actor, of(stack, call))).length > 0) {
      stillShared.add(share);
    }
  }
}

async function refusedAsListed({ by = [], service, action, resource, context, explicitly, why }) {
  const call = stack.resolve({ action, resource: { "Fn::Sub": resource }, context });
  for (const one of [by].flat()) {
    const some = one === "every function" ? Object.keys(functions) : [one];
    for (const actor of some) await mustBeRefused(actor, call, why, explicitly);
  }
  if (service !== undefined) {
    expectDenied(service, call, await policies.ask(service, [], call), why, explicitly);
  }
}

for (const actor of actors) await refusedElsewhere(actor);
const elsewhere = asked;
for (const actor of actors) await refusedOfOthers(actor);
const ofOthers = asked - elsewhere;
for (const one of refused) await refusedAsListed(one);
const listed = asked - elsewhere - ofOthers;
for (const share of shared.filter((share) => !stillShared.has(share))) {
  failures.push(`refused by now, and still in shared.json: ${share.by}: ${share.resource}`);
}

// ---- Other accounts ----------------------------------------------------------------------------

const EVERYTHING = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};
const identities = { documented: [documented("caller")], eraser: [documented("eraser")], everything: [EVERYTHING], nothing: [] };
const closed = new Policies(
  new Stack(template, "dual-verification", { FrontDoor: "HttpApi" }), runSimulation);

for (const { principal, has, actions, resource, context, answer, open = true, why } of
  otherAccounts) {
  for (const action of actions) {
    const call = { action, resource: stack.substitute(resource), context };
    const judged = open ? policies : closed;
    const found = await judged.ask(principal, identities[has], call);
    if (!found.endsWith(answer)) failures.push(`${found}: ${principal}: ${show(call)} (${why})`);
  }
}

// ---- The answer --------------------------------------------------------------------------------

const columns = Object.keys(rows[0]);
const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column])))];
const widths = columns.map((_, place) => Math.max(...cells.map((row) => row[place].length)));
for (const row of cells) {
  const padded = row.map((cell, place) =>
    place === 0 ? cell.padEnd(widths[place]) : cell.padStart(widths[place]));
  console.log(padded.join("  "));
}
console.log("\nFor AWS alone, with the function's role:");
for (const { by, actions, reason } of byAws.filter(({ by }) => by !== undefined)) {
  console.log(`  ${by}: ${actions.join(", ")}\n    ${reason}`);
}
console.log(`\nMust be refused: ${asked} requests: ${elsewhere} own calls to another ` +
  `stack or without TLS, ${ofOthers} calls of others, ${listed} in refused.json.`);
console.log(`Other accounts: ${otherAccounts.length} cases, by the policies in ` +
  "docs/OTHER_ACCOUNTS.md.");
if (failures.length > 0) {
  console.error(`\n${failures.length} failures:`);
  for (const failure of failures) console.error(`  ${failure}`);
  process.exitCode = 1;
}
