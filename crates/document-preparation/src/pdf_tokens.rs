//! A PDF's tokens, from a stream of bytes in constant memory.
//!
//! Skips comments, strings and the content of streams, so that text is not taken for structure.
//! In a broken file, an item without an end is given up at a bound.
//! (Source: ISO 32000-1, 7.2, 7.3 and 7.3.8.)

/// What the structure is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    DictionaryOpens,
    DictionaryCloses,
    ArrayOpens,
    ArrayCloses,
    /// Without its solidus, escapes resolved. Cut at [`LONGEST_WORD`].
    Name(&'a [u8]),
    /// A keyword or a number. Cut at [`LONGEST_WORD`].
    Word(&'a [u8]),
    /// A string, of either kind.
    Text,
}

/// What the reader of a token wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Continue,
    /// A stream's content follows, of this length if that is known.
    SkipStream(Option<u64>),
}

/// All that matter are shorter.
const LONGEST_WORD: usize = 32;

/// A longer string counts as garbage with a bracket in it.
/// Readers need not support more than 32,767 bytes (ISO 32000-1, annex C).
const LONGEST_TEXT: usize = 64 * 1024;

const END_OF_STREAM: &[u8] = b"endstream";

#[derive(Debug)]
pub(crate) struct Tokens {
    place: Place,
    word: Vec<u8>,
}

#[derive(Debug)]
enum Place {
    Between,
    Comment,
    Name,
    Word,
    /// Between round brackets: open brackets, whether the next byte is escaped, bytes read.
    Text {
        open: usize,
        is_escaped: bool,
        length: usize,
    },
    /// After one `<`.
    LessThan,
    /// After one `>`.
    GreaterThan,
    Hexadecimal,
    /// In a stream of which so much is left.
    Content(u64),
    /// Looking for a stream's end, after this many bytes of it.
    EndOfStream(usize),
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            place: Place::Between,
            word: Vec::with_capacity(LONGEST_WORD),
        }
    }
}

