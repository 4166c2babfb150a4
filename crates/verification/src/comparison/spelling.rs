//! The words of a name, in the spellings that documents use for them.
//!
//! One name is spelt differently by documents, machine-readable lines and the provider.
//! Accents may be missing, `ü` becomes `u` or `ue`, and `ß` becomes `ss`.
//! Cyrillic and Greek follow the issuing country's table.
//! Other scripts are compared with themselves only: no table of letters gives their Latin forms.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// A longer text, in characters, is no name.
/// The provider's bound for a name in its own script.
const LONGEST: usize = 255;

/// A text of more words is no name.
/// Long Arabic and Portuguese names have about a dozen.
const MOST_WORDS: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    Latin,
    Cyrillic,
    Greek,
    Other,
}

impl Script {
    /// `None` for what no script claims, such as digits.
    const fn of(letter: char) -> Option<Self> {
        match letter {
            'a'..='z' | '\u{DF}'..='\u{24F}' | 'ə' | '\u{300}'..='\u{36F}' => Some(Self::Latin),
            '0'..='9' => None,
            '\u{370}'..='\u{3FF}' => Some(Self::Greek),
            '\u{400}'..='\u{52F}' => Some(Self::Cyrillic),
            _ => Some(Self::Other),
        }
    }
}

/// Whether parts joined by a hyphen are words of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hyphen {
    /// Half of a double surname may be left out.
    Separates,
    /// Half of a double given name is another name.
    Joins,
}

/// One word of a name, lower case.
#[derive(Clone)]
pub(super) struct Word {
    /// Without accents; Cyrillic and Greek in Latin letters.
    plain: String,
    /// The same with letters for the accent: `ue` for `ü`.
    expanded: String,
    script: Script,
}

impl Word {
    fn read(letters: &[char]) -> Self {
        let scripts = letters.iter().filter_map(|letter| Script::of(*letter));
        let script = scripts.max().unwrap_or(Script::Latin);
        let (plain, expanded) = spellings(letters);
        Self {
            plain,
            expanded,
            script,
        }
    }

    /// The words written as one.
    pub(super) fn joined(words: &[Self]) -> Self {
        Self {
            plain: words.iter().map(|word| word.plain.as_str()).collect(),
            expanded: words.iter().map(|word| word.expanded.as_str()).collect(),
            script: script(words),
        }
    }

    /// Whether both may be spellings of one word.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.plain == other.plain
            || self.plain == other.expanded
            || self.expanded == other.plain
            || self.is_but_for_umlauts(other)
            || (self.is_transliteration_beside(other) && sound(&self.plain) == sound(&other.plain))
    }

    fn is_but_for_umlauts(&self, other: &Self) -> bool {
        let first = |word: &Self| word.plain.chars().next();
        first(self) == first(other) && without_umlauts(&self.plain) == without_umlauts(&other.plain)
    }

    /// One is in Latin letters, the other in an alphabet with a Latin form.
    /// Tables differ, so only the sound is compared.
    /// Two Latin spellings are not compared so: Mia and Mya may be sisters.
    fn is_transliteration_beside(&self, other: &Self) -> bool {
        let (lower, upper) = (self.script.min(other.script), self.script.max(other.script));
        lower == Script::Latin && matches!(upper, Script::Cyrillic | Script::Greek)
    }

    /// Whether the other word goes on where this one ends.
    pub(super) fn begins(&self, other: &Self) -> bool {
        self.plain.len() < other.plain.len() && other.plain.starts_with(&self.plain)
    }

    /// The shared part of the sound, from 0 to 1.
    pub(super) fn similarity(&self, other: &Self) -> f64 {
        strsim::normalized_levenshtein(&sound(&self.plain), &sound(&other.plain))
    }

    pub(super) fn is_one_of(&self, plain: &[&str]) -> bool {
        plain.contains(&self.plain.as_str())
    }

    pub(super) fn letters(&self) -> usize {
        self.plain.chars().count()
    }
}

/// The script of a name.
/// With two scripts, the one that is not Latin.
pub(super) fn script(words: &[Word]) -> Script {
    words
        .iter()
        .map(|word| word.script)
        .max()
        .unwrap_or(Script::Latin)
}

