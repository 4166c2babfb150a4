variable "packaged_template" {
  description = "The file that `sam package` has written."
  type        = string
}

variable "artifact_bucket" {
  description = "A bucket in the stack's region that Terraform may write to."
  type        = string
}

variable "idenfy_secret_arn" {
  description = "Full ARN of the secret, with its last six characters (IdenfySecretArn)."
  type        = string
}

variable "stack_name" {
  description = "Begins the names of the queue, the bus and the alarms."
  type        = string
  default     = "dual-verification"
}

variable "parameters" {
  description = "Any other parameters of template.yaml, by name. All have defaults."
  type        = map(string)
  default     = {}
}
