use serde::{Deserialize, Serialize};
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Person { Same, Different, Unknown }
impl Person { pub const fn as_str(self) -> &'static str { match self { Self::Same => "Same", Self::Different => "Different", Self::Unknown => "Unknown" } } }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Document { Different, Same, Unknown }
impl Document { pub const fn as_str(self) -> &'static str { match self { Self::Same => "Same", Self::Different => "Different", Self::Unknown => "Unknown" } } }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison { pub person: Person, pub document: Document }
impl Comparison { pub const UNKNOWN: Self = Self { person: Person::Unknown, document: Document::Unknown }; }
#[derive(Clone, Debug, Default)]
pub struct Subject;
pub fn compare(_: &Subject, _: &Subject) -> Comparison { Comparison::UNKNOWN }
