output "api_function_arn" {
  description = "For the policies of the applications that call the API."
  value       = aws_cloudformation_stack.dual_verification.outputs["ApiFunctionArn"]
}

output "api_url" {
  description = "Where applications create sessions and ask."
  value       = aws_cloudformation_stack.dual_verification.outputs["ApiUrl"]
}

output "webhook_url" {
  description = "The callbackUrl to set at iDenfy."
  value       = aws_cloudformation_stack.dual_verification.outputs["WebhookUrl"]
}

output "event_bus_name" {
  description = "The bus of the outcomes."
  value       = aws_cloudformation_stack.dual_verification.outputs["EventBusName"]
}

output "dashboard_name" {
  description = "The CloudWatch dashboard."
  value       = aws_cloudformation_stack.dual_verification.outputs["DashboardName"]
}
