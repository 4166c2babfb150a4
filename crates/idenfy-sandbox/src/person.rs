//! Invented persons for the `data` object of callbacks. The names say what they are (example, specimen, nobody), some have letters
//! outside ASCII, and the same client always gets the same person.

use serde_json::{Value, json};

use crate::signature::hex_sha256;

const FIRST_NAMES: [&str; 6] = ["ONA", "ZOË", "SPECIMEN", "JURGIS", "ŽYDRĖ", "TESTA"];
const LAST_NAMES: [&str; 6] = ["PAVYZDĖ", "NIEMAND", "SPECIMEN", "IŠGALVOTA", "MUSTERMANN", "SANDBOX"];

/// The `data` object with every member of the schema.
pub(crate) fn data(client_id: &str, document_type: Option<&str>, country: &str) -> Value {
    let seed = hex_sha256(client_id.as_bytes())
        .bytes()
        .take(12)
        .fold(0_u64, |seed, byte| seed * 31 + u64::from(byte));
    let pick = |names: &[&'static str; 6], shift: u64| names.iter().cycle().nth(((seed >> shift) % 6) as usize).copied();
    let (first_name, last_name) = (pick(&FIRST_NAMES, 0).unwrap_or("ONA"), pick(&LAST_NAMES, 7).unwrap_or("SPECIMEN"));
    let full_name = format!("{first_name} {last_name}");
    let number = format!("SPEC{:06}", seed % 1_000_000);
    json!({
        "docFirstName": first_name,
        "docLastName": last_name,
        "docNumber": number,
        "docPersonalCode": format!("{:011}", seed % 100_000_000_000),
        "docExpiry": "2034-05-31",
        "docDob": format!("19{:02}-04-17", 50 + seed % 50),
        "docDateOfIssue": "2024-06-01",
        "docType": document_type.unwrap_or("ID_CARD"),
        "docSex": if seed.is_multiple_of(2) { "FEMALE" } else { "MALE" },
        "docNationality": country,
        "docIssuingCountry": country,
        "birthPlace": null,
        "authority": "SANDBOX AUTHORITY",
        "address": "PAVYZDŽIO G. 0, NIEKUR",
        "docTemporaryAddress": null,
        "mothersMaidenName": null,
        "docBirthName": null,
        "docPatronymic": null,
        "driverLicenseCategory": null,
        "manuallyDataChanged": false,
        "fullName": full_name,
        "selectedCountry": country,
        "orgFirstName": first_name,
        "orgLastName": last_name,
        "orgNationality": "Lietuvos Respublikos (pavyzdys)",
        "orgBirthPlace": null,
        "orgAuthority": null,
        "orgAddress": "Pavyzdžio g. 0, Niekur",
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

/// The same members, all null: what is known of a customer who never came.
pub(crate) fn no_data() -> Value {
    let mut data = data("", None, "LT");
    if let Value::Object(members) = &mut data {
        members.values_mut().for_each(|value| *value = Value::Null);
    }
    data
}
