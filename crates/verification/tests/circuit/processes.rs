//! Several processes with one circuit between them.

use std::sync::Arc;

use verification::circuit::{
    Circuit, FAILURE_LIMIT, Gate, Health, MINIMUM_FAILURE_SPAN, PROBE_POLL, SHORTEST_PAUSE,
    SLOW_FAILURE_LIMIT,
};
use verification::ports::{Circuits, Clock, Saved, StoreUnavailable};
use verification::testing::conformance;
use verification::testing::memory::{Fault, World};
use verification::{Admission, Breaker, Observation, Permit};

use super::{DOWN, TOKEN, seconds};

#[tokio::test]
async fn the_store_in_memory_conforms() {
    conformance::circuits(&World::new()).await;
    let world = Arc::new(World::new());
    let stores: Vec<Arc<dyn Circuits>> = (0..16)
        .map(|_| world.clone() as Arc<dyn Circuits>)
        .collect();
    conformance::circuits_race(&stores).await;
}

/// Processes that share a store, as copies of a function do.
fn processes(world: &Arc<World>, count: usize) -> Vec<Breaker> {
    (0..count)
        .map(|_| Breaker::new(world.clone(), world.clone(), world.clone()))
        .collect()
}

async fn fail_often(world: &World, breaker: &Breaker) {
    for _ in 0..SLOW_FAILURE_LIMIT {
        breaker.report(Permit::WITHOUT_PROBE, TOKEN, DOWN).await;
        world.wait(MINIMUM_FAILURE_SPAN);
    }
}

#[tokio::test]
async fn what_one_process_learns_all_know_within_a_second() {
    let world = Arc::new(World::new());
    let breakers = processes(&world, 2);
    assert_eq!(
        breakers[1].admit().await,
        Admission::Go(Permit::WITHOUT_PROBE)
    );
    fail_often(&world, &breakers[0]).await;
    world.wait(seconds(1));
    for breaker in &breakers {
        assert!(matches!(breaker.admit().await, Admission::Wait { .. }));
    }
    let opened = world
        .observations()
        .into_iter()
        .filter(|o| matches!(o, Observation::CircuitOpened { .. }));
    assert_eq!(opened.count(), 1);
}

#[tokio::test]
async fn of_many_processes_one_tries_and_its_success_lets_all_call() {
    let world = Arc::new(World::new());
    let breakers = processes(&world, 8);
    fail_often(&world, &breakers[0]).await;
    world.wait(SHORTEST_PAUSE);
    let admissions = futures_util::future::join_all(breakers.iter().map(Breaker::admit)).await;
    let permits: Vec<Permit> = admissions
        .iter()
        .filter_map(|admission| match admission {
            Admission::Go(permit) => Some(*permit),
            Admission::Wait { .. } => None,
        })
        .collect();
    assert_eq!(permits.len(), 1, "{admissions:?}");
    breakers[3]
        .report(permits[0], TOKEN, Health::Answering)
        .await;
    world.wait(seconds(1));
    for breaker in &breakers {
        assert_eq!(breaker.admit().await, Admission::Go(Permit::WITHOUT_PROBE));
    }
    let closed = world
        .observations()
        .into_iter()
        .filter(|o| matches!(o, Observation::CircuitClosed { .. }));
    assert_eq!(closed.count(), 1);
}

#[tokio::test]
async fn failures_of_many_processes_at_once_open_it() {
    let world = Arc::new(World::new());
    let store = Arc::new(Counting::over(world.clone()));
    let breakers: Vec<Breaker> = (0..FAILURE_LIMIT)
        .map(|_| Breaker::new(store.clone(), world.clone(), world.clone()))
        .collect();
    for _ in 0..3 {
        futures_util::future::join_all(
            breakers
                .iter()
                .map(|breaker| breaker.report(Permit::WITHOUT_PROBE, TOKEN, DOWN)),
        )
        .await;
    }
    assert!(matches!(
        world.circuit().await.unwrap().gate(world.now()),
        Gate::Open { .. }
    ));
}

#[tokio::test]
async fn a_healthy_provider_costs_one_read_a_second_and_no_write() {
    let world = Arc::new(World::new());
    let counting = Arc::new(Counting::over(world.clone()));
    let breaker = Breaker::new(counting.clone(), world.clone(), world.clone());
    for _ in 0..100 {
        let Admission::Go(permit) = breaker.admit().await else {
            panic!("closed")
        };
        breaker.report(permit, TOKEN, Health::Answering).await;
    }
    assert_eq!(counting.counts(), (1, 0));
    world.wait(seconds(1));
    breaker.admit().await;
    assert_eq!(counting.counts(), (2, 0));
}

#[tokio::test]
async fn a_success_between_two_failures_is_told_to_all_processes() {
    let world = Arc::new(World::new());
    let breakers = processes(&world, 2);
    breakers[0].report(Permit::WITHOUT_PROBE, TOKEN, DOWN).await;
    world.wait(MINIMUM_FAILURE_SPAN);
    breakers[1]
        .report(Permit::WITHOUT_PROBE, TOKEN, Health::Answering)
        .await;
    breakers[0].report(Permit::WITHOUT_PROBE, TOKEN, DOWN).await;
    assert_eq!(breakers[0].gate().await, Gate::Closed);
}

#[tokio::test]
async fn who_loses_the_try_knows_at_once_that_somebody_is_trying() {
    let world = Arc::new(World::new());
    let breakers = processes(&world, 2);
    fail_often(&world, &breakers[0]).await;
    world.wait(SHORTEST_PAUSE);
    for breaker in &breakers {
        assert_eq!(
            breaker.gate().await,
            Gate::HalfOpen {
                has_answered: false
            }
        );
    }
    assert!(matches!(breakers[0].admit().await, Admission::Go(_)));
    let until = world.now().plus(PROBE_POLL);
    assert_eq!(breakers[1].admit().await, Admission::Wait { until });
    assert_eq!(breakers[1].gate().await, Gate::Open { until });
}

#[tokio::test]
async fn a_store_that_does_not_answer_stops_nobody() {
    let world = Arc::new(World::new());
    let breakers = processes(&world, 1);
    world.fault("circuit", Fault::Unavailable);
    assert_eq!(
        breakers[0].admit().await,
        Admission::Go(Permit::WITHOUT_PROBE)
    );
    fail_often(&world, &breakers[0]).await;
    world.wait(SHORTEST_PAUSE);
    world.fault("replace_circuit", Fault::Unavailable);
    assert_eq!(
        breakers[0].admit().await,
        Admission::Go(Permit::WITHOUT_PROBE)
    );
}

/// Counts reads and writes.
/// Yields at each call, as a remote store does.
struct Counting {
    store: Arc<World>,
    counts: std::sync::Mutex<(u32, u32)>,
}

impl Counting {
    fn over(store: Arc<World>) -> Self {
        Self {
            store,
            counts: std::sync::Mutex::default(),
        }
    }

    fn counts(&self) -> (u32, u32) {
        *self.counts.lock().unwrap()
    }
}

#[async_trait::async_trait]
impl Circuits for Counting {
    async fn circuit(&self) -> Result<Circuit, StoreUnavailable> {
        self.counts.lock().unwrap().0 += 1;
        tokio::task::yield_now().await;
        self.store.circuit().await
    }

    async fn replace_circuit(&self, circuit: &Circuit) -> Result<Saved, StoreUnavailable> {
        self.counts.lock().unwrap().1 += 1;
        tokio::task::yield_now().await;
        self.store.replace_circuit(circuit).await
    }
}
