//! How decisions are stored and carried out.
//!
//! The ports of `verification` on DynamoDB, S3, SQS, EventBridge, Secrets Manager and iDenfy.
//!
//! SDK types stop here. All parts share one [`http_client`] and one [`sdk_config`].

mod aws;
mod callback;
mod clock;
mod dynamodb;
mod idenfy;
mod outcome_push;
mod s3;
mod sqs;

pub use ::idenfy::{Credentials, SigningKeys, TokenField};

pub use self::aws::{
    AwsSettings, Call, EVENT_SOURCE, EventBridgeAnnouncer, ExtraRoots, ExtraRootsError,
    HttpClientError, Limits, LogEvent, LogQuery, SecretText, ServiceAnswer, ServiceCalls,
    ServiceError, Signer, Unsignable, error_chain, http_client, http_client_with, log_events,
    sdk_config, sdk_http_client,
};
pub use self::callback::{UnusableCallback, read_callback};
pub use self::clock::SystemClock;
pub use self::dynamodb::{
    DynamoCircuits, DynamoPairings, Inspected, Inspection, InspectionPlace, InspectionStart,
};
pub use self::idenfy::{
    IdenfyCaller, IdenfyProvider, IdenfySessions, PROBE_BODY, PROBE_SCAN_REF, Secret,
    SecretContent, SecretError, Secrets, session_steps,
};
pub use self::outcome_push::{
    InvalidPushUrl, OutcomeMessage, OutcomePush, PushError, PushUrl, SigningSecrets,
    UnreadableOutcome,
};
pub use self::s3::{
    ArchivedCallback, ArchivedPage, FileOrigins, InvalidOrigin, KeptObject, S3CallbackArchive,
    S3Documents, S3Export, S3FileRemoval, S3Preparation,
};
pub use self::sqs::{
    DeadLetter, Depth, LONGEST_DELAY, Letters, Message, SqsDeadLetters, SqsOutcomePushQueue,
    SqsSubmissionQueue, queue_depth,
};
