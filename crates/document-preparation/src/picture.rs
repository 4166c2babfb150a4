//! A decoded picture.

/// Rows from top to bottom, each of `width` pixels of three bytes: red, green, blue. Never empty.
pub(crate) struct Picture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

/// Bytes of a pixel.
pub(crate) const RGB: usize = 3;