/// Reads the words of a name.
/// Empty if it is missing, has no letters or is too long.
pub(super) fn words(text: Option<&str>, hyphen: Hyphen) -> Vec<Word> {
    let text = text.unwrap_or_default();
    // First of all: the text may be of any length.
    if text.chars().nth(LONGEST).is_some() {
        return Vec::new();
    }
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    let letters: Vec<char> = letters
        .flat_map(char::to_lowercase)
        .filter(|letter| !is_silent(*letter, hyphen))
        .collect();
    // One character may stand for many letters.
    if letters.len() > 2 * LONGEST {
        return Vec::new();
    }
    let words = letters
        .split(|letter| !is_letter(*letter))
        .filter(|word| word.iter().any(|letter| !is_accent(*letter)));
    let words: Vec<Word> = words.map(Word::read).collect();
    if words.len() > MOST_WORDS {
        Vec::new()
    } else {
        words
    }
}

const fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36F}')
}

fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric() || is_accent(letter)
}

/// Characters inside a word that do not part it: apostrophes, marks of direction, and the hyphen of
/// a double given name.
const fn is_silent(letter: char, hyphen: Hyphen) -> bool {
    match letter {
        '\'' | '’' | '‘' | 'ʼ' | 'ʻ' | '`' | '´' | 'ʹ' | '"' => true,
        '\u{AD}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{2069}'
        | '\u{FEFF}' => true,
        '-' | '‐' | '‑' => matches!(hyphen, Hyphen::Joins),
        _ => false,
    }
}

/// The plain and the expanded spelling.
fn spellings(letters: &[char]) -> (String, String) {
    let (mut plain, mut expanded) = (String::new(), String::new());
    let mut before = None;
    for (place, &letter) in letters.iter().enumerate() {
        match (letter, before) {
            ('\u{308}', Some('a' | 'o' | 'u')) => expanded.push('e'),
            ('\u{30A}', Some('a')) => expanded.push('a'),
            _ if is_accent(letter) => {}
            _ => {
                let after = letters.get(place + 1).copied();
                match latin(letter, before, after) {
                    Some((short, long)) => {
                        plain.push_str(short);
                        expanded.push_str(long);
                    }
                    None => {
                        plain.push(letter);
                        expanded.push(letter);
                    }
                }
                before = Some(letter);
            }
        }
    }
    (plain, expanded)
}

/// The Latin form of a letter without its accents, plain and expanded.
/// `None`: it has no other form.
fn latin(
    letter: char,
    before: Option<char>,
    after: Option<char>,
) -> Option<(&'static str, &'static str)> {
    let form = match letter {
        'æ' => "ae",
        'ð' => "d",
        'ħ' => "h",
        'ı' => "i",
        'ł' => "l",
        'ŋ' => "n",
        'œ' => "oe",
        'ß' => "ss",
        'þ' => "th",
        'đ' | 'ђ' => return Some(("d", "dj")),
        'ø' => return Some(("o", "oe")),
        'ə' => return Some(("e", "a")),
        _ => cyrillic(letter, after).or_else(|| greek(letter, before, after))?,
    };
    Some((form, form))
}

/// Russian, Ukrainian, Belarusian, Bulgarian, Serbian, Macedonian and Kazakh letters.
/// `й`, `ё`, `ї` and `ў` are accented ones.
fn cyrillic(letter: char, after: Option<char>) -> Option<&'static str> {
    Some(match letter {
        'а' | 'ә' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ґ' | 'ғ' => "g",
        'д' => "d",
        'е' | 'э' => "e",
        'є' => "ie",
        'ж' => "zh",
        'з' => "z",
        'и' | 'і' | 'ы' => "i",
        'ј' => "j",
        'к' | 'қ' => "k",
        'л' => "l",
        'љ' => "lj",
        'м' => "m",
        'н' | 'ң' => "n",
        'њ' => "nj",
        'о' | 'ө' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ұ' | 'ү' => "u",
        'ф' => "f",
        'х' => "kh",
        'һ' => "h",
        'ц' => "ts",
        'ч' => "ch",
        'ћ' => "c",
        'џ' | 'ѕ' => "dz",
        'ш' => "sh",
        'щ' => "shch",
        'ю' => "iu",
        'я' => "ia",
        'ь' => "",
        // Silent before a vowel in Russian. A vowel before a consonant in Bulgarian.
        'ъ' if matches!(after, Some('е' | 'ю' | 'я' | 'и' | 'о')) => "",
        'ъ' => "a",
        _ => return None,
    })
}

