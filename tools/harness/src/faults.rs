//! The faults that the sandbox scripts, by kind. See `tools/idenfy-sandbox/README.md`.

/// Wrong answers of the provider to any request, which our system gets over.
pub const ANSWERS: [&str; 9] = [
    "status",
    "html",
    "reset",
    "hang",
    "acceptedThenReset",
    "acceptedThenHang",
    "truncate",
    "slow",
    "wrongContentType",
];

/// Wrong answers that our system cannot tell from right ones: a file that ends early by its own
/// length, and the provider's refusal.
pub const BELIEVED_ANSWERS: [&str; 2] = ["shortContentLength", "errorIn200"];

/// Faults of a file link.
pub const LINKS: [&str; 7] = [
    "status",
    "reset",
    "hang",
    "truncate",
    "slow",
    "wrongContentType",
    "expiredLink",
];

/// Faults of a callback on its way, and whether it arrives all the same.
pub const CALLBACKS: [(&str, bool); 6] = [
    ("duplicate", true),
    ("slow", true),
    ("drop", false),
    ("badSignature", false),
    ("unsigned", false),
    ("cutBody", false),
];

/// Whether a fault of this kind has a duration, `milliseconds`.
pub fn takes_time(kind: &str) -> bool {
    ["hang", "acceptedThenHang", "slow"].contains(&kind)
}