impl Tokens {
    /// Reads on, and hands each token over when it is complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], mut reader: impl FnMut(Token<'_>) -> Then) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if let Place::Content(left) = self.place {
                let skipped = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left.saturating_sub(skipped as u64);
                self.place = if left == 0 {
                    Place::EndOfStream(0)
                } else {
                    Place::Content(left)
                };
                bytes = bytes.get(skipped..).unwrap_or_default();
                continue;
            }
            self.byte(byte, &mut reader);
            bytes = rest;
        }
    }

    fn byte(&mut self, byte: u8, reader: &mut impl FnMut(Token<'_>) -> Then) {
        match &mut self.place {
            Place::Between => self.begin(byte, reader),
            Place::Comment => {
                if matches!(byte, b'\r' | b'\n') {
                    self.place = Place::Between;
                }
            }
            Place::Name | Place::Word if is_regular(byte) => {
                if self.word.len() < LONGEST_WORD {
                    self.word.push(byte);
                }
            }
            Place::Name => {
                reader(Token::Name(&unescaped(&self.word)));
                self.begin(byte, reader);
            }
            Place::Word => match reader(Token::Word(&self.word)) {
                Then::Continue => self.begin(byte, reader),
                Then::SkipStream(Some(length)) if length > 0 => self.place = Place::Content(length),
                Then::SkipStream(_) => self.place = Place::EndOfStream(0),
            },
            Place::Text {
                open,
                is_escaped,
                length,
            } => {
                *length = length.saturating_add(1);
                match byte {
                    _ if *is_escaped => *is_escaped = false,
                    b'\\' => *is_escaped = true,
                    b'(' => *open = open.saturating_add(1),
                    b')' => *open = open.saturating_sub(1),
                    _ => {}
                }
                if *open == 0 || *length > LONGEST_TEXT {
                    self.place = Place::Between;
                    reader(Token::Text);
                }
            }
            Place::LessThan if byte == b'<' => {
                self.place = Place::Between;
                reader(Token::DictionaryOpens);
            }
            Place::LessThan | Place::Hexadecimal => {
                // Any other byte ends a hexadecimal string, so a stray bracket swallows nothing.
                if byte.is_ascii_hexdigit() || is_white(byte) {
                    self.place = Place::Hexadecimal;
                } else {
                    self.place = Place::Between;
                    reader(Token::Text);
                    if byte != b'>' {
                        self.begin(byte, reader);
                    }
                }
            }
            Place::GreaterThan => {
                self.place = Place::Between;
                if byte == b'>' {
                    reader(Token::DictionaryCloses);
                } else {
                    self.begin(byte, reader);
                }
            }
            Place::EndOfStream(seen) => {
                *seen = match END_OF_STREAM.get(*seen) {
                    Some(expected) if *expected == byte => seen.saturating_add(1),
                    // `endstre` ends as the word begins. No other part of it does.
                    Some(b'a') if byte == b'n' => 2,
                    _ => usize::from(byte == b'e'),
                };
                if *seen == END_OF_STREAM.len() {
                    self.place = Place::Between;
                }
            }
            Place::Content(_) => {}
        }
    }

    fn begin(&mut self, byte: u8, reader: &mut impl FnMut(Token<'_>) -> Then) {
        self.word.clear();
        self.place = match byte {
            b'%' => Place::Comment,
            b'/' => Place::Name,
            b'(' => Place::Text {
                open: 1,
                is_escaped: false,
                length: 0,
            },
            b'<' => Place::LessThan,
            b'>' => Place::GreaterThan,
            b'[' => {
                reader(Token::ArrayOpens);
                Place::Between
            }
            b']' => {
                reader(Token::ArrayCloses);
                Place::Between
            }
            byte if is_regular(byte) => {
                self.word.push(byte);
                Place::Word
            }
            _ => Place::Between,
        };
    }
}

fn is_white(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_white(byte)
        && !matches!(
            byte,
            b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
        )
}

/// A name may have any byte written as `#` and two hexadecimal digits.
fn unescaped(name: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut plain = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'#', [high, low, after @ ..]) => digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| (high * 16 + low, after)),
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((byte, after));
        plain.push(byte);
        rest = after;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(chunks: &[&[u8]]) -> String {
        let mut told = String::new();
        let mut tokens = Tokens::default();
        for chunk in chunks {
            tokens.push(chunk, |token| {
                let text = match token {
                    Token::DictionaryOpens => "<<".to_owned(),
                    Token::DictionaryCloses => ">>".to_owned(),
                    Token::ArrayOpens => "[".to_owned(),
                    Token::ArrayCloses => "]".to_owned(),
                    Token::Name(name) => format!("/{}", String::from_utf8_lossy(name)),
                    Token::Word(word) => String::from_utf8_lossy(word).into_owned(),
                    Token::Text => "()".to_owned(),
                };
                told.push_str(&text);
                told.push(' ');
                match token {
                    Token::Word(b"stream") => Then::SkipStream(None),
                    _ => Then::Continue,
                }
            });
        }
        told
    }

    const PDF: &[u8] =
        b"%PDF-1.7 << /No >>\n1 0 obj<</A(x(y\\)/B)z)/C#41<4a 4B>/D[/E 5 0 R null]/F<</G true>>>>\nstream\n<< /H >> endstrea endstream\nendobj ";

    #[test]
    fn comments_strings_and_streams_are_skipped() {
        let expected =
            "1 0 obj << /A () /CA () /D [ /E 5 0 R null ] /F << /G true >> >> stream endobj ";
        assert_eq!(told(&[PDF]), expected);
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut() {
        for cut in 0..PDF.len() {
            let (start, end) = PDF.split_at(cut);
            assert_eq!(told(&[start, end]), told(&[PDF]), "{cut}");
        }
    }

    #[test]
    fn a_stream_may_end_like_a_part_of_its_end() {
        for content in [
            "e",
            "ends",
            "endstr",
            "endstre",
            "endstreendstr",
            "endstrea",
        ] {
            let pdf = format!("stream\n{content}endstream /A ");
            assert_eq!(told(&[pdf.as_bytes()]), "stream /A ", "{content}");
        }
    }

    #[test]
    fn stray_brackets_do_not_swallow_the_rest() {
        assert_eq!(told(&[b"<xyz /A > /B "]), "() xyz /A /B ");
        let endless = [b"(".as_slice(), &[b'x'; LONGEST_TEXT + 1], b" /A "].concat();
        assert!(told(&[&endless]).ends_with("/A "));
    }
}
