//! Invented people and their documents, for the `data` object of callbacks.
//!
//! A client is always the same person with the same two documents: one for the session, one for
//! direct processing. Their names show that they are made up (example, specimen, nobody).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::signature::hex_sha256;

/// Whose document direct processing is given, and which.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) enum SecondDocument {
    /// Another document of the same person.
    #[default]
    OtherDocument,
    /// A document of another person from the same country.
    OtherPerson,
    /// The document that the customer showed already.
    SameDocument,
}

/// What a verification looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    pub client_id: &'a str,
    /// None: the first document, which the customer shows.
    pub second: Option<SecondDocument>,
    /// Issuing country as the request names it; otherwise the person's own.
    pub country: Option<&'a str>,
    /// Type as the request names it; otherwise the document's own.
    pub document_type: Option<&'a str>,
}

struct Country {
    code: &'static str,
    /// As the country's own documents print it.
    nationality: &'static str,
    address: &'static str,
    names: [Name; 2],
}

struct Name {
    sex: &'static str,
    /// First and last name in Latin capitals.
    latin: [&'static str; 2],
    /// The same as the country's own documents print it.
    printed: [&'static str; 2],
}

const fn female(latin: [&'static str; 2], printed: [&'static str; 2]) -> Name {
    Name {
        sex: "FEMALE",
        latin,
        printed,
    }
}

const fn male(latin: [&'static str; 2], printed: [&'static str; 2]) -> Name {
    Name {
        sex: "MALE",
        latin,
        printed,
    }
}

/// Accents, a hyphen, several given names, letters without a plain equivalent, two other scripts.
static COUNTRIES: [Country; 6] = [
    Country {
        code: "LT",
        nationality: "Lietuvos Respublikos (pavyzdys)",
        address: "Pavyzdžio g. 0, Niekur",
        names: [
            female(["ŽYDRĖ", "PAVYZDĖ"], ["Žydrė", "Pavyzdė"]),
            male(["JURGIS", "IŠGALVOTAS"], ["Jurgis", "Išgalvotas"]),
        ],
    },
    Country {
        code: "PL",
        nationality: "polskie (przykład)",
        address: "ul. Zmyślona 0, Nigdzie",
        names: [
            female(
                ["MAŁGORZATA ŁUCJA", "PRZYKŁADOWSKA"],
                ["Małgorzata Łucja", "Przykładowska"],
            ),
            male(
                ["WŁODZIMIERZ", "NIKT-ZMYŚLONY"],
                ["Włodzimierz", "Nikt-Zmyślony"],
            ),
        ],
    },
    Country {
        code: "DE",
        nationality: "deutsch (Muster)",
        address: "Musterstraße 0, Nirgendwo",
        names: [
            female(["ZOË", "MUSTERMANN"], ["Zoë", "Mustermann"]),
            male(["JÖRG", "NIEMAND"], ["Jörg", "Niemand"]),
        ],
    },
    Country {
        code: "FR",
        nationality: "française (spécimen)",
        address: "0, rue de l’Exemple, Nulle-Part",
        names: [
            female(["ANNE-GAËLLE", "SPÉCIMEN"], ["Anne-Gaëlle", "Spécimen"]),
            male(["FRANÇOIS", "D’EXEMPLE"], ["François", "d’Exemple"]),
        ],
    },
    Country {
        code: "GR",
        nationality: "ΕΛΛΗΝΙΚΗ (ΥΠΟΔΕΙΓΜΑ)",
        address: "Οδός Παραδείγματος 0, Πουθενά",
        names: [
            female(["FOTEINI", "YPODEIGMA"], ["ΦΩΤΕΙΝΗ", "ΥΠΟΔΕΙΓΜΑ"]),
            male(["GEORGIOS", "PARADEIGMATOS"], ["ΓΕΩΡΓΙΟΣ", "ΠΑΡΑΔΕΙΓΜΑΤΟΣ"]),
        ],
    },
    Country {
        code: "UA",
        nationality: "Україна (зразок)",
        address: "вул. Вигадана 0, Ніде",
        names: [
            female(["YULIIA", "ZRAZKOVA"], ["Юлія", "Зразкова"]),
            male(["HRYHORII", "VYHADANYI"], ["Григорій", "Вигаданий"]),
        ],
    },
];

/// What does not change from document to document.
struct Person {
    country: &'static Country,
    name: &'static Name,
    year: u64,
    month: u64,
    day: u64,
    /// Below [`SERIALS`]; in personal codes and document numbers.
    serial: u64,
}

const SERIALS: u64 = 50_000;

impl Person {
    /// The person of a client or, with `other`, certainly another one.
    fn of(client_id: &str, other: bool) -> Self {
        let mut seed = hex_sha256(client_id.as_bytes())
            .bytes()
            .take(12)
            .fold(0_u64, |seed, digit| seed * 31 + u64::from(digit));
        // Half a turn leads to another name, year and serial of the same country.
        let mut draw = |bound: u64, turns: bool| {
            let drawn = seed % bound;
            seed /= bound;
            if turns {
                (drawn + bound / 2) % bound
            } else {
                drawn
            }
        };
        let country = COUNTRIES
            .get(draw(6, false) as usize)
            .unwrap_or(&COUNTRIES[0]);
        let name = country
            .names
            .get(draw(2, other) as usize)
            .unwrap_or(&country.names[0]);
        Self {
            country,
            name,
            year: 1950 + draw(50, other),
            month: 1 + draw(12, false),
            day: 1 + draw(28, false),
            serial: draw(SERIALS, other),
        }
    }

    /// The personal code in the country's shape; its last digit checks nothing. `None` where the
    /// country prints none.
    fn personal_code(&self) -> Option<String> {
        let Self {
            year,
            month,
            day,
            serial,
            ..
        } = self;
        let short_year = year % 100;
        let is_male = self.name.sex == "MALE";
        match self.country.code {
            "LT" => Some(format!(
                "{}{short_year:02}{month:02}{day:02}{:04}",
                if is_male { 3 } else { 4 },
                serial % 10_000
            )),
            "PL" => Some(format!("{short_year:02}{month:02}{day:02}{serial:05}")),
            "UA" => Some(format!("{year}{month:02}{day:02}-{serial:05}")),
            _ => None,
        }
    }
}

/// What is printed on one document alone.
struct Document {
    number: String,
    kind: &'static str,
    issued: &'static str,
    expires: &'static str,
}

impl Document {
    fn first(person: &Person) -> Self {
        Self {
            number: format!("SPEC{:06}", person.serial * 2),
            kind: "ID_CARD",
            issued: "2024-06-01",
            expires: "2034-05-31",
        }
    }

    fn second(person: &Person) -> Self {
        Self {
            number: format!("SPEC{:06}", person.serial * 2 + 1),
            kind: if person.serial.is_multiple_of(2) {
                "PASSPORT"
            } else {
                "DRIVER_LICENSE"
            },
            issued: "2022-02-15",
            expires: "2032-02-14",
        }
    }
}

/// The `data` object with every member of the schema.
pub(crate) fn data(shown: Shown<'_>) -> Value {
    let person = Person::of(
        shown.client_id,
        shown.second == Some(SecondDocument::OtherPerson),
    );
    let document = match shown.second {
        None | Some(SecondDocument::SameDocument) => Document::first(&person),
        Some(SecondDocument::OtherDocument | SecondDocument::OtherPerson) => {
            Document::second(&person)
        }
    };
    let [first_name, last_name] = person.name.latin;
    let issuing_country = shown.country.unwrap_or(person.country.code);
    // Another country: names in Latin letters, and neither code nor address.
    let at_home = issuing_country == person.country.code;
    let printed = if at_home {
        person.name.printed
    } else {
        person.name.latin
    };
    let home_only = |text: &'static str| at_home.then_some(text);
    json!({
        "docFirstName": first_name,
        "docLastName": last_name,
        "docNumber": document.number,
        "docPersonalCode": person.personal_code().filter(|_| at_home),
        "docExpiry": document.expires,
        "docDob": format!("{}-{:02}-{:02}", person.year, person.month, person.day),
        "docDateOfIssue": document.issued,
        "docType": shown.document_type.unwrap_or(document.kind),
        "docSex": person.name.sex,
        "docNationality": person.country.code,
        "docIssuingCountry": issuing_country,
        "birthPlace": null,
        "authority": "SANDBOX AUTHORITY",
        "address": home_only(person.country.address),
        "docTemporaryAddress": null,
        "mothersMaidenName": null,
        "docBirthName": null,
        "docPatronymic": null,
        "driverLicenseCategory": null,
        "manuallyDataChanged": false,
        "fullName": format!("{first_name} {last_name}"),
        "selectedCountry": issuing_country,
        "orgFirstName": printed[0],
        "orgLastName": printed[1],
        "orgNationality": home_only(person.country.nationality),
        "orgBirthPlace": null,
        "orgAuthority": null,
        "orgAddress": home_only(person.country.address),
        "orgTemporaryAddress": null,
        "orgMothersMaidenName": null,
        "orgPatronymic": null,
        "orgBirthName": null,
        "ageEstimate": "OVER_18",
        "clientIpProxyRiskLevel": "VERY_LOW",
        "duplicateFaces": null,
        "duplicateDocFaces": null,
        "additionalData": {},
    })
}

/// The same members, all null: of a customer who never came.
pub(crate) fn no_data() -> Value {
    let mut data = data(Shown {
        client_id: "",
        second: None,
        country: None,
        document_type: None,
    });
    if let Value::Object(members) = &mut data {
        members.values_mut().for_each(|value| *value = Value::Null);
    }
    data
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{SecondDocument, Shown, data};

    const OF_THE_PERSON: [&str; 9] = [
        "docFirstName",
        "docLastName",
        "fullName",
        "orgFirstName",
        "orgLastName",
        "docDob",
        "docSex",
        "docNationality",
        "docPersonalCode",
    ];
    const OF_THE_DOCUMENT: [&str; 4] = ["docNumber", "docType", "docExpiry", "docDateOfIssue"];

    fn shown(client_id: &str, second: Option<SecondDocument>) -> Value {
        data(Shown {
            client_id,
            second,
            country: None,
            document_type: None,
        })
    }

    fn clients() -> impl Iterator<Item = String> {
        (0..500).map(|number| format!("client-{number}"))
    }

    #[test]
    fn a_client_is_one_person_with_two_documents() {
        for client in clients() {
            let first = shown(&client, None);
            assert_eq!(first, shown(&client, None));
            let second = shown(&client, Some(SecondDocument::OtherDocument));
            for member in OF_THE_PERSON {
                assert_eq!(first[member], second[member], "{member} of {client}");
            }
            for member in OF_THE_DOCUMENT {
                assert_ne!(first[member], second[member], "{member} of {client}");
            }
        }
    }

    #[test]
    fn another_person_shares_nothing_but_the_country() {
        for client in clients() {
            let first = shown(&client, None);
            let other = shown(&client, Some(SecondDocument::OtherPerson));
            for member in [
                "docFirstName",
                "docLastName",
                "fullName",
                "orgFirstName",
                "orgLastName",
                "docDob",
                "docNumber",
            ] {
                assert_ne!(first[member], other[member], "{member} of {client}");
            }
            let codes = [&first, &other].map(|data| data["docPersonalCode"].as_str());
            assert!(codes[0].is_none() || codes[0] != codes[1], "{client}");
            assert_eq!(first["docIssuingCountry"], other["docIssuingCountry"]);
        }
    }

    #[test]
    fn the_same_document_is_the_same_in_every_member() {
        for client in clients() {
            assert_eq!(
                shown(&client, None),
                shown(&client, Some(SecondDocument::SameDocument))
            );
        }
    }

    #[test]
    fn people_come_from_several_countries_and_scripts() {
        let people: Vec<Value> = clients().map(|client| shown(&client, None)).collect();
        let any = |holds: &dyn Fn(&Value) -> bool| people.iter().any(holds);
        let printed = |data: &Value, range: std::ops::RangeInclusive<char>| {
            data["orgLastName"]
                .as_str()
                .is_some_and(|name| name.chars().any(|sign| range.contains(&sign)))
        };
        assert!(any(&|data| printed(data, 'Α'..='ω')), "Greek");
        assert!(any(&|data| printed(data, 'А'..='я')), "Cyrillic");
        assert!(
            any(&|data| data["docLastName"]
                .as_str()
                .is_some_and(|name| !name.is_ascii())),
            "accents"
        );
        assert!(
            any(&|data| data["docPersonalCode"].is_null())
                && any(&|data| data["docPersonalCode"].is_string())
        );
        let names: std::collections::BTreeSet<_> = people
            .iter()
            .map(|data| data["fullName"].to_string())
            .collect();
        assert_eq!(names.len(), 12);
    }

    #[test]
    fn a_foreign_document_prints_no_code_and_latin_letters() {
        for client in clients() {
            let abroad = data(Shown {
                client_id: &client,
                second: None,
                country: Some("PT"),
                document_type: Some("RESIDENCE_PERMIT"),
            });
            assert_eq!(
                (&abroad["docIssuingCountry"], &abroad["docType"]),
                (&"PT".into(), &"RESIDENCE_PERMIT".into())
            );
            assert_eq!(
                (&abroad["orgLastName"], &abroad["docPersonalCode"]),
                (&abroad["docLastName"], &Value::Null)
            );
            assert_eq!(
                abroad["docNationality"],
                shown(&client, None)["docNationality"]
            );
        }
    }
}
