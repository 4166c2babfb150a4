//! The one bucket: archived callbacks, documents and their converted copies.

mod archive;
mod documents;
mod export;
mod link;
pub(crate) mod measured_body;
pub(crate) mod objects;
mod origins;
mod preparation;
mod removal;
mod spool;

pub use self::archive::{ArchivedCallback, ArchivedPage, S3CallbackArchive};
pub use self::documents::S3Documents;
pub use self::export::{KeptObject, S3Export};
pub use self::origins::{FileOrigins, InvalidOrigin};
pub use self::preparation::S3Preparation;
pub use self::removal::S3FileRemoval;
