//! One person or two.
//! Each case has the answer of a careful clerk who sees only the two results.

use verification::comparison::Person::{self, Different, Same, Unknown};
use verification::comparison::{Subject, compare};

use crate::{Described, named, nobody};

pub type Case = (&'static str, Subject, Subject, Person);

#[track_caller]
fn check(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for (what, one, other, person) in cases {
        let (there, back) = (compare(&one, &other).person, compare(&other, &one).person);
        if (there, back) != (person, person) {
            wrong.push(format!(
                "{what}: {person:?} is right, {there:?} and {back:?} were given"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Cases in which the results show one person.
pub fn one_person() -> Vec<Case> {
    let same = |what, one, other| (what, one, other, Same);
    vec![
        same(
            "equal",
            named("JONAS", "PETRAITIS"),
            named("JONAS", "PETRAITIS"),
        ),
        same(
            "another case",
            named("Jonas", "Petraitis"),
            named("JONAS", "PETRAITIS"),
        ),
        same(
            "Lithuanian letters",
            named("ŠARŪNAS", "ŽUKAUSKAS"),
            named("SARUNAS", "ZUKAUSKAS"),
        ),
        same(
            "Latvian letters",
            named("JĀNIS", "BĒRZIŅŠ"),
            named("JANIS", "BERZINS"),
        ),
        same(
            "Polish letters",
            named("Łukasz", "Wójcik"),
            named("LUKASZ", "WOJCIK"),
        ),
        same(
            "Czech letters",
            named("Jiří", "Dvořák"),
            named("JIRI", "DVORAK"),
        ),
        same(
            "Romanian letters",
            named("Ștefan", "Țurcanu"),
            named("STEFAN", "TURCANU"),
        ),
        same(
            "Icelandic letters",
            named("Þórður", "Guðmundsson"),
            named("THORDUR", "GUDMUNDSSON"),
        ),
        same(
            "Danish letters",
            named("Søren", "Ågård"),
            named("SOEREN", "AAGAARD"),
        ),
        same(
            "Croatian letters",
            named("Đorđe", "Đoković"),
            named("DJORDJE", "DJOKOVIC"),
        ),
        same(
            "German umlauts taken off",
            named("Jürgen", "Müller"),
            named("JURGEN", "MULLER"),
        ),
        same(
            "German umlauts written out",
            named("Jürgen", "Müller"),
            named("JUERGEN", "MUELLER"),
        ),
        same(
            "two Latin forms of umlauts",
            named("JURGEN", "MULLER"),
            named("JUERGEN", "MUELLER"),
        ),
        same(
            "sharp s",
            named("Jörg", "Großmann"),
            named("JOERG", "GROSSMANN"),
        ),
        same(
            "Turkish dotless i",
            named("Işıl", "Yıldız"),
            named("IŞIL", "YILDIZ"),
        ),
        same(
            "Turkish dotted i",
            named("İbrahim", "Çelik"),
            named("IBRAHIM", "CELIK"),
        ),
        same(
            "decomposed accents",
            named("Rene\u{301}e", "Dupont"),
            named("RENÉE", "DUPONT"),
        ),
        same(
            "French hyphen",
            named("JEAN-PIERRE", "DUPONT"),
            named("JEAN PIERRE", "DUPONT"),
        ),
        same(
            "Irish apostrophe",
            named("SEAN", "O'BRIEN"),
            named("SEAN", "O BRIEN"),
        ),
        same(
            "written together",
            named("PEDRO", "DE LA CRUZ"),
            named("PEDRO", "DELACRUZ"),
        ),
        same(
            "particles left out",
            named("LUDWIG", "VON DER HEIDE"),
            named("LUDWIG", "HEIDE"),
        ),
        same(
            "Arabic article",
            named("OMAR", "AL-HASSAN"),
            named("OMAR", "HASSAN"),
        ),
        same(
            "Spanish surnames, one left out",
            named("LUCIA", "GARCIA LOPEZ"),
            named("LUCIA", "GARCIA"),
        ),
        same(
            "double name by marriage",
            named("ONA", "PETRAITYTE-KAZLAUSKIENE"),
            named("ONA", "PETRAITYTE"),
        ),
        same(
            "second given name left out",
            named("JONAS ANTANAS", "PETRAITIS"),
            named("JONAS", "PETRAITIS"),
        ),
        same(
            "second given name as initial",
            named("JOHN MICHAEL", "SMITH"),
            named("JOHN M", "SMITH"),
        ),
        same(
            "given name and surname swapped",
            named("PETRAITIS", "JONAS"),
            named("JONAS", "PETRAITIS"),
        ),
        same(
            "Hungarian order in the whole name",
            nobody().full("NAGY ISTVÁN").born_on("1985-03-27"),
            named("ISTVAN", "NAGY"),
        ),
        same(
            "Vietnamese middle name with either",
            named("VAN ANH", "NGUYEN"),
            named("ANH", "NGUYEN VAN"),
        ),
        same(
            "Vietnamese letters",
            named("Thị Hương", "Đặng"),
            named("THI HUONG", "DANG"),
        ),
        same(
            "Chinese given name in two words",
            named("XIAO MING", "WANG"),
            named("XIAOMING", "WANG"),
        ),
        same(
            "machine-readable line cut in the surname",
            named("ALEXANDROS", "PAPATHEODOROPOULOKONSTAN"),
            named("ALEXANDROS", "PAPATHEODOROPOULOKONSTANTINIDIS"),
        ),
        same(
            "machine-readable line cut in the last given name",
            named("ELENI ANASTA", "PAPAKONSTANTINOU"),
            named("ELENI ANASTASIA", "PAPAKONSTANTINOU"),
        ),
        same(
            "Russian letters against a Latin form of another table",
            named("SERGEI", "IVANOV").printed("Сергей", "Иванов"),
            named("SERGEY", "IVANOV"),
        ),
        same(
            "Russian letters against a Latin form of another table, swapped",
            named("SERGEI", "IVANOV")
                .printed("Сергей", "Иванов")
                .from("LT"),
            named("IVANOV", "SERGEY").from("UA"),
        ),
        same(
            "Russian letters alone against Latin ones",
            nobody().printed("Юрий", "Щербаков").born_on("1985-03-27"),
            named("IURII", "SHCHERBAKOV"),
        ),
        same(
            "Russian letters in the standardised form",
            named("ФЁДОР", "ЕВТУШЕНКО"),
            named("FEDOR", "EVTUSHENKO"),
        ),
        same(
            "Latvian form of a Russian name",
            named("JURIJ", "ZUKOV").printed("Юрий", "Жуков"),
            named("IURII", "ZHUKOV").printed("Юрий", "Жуков"),
        ),
        same(
            "Ukrainian letters",
            named("SERHII", "HRYTSENKO").printed("Сергій", "Гриценко"),
            named("SERGII", "GRYTSENKO"),
        ),
        same(
            "Bulgarian letters",
            named("DIMITAR", "HRISTOV").printed("Димитър", "Христов"),
            named("DIMITAR", "KHRISTOV"),
        ),
        same(
            "Greek letters",
            nobody()
                .printed("Γεώργιος", "Παπαδόπουλος")
                .born_on("1985-03-27"),
            named("GEORGIOS", "PAPADOPOULOS"),
        ),
        same(
            "patronymic among the given names",
            named("IVAN", "PETROV").patronymic("SERGEEVICH"),
            named("IVAN SERGEEVICH", "PETROV"),
        ),
        same(
            "patronymic on one document",
            named("IVAN", "PETROV").patronymic("SERGEEVICH"),
            named("IVAN", "PETROV"),
        ),
        same(
            "Arabic letters on both, Latin on both",
            named("MOHAMMED OMAR", "HADDAD").printed("محمد عمر", "حداد"),
            named("MOHAMMED OMAR", "HADDAD").printed("محمد عمر", "حداد"),
        ),
        same(
            "surname changed by marriage, birth name printed",
            named("ONA", "KAZLAUSKIENE").born_as("PETRAITYTE"),
            named("ONA", "PETRAITYTE"),
        ),
        same(
            "two marriages, one birth name",
            named("ONA", "KAZLAUSKIENE").born_as("PETRAITYTE"),
            named("ONA", "BUTKIENE").born_as("PETRAITYTĖ"),
        ),
        same(
            "surname changed, one personal number",
            named("ONA", "KAZLAUSKIENE").code("LT", "48503270011"),
            named("ONA", "PETRAITYTE").code("LT", "4850327-0011"),
        ),
        same(
            "no birth date, one personal number",
            named("JONAS", "PETRAITIS")
                .born_on("")
                .code("LT", "38503270010"),
            named("JONAS", "PETRAITIS").code("LT", "38503270010"),
        ),
        same(
            "two countries, two personal numbers",
            named("JONAS", "PETRAITIS").code("LT", "38503270010"),
            named("JONAS", "PETRAITIS").code("PL", "85032712345"),
        ),
        same(
            "a masked personal number",
            named("JONAS", "PETRAITIS").code("LT", "38503270010"),
            named("JONAS", "PETRAITIS").code("LT", "*******0099"),
        ),
        same(
            "mononym, repeated in both parts",
            named("SUHARTO", "SUHARTO"),
            named("", "SUHARTO"),
        ),
        same(
            "mononym with a filler",
            named("FNU", "SUHARTO"),
            named("SUHARTO", "XXX"),
        ),
        same(
            "text direction marks",
            named("\u{200F}JONAS\u{200E}", "PETRAITIS"),
            named("JONAS", "PETRAITIS"),
        ),
    ]
}

/// Cases in which they show two.
pub fn two_persons() -> Vec<Case> {
    let different = |what, one, other| (what, one, other, Different);
    vec![
        different(
            "strangers",
            named("JONAS", "PETRAITIS"),
            named("ANNA", "NOWAK").born_on("1990-11-02"),
        ),
        different(
            "strangers of one birth date",
            named("JONAS", "PETRAITIS"),
            named("ANNA", "NOWAK"),
        ),
        different(
            "strangers, no birth dates",
            named("JONAS", "PETRAITIS").born_on(""),
            named("ANNA", "NOWAK").born_on(""),
        ),
        different(
            "father and son of one name",
            named("JONAS", "PETRAITIS"),
            named("JONAS", "PETRAITIS").born_on("2010-09-14"),
        ),
        different(
            "twins",
            named("JONAS", "PETRAITIS").from("LT"),
            named("PETRAS", "PETRAITIS").from("LT"),
        ),
        different(
            "twins, countries not read",
            named("EWA", "KOWALSKA"),
            named("MAGDALENA", "KOWALSKA"),
        ),
        different(
            "mother and daughter",
            named("ONA", "PETRAITIENE"),
            named("ONA", "PETRAITYTE").born_on("2011-12-05"),
        ),
        different(
            "birth dates alone",
            nobody().born_on("1985-03-27"),
            nobody().born_on("1991-10-14"),
        ),
        different(
            "father and son by their numbers",
            named("JONAS", "PETRAITIS")
                .born_on("")
                .code("LT", "38503270010"),
            named("JONAS", "PETRAITIS")
                .born_on("")
                .code("LT", "50912140128"),
        ),
        different(
            "twins in Cyrillic letters",
            nobody().printed("Иван", "Петров").born_on("1985-03-27"),
            nobody().printed("Сергей", "Петров").born_on("1985-03-27"),
        ),
    ]
}

/// Cases in which the results do not tell, or a mistake would cost more than a question.
pub fn open_question() -> Vec<Case> {
    let unknown = |what, one, other| (what, one, other, Unknown);
    vec![
        unknown(
            "one printed word, beside given names that are merely alike",
            Subject {
                first_name: Some("GARCIA".to_owned()),
                ..named("", "").printed("FNU", "JONAS")
            },
            Subject {
                first_name: Some("MÜLLER".to_owned()),
                ..named("", "").printed("FNU", "JONAS")
            }
            .patronymic("GARCIA LOPEZ"),
        ),
        unknown(
            "two given names, and full names that are neither's",
            named("", "GARCIA LOPEZ")
                .printed("JANA", "")
                .full("PETRAS JONAS"),
            Subject {
                original_patronymic: Some("GARCIA".to_owned()),
                ..named("", "GARCIA LOPEZ")
                    .printed("SERGEY", "")
                    .full("PETRAS JONAS")
            },
        ),
        unknown(
            "common name, no birth date",
            named("JOHN", "SMITH").born_on(""),
            named("JOHN", "SMITH"),
        ),
        unknown(
            "common name, only a year",
            named("JOHN", "SMITH").born_on("1985"),
            named("JOHN", "SMITH"),
        ),
        unknown(
            "impossible birth date",
            named("JOHN", "SMITH").born_on("1985-02-30"),
            named("JOHN", "SMITH"),
        ),
        unknown(
            "birth date alone",
            nobody().born_on("1985-03-27"),
            nobody().born_on("1985-03-27"),
        ),
        unknown(
            "no given name",
            named("", "PETRAITIS"),
            named("JONAS", "PETRAITIS"),
        ),
        unknown(
            "surname and birth date alone, as twins have",
            named("", "PETRAITIS"),
            named("", "PETRAITIS"),
        ),
        unknown(
            "two surnames alone, as twins have",
            named("", "GARCIA LOPEZ").full("GARCIA LOPEZ"),
            named("", "GARCIA LOPEZ"),
        ),
        unknown("given name alone", named("ANNA", ""), named("ANNA", "")),
        unknown(
            "given names alone in the whole name",
            named("ANNA MARIA", "").full("ANNA MARIA"),
            named("ANNA MARIA", ""),
        ),
        unknown(
            "given name and patronymic alone",
            named("IVAN", "")
                .patronymic("PETROVICH")
                .full("IVAN PETROVICH"),
            named("IVAN", "")
                .patronymic("PETROVICH")
                .full("IVAN PETROVICH"),
        ),
        unknown(
            "brother and sister",
            named("JAN", "KOWALSKI"),
            named("JANA", "KOWALSKA"),
        ),
        unknown(
            "brother and sister, one surname",
            named("PAUL", "SCHMIDT"),
            named("PAULA", "SCHMIDT"),
        ),
        unknown(
            "twins alike",
            named("MARIA", "NOWAK"),
            named("MARTA", "NOWAK"),
        ),
        unknown(
            "twins of one sound",
            named("MIA", "BROWN"),
            named("MYA", "BROWN"),
        ),
        unknown(
            "twins, one letter more",
            named("ANNA", "NOWAK"),
            named("HANNA", "NOWAK"),
        ),
        unknown(
            "twins who share the first name",
            named("ANNA MARIA", "SCHMIDT"),
            named("ANNA SOFIA", "SCHMIDT"),
        ),
        unknown(
            "twins with the names in another order",
            named("ANNA MARIA", "SCHMIDT"),
            named("MARIA ANNA", "SCHMIDT"),
        ),
        unknown(
            "a first name that brothers share",
            named("MUHAMMAD", "KHAN"),
            named("MUHAMMAD ALI", "KHAN"),
        ),
        unknown(
            "a first name that brothers share, and an initial",
            named("MOHAMMED A", "KHAN"),
            named("MOHAMMED ALI", "KHAN"),
        ),
        unknown(
            "a first name that brothers share, in its own script",
            named("MUHAMMAD", "KHAN").printed("محمد", "خان"),
            named("MUHAMMAD ALI", "KHAN").printed("محمد علي", "خان"),
        ),
        unknown(
            "a first name that sisters share, in Cyrillic",
            named("MARIIA", "KOVAL").printed("Марія", "Коваль"),
            named("MARIIA ANNA", "KOVAL").printed("Марія Анна", "Коваль"),
        ),
        unknown(
            "a first name that sisters share",
            named("MARIA", "GARCIA LOPEZ"),
            named("MARIA CARMEN", "GARCIA LOPEZ"),
        ),
        unknown(
            "a half of a double given name",
            named("JEAN-LUC", "MARTIN"),
            named("JEAN", "MARTIN"),
        ),
        unknown(
            "first given name left out",
            named("KARL FRIEDRICH", "BRAUN"),
            named("FRIEDRICH", "BRAUN"),
        ),
        unknown(
            "Chinese twins, final e",
            named("XIAOYUE", "WANG"),
            named("XIAOYU", "WANG"),
        ),
        unknown(
            "Chinese twins who differ in their own script",
            named("XIAOYU", "WANG").printed("晓玉", "王"),
            named("XIAOYU", "WANG").printed("晓雨", "王"),
        ),
        unknown(
            "Chinese twins in their own script, names run together",
            named("WANG", "XIAOYU").printed("王", "晓玉"),
            named("XIAOYU", "WANG").printed("晓雨", "王"),
        ),
        unknown(
            "Arabic letters against Latin ones",
            nobody().printed("محمد", "حداد").born_on("1985-03-27"),
            named("MOHAMMED OMAR", "HADDAD"),
        ),
        unknown(
            "given name cut",
            named("ALEKSANDR", "KONSTANTINOPOLSKI-NOWAK"),
            named("ALEKSANDRA", "KONSTANTINOPOLSKI-NOWAK"),
        ),
        unknown(
            "a short surname that begins another",
            named("IVAN", "PETR"),
            named("IVAN", "PETROV"),
        ),
        unknown(
            "surnames of one sound",
            named("WEI", "WANG"),
            named("WEI", "FANG"),
        ),
        unknown(
            "surname changed, nothing else",
            named("ONA", "PETRAITYTE"),
            named("ONA", "KAZLAUSKIENE"),
        ),
        unknown(
            "Lithuanian surname of wife and daughter",
            named("ONA", "PETRAITIENE"),
            named("ONA", "PETRAITYTE"),
        ),
        unknown(
            "Lithuanian surname of husband and wife",
            named("ALEX", "PETRAITIS"),
            named("ALEX", "PETRAITIENE"),
        ),
        unknown(
            "Latvian surname of husband and wife",
            named("ALEX", "BERZINS"),
            named("ALEX", "BERZINA"),
        ),
        unknown(
            "Slavic surname of wife and husband",
            named("SASHA", "PETROV"),
            named("SASHA", "PETROVA"),
        ),
        unknown(
            "cousins",
            named("MARIA", "GARCIA LOPEZ"),
            named("MARIA", "GARCIA PEREZ"),
        ),
        unknown(
            "two patronymics",
            named("IVAN", "IVANOV").patronymic("PETROVICH"),
            named("IVAN", "IVANOV").patronymic("SERGEEVICH"),
        ),
        unknown(
            "day and month swapped",
            named("JONAS", "PETRAITIS").born_on("1985-03-07"),
            named("JONAS", "PETRAITIS").born_on("1985-07-03"),
        ),
        unknown(
            "a digit misread",
            named("JONAS", "PETRAITIS"),
            named("JONAS", "PETRAITIS").born_on("1985-03-21"),
        ),
        unknown(
            "another century",
            named("JONAS", "PETRAITIS").born_on("1925-03-27"),
            named("JONAS", "PETRAITIS").born_on("2025-03-27"),
        ),
        unknown(
            "one number, two birth dates",
            named("JONAS", "PETRAITIS").code("LT", "38503270010"),
            named("JONAS", "PETRAITIS")
                .born_on("1991-10-14")
                .code("LT", "38503270010"),
        ),
        unknown(
            "one number, two given names",
            named("JONAS", "PETRAITIS").code("LT", "38503270010"),
            named("TOMAS", "PETRAITIS").code("LT", "38503270010"),
        ),
        unknown(
            "one number and birth date, no names",
            nobody().born_on("1985-03-27").code("LT", "38503270010"),
            nobody().born_on("1985-03-27").code("LT", "38503270010"),
        ),
        unknown(
            "one number of two countries, no birth date",
            named("JONAS", "TAMM").born_on("").code("LT", "38503270010"),
            named("JONAS", "TAMM").code("EE", "38503270010"),
        ),
        unknown(
            "two numbers of one country, all else equal",
            named("JANIS", "BERZINS").code("LV", "27038512345"),
            named("JANIS", "BERZINS").code("LV", "32901867890"),
        ),
        unknown(
            "another country's form of the given name",
            named("JAN", "GRINEVIC").from("PL"),
            named("IVAN", "GRINEVIC").from("LT"),
        ),
        unknown(
            "another country's given name",
            named("STEFAN", "NAGY").from("SK"),
            named("ISTVAN", "NAGY").from("HU"),
        ),
        unknown(
            "Russian and Ukrainian forms of one name",
            named("ELENA", "KOVALENKO").printed("Елена", "Коваленко"),
            named("OLENA", "KOVALENKO").printed("Олена", "Коваленко"),
        ),
        unknown(
            "one name, two sexes",
            named("MICHAL", "LEVI").sex("MALE"),
            named("MICHAL", "LEVI").sex("FEMALE"),
        ),
        unknown(
            "mononym that may be a surname",
            named("", "SUHARTO"),
            named("", "SUHARTO"),
        ),
        unknown(
            "mononym against a whole name",
            named("FNU", "SUHARTO"),
            named("AHMAD", "SUHARTO"),
        ),
        unknown(
            "swapped and shortened",
            named("PETRAITIS", "JONAS"),
            named("JONAS ANTANAS", "PETRAITIS"),
        ),
        unknown(
            "names without letters",
            named("-", "---"),
            named("-", "---"),
        ),
    ]
}

#[test]
fn one_person_in_two_spellings_is_the_same() {
    check(one_person());
}

#[test]
fn two_persons_are_different() {
    check(two_persons());
}

#[test]
fn what_the_results_do_not_tell_is_unknown() {
    check(open_question());
}

/// An undefined sex is no information.
#[test]
fn only_two_known_sexes_can_differ() {
    let of = |sex: &str| named("ANDREA", "ROSSI").sex(sex);
    for (one, other) in [
        ("FEMALE", "F"),
        ("UNDEFINED", "MALE"),
        ("", "FEMALE"),
        ("X", "M"),
    ] {
        assert_eq!(compare(&of(one), &of(other)).person, Same, "{one} {other}");
    }
}

/// Unequal numbers of one country count if they are of one kind and no misreading explains them.
#[test]
fn only_clearly_unequal_personal_numbers_count() {
    let of = |code: &str| named("JONAS", "PETRAITIS").born_on("").code("IN", code);
    for (one, other, person) in [
        ("385032700", "501914228", Different),
        ("385032700", "385032711", Unknown),
        ("385032700", "ABCPD1234F", Unknown),
        ("38503270O", "385032700", Unknown),
    ] {
        assert_eq!(
            compare(&of(one), &of(other)).person,
            person,
            "{one} {other}"
        );
    }
}
