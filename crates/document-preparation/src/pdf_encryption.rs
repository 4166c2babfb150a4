//! Whether a PDF is encrypted, found while it streams by.
//!
//! An encrypted file has the key `Encrypt` in a trailer.
//! That is the dictionary behind the word `trailer`, or that of a cross-reference stream (`/Type
//! /XRef`).
//! Neither can be compressed or encrypted itself.
//! (Source: ISO 32000-1, 7.5.5, 7.5.8 and 7.6.1.) Encryption is of the whole file, so any of its
//! trailers counts.
//!
//! The same letters elsewhere do not count: in a page's text, in a comment, in another object's
//! dictionary, or in an attached PDF.
//! A stream of known length is skipped by its length.
//!
//! Two errors remain.
//! A good document is parked if an attached file is encrypted itself, stored uncompressed, and in a
//! stream whose length is elsewhere in the file (`/Length 5 0 R`).
//! A file so broken that its trailer looks like part of a stream or string passes.
//! It costs a token when the provider refuses it.

use crate::pdf_tokens::{Then, Token, Tokens};

/// Reads a PDF in pieces of any size, in constant memory.
#[derive(Debug, Default)]
pub struct EncryptionScan {
    tokens: Tokens,
    structure: Structure,
}

/// What was read of the object that the scan is in.
#[derive(Debug, Default)]
struct Structure {
    /// Dictionaries and arrays that are open.
    depth: usize,
    /// Whether the word before the outermost dictionary was `trailer`.
    is_trailer: bool,
    dictionary: Dictionary,
    is_encrypted: bool,
}

/// What the outermost dictionary said so far.
#[derive(Debug, Default)]
struct Dictionary {
    /// The key whose value comes next.
    key: Option<Key>,
    /// The last key's value was a number, so a reference may follow.
    is_length_open: bool,
    has_encryption: bool,
    is_cross_reference: bool,
    length: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Encrypt,
    Type,
    Length,
    Other,
}

impl EncryptionScan {
    /// Reads on.
    pub fn push(&mut self, bytes: &[u8]) {
        let Self { tokens, structure } = self;
        tokens.push(bytes, |token| structure.token(token));
    }

    /// Whether a trailer among the bytes read says that the file is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.structure.is_encrypted
    }
}

impl Structure {
    fn token(&mut self, token: Token<'_>) -> Then {
        match token {
            Token::DictionaryOpens => {
                if self.depth == 0 {
                    self.dictionary = Dictionary::default();
                } else if self.depth == 1 {
                    self.dictionary.value(Token::DictionaryOpens);
                }
                self.depth = self.depth.saturating_add(1);
            }
            Token::ArrayOpens => {
                if self.depth == 1 {
                    self.dictionary.value(Token::ArrayOpens);
                }
                self.depth = self.depth.saturating_add(1);
            }
            Token::DictionaryCloses | Token::ArrayCloses => {
                if self.depth == 1 {
                    self.closed();
                }
                self.depth = self.depth.saturating_sub(1);
            }
            // None of these can stand within an object, so brackets were missing.
            Token::Word(b"trailer" | b"obj" | b"endobj" | b"startxref" | b"xref") => {
                self.depth = 0;
                self.is_trailer = token == Token::Word(b"trailer");
                self.dictionary = Dictionary::default();
            }
            Token::Word(b"stream") if self.depth == 0 => {
                return Then::SkipStream(self.dictionary.length);
            }
            Token::Name(_) | Token::Word(_) | Token::Text if self.depth == 1 => {
                self.dictionary.value(token)
            }
            Token::Name(_) | Token::Word(_) | Token::Text => {}
        }
        Then::Continue
    }

    /// The outermost dictionary is complete.
    fn closed(&mut self) {
        self.is_encrypted |= self.dictionary.has_encryption
            && (self.is_trailer || self.dictionary.is_cross_reference);
        self.is_trailer = false;
    }
}

impl Dictionary {
    /// The next key, or the beginning of the last one's value.
    fn value(&mut self, token: Token<'_>) {
        let Some(key) = self.key.take() else {
            match token {
                Token::Name(name) => {
                    self.is_length_open = false;
                    self.key = Some(match name {
                        b"Encrypt" => Key::Encrypt,
                        b"Type" => Key::Type,
                        b"Length" => Key::Length,
                        _ => Key::Other,
                    });
                }
                // `5 0 R`: the number was that of the object with the length.
                Token::Word(b"R") if self.is_length_open => self.length = None,
                _ => {}
            }
            return;
        };
        match key {
            // A key with the value null counts as absent (7.3.7).
            Key::Encrypt => self.has_encryption = token != Token::Word(b"null"),
            Key::Type => self.is_cross_reference = token == Token::Name(b"XRef"),
            Key::Length => {
                self.is_length_open = true;
                self.length = match token {
                    Token::Word(word) => std::str::from_utf8(word)
                        .ok()
                        .and_then(|word| word.parse().ok()),
                    _ => None,
                };
            }
            Key::Other => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_encrypted(pdf: &[u8]) -> bool {
        let mut scan = EncryptionScan::default();
        pdf.chunks(7).for_each(|chunk| scan.push(chunk));
        scan.is_encrypted()
    }

    #[test]
    fn encryption_is_found_however_the_trailer_is_written() {
        for pdf in [
            &b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer\n<< /Root 1 0 R /Encrypt 9 0 R >>\nstartxref\n9\n%%EOF"[..],
            b"trailer<</ID[<00><00>]/Encrypt<</Filter/Standard>>/Root 1 0 R>>",
            b"trailer << /#45ncrypt 9 0 R >>",
            b"4 0 obj << /Type /XRef /W [1 2 1] /Encrypt 9 0 R /Length 3 >> stream\nabc\nendstream endobj",
            b"4 0 obj << /Encrypt 9 0 R /Length 7 0 R /Type/XRef >> stream\r\nabc\nendstream endobj",
            // An update of an encrypted file, and a file whose first object is broken.
            b"trailer <</Encrypt 9 0 R>> startxref 1 %%EOF 5 0 obj<<>>endobj trailer <</Root 1 0 R>>",
            b"1 0 obj << /A << /B [ endobj trailer << /Encrypt 9 0 R >>",
        ] {
            assert!(is_encrypted(pdf), "{}", String::from_utf8_lossy(pdf));
        }
    }

    #[test]
    fn the_same_letters_elsewhere_mean_nothing() {
        for pdf in [
            &b"1 0 obj << /Title (trailer << /Encrypt 9 0 R >>) >> endobj trailer << /Root 1 0 R >>"[..],
            b"% trailer << /Encrypt 9 0 R >>\ntrailer << /Root 1 0 R >>",
            b"1 0 obj << /Encrypt 9 0 R >> endobj trailer << /Root 1 0 R >>",
            b"trailer << /Root 1 0 R /EncryptMetadata true /NotEncrypt 1 /Names [/Encrypt] /Info << /Encrypt 1 >> >>",
            b"trailer << /Kind /Encrypt /Root 1 0 R >>",
            b"trailer << /Encrypt null /Root 1 0 R >>",
            // A page that shows a trailer, and an attached file that is encrypted.
            b"1 0 obj << /Length 7 0 R >> stream\ntrailer << /Encrypt 9 0 R >>\nendstream endobj trailer << /Root 1 0 R >>",
            b"1 0 obj << /Length 54 >> stream\n1 0 obj<<>>stream\n\nendstream trailer<</Encrypt 9 0 R>>\n\nendstream endobj trailer <<>>",
        ] {
            assert!(!is_encrypted(pdf), "{}", String::from_utf8_lossy(pdf));
        }
    }
}
