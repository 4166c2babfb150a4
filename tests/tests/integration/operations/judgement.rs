//! Alarms are judged as CloudWatch judges them, metric math included.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operations::{Period, Point, Scope, Template, evaluate};

/// Wednesday, 25 November 2026, 09:00 UTC.
const WEDNESDAY_AT_NINE: i64 = 1_795_597_200_000;
const HOUR: i64 = 3_600_000;

fn value_of(expression: &str, at: i64, known: &[(&str, f64)]) -> Option<f64> {
    let value = |name: &str| {
        known
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    };
    let value = |name: &str| Ok(value(name));
    evaluate(expression, &Scope { value: &value, at }).unwrap()
}

#[test]
fn metric_math_is_read_with_the_precedence_of_arithmetic() {
    assert_eq!(value_of("1 + 2 * 3 - 8 / 4", 0, &[]), Some(5.0));
    assert_eq!(value_of("(1 + 2) * 3", 0, &[]), Some(9.0));
    assert_eq!(value_of("1 < 2 AND 2 >= 2 OR 1 > 2", 0, &[]), Some(1.0));
    assert_eq!(
        value_of(
            "IF(calls >= 5, 100 * errors / calls, 0)",
            0,
            &[("calls", 8.0), ("errors", 2.0)]
        ),
        Some(25.0)
    );
    assert_eq!(
        value_of(
            "IF(calls >= 5, 100 * errors / calls, 0)",
            0,
            &[("calls", 4.0), ("errors", 4.0)]
        ),
        Some(0.0)
    );
}

#[test]
fn without_data_there_is_no_result_unless_it_is_filled() {
    assert_eq!(value_of("errors / calls", 0, &[("errors", 1.0)]), None);
    assert_eq!(value_of("FILL(errors, 0)", 0, &[]), Some(0.0));
    assert_eq!(
        value_of("FILL(errors, 0)", 0, &[("errors", 7.0)]),
        Some(7.0)
    );
    assert_eq!(value_of("IF(calls >= 5, 1, 0)", 0, &[]), None);
}

#[test]
fn days_count_from_monday_and_hours_are_of_utc() {
    let day_and_hour =
        |at| ["DAY(x)", "HOUR(x)"].map(|expression| value_of(expression, at, &[("x", 0.0)]));
    assert_eq!(day_and_hour(WEDNESDAY_AT_NINE), [Some(3.0), Some(9.0)]);
    assert_eq!(
        day_and_hour(WEDNESDAY_AT_NINE + 4 * 24 * HOUR + 14 * HOUR),
        [Some(7.0), Some(23.0)]
    );
    assert_eq!(day_and_hour(0), [Some(4.0), Some(0.0)]);
}

fn point(metric: &str, dimensions: &[(&str, &str)], value: f64) -> Point {
    let is_ours = dimensions.iter().any(|(name, _)| *name == "StackName");
    Point {
        at: 0,
        namespace: if is_ours {
            "DualVerification"
        } else {
            "AWS/Lambda"
        }
        .to_owned(),
        metric: metric.to_owned(),
        dimensions: dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        value,
    }
}

fn is_breaching(alarm: &str, begins: i64, points: &[Point]) -> bool {
    let parameters = [
        ("BusinessHours", "7-17"),
        ("ConcurrencyAlarmThreshold", "3"),
    ];
    let parameters: BTreeMap<String, String> = parameters
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let period = Period {
        begins,
        points,
        stack_name: "test",
        parameters: &parameters,
    };
    Template::read()
        .unwrap()
        .judge(alarm, &period)
        .unwrap()
        .is_breaching
}

#[test]
fn silence_is_an_alarm_in_business_hours_only() {
    assert!(is_breaching("NoCallbacks", WEDNESDAY_AT_NINE, &[]));
    assert!(is_breaching(
        "NoCallbacks",
        WEDNESDAY_AT_NINE + 7 * HOUR,
        &[]
    ));
    for quiet in [8 * HOUR, -3 * HOUR, 3 * 24 * HOUR] {
        assert!(
            !is_breaching("NoCallbacks", WEDNESDAY_AT_NINE + quiet, &[]),
            "{quiet}"
        );
    }
    let callback = point("CallbacksReceived", &[("StackName", "test")], 1.0);
    assert!(!is_breaching("NoCallbacks", WEDNESDAY_AT_NINE, &[callback]));
}

#[test]
fn a_quarter_of_enough_calls_must_fail() {
    let calls =
        |count: usize| vec![point("ProviderDuration", &[("StackName", "test")], 40.0); count];
    let error = point("ProviderErrors", &[("StackName", "test")], 1.0);
    let with_errors =
        |count: usize, errors: usize| [calls(count), vec![error.clone(); errors]].concat();
    assert!(is_breaching("ProviderErrorRate", 0, &with_errors(7, 2)));
    assert!(!is_breaching("ProviderErrorRate", 0, &with_errors(8, 2)));
    assert!(!is_breaching("ProviderErrorRate", 0, &with_errors(4, 4)));
    assert!(!is_breaching("ProviderErrorRate", 0, &[]));
}

#[test]
fn an_alarm_on_the_account_counts_every_function() {
    let throttled = |function: &str| point("Throttles", &[("FunctionName", function)], 1.0);
    assert!(is_breaching(
        "AccountThrottled",
        0,
        &[throttled("Elsewhere")]
    ));
    assert!(!is_breaching(
        "WebhookThrottled",
        0,
        &[throttled("Elsewhere")]
    ));
    assert!(is_breaching(
        "WebhookThrottled",
        0,
        &[throttled("WebhookFunction")]
    ));
    let running = |count: f64| [point("ConcurrentExecutions", &[], count)];
    assert!(!is_breaching("AccountConcurrency", 0, &running(3.0)));
    assert!(is_breaching("AccountConcurrency", 0, &running(4.0)));
}

#[test]
fn what_was_not_measured_counts_as_the_alarm_says() {
    assert!(is_breaching("ReconcilerSilent", 0, &[]));
    assert!(!is_breaching("PairingsParked", 0, &[]));
    assert!(!is_breaching("SubmissionDeadLetters", 0, &[]));
}

#[test]
fn the_composite_alarm_is_red_with_any_of_its_members() {
    let template = Template::read().unwrap();
    let red = |name: &str| {
        template
            .is_composite_red("CustomersAffected", &BTreeSet::from([name.to_owned()]))
            .unwrap()
    };
    assert!(red("WebhookThrottled"));
    assert!(!red("PairingsParked"));
}

#[test]
fn an_alarm_takes_as_long_as_its_periods() {
    let template = Template::read().unwrap();
    assert_eq!(
        template.time_to_alarm("CallbacksNotAcknowledged").unwrap(),
        Duration::from_secs(60)
    );
    assert_eq!(
        template.time_to_alarm("ProviderErrorRate").unwrap(),
        Duration::from_secs(600)
    );
    assert_eq!(
        template.time_to_alarm("PairingsParked").unwrap(),
        Duration::from_secs(300)
    );
    assert_eq!(
        template.time_to_alarm("NoCallbacks").unwrap(),
        Duration::from_secs(7_200)
    );
    assert_eq!(
        template.time_to_alarm("CustomersAffected").unwrap(),
        Duration::ZERO
    );
}
