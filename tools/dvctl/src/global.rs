//! The options that every command takes.

use clap::Args;

/// The deployment, and the form of answers.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Name of the CloudFormation stack
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "DVCTL_STACK",
        hide_env_values = true,
        default_value = "dual-verification"
    )]
    pub stack: String,

    /// AWS region; without it, the one that the AWS CLI would use, or with --endpoint eu-west-1
    #[arg(
        long,
        global = true,
        value_name = "REGION",
        env = "AWS_REGION",
        hide_env_values = true
    )]
    pub region: Option<String>,

    /// AWS profile; without it, the one that the AWS CLI would use
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Address of an AWS emulator; all services are asked there, with credentials that are none,
    /// never with yours
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint: Option<url::Url>,

    /// Print one line of JSON instead of text
    #[arg(long, global = true)]
    pub json: bool,
}
