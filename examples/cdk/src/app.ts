// An application's stack: the backend, a queue for its outcomes, and a role that may call its API.

import { App, CfnOutput, Stack } from "aws-cdk-lib";
import { EventBus, Rule } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Queue } from "aws-cdk-lib/aws-sqs";

import { DualVerification } from "./dual-verification.js";

const { PACKAGED_TEMPLATE: template = "packaged.yaml", IDENFY_SECRET_ARN: IdenfySecretArn } =
  process.env;
if (!IdenfySecretArn) throw new Error("IDENFY_SECRET_ARN is not set");

const app = new App();
const stack = new Stack(app, "Shop");
const verification = new DualVerification(stack, "DualVerification", {
  template,
  parameters: { IdenfySecretArn, Stage: "staging" },
});

const outcomes = new Queue(stack, "Outcomes", { enforceSSL: true });
new Rule(stack, "OutcomesRule", {
  eventBus: EventBus.fromEventBusName(stack, "Bus", verification.output("EventBusName")),
  eventPattern: { source: ["dual-verification"] },
  targets: [new SqsQueue(outcomes)],
});

const assumedBy = new ServicePrincipal("ecs-tasks.amazonaws.com");
const role = new Role(stack, "Role", { assumedBy });
outcomes.grantConsumeMessages(role);
const resources = [verification.output("ApiFunctionArn")];
role.addToPolicy(new PolicyStatement({ actions: ["lambda:InvokeFunctionUrl"], resources }));
role.addToPolicy(new PolicyStatement({
  actions: ["lambda:InvokeFunction"],
  resources,
  conditions: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
}));

new CfnOutput(stack, "ApiUrl", { value: verification.output("ApiUrl") });
new CfnOutput(stack, "CallbackUrl", { value: verification.output("WebhookUrl") });
