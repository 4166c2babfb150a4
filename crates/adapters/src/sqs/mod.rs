//! The submission queue and its dead letters.

mod dead_letters;
mod queue;

pub use self::dead_letters::{DeadLetter, Depth, SqsDeadLetters, queue_depth};
pub use self::queue::{LONGEST_DELAY, Message, SqsSubmissionQueue};
