//! The whole system on one machine, without an AWS account, an iDenfy account or Docker. Starts a
//! pinned AWS emulator, deploys `template.yaml` into it with the real SAM CLI, and starts a
//! stand-in for iDenfy unless another provider is named.
//!
//! Guarantees: everything binds to the loopback interface only. No file or setting of the user's is
//! read or changed outside `.local` in the checkout. No process or file of a run outlives the
//! program that started it, even if that is killed.
//!
//! For development and tests; nothing that ships depends on it.

mod aws;
mod bundle;
mod deployment;
mod emulator;
mod environment;
mod functions;
mod guard;
mod outputs;
pub mod parameters;
mod provider;
mod python;
mod secret;
mod stack;
mod toolchain;
pub mod workspace;

pub use environment::{clear as clear_environment, forget_own_package};
pub use functions::Functions;
pub use guard::{Guarded, GuardedCommand};
pub use outputs::reachable_url;
pub use parameters::Parameters;
pub use python::Python;
pub use secret::ProviderSecret;
pub use stack::{LocalStack, Options};
pub use toolchain::{Toolchain, python_environment};

/// The region that everything is in. iDenfy keeps its files in it, too.
pub const REGION: &str = "eu-west-1";

/// The name of the stack, as in the environment `local` of `samconfig.toml`.
pub const STACK_NAME: &str = "dual-verification-local";

/// Takes one line per step of the work.
pub type Progress = fn(&str);
