// What the roles and resource policies of a stack say to a call, as a simulator of IAM sees it.

const list = (one) => (Array.isArray(one) ? one : [one]);

/** The simulator's data lacks the resources of these: they are compared with the grants here. */
const WITHOUT_RESOURCE = new Set([
  // Of deployment groups. (Source: "Permissions reference", AWS CodeDeploy User Guide.)
  "codedeploy:PutLifecycleEventHookExecutionStatus",
  // Alias and version, whose ARNs look alike. (Source: Service Authorization Reference.)
  "lambda:GetProvisionedConcurrencyConfig",
]);

/** Whether a pattern of a policy covers a text. Without case, as IAM compares actions. */
function covers(pattern, text) {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${escaped}$`, "i").test(text);
}

/** What Lambda makes of a permission. (Source: Service Authorization Reference, condition keys.) */
function statement({ Principal, Action, ...conditions }, arn) {
  const makers = {
    FunctionUrlAuthType: (type) => ({ StringEquals: { "lambda:FunctionUrlAuthType": type } }),
    InvokedViaFunctionUrl: (via) => ({ Bool: { "lambda:InvokedViaFunctionUrl": `${via}` } }),
    SourceArn: (source) => ({ ArnLike: { "aws:SourceArn": source } }),
  };
  const Condition = Object.assign({}, ...Object.entries(conditions).map(([name, value]) =>
    makers[name](value)));
  const principal = Principal === "*" ? "*"
    : Principal.endsWith(".amazonaws.com") ? { Service: Principal }
      : { AWS: /^\d+$/.test(Principal) ? `arn:aws:iam::${Principal}:root` : Principal };
  return { Effect: "Allow", Principal: principal, Action, Resource: arn, Condition };
}

/** The policies of one stack. An actor is a function, or a role that no function has. */
export class Policies {
  /** `elsewhere`: policies of resources of other accounts, by ARN. */
  constructor(stack, runSimulation, elsewhere = {}) {
    this.stack = stack;
    this.runSimulation = runSimulation;
    this.functions = Object.fromEntries(stack.ofType("AWS::Lambda::Function"));
    const names = Object.keys(this.functions);
    const used = new Set(names.map((name) => this.roleOf(name)));
    const others = stack.ofType("AWS::IAM::Role").map(([id]) => id).filter((id) => !used.has(id));
    this.actors = [...names, ...others];
    this.grants = Object.fromEntries(this.actors.map((actor) => [actor, this.grantsOf(actor)]));
    this.resourcePolicies = this.readResourcePolicies();
    this.furtherPolicies = { ...this.readFunctionPolicies(), ...elsewhere };
  }

  /** The logical id of the role that an actor has. */
  roleOf(actor) {
    const role = this.functions[actor]?.Properties.Role["Fn::GetAtt"][0] ?? actor;
    this.stack.resource(role);
    return role;
  }

  /** Each action of each statement on each of its resources, as a policy of its own. */
  grantsOf(actor) {
    const { Policies, ManagedPolicyArns } = this.stack.resource(this.roleOf(actor)).Properties;
    if (ManagedPolicyArns !== undefined) throw new Error(`${actor} has a managed policy`);
    const own = this.stack.resolve(Policies);
    const documents = [...own, ...this.attachedTo(actor)].map((one) => one.PolicyDocument);
    return documents.flatMap(({ Statement }) => list(Statement)).flatMap((statement) => {
      const { Sid, Effect, Action, Resource } = statement;
      if (Effect !== "Allow" || Action === undefined || Resource === undefined) {
        throw new Error(`${actor}: ${Sid} is of a kind that is not known here`);
      }
      return list(Action).flatMap((action) => list(Resource).map((resource) => ({
        name: `${Sid}: ${action} on ${resource}`,
        action,
        resource,
        policy: {
          Version: "2012-10-17",
          Statement: [{ ...statement, Action: action, Resource: resource }],
        },
      })));
    });
  }

  /** The policies of several roles, of which an actor's is one. */
  attachedTo(actor) {
    const role = this.stack.ref(this.roleOf(actor));
    return this.stack.ofType("AWS::IAM::Policy")
      .map(([, { Properties }]) => this.stack.resolve(Properties))
      .filter(({ Roles }) => Roles.includes(role));
  }

  /** The policies of buckets, queues and topics, with the ARN of what they protect. */
  readResourcePolicies() {
    return ["AWS::S3::BucketPolicy", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"]
      .flatMap((type) => this.stack.ofType(type))
      .flatMap(([, { Properties: { Bucket, Queues, Topics, PolicyDocument } }]) =>
        (Queues ?? Topics ?? [Bucket]).map(({ Ref }) => ({
          arn: this.stack.attribute(Ref, "Arn"),
          policy: this.stack.resolve(PolicyDocument),
        })));
  }

  /** The policies of functions and their aliases, by ARN, as Lambda makes them of permissions. */
  readFunctionPolicies() {
    const policies = {};
    for (const [Sid, { Properties }] of this.stack.ofType("AWS::Lambda::Permission")) {
      const { FunctionName, ...permission } = Properties;
      const arn = this.stack.attribute(FunctionName.Ref, "Arn");
      policies[arn] ??= { Version: "2012-10-17", Statement: [] };
      policies[arn].Statement.push({ Sid, ...statement(this.stack.resolve(permission), arn) });
    }
    return policies;
  }

  /** The policy of the bucket, queue or topic that a resource is or is in. */
  policyOf(resource) {
    const isOf = ({ arn }) => resource === arn || resource.startsWith(`${arn}/`);
    return this.resourcePolicies.find(isOf)?.policy;
  }

  /** `Allowed`, `ImplicitlyDenied`, `ExplicitlyDenied`, or why the simulator cannot say. */
  async ask(principal, identityPolicies, { action, resource, context = {} }) {
    const answer = await this.runSimulation({
      request: {
        action,
        principal,
        resource: { resource, accountId: resource.split(":")[4] || this.stack.account },
        contextVariables: { "aws:SecureTransport": "true", ...context },
      },
      identityPolicies: identityPolicies.map((policy, number) => ({ name: `${number}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: this.policyOf(resource) ?? this.furtherPolicies[resource],
    }, {});
    if (answer.resultType === "error") return `not simulated (${answer.errors.message})`;
    return answer.overallResult;
  }

  /** The same for an actor with all of its grants, or with these alone. */
  async judge(actor, call, grants = this.grants[actor]) {
    if (WITHOUT_RESOURCE.has(call.action)) {
      const isCovered = ({ action, resource }) =>
        covers(action, call.action) && covers(resource, call.resource);
      return grants.some(isCovered) ? "Allowed" : "ImplicitlyDenied";
    }
    const session = `arn:aws:sts::${this.stack.account}:assumed-role/${this.roleOf(actor)}/session`;
    return this.ask(session, grants.map(({ policy }) => policy), call);
  }

  /** The grants of an actor that allow a call by themselves. */
  async allowing(actor, call) {
    const found = [];
    for (const grant of this.grants[actor].filter(({ action }) => covers(action, call.action))) {
      const answer = await this.judge(actor, call, [grant]);
      if (answer.startsWith("not simulated")) throw new Error(`${call.action}: ${answer}`);
      if (answer === "Allowed") found.push(grant);
    }
    return found;
  }
}
