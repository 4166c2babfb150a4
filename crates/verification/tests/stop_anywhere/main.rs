//! The program ends before and after every effect, and every pairing still settles.
//! There is one submission, and nothing is lost.
//!
//! An undisturbed run records the effects.
//! Then the run is stopped at each of them, while the world continues ([`life`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail loudly and say what it has covered"
)]

mod life;
mod scenario;
mod stops;

use std::collections::BTreeSet;

use life::Life;
use scenario::{SCENARIOS, STRAIGHT, Scenario};
use stops::{Side, Stop};
use verification::testing::interception::Operation;
use verification::transition::{Event, apply};
use verification::{Apply, Outcome, State, Verdict};

const SIDES: [Side; 2] = [Side::Before, Side::After];

fn hold(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

/// Plays the scenario with these stops and checks the result.
/// Returns the calls that were made.
fn play(scenario: Scenario, stops: &[Stop]) -> Result<Vec<Operation>, String> {
    play_with(apply, scenario, stops)
}

fn play_with(
    state_machine: Apply,
    scenario: Scenario,
    stops: &[Stop],
) -> Result<Vec<Operation>, String> {
    let mut life = Life::new(scenario, stops, state_machine);
    let calls = life.run()?;
    let world = &life.world;
    if scenario.erases_in.is_some() {
        hold(world.record_count() == 0, "records are left")?;
        hold(world.object_keys().is_empty(), "files are left")?;
        hold(world.archived().is_empty(), "callbacks are left")?;
        hold(
            world.deleted_at_provider().contains(&life.first),
            "the provider was not asked to delete",
        )?;
        hold(
            world.submissions().len() == 1,
            "there is not exactly one submission",
        )?;
        return Ok(calls);
    }
    let pairing = world.stored(&life.first).ok_or("the pairing is gone")?;
    hold(
        !scenario.has_key || world.pairing_count() == 1,
        "a session was recorded that the application does not know",
    )?;
    let history = life.history();
    let count = |word: &str| history.iter().filter(|what| *what == word).count();
    let settled = State::Settled {
        verdict: Verdict::Approved,
        reason: None,
    };
    hold(pairing.state == settled, "it did not settle")?;
    hold(
        world.submissions().len() == 1,
        "there is not exactly one accepted submission",
    )?;
    let submitted = &world.submissions()[0].1;
    let upload = submitted.first().map(|document| &document.upload);
    let received: Vec<_> = pairing
        .documents
        .iter()
        .filter(|document| Some(&document.upload) == upload)
        .collect();
    hold(
        submitted
            .iter()
            .all(|document| Some(&document.upload) == upload),
        "two uploads were mixed",
    )?;
    hold(
        submitted.len() == received.len() && !submitted.is_empty(),
        "not every file was submitted",
    )?;
    let first = &pairing.first;
    let recorded: BTreeSet<String> = pairing
        .documents
        .iter()
        .flat_map(|document| [document.key(first), document.submitted_key(first)])
        .collect();
    let kept: BTreeSet<String> = world.object_keys().into_iter().collect();
    // A worker that was stopped may have stored files without recording them.
    // They are found again, unless their links were replaced meanwhile.
    // Then the bucket's lifecycle removes them.
    let is_replaced = |key: &String| {
        let is_submissions = upload.is_some_and(|upload| key.contains(upload.as_str()));
        !is_submissions && !key.contains("/prepared/")
    };
    hold(
        recorded.is_subset(&kept) && kept.difference(&recorded).all(is_replaced),
        "the bucket holds other files than were received and submitted",
    )?;
    hold(
        world.token_count() <= count("AuthorizationStarted"),
        "a Token 2 was created without an attempt",
    )?;
    hold(
        world.token_count() - world.active_token_count() >= 1 && count("SecondResult") == 1,
        "the result was not recorded exactly once",
    )?;
    // A token whose secret was lost with its answer is unusable. The accepted one comes on top.
    let orphans = count("AuthorizationStarted") - count("SecondTokenCreated");
    let refused = count("SubmissionRefused");
    hold(
        world.active_token_count() <= orphans + refused,
        "a Token 2 is left that somebody could use",
    )?;
    hold(world.archived().len() == 2, "a callback is not archived")?;
    let settlements = world
        .announcements()
        .iter()
        .filter(|announcement| announcement.outcome == Outcome::DualVerificationSettled)
        .count();
    hold(
        settlements == 1,
        "the outcome was not announced exactly once",
    )?;
    Ok(calls)
}

fn name(stop: Stop, calls: &[Operation]) -> String {
    format!(
        "stopped {:?} call {} ({:?})",
        stop.side, stop.call, calls[stop.call]
    )
}

#[test]
fn wherever_the_program_ends_everything_comes_to_an_end() {
    let mut seen: BTreeSet<Operation> = BTreeSet::new();
    let mut failures = Vec::new();
    let mut runs = 0;
    for scenario in SCENARIOS {
        let calls = play(scenario, &[]).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
        println!("{:3} effects: {}", calls.len(), scenario.name);
        seen.extend(&calls);
        for call in 0..calls.len() {
            for side in SIDES {
                let stop = Stop { call, side };
                runs += 1;
                if let Err(why) = play(scenario, &[stop]) {
                    failures.push(format!("{}, {}: {why}", scenario.name, name(stop, &calls)));
                }
            }
        }
    }
    println!("{runs} runs, {seen:?}");
    assert!(
        failures.is_empty(),
        "{} of {runs}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    // All calls except those that only answer people's questions.
    assert_eq!(seen.len(), 23, "{seen:?}");
}

/// Every pair of stops in this scenario. Returns their number.
fn stop_twice(scenario: Scenario) -> u32 {
    let calls = play(scenario, &[]).expect("it settles");
    let stops = |calls: std::ops::Range<usize>| {
        calls.flat_map(|call| SIDES.map(|side| Stop { call, side }))
    };
    let mut runs = 0;
    for first in stops(0..calls.len()) {
        // The number of effects after the first stop is known only from the run with that stop.
        let after = play(scenario, &[first]).expect("it settles when stopped once");
        for second in stops(first.call + 1..after.len()) {
            runs += 1;
            if let Err(why) = play(scenario, &[first, second]) {
                panic!(
                    "{}, {}, then {}: {why}",
                    scenario.name,
                    name(first, &after),
                    name(second, &after)
                );
            }
        }
    }
    runs
}

#[test]
fn nor_does_it_matter_when_the_program_ends_twice() {
    for scenario in SCENARIOS
        .into_iter()
        .filter(|scenario| scenario.is_stopped_twice)
    {
        let runs = stop_twice(scenario);
        println!("{runs:5} pairs of stops: {}", scenario.name);
        assert!(runs > 1_000, "{runs} runs");
    }
}

/// A program that takes "accepted, answer lost" for "not accepted" submits twice after some stop.
/// Without the stops it would not be noticed.
#[test]
fn a_program_that_repeats_what_it_does_not_know_is_found_out() {
    let wrong: Apply = |pairing, event, now| match event {
        Event::SubmissionAccepted { second }
            if pairing
                .state
                .lease_until()
                .is_some_and(|lease_until| lease_until <= now) =>
        {
            apply(pairing, Event::SecondTokenDied { second }, now)
        }
        event => apply(pairing, event, now),
    };
    let calls = play_with(wrong, STRAIGHT, &[]).expect("undisturbed, it settles");
    let submit = calls
        .iter()
        .position(|call| *call == Operation::Submit)
        .expect("it submits");
    let stop = Stop {
        call: submit,
        side: Side::After,
    };
    assert_eq!(
        play_with(wrong, STRAIGHT, &[stop]).unwrap_err(),
        "there is not exactly one accepted submission"
    );
}
