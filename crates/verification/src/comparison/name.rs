//! Whether the names of two results can belong to one person.

use super::Subject;
use super::spelling::{Hyphen, Script, Word, script, words};

/// How the names of two results relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// The whole names are one.
    Agree,
    /// The given names agree. The surnames differ, or one is missing.
    GivenAgree,
    /// Two whole names whose given names cannot be one.
    GivenDiffer { same_surname: bool },
    /// Missing, incomplete or merely alike.
    Unclear,
}

/// How two parts of names relate, from two persons' to one person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    Unlike,
    /// Alike in one form and unlike in another.
    Torn,
    /// Alike, but perhaps two: Jan and Jana, Anna Maria and Anna Sofia.
    Near,
    Equal,
}

/// The name of one result.
/// Each part has up to two forms: standardised by the provider, and as printed.
pub(super) struct Name {
    given: Vec<Vec<Word>>,
    surnames: Vec<Vec<Word>>,
    birth_names: Vec<Vec<Word>>,
    /// Whole names, each in some order.
    whole: Vec<Vec<Word>>,
    /// `whole` was put together from the parts. Otherwise it is the member `full_name`.
    is_whole_by_parts: bool,
    /// The document says that one word is the whole name.
    is_mononym: bool,
}

/// What documents print for a missing part of a name.
const NO_NAME: [&str; 3] = ["fnu", "lnu", "xxx"];

/// Given names that siblings share, each with another one behind it.
/// Alone they do not tell whose name it is.
const SHARED: [&str; 24] = [
    "abd",
    "abdel",
    "abdul",
    "jean",
    "magomed",
    "maria",
    "marie",
    "mariia",
    "marija",
    "mariya",
    "mary",
    "md",
    "mohamad",
    "mohamed",
    "mohammad",
    "mohammed",
    "mohd",
    "muhamad",
    "muhamed",
    "muhammad",
    "muhammed",
    "mukhammad",
    "thi",
    "van",
];

/// Left out of a surname by some documents.
const PARTICLES: [&str; 26] = [
    "af", "al", "av", "bin", "bint", "da", "das", "de", "del", "della", "den", "der", "di", "do",
    "dos", "du", "e", "el", "ibn", "la", "le", "van", "von", "y", "zu", "zur",
];

/// The least similarity of two spellings of one person's name.
const ALIKE: f64 = 0.6;

/// The shortest machine-readable line holds 30 characters of a name.
/// A shorter name than this was not cut.
const SHORTEST_CUT: usize = 28;

impl Name {
    pub(super) fn of(subject: &Subject) -> Self {
        let standardised =
            Parts::read(&subject.first_name, &subject.patronymic, &subject.last_name);
        let printed = Parts::read(
            &subject.original_first_name,
            &subject.original_patronymic,
            &subject.original_last_name,
        );
        let forms = [standardised, printed];
        let some = |part: fn(&Parts) -> &Vec<Word>| {
            forms
                .iter()
                .map(part)
                .filter(|words| !words.is_empty())
                .cloned()
                .collect()
        };
        let births = [&subject.birth_name, &subject.original_birth_name];
        let births = births.map(|name| words(name.as_deref(), Hyphen::Separates));
        let mut name = Self {
            given: some(|parts| &parts.given),
            surnames: some(|parts| &parts.surname),
            birth_names: births
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect(),
            whole: forms
                .iter()
                .filter(|parts| parts.is_whole())
                .map(Parts::in_order)
                .collect(),
            is_whole_by_parts: forms.iter().any(Parts::is_whole),
            is_mononym: forms.iter().any(|parts| parts.is_mononym),
        };
        if name.whole.is_empty() {
            name.whole.extend(name.whole_of_full_name(subject));
        }
        name
    }

    /// The member `full_name`, if the parts do not make a whole name.
    /// It may be put together from the same parts, so it counts only if it has more.
    /// A lone part is kept as well, to be recognised beside a mononym.
    fn whole_of_full_name(&self, subject: &Subject) -> Option<Vec<Word>> {
        let full = words(subject.full_name.as_deref(), Hyphen::Separates);
        let parts = Parts::separated([&subject.first_name, &subject.original_first_name]);
        let known: Vec<&Word> = self
            .given
            .iter()
            .chain(&self.surnames)
            .flatten()
            .chain(&parts)
            .collect();
        if full
            .iter()
            .any(|word| !known.iter().any(|part| part.is(word)))
        {
            return Some(full);
        }
        let lone = self.given.iter().chain(&self.surnames).next();
        lone.filter(|words| words.len() == 1).cloned()
    }

