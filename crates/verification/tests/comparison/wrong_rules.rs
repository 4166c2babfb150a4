//! The cases notice typical wrong rules: each rule here must fail one of them.

use verification::comparison::{Person, Subject, compare};

use crate::persons::{Case, one_person, open_question, two_persons};

fn all() -> Vec<Case> {
    let mut cases = one_person();
    cases.extend(two_persons());
    cases.extend(open_question());
    cases
}

/// The cases in which another person, or an unknown one, counts as the same.
fn wrongly_same(rule: impl Fn(&Subject, &Subject) -> Person) -> usize {
    let is_wrong =
        |(_, one, other, right): &Case| *right != Person::Same && rule(one, other) == Person::Same;
    all().iter().filter(|case| is_wrong(case)).count()
}

fn same_if(is_same: bool) -> Person {
    if is_same {
        Person::Same
    } else {
        Person::Unknown
    }
}

#[test]
fn nobody_is_wrongly_taken_for_the_person() {
    assert!(all().len() >= 60);
    assert_eq!(wrongly_same(|one, other| compare(one, other).person), 0);
}

#[test]
fn ignoring_given_names_would_be_noticed() {
    let without = |subject: &Subject| Subject {
        first_name: Some("SOMEBODY".to_owned()),
        original_first_name: None,
        patronymic: None,
        full_name: None,
        ..subject.clone()
    };
    assert!(wrongly_same(|one, other| compare(&without(one), &without(other)).person) > 0);
}

#[test]
fn ignoring_birth_dates_would_be_noticed() {
    let without = |subject: &Subject| Subject {
        date_of_birth: Some("1985-03-27".to_owned()),
        ..subject.clone()
    };
    assert!(wrongly_same(|one, other| compare(&without(one), &without(other)).person) > 0);
}

#[test]
fn ignoring_the_names_own_script_would_be_noticed() {
    let without = |subject: &Subject| Subject {
        original_first_name: None,
        original_last_name: None,
        ..subject.clone()
    };
    assert!(wrongly_same(|one, other| compare(&without(one), &without(other)).person) > 0);
}

#[test]
fn ignoring_sex_would_be_noticed() {
    let without = |subject: &Subject| Subject {
        sex: None,
        ..subject.clone()
    };
    assert!(wrongly_same(|one, other| compare(&without(one), &without(other)).person) > 0);
}

#[test]
fn taking_one_word_for_the_name_would_be_noticed() {
    let words = |subject: &Subject| -> Vec<String> {
        let names = [&subject.first_name, &subject.last_name];
        names
            .into_iter()
            .flatten()
            .flat_map(|name| name.split(' '))
            .map(str::to_owned)
            .collect()
    };
    let rule = |one: &Subject, other: &Subject| {
        let meets = words(one).iter().any(|word| words(other).contains(word));
        same_if(meets && one.date_of_birth == other.date_of_birth)
    };
    assert!(wrongly_same(rule) > 0);
}

#[test]
fn taking_similar_for_equal_would_be_noticed() {
    let name = |subject: &Subject| format!("{:?} {:?}", subject.first_name, subject.last_name);
    let rule = |one: &Subject, other: &Subject| {
        let is_similar = strsim::jaro_winkler(&name(one), &name(other)) > 0.9;
        same_if(is_similar && one.date_of_birth == other.date_of_birth)
    };
    assert!(wrongly_same(rule) > 0);
}
