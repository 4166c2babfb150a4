// The transformed template, with the names that CloudFormation would give.

const ACCOUNT = "123456789012";
const REGION = "eu-west-1";

const arn = (service, resource) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** How the ARN of a resource is made of its name. */
const ARNS = {
  "AWS::CodeDeploy::Application": (name) => arn("codedeploy", `application:${name}`),
  "AWS::DynamoDB::Table": (name) => arn("dynamodb", `table/${name}`),
  "AWS::Events::EventBus": (name) => arn("events", `event-bus/${name}`),
  "AWS::Events::Rule": (name) => arn("events", `rule/${name}`),
  "AWS::Lambda::Function": (name) => arn("lambda", `function:${name}`),
  "AWS::Logs::LogGroup": (name) => arn("logs", `log-group:${name}:*`),
  "AWS::S3::Bucket": (name) => `arn:aws:s3:::${name}`,
  "AWS::SNS::Topic": (name) => arn("sns", name),
  "AWS::SQS::Queue": (name) => arn("sqs", name),
};

/** One deployed stack. Two of them, by their names, have nothing in common but the account. */
export class Stack {
  account = ACCOUNT;

  constructor(template, name, parameters = {}) {
    this.template = template;
    this.parameters = {
      ...Object.fromEntries(Object.entries(template.Parameters)
        .map(([parameter, { Default }]) => [parameter, Default])),
      IdenfySecretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${name}/idenfy-a1B2c3`,
      ...parameters,
    };
    this.pseudo = {
      "AWS::AccountId": ACCOUNT,
      "AWS::Partition": "aws",
      "AWS::Region": REGION,
      "AWS::URLSuffix": "amazonaws.com",
      "AWS::StackName": name,
    };
  }

  /** The resources of a type that the parameters ask for, by logical id. */
  ofType(type) {
    return Object.entries(this.template.Resources).filter(([, { Type, Condition }]) =>
      Type === type && (Condition === undefined || this.holds({ Condition })));
  }

  /** Whether a condition holds. */
  holds(condition) {
    const [[name, value]] = Object.entries(condition);
    if (name === "Condition") return this.holds(this.template.Conditions[value]);
    if (name === "Fn::Not") return !this.holds(value[0]);
    if (name === "Fn::And") return value.every((one) => this.holds(one));
    if (name === "Fn::Or") return value.some((one) => this.holds(one));
    if (name !== "Fn::Equals") throw new Error(`${name} in a condition is not known here`);
    const [left, right] = this.resolve(value);
    return left === right;
  }

  /** A part of the template without intrinsic functions. `undefined`: AWS::NoValue. */
  resolve(part) {
    if (Array.isArray(part)) {
      return part.map((one) => this.resolve(one)).filter((one) => one !== undefined);
    }
    if (part === null || typeof part !== "object") return part;
    const [[name, value], ...others] = Object.entries(part);
    if (others.length === 0) {
      if (name === "Ref") return this.ref(value);
      if (name === "Fn::GetAtt") return this.attribute(...value);
      if (name === "Fn::Sub" && typeof value === "string") return this.substitute(value);
      if (name === "Fn::If") {
        return this.resolve(value[this.holds({ Condition: value[0] }) ? 1 : 2]);
      }
      if (name === "Fn::Split") return this.resolve(value[1]).split(value[0]);
      if (name === "Fn::Select") return this.resolve(value[1])[value[0]];
      if (name.startsWith("Fn::")) throw new Error(`${name} in a policy is not known here`);
    }
    return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, this.resolve(one)]));
  }

  /** A text as in `Fn::Sub`. */
  substitute(text) {
    return text.replace(/\$\{([^}]+)\}/g, (_, name) => {
      const [id, attribute] = name.split(".");
      return attribute === undefined ? this.ref(id) : this.attribute(id, attribute);
    });
  }

  ref(id) {
    if (id === "AWS::NoValue") return undefined;
    if (id in this.pseudo) return this.pseudo[id];
    if (id in this.parameters) return this.parameters[id];
    const { Type: type } = this.resource(id);
    return type === "AWS::SNS::Topic" ? this.attribute(id, "Arn") : this.name(id);
  }

  attribute(id, attribute) {
    const { Type: type, Properties: properties } = this.resource(id);
    if (type === "AWS::Lambda::Alias") {
      return `${this.attribute(properties.FunctionName.Ref, "Arn")}:${properties.Name}`;
    }
    const make = ARNS[type];
    if (make === undefined) throw new Error(`the ARN of ${id} is not known here`);
    const arn = make(this.name(id));
    if (attribute === "Arn" || attribute === "TopicArn") return arn;
    if (attribute === "StreamArn") return `${arn}/stream/2026-01-01T00:00:00.000`;
    throw new Error(`${id}.${attribute} is not known here`);
  }

  /** As CloudFormation makes it, where the template gives none. */
  name(id) {
    const { Type: type, Properties: properties } = this.resource(id);
    const given = properties?.QueueName ?? properties?.LogGroupName ??
      (type === "AWS::Events::EventBus" ? properties.Name : undefined);
    if (given !== undefined) return this.resolve(given);
    const name = `${this.pseudo["AWS::StackName"]}-${id}-0A1b2C3d4E5f`;
    return type === "AWS::S3::Bucket" ? name.toLowerCase() : name;
  }

  resource(id) {
    const resource = this.template.Resources[id];
    if (resource === undefined) throw new Error(`the template has no ${id}`);
    return resource;
  }
}