    pub(super) fn compare(&self, other: &Self) -> Names {
        let given = likeness(&self.given, &other.given, given_likeness);
        let surname = self.surname_likeness(other);
        let is_swapped = || self.crosses(other);
        // A full name that is not made of the parts is no proof beside given names that are not
        // equal. Neither is a single word for the whole name.
        let are_made_of_parts = self.is_whole_by_parts && other.is_whole_by_parts;
        let may_be_one = match given {
            // Two persons', unless a surname was taken for one of them.
            Some(Likeness::Unlike | Likeness::Torn) => are_made_of_parts && is_swapped(),
            Some(Likeness::Near) => are_made_of_parts && !self.is_mononym && !other.is_mononym,
            Some(Likeness::Equal) | None => true,
        };
        if (may_be_one && self.is_whole_name_of(other))
            || (given == Some(Likeness::Equal) && surname == Some(Likeness::Equal))
        {
            return Names::Agree;
        }
        match given {
            Some(Likeness::Equal) => Names::GivenAgree,
            Some(Likeness::Unlike)
                if self.is_complete() && other.is_complete() && !is_swapped() =>
            {
                Names::GivenDiffer {
                    same_surname: surname == Some(Likeness::Equal),
                }
            }
            _ => Names::Unclear,
        }
    }

    fn is_complete(&self) -> bool {
        !self.given.is_empty() && !self.surnames.is_empty()
    }

    /// Whether a given name of one is a surname of the other.
    /// The parts may have been swapped.
    fn crosses(&self, other: &Self) -> bool {
        let meet = |given: &[Vec<Word>], surnames: &[Vec<Word>]| {
            let surnames: Vec<&Word> = surnames.iter().flatten().collect();
            given
                .iter()
                .flatten()
                .any(|word| surnames.iter().any(|surname| surname.is(word)))
        };
        meet(&self.given, &other.surnames) || meet(&other.given, &self.surnames)
    }

    /// Whether both are one name, in any division and order of the parts.
    fn is_whole_name_of(&self, other: &Self) -> bool {
        let pairs = || {
            self.whole
                .iter()
                .flat_map(|one| other.whole.iter().map(move |other| (one, other)))
        };
        let is_enough = |words: &[Word]| words.len() > 1 || self.is_mononym || other.is_mononym;
        pairs().any(|(one, other)| is_enough(one) && is_rotation(one, other))
            && pairs().all(|(one, other)| !share_own_script(one, other) || is_rotation(one, other))
    }

    /// Compares the surnames, or one's surname with the other's birth name.
    /// An unequal surname may have come by marriage.
    fn surname_likeness(&self, other: &Self) -> Option<Likeness> {
        let cut = |words: &[Word], name: &Self| {
            let given = name
                .given
                .iter()
                .map(|words| letters(words))
                .max()
                .unwrap_or_default();
            letters(words) + given >= SHORTEST_CUT
        };
        let compare = |one: &[Word], two: &[Word]| {
            let (first, second) = (Word::joined(one), Word::joined(two));
            let is_cut = (first.begins(&second) && cut(one, self))
                || (second.begins(&first) && cut(two, other));
            if is_cut {
                Likeness::Equal
            } else {
                surname_likeness(one, two)
            }
        };
        let now = likeness(&self.surnames, &other.surnames, compare);
        let at_birth = [
            likeness(&self.birth_names, &other.surnames, compare),
            likeness(&self.surnames, &other.birth_names, compare),
            likeness(&self.birth_names, &other.birth_names, compare),
        ];
        if at_birth.contains(&Some(Likeness::Equal)) {
            return Some(Likeness::Equal);
        }
        now
    }
}

/// One form of a name.
struct Parts {
    given: Vec<Word>,
    surname: Vec<Word>,
    /// Given names, patronymic and surname, word by word.
    separated: Vec<Word>,
    is_mononym: bool,
}

impl Parts {
    fn read(first: &Option<String>, patronymic: &Option<String>, last: &Option<String>) -> Self {
        let named = |words: &Vec<Word>| !words.iter().any(|word| word.is_one_of(&NO_NAME));
        let (all_given, all_surname) = (
            words(first.as_deref(), Hyphen::Joins),
            words(last.as_deref(), Hyphen::Separates),
        );
        let is_without = !named(&all_given) || !named(&all_surname);
        let is_repeated = !all_given.is_empty()
            && !all_surname.is_empty()
            && Word::joined(&all_given).is(&Word::joined(&all_surname));
        let surname = if named(&all_surname) {
            all_surname
        } else {
            Vec::new()
        };
        let mut given = if named(&all_given) && !is_repeated {
            all_given
        } else {
            Vec::new()
        };
        let mut separated = if given.is_empty() {
            Vec::new()
        } else {
            Self::separated([first, &None])
        };
        // Another document may count the patronymic among the given names.
        if !given.is_empty() {
            let patronymic = words(patronymic.as_deref(), Hyphen::Joins);
            let new = patronymic
                .into_iter()
                .filter(|word| !given.iter().any(|name| name.is(word)));
            let new: Vec<Word> = new.collect();
            given.extend(new.iter().cloned());
            separated.extend(new);
        }
        separated.extend(surname.iter().cloned());
        Self {
            is_mononym: (is_without || is_repeated) && separated.len() == 1,
            given,
            surname,
            separated,
        }
    }

    fn separated(names: [&Option<String>; 2]) -> Vec<Word> {
        names
            .iter()
            .flat_map(|name| words(name.as_deref(), Hyphen::Separates))
            .collect()
    }

    fn is_whole(&self) -> bool {
        self.is_mononym || (!self.given.is_empty() && !self.surname.is_empty())
    }

