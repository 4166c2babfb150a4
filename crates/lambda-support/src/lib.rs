//! How Lambda calls us: environment, telemetry, metrics, SQS batches, work after the answer.

mod after_answer;
mod batch;
mod cause;
mod configured;
mod duration;
mod environment;
mod installation;
mod memory;
mod metrics;
mod policy;
mod telemetry;

pub use after_answer::{AfterAnswer, Invocations};
pub use batch::{Handled, UnreportableRecord, process_batch, receive_count};
pub use cause::cause;
pub use configured::configured;
pub use duration::{deadline_less, milliseconds};
pub use environment::{Environment, EnvironmentError, Problem};
pub use installation::{Installation, InstallationError, Settings, read_aws_settings, start};
pub use memory::peak_memory_kilobytes;
pub use metrics::{METRICS, Metric, Metrics, NAMESPACE, RejectionReason, Unit};
pub use policy::PolicySettings;
pub use telemetry::{LogLevel, start_logging};
