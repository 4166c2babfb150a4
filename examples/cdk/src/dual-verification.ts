import { CfnStack } from "aws-cdk-lib";
import { Asset } from "aws-cdk-lib/aws-s3-assets";
import { Construct } from "constructs";

export interface DualVerificationProps {
  /** The file that `sam package` has written. */
  template: string;
  /** The template's parameters. The others have defaults. */
  parameters: { IdenfySecretArn: string } & Record<string, string>;
}

/** The outputs of template.yaml. */
export type Output =
  | "ApiFunctionArn"
  | "ApiUrl"
  | "DashboardName"
  | "DocumentBucketName"
  | "ErasureUrl"
  | "EventBusName"
  | "OutcomePushDeadLetterQueueUrl"
  | "OutcomePushQueueUrl"
  | "PairingTableName"
  | "SubmissionDeadLetterQueueUrl"
  | "SubmissionQueueUrl"
  | "WebhookUrl";

/** The whole backend, as a nested stack. */
export class DualVerification extends Construct {
  private readonly stack: CfnStack;

  constructor(scope: Construct, id: string, { template, parameters }: DualVerificationProps) {
    super(scope, id);
    const asset = new Asset(this, "Template", { path: template });
    this.stack = new CfnStack(this, "Stack", { templateUrl: asset.httpUrl, parameters });
  }

  output(name: Output): string {
    return this.stack.getAtt(`Outputs.${name}`).toString();
  }
}