    fn in_order(&self) -> Vec<Word> {
        self.separated.clone()
    }
}

/// Whether both are in one script that is not Latin.
/// Two spellings may then be two names.
fn share_own_script(one: &[Word], other: &[Word]) -> bool {
    script(one) == script(other) && script(one) != Script::Latin
}

fn letters(words: &[Word]) -> usize {
    words.iter().map(|word| word.letters() + 1).sum()
}

/// Compares every form of one with every form of the other.
/// `None`: one is missing.
///
/// The best pair counts.
/// Two forms that contradict each other are never `Equal`: two names that look the same in Latin
/// letters may differ in their own script.
fn likeness(
    one: &[Vec<Word>],
    other: &[Vec<Word>],
    compare: impl Fn(&[Word], &[Word]) -> Likeness,
) -> Option<Likeness> {
    let pairs = one
        .iter()
        .flat_map(|one| other.iter().map(move |other| (one, other)));
    let compared = pairs.map(|(one, other)| {
        let likeness = match (script(one), script(other)) {
            // No table of letters leads from one to the other. Two spellings in one script may be
            // one name.
            (Script::Other, _) | (_, Script::Other) => compare(one, other).max(Likeness::Near),
            _ => compare(one, other),
        };
        (likeness, share_own_script(one, other))
    });
    let compared: Vec<(Likeness, bool)> = compared.collect();
    let best = compared.iter().map(|(likeness, _)| *likeness).max()?;
    let is = |wrong: fn(&(Likeness, bool)) -> bool| compared.iter().any(wrong);
    Some(
        if best > Likeness::Unlike && is(|(likeness, _)| *likeness == Likeness::Unlike) {
            Likeness::Torn
        } else if is(|(likeness, is_own_script)| *is_own_script && *likeness != Likeness::Equal) {
            best.min(Likeness::Near)
        } else {
            best
        },
    )
}

/// Given names agree if they are equal, or if one document leaves out or cuts those after the
/// first.
fn given_likeness(one: &[Word], other: &[Word]) -> Likeness {
    // For other scripts there is no list of names that siblings share.
    let is_shortened = |short, long| script(short) != Script::Other && is_shortened(short, long);
    if Word::joined(one).is(&Word::joined(other))
        || is_shortened(one, other)
        || is_shortened(other, one)
    {
        Likeness::Equal
    } else if is_alike(one, other) {
        Likeness::Near
    } else {
        Likeness::Unlike
    }
}

/// Whether `short` is `long` without its last names, or with the last one cut or as an initial.
fn is_shortened(short: &[Word], long: &[Word]) -> bool {
    let begins = |words: &[Word]| {
        let is_shared = matches!(words, [word] if word.is_one_of(&SHARED));
        let words = Word::joined(words);
        let place = (1..long.len()).find(|count| {
            long.get(..*count)
                .is_some_and(|long| Word::joined(long).is(&words))
        });
        place.filter(|_| !is_shared)
    };
    if begins(short).is_some() {
        return true;
    }
    let Some((last, before)) = short.split_last() else {
        return false;
    };
    begins(before)
        .and_then(|place| long.get(place))
        .is_some_and(|next| last.begins(next))
}

/// Surnames agree if one document has all the words of the other.
/// Half of a double name and particles may be left out.
fn surname_likeness(one: &[Word], other: &[Word]) -> Likeness {
    let (first, second) = (without_particles(one), without_particles(other));
    let has_all = |all: &[&Word], some: &[&Word]| {
        some.iter()
            .all(|word| all.iter().any(|other| word.is(other)))
    };
    if Word::joined(one).is(&Word::joined(other))
        || has_all(&first, &second)
        || has_all(&second, &first)
    {
        Likeness::Equal
    } else if is_alike(one, other) {
        Likeness::Near
    } else {
        Likeness::Unlike
    }
}

/// The words that are no particles.
/// All words if there are only particles.
fn without_particles(name: &[Word]) -> Vec<&Word> {
    let rest: Vec<&Word> = name
        .iter()
        .filter(|word| !word.is_one_of(&PARTICLES))
        .collect();
    if rest.is_empty() {
        name.iter().collect()
    } else {
        rest
    }
}

/// Whether they share a word, are similar, or begin alike.
fn is_alike(one: &[Word], other: &[Word]) -> bool {
    let shares = one
        .iter()
        .any(|word| other.iter().any(|other| word.is(other)));
    let (first, second) = (Word::joined(one), Word::joined(other));
    let alike = |one: &Word, other: &Word| {
        one.similarity(other) >= ALIKE || one.begins(other) || other.begins(one)
    };
    shares
        || alike(&first, &second)
        || one
            .first()
            .zip(other.first())
            .is_some_and(|(one, other)| alike(one, other))
}

/// Whether one is the other with some words moved from its start to its end.
fn is_rotation(one: &[Word], other: &[Word]) -> bool {
    let starts = |start: usize| {
        one.iter()
            .cycle()
            .skip(start)
            .zip(other)
            .all(|(one, other)| one.is(other))
    };
    one.len() == other.len() && (0..one.len()).any(starts)
}
