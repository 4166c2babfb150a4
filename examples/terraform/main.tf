# The backend as a CloudFormation stack that Terraform owns.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

# The template is larger than CloudFormation takes in a request, so it is read from a bucket.
resource "aws_s3_object" "template" {
  bucket      = var.artifact_bucket
  key         = "dual-verification/${filesha256(var.packaged_template)}.yaml"
  source      = var.packaged_template
  source_hash = filesha256(var.packaged_template)
}

data "aws_s3_bucket" "artifacts" {
  bucket = var.artifact_bucket
}

locals {
  bucket_url = "https://${data.aws_s3_bucket.artifacts.bucket_regional_domain_name}"
}

resource "aws_cloudformation_stack" "dual_verification" {
  name         = var.stack_name
  template_url = "${local.bucket_url}/${aws_s3_object.template.key}"
  parameters   = merge(var.parameters, { IdenfySecretArn = var.idenfy_secret_arn })

  # The template has IAM roles, and the transform of AWS SAM.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
}
