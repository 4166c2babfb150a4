//! The queues of submissions and of pushed outcomes, and their dead letters.

mod dead_letters;
mod outcome_push;
mod queue;
mod visibility;

pub use self::dead_letters::{DeadLetter, Depth, Letters, SqsDeadLetters, queue_depth};
pub use self::outcome_push::SqsOutcomePushQueue;
pub use self::queue::{LONGEST_DELAY, Message, SqsSubmissionQueue};
