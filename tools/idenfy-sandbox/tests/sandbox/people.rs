//! Who the results of one client are about.

use serde_json::{Value, json};

use crate::fixture::{Fixture, Opened, submission};

const OF_THE_PERSON: [&str; 6] = [
    "docFirstName",
    "docLastName",
    "fullName",
    "docDob",
    "docSex",
    "docNationality",
];
const OF_THE_DOCUMENT: [&str; 4] = ["docNumber", "docType", "docExpiry", "docDateOfIssue"];

/// `data` of the first result.
async fn first(fixture: &mut Fixture, client_id: &str, country: Option<&str>) -> (Opened, Value) {
    let mut request = json!({"clientId": client_id});
    if let Some(country) = country {
        request["country"] = json!(country);
    }
    let session = fixture.open(request).await;
    fixture.finish(&session, json!({})).await;
    (
        session,
        fixture.receiver.next().await.body()["data"].clone(),
    )
}

/// `data` of the second result, by direct processing in a country.
async fn second(fixture: &mut Fixture, client_id: &str, country: &Value) -> (Opened, Value) {
    let session = fixture.document_token(client_id).await;
    let mut request = submission(&session);
    request["country"] = country.clone();
    assert_eq!(fixture.post("/api/v2/process", request).await.status, 200);
    (
        session,
        fixture.receiver.next().await.body()["data"].clone(),
    )
}

fn same(left: &Value, right: &Value, members: &[&str]) -> Vec<bool> {
    members
        .iter()
        .map(|member| left[*member] == right[*member])
        .collect()
}

#[tokio::test]
async fn one_person_has_two_different_documents() {
    let mut fixture = Fixture::start().await;
    for client in ["a", "b", "c", "d"] {
        let (_, first) = first(&mut fixture, client, None).await;
        let (_, second) = second(&mut fixture, client, &first["docIssuingCountry"]).await;
        assert_eq!(
            same(&first, &second, &OF_THE_PERSON),
            [true; 6],
            "{first} {second}"
        );
        assert_eq!(first["docPersonalCode"], second["docPersonalCode"]);
        assert_eq!(
            same(&first, &second, &OF_THE_DOCUMENT),
            [false; 4],
            "{first} {second}"
        );
    }
}

#[tokio::test]
async fn a_client_stays_the_same_person_in_another_sandbox() {
    let (mut one, mut other) = (Fixture::start().await, Fixture::start().await);
    let (_, here) = first(&mut one, "client", Some("LT")).await;
    let (_, there) = first(&mut other, "client", Some("LT")).await;
    assert_eq!(here, there);
    assert_eq!(
        (&here["docIssuingCountry"], &here["selectedCountry"]),
        (&json!("LT"), &json!("LT"))
    );
}

#[tokio::test]
async fn the_second_document_can_be_another_persons() {
    let mut fixture = Fixture::start().await;
    fixture
        .admin(
            "PUT",
            "/outcomes/client",
            json!({"secondDocument": "OtherPerson"}),
        )
        .await;
    let (_, first) = first(&mut fixture, "client", None).await;
    let (_, second) = second(&mut fixture, "client", &first["docIssuingCountry"]).await;
    let differing = [
        "docFirstName",
        "docLastName",
        "docDob",
        "docNumber",
        "docExpiry",
    ];
    assert_eq!(
        same(&first, &second, &differing),
        [false; 5],
        "{first} {second}"
    );
    assert_eq!(first["docIssuingCountry"], second["docIssuingCountry"]);
}

#[tokio::test]
async fn the_second_document_can_be_the_first_one_again() {
    let mut fixture = Fixture::start().await;
    fixture
        .admin(
            "PUT",
            "/outcomes/client",
            json!({"secondDocument": "SameDocument"}),
        )
        .await;
    for country in [None, Some("PT")] {
        let (_, first) = first(&mut fixture, "client", country).await;
        // What the submission says of the country does not change the document.
        let (_, second) = second(&mut fixture, "client", &json!("EE")).await;
        assert_eq!(first, second);
    }
}

#[tokio::test]
async fn whose_document_it_is_holds_when_the_result_changes() {
    let mut fixture = Fixture::start().await;
    let (_, first) = first(&mut fixture, "client", None).await;
    let (session, own) = second(&mut fixture, "client", &first["docIssuingCountry"]).await;
    fixture
        .admin(
            "PUT",
            "/outcomes/client",
            json!({"secondDocument": "OtherPerson"}),
        )
        .await;
    fixture.finish(&session, json!({})).await;
    let other = fixture.receiver.next().await.body()["data"].clone();
    assert_ne!(own["docLastName"], other["docLastName"]);
    let refused = fixture
        .try_admin(
            "PUT",
            "/outcomes/client",
            json!({"secondDocument": "Nobody"}),
        )
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn data_agrees_with_the_callback_in_every_member() {
    let mut fixture = Fixture::start().await;
    let (first_session, first) = first(&mut fixture, "client", None).await;
    let (second_session, second) = second(&mut fixture, "client", &json!("FR")).await;
    for (session, mut expected) in [(first_session, first), (second_session, second)] {
        let data = fixture
            .post("/api/v2/data", json!({"scanRef": session.scan_ref}))
            .await
            .json();
        expected["scanRef"] = json!(session.scan_ref);
        expected["clientId"] = json!("client");
        assert_eq!(data, expected);
    }
}
