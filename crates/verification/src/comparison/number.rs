//! Numbers of documents and of persons, compared with tolerance for misreadings.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// How two numbers relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    /// Equal but for characters that look alike to a machine, such as `0` and `O`.
    Confusable,
    /// One character apart, or one contains the other: perhaps two readings of one number.
    Close,
    Different,
}

/// A longer text is no number.
/// Twice the provider's bound for a document's number (100).
const LONGEST: usize = 200;

/// A document's or personal number: its letters and digits, in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number(String);

impl Number {
    /// A document's number.
    /// `None`: missing, masked, or too short to tell documents apart.
    pub(super) fn of_document(text: Option<&str>) -> Option<Self> {
        Self::read(text, 4)
    }

    /// A personal number.
    /// `None`: missing, masked, or too short to tell persons apart.
    pub(super) fn of_person(text: Option<&str>) -> Option<Self> {
        Self::read(text, 6)
    }

    fn read(text: Option<&str>, shortest: usize) -> Option<Self> {
        let text = text?;
        if text.chars().nth(LONGEST).is_some() || text.contains(['*', '#', '•', '●']) {
            return None;
        }
        let number: String = DecomposingNormalizerBorrowed::new_nfkd()
            .normalize_iter(text.chars())
            .flat_map(char::to_uppercase)
            .map(latin_look_alike)
            .filter(|character| character.is_alphanumeric())
            .collect();
        let length = number.chars().count();
        let mut characters = number.chars();
        let first = characters.next();
        let is_filler = characters.all(|character| Some(character) == first);
        let is_masked = number.contains("XXX");
        ((shortest..=LONGEST).contains(&length) && !is_filler && !is_masked).then_some(Self(number))
    }

    pub(super) fn relation(&self, other: &Self) -> Relation {
        if self == other {
            return Relation::Equal;
        }
        let (one, other) = (self.as_machines_read(), other.as_machines_read());
        if one == other {
            Relation::Confusable
        } else if is_part_of(&one, &other)
            || is_part_of(&other, &one)
            || strsim::levenshtein(&one, &other) == 1
        {
            Relation::Close
        } else {
            Relation::Different
        }
    }

    /// Whether both have letters and digits in the same places, as numbers of one kind have.
    pub(super) fn has_shape_of(&self, other: &Self) -> bool {
        let shape = |number: &Self| -> Vec<bool> {
            number
                .0
                .chars()
                .map(|character| character.is_ascii_digit())
                .collect()
        };
        shape(self) == shape(other)
    }

    /// How many characters must be misread to take one for the other.
    pub(super) fn distance(&self, other: &Self) -> usize {
        strsim::levenshtein(&self.as_machines_read(), &other.as_machines_read())
    }

    fn as_machines_read(&self) -> String {
        let read = |character| match character {
            'O' | 'Q' | 'D' => '0',
            'I' | 'L' => '1',
            'Z' => '2',
            'S' => '5',
            'G' => '6',
            'B' => '8',
            other => other,
        };
        self.0.chars().map(read).collect()
    }
}

/// Some readings leave out a series of letters.
/// Four characters alone would match by chance.
fn is_part_of(part: &str, whole: &str) -> bool {
    part.chars().count() >= 5 && whole.contains(part)
}

/// Series in Cyrillic or Greek capitals are typed in Latin letters of the same form.
const fn latin_look_alike(character: char) -> char {
    match character {
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'Е' | 'Ε' => 'E',
        'І' | 'Ι' => 'I',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'Н' | 'Η' => 'H',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'С' => 'C',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        'Ζ' => 'Z',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relation(one: &str, other: &str) -> Relation {
        let number = |text| Number::of_document(Some(text)).unwrap();
        assert_eq!(
            number(one).relation(&number(other)),
            number(other).relation(&number(one))
        );
        number(one).relation(&number(other))
    }

    #[test]
    fn only_letters_and_digits_count_in_one_case() {
        assert_eq!(relation("lb 77-012/345", "LB77012345"), Relation::Equal);
        assert_eq!(relation("СН 123456", "CH123456"), Relation::Equal);
        assert_eq!(relation("ＡＢ１２３４", "AB1234"), Relation::Equal);
    }

    #[test]
    fn characters_that_machines_confuse_are_confusable() {
        for (one, other) in [
            ("LBO0123I", "L8001231"),
            ("SZ12345", "5212345"),
            ("AG1234Q", "A612340"),
        ] {
            assert_eq!(relation(one, other), Relation::Confusable, "{one} {other}");
        }
    }

    #[test]
    fn one_character_or_a_series_apart_is_close() {
        for (one, other) in [
            ("LB770123", "LB770124"),
            ("LB770123", "LB77012"),
            ("LB770123", "770123"),
        ] {
            assert_eq!(relation(one, other), Relation::Close, "{one} {other}");
        }
        assert_eq!(relation("LB770123", "LB770321"), Relation::Different);
        assert_eq!(relation("AB12", "9AB123"), Relation::Different);
    }

    #[test]
    fn masked_short_and_endless_numbers_are_missing() {
        let endless = "1".repeat(100) + &"2".repeat(101);
        for text in [
            "",
            " -- ",
            "123",
            "00000000",
            "XXXXX1234",
            "***1234",
            "••••1234",
            endless.as_str(),
            &"A-".repeat(500),
        ] {
            assert_eq!(Number::of_document(Some(text)), None, "{text}");
        }
        assert_eq!(Number::of_document(None), None);
        assert_eq!(Number::of_person(Some("12345")), None);
        assert!(Number::of_document(Some("1234")).is_some());
    }
}
