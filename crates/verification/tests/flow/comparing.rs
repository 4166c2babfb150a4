//! Both results are compared when the second one is confirmed.
//! Only two words leave the comparison.

use verification::comparison::{Comparison, DocumentIdentity, Person, Subject};
use verification::reason::SettledReason;

use super::*;

fn person(first_name: &str, number: &str) -> Subject {
    let text = |text: &str| Some(text.to_owned());
    Subject {
        first_name: text(first_name),
        last_name: text("PETRAITIS"),
        date_of_birth: text("1990-04-01"),
        personal_code: text("39004010000"),
        document_number: text(number),
        document_type: text("ID_CARD"),
        issuing_country: text("LT"),
        expiry: text("2031-01-01"),
        ..Subject::default()
    }
}

/// The pairing once an approved second result has been looked at.
async fn settled(policy: ComparisonPolicy, second_tells: Option<Subject>) -> Flow {
    let flow = Flow::with(Policy {
        comparison: policy,
        ..Policy::default()
    });
    let first = approved("first", "client");
    flow.world.tells(&first.digest, person("JONAS", "12345678"));
    flow.callback(&first).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    let second = second("second-1", "first", Overall::Approved);
    if let Some(subject) = second_tells {
        flow.world.tells(&second.digest, subject);
    }
    flow.callback(&second).await;
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    flow
}

fn found(flow: &Flow) -> (Option<Comparison>, Option<Verdict>, Option<&'static str>) {
    let pairing = flow.world.pairing("first");
    (
        pairing.comparison,
        pairing.state.verdict(),
        pairing.reason(),
    )
}

#[tokio::test]
async fn two_documents_of_one_person_are_said_to_be_so() {
    for policy in [ComparisonPolicy::Report, ComparisonPolicy::Require] {
        let flow = settled(policy, Some(person("JONAS", "87654321"))).await;
        let comparison = Comparison {
            person: Person::Same,
            document: DocumentIdentity::Different,
        };
        assert_eq!(
            found(&flow),
            (Some(comparison), Some(Verdict::Approved), None)
        );
        let detail = &flow.world.announcements()[0].detail;
        assert_eq!(detail.comparison, Some(comparison));
        assert!(
            flow.world
                .observations()
                .contains(&Observation::Compared(comparison))
        );
    }
}

#[tokio::test]
async fn the_same_document_twice_is_reported_or_suspected() {
    let again = || Some(person("JONAS", "12345678"));
    let flow = settled(ComparisonPolicy::Report, again()).await;
    let (comparison, verdict, _) = found(&flow);
    assert_eq!(comparison.unwrap().document, DocumentIdentity::Same);
    assert_eq!(
        verdict,
        Some(Verdict::Approved),
        "what it means is for the application to say"
    );

    let flow = settled(ComparisonPolicy::Require, again()).await;
    let (_, verdict, reason) = found(&flow);
    assert_eq!(
        (verdict, reason),
        (
            Some(Verdict::Suspected),
            Some(SettledReason::SameDocument.as_str())
        )
    );
    let detail = &flow.world.announcements()[0].detail;
    assert_eq!(detail.reason.as_deref(), Some("SameDocument"));
    assert_eq!(
        detail.second_overall,
        Some(Overall::Approved),
        "what iDenfy said is kept as it was"
    );
}

#[tokio::test]
async fn another_persons_document_is_suspected_if_required() {
    let other = Subject {
        personal_code: Some("48512120000".to_owned()),
        date_of_birth: Some("1985-12-12".to_owned()),
        ..person("ONA", "87654321")
    };
    let flow = settled(ComparisonPolicy::Require, Some(other)).await;
    let (comparison, verdict, reason) = found(&flow);
    assert_eq!(comparison.unwrap().person, Person::Different);
    assert_eq!(
        (verdict, reason),
        (Some(Verdict::Suspected), Some("PersonDiffers"))
    );
}

#[tokio::test]
async fn results_that_tell_nothing_are_not_taken_for_the_same() {
    let flow = settled(ComparisonPolicy::Report, None).await;
    assert_eq!(
        found(&flow),
        (Some(Comparison::UNKNOWN), Some(Verdict::Approved), None)
    );
    let flow = settled(ComparisonPolicy::Require, None).await;
    let (_, verdict, reason) = found(&flow);
    assert_eq!(
        (verdict, reason),
        (Some(Verdict::Suspected), Some("NotComparable"))
    );
}

#[tokio::test]
async fn nothing_is_compared_where_it_is_switched_off() {
    let flow = settled(ComparisonPolicy::Off, Some(person("JONAS", "12345678"))).await;
    assert_eq!(found(&flow), (None, Some(Verdict::Approved), None));
}

#[tokio::test]
async fn a_denied_second_result_stays_denied_whatever_is_found() {
    let flow = Flow::with(Policy {
        comparison: ComparisonPolicy::Require,
        ..Policy::default()
    });
    flow.callback(&approved("first", "client")).await;
    flow.process().await;
    flow.callback(&second("second-1", "first", Overall::Denied))
        .await;
    flow.process().await;
    let (_, verdict, reason) = found(&flow);
    assert_eq!((verdict, reason), (Some(Verdict::Denied), None));
}