/// Greek letters by ELOT 743, the table of passports.
fn greek(letter: char, before: Option<char>, after: Option<char>) -> Option<&'static str> {
    Some(match letter {
        'α' => "a",
        'β' => "v",
        'γ' if matches!(after, Some('γ' | 'ξ' | 'χ')) => "n",
        'γ' => "g",
        'δ' => "d",
        'ε' => "e",
        'ζ' => "z",
        'η' | 'ι' => "i",
        'θ' => "th",
        'κ' => "k",
        'λ' => "l",
        'μ' => "m",
        'ν' => "n",
        'ξ' => "x",
        'ο' | 'ω' => "o",
        'π' => "p",
        'ρ' => "r",
        'σ' | 'ς' => "s",
        'τ' => "t",
        'υ' if before == Some('ο') => "u",
        'υ' if matches!(before, Some('α' | 'ε' | 'η')) => "v",
        'υ' => "y",
        'φ' => "f",
        'χ' => "ch",
        'ψ' => "ps",
        _ => return None,
    })
}

/// What one sound is written as by different tables, longest first.
const WRITTEN: [(&str, &str); 16] = [
    ("shch", "sc"),
    ("ch", "h"),
    ("cz", "h"),
    ("gh", "h"),
    ("ie", "e"),
    ("kh", "h"),
    ("ks", "x"),
    ("ou", "u"),
    ("ph", "v"),
    ("sh", "s"),
    ("sz", "s"),
    ("tc", "c"),
    ("th", "t"),
    ("ts", "c"),
    ("tz", "c"),
    ("zh", "z"),
];

/// What the Latin forms of one Cyrillic or Greek name share in any table: `Sergey`, `Sergei`,
/// `Serhii`.
fn sound(plain: &str) -> String {
    let plain: String = plain
        .chars()
        .map(|letter| {
            if matches!(letter, 'j' | 'y') {
                'i'
            } else {
                letter
            }
        })
        .collect();
    let (mut sound, mut rest) = (String::new(), plain.as_str());
    while let Some(first) = rest.chars().next() {
        let written = WRITTEN
            .iter()
            .find_map(|(letters, sound)| Some((rest.strip_prefix(letters)?, *sound)));
        let mut single = [0; 4];
        let (after, heard) = written.unwrap_or_else(|| {
            let heard = match first {
                'f' | 'w' => 'v',
                'g' => 'h',
                'q' => 'k',
                other => other,
            };
            (
                rest.strip_prefix(first).unwrap_or_default(),
                &*heard.encode_utf8(&mut single),
            )
        });
        // A doubled letter sounds like one.
        if !sound.ends_with(heard) {
            sound.push_str(heard);
        }
        rest = after;
    }
    sound
}

