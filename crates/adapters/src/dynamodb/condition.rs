//! Conditions of writes.

use super::items::{Item, number};

pub(super) struct Condition {
    pub expression: &'static str,
    pub values: Option<Item>,
}

impl Condition {
    /// There is no such item.
    pub fn absent() -> Self {
        Self {
            expression: "attribute_not_exists(pk)",
            values: None,
        }
    }

    /// The stored version precedes `version`. Before 1 there is none.
    pub fn next_after(version: u64) -> Self {
        match version.saturating_sub(1) {
            0 => Self::absent(),
            expected => Self {
                expression: "version = :expected",
                values: Some(Item::from([(":expected".to_owned(), number(expected))])),
            },
        }
    }
}
