//! iDenfy's API: tokens, direct processing, results, files and callbacks.

pub(crate) mod call;
pub(crate) mod callback;
pub(crate) mod connection;
pub(crate) mod delivery;
pub(crate) mod entry;
pub(crate) mod errors;
mod fault_answers;
pub(crate) mod files;
pub(crate) mod images;
pub(crate) mod outcome;
pub(crate) mod process;
mod retrieval;
pub(crate) mod token;
mod token_rules;