/// The word with `ae`, `oe` and `ue` as `a`, `o` and `u`, where they may stand for an umlaut.
///
/// Some forms of `Müller` have `u`, some have `ue`.
/// Only before a consonant that is not the last letter: Samuel, Michael, Chloe and Xiaoyue keep
/// theirs.
/// Not after `q`, `x` and `y`, where it is Chinese.
fn without_umlauts(plain: &str) -> String {
    let letters: Vec<char> = plain.chars().collect();
    let at = |place: usize| letters.get(place).copied().unwrap_or(' ');
    let is_consonant = |letter: char| {
        letter.is_ascii_lowercase() && !matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
    };
    let is_second_half = |place: usize| {
        let before = place.checked_sub(2).map_or(' ', at);
        at(place) == 'e'
            && place
                .checked_sub(1)
                .is_some_and(|place| matches!(at(place), 'a' | 'o' | 'u'))
            && !matches!(before, 'q' | 'x' | 'y')
            && is_consonant(at(place + 1))
            && at(place + 2).is_ascii_lowercase()
    };
    let kept = letters
        .iter()
        .enumerate()
        .filter(|(place, _)| !is_second_half(*place));
    kept.map(|(_, letter)| *letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word::joined(&words(Some(text), Hyphen::Joins))
    }

    fn is(one: &str, other: &str) -> bool {
        assert_eq!(
            word(one).is(&word(other)),
            word(other).is(&word(one)),
            "{one} {other}"
        );
        word(one).is(&word(other))
    }

    #[test]
    fn accents_and_case_make_no_difference() {
        for (one, other) in [
            ("Petraitė", "PETRAITE"),
            ("Łukasz", "LUKASZ"),
            ("IŞIK", "ışık"),
            ("İbrahim", "IBRAHIM"),
            ("Nguyễn", "NGUYEN"),
            ("Þór", "THOR"),
            ("Ângela", "A\u{302}NGELA"),
            ("O’Brien", "OBRIEN"),
            ("Jean-Pierre", "JEAN PIERRE"),
            ("Ｏｎａ", "ONA"),
        ] {
            assert!(is(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_umlaut_is_one_letter_or_two() {
        for (one, other) in [
            ("Müller", "MULLER"),
            ("Müller", "MUELLER"),
            ("MULLER", "MUELLER"),
            ("Jörg", "JOERG"),
            ("JORG", "JOERG"),
            ("Bär", "BAER"),
            ("Strauß", "STRAUSS"),
            ("Ødegård", "OEDEGAARD"),
            ("Đorđe", "DJORDJE"),
        ] {
            assert!(is(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_e_that_is_no_umlaut_stays() {
        for (one, other) in [
            ("Samuel", "Samul"),
            ("Michael", "Michal"),
            ("Chloe", "Chlo"),
            ("Xiaoyue", "Xiaoyu"),
            ("Xueying", "Xuying"),
            ("Yue", "Yu"),
            ("Saeed", "Saed"),
            ("Zoe", "Zo"),
        ] {
            assert!(!is(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_transliteration_follows_any_table() {
        for (original, spellings) in [
            ("Сергей", &["SERGEI", "SERGEY", "SERGEJ"][..]),
            ("Юрий", &["YURIY", "IURII", "JURIJ", "YURY", "YURI"]),
            ("Щербаков", &["SHCHERBAKOV", "SHCHERBAKOW"]),
            ("Фёдор", &["FEDOR"]),
            ("Михаил", &["MIKHAIL", "MIHAIL", "MICHAIL"]),
            ("Евгений", &["EVGENII", "YEVGENIY", "EVGENIJ"]),
            ("Сергій", &["SERHII", "SERGII"]),
            ("Ганна", &["HANNA", "GANNA"]),
            ("Димитър", &["DIMITAR"]),
            ("Объедков", &["OBEDKOV"]),
            ("Χρήστος", &["CHRISTOS", "KHRISTOS"]),
            ("Παπαδόπουλος", &["PAPADOPOULOS"]),
            ("Ευάγγελος", &["EVANGELOS"]),
        ] {
            for spelling in spellings {
                assert!(is(original, spelling), "{original} {spelling}");
            }
        }
    }

    #[test]
    fn two_latin_names_of_one_sound_are_two() {
        for (one, other) in [
            ("Mia", "Mya"),
            ("Wang", "Fang"),
            ("Han", "Gan"),
            ("Brian", "Bryan"),
            ("Ana", "Anna"),
        ] {
            assert!(!is(one, other), "{one} {other}");
        }
    }

    #[test]
    fn other_scripts_are_compared_with_themselves() {
        assert!(is("王晓玉", "王晓玉"));
        assert!(!is("王晓玉", "王晓雨"));
        assert!(!is("محمد", "MUHAMMAD"));
    }

    #[test]
    fn only_a_surname_is_parted_by_its_hyphen() {
        assert_eq!(
            words(Some("Müller-Lüdenscheidt"), Hyphen::Separates).len(),
            2
        );
        assert_eq!(words(Some("Jean-Pierre"), Hyphen::Joins).len(), 1);
        assert_eq!(words(Some(" Anna<<Maria, "), Hyphen::Joins).len(), 2);
    }

    #[test]
    fn a_text_without_letters_or_end_has_no_words() {
        for text in [
            "",
            " - ",
            "'",
            "\u{301}",
            "\u{200B}",
            &"a".repeat(256),
            &"a ".repeat(33),
            &"a ".repeat(5_000),
            &"ﷺ".repeat(255),
        ] {
            assert!(words(Some(text), Hyphen::Joins).is_empty(), "{text}");
        }
        assert!(words(None, Hyphen::Joins).is_empty());
        assert_eq!(words(Some(&"a".repeat(255)), Hyphen::Joins).len(), 1);
    }
}
