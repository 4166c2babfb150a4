//! The sandbox's memory and inventions: sessions, settings, faults, journal, clock, persons and
//! pictures. No route is answered here.

pub(crate) mod callback_client;
pub(crate) mod clock;
pub(crate) mod faults;
pub(crate) mod first_answer;
pub(crate) mod invented_person;
pub(crate) mod journal;
pub(crate) mod links;
pub(crate) mod merge_patch;
pub(crate) mod picture;
pub(crate) mod records;
pub(crate) mod route;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod signature;
pub(crate) mod state;
