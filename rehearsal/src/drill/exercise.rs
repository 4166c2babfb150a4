//! One drill: what is seen, what is run, and what must be so at its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::time::Duration;

use futures_util::future::join_all;
use harness::operations::{Entry, Period, Point, Runbook, Template, Verdict};
use harness::{Checkpoint, ProcessorTuning, Session, Stack, WatchedStack, eventually};
use local_stack::reachable_function_url;
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::cloudwatch::{Since, set_alarm};
use super::drills::Drill;
use super::progress;
use super::report::{Detection, Row};
use super::shell::Shell;

/// Leases of killed processors end after fifteen seconds instead of 85, and their messages come
/// back after 25 instead of 540. Nothing else is changed.
const TUNING: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 20,
    visibility_seconds: 25,
    ..ProcessorTuning::DEPLOYED
};

/// What the emulator is deployed with.
const STAGE: &str = "local";

/// A Wednesday at nine, UTC: NoCallbacks is judged as if it were then, between the hours of
/// [`BUSINESS_HOURS`].
const BUSINESS_HOUR: i64 = 1_795_597_200_000;
const BUSINESS_HOURS: (&str, &str) = ("BusinessHours", "7-17");

/// What `dvctl doctor` ends with when it has found something, which it should.
const FOUND_SOMETHING: [i32; 2] = [1, 5];

/// How long customers may wait once the failure is gone. A circuit that opened again and again has
/// them wait for five minutes, and for up to half of that more so that not all come at once.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// What the emulator does not have.
const ONLY_IN_AWS: [&str; 1] = ["aws service-quotas "];

/// The stack, and all that a drill needs around it.
pub struct World {
    watched: WatchedStack,
    pub shell: Shell,
    template: Template,
    runbook: Runbook,
    parameters: BTreeMap<String, String>,
}

impl World {
    pub fn new(
        watched: WatchedStack,
        shell: Shell,
        template: Template,
        runbook: Runbook,
        mut parameters: BTreeMap<String, String>,
    ) -> Self {
        let (name, hours) = BUSINESS_HOURS;
        parameters.insert(name.to_owned(), hours.to_owned());
        Self {
            watched,
            shell,
            template,
            runbook,
            parameters,
        }
    }

    pub fn stack(&self) -> &Stack {
        self.watched.stack()
    }

    /// Between the functions and table, bucket, queue and bus.
    pub fn services(&self) -> &Checkpoint {
        &self.watched.services
    }

    pub async fn prepare(&self) {
        self.stack().tune_processor(TUNING).await;
    }

    pub async fn stop(self) {
        self.watched.stop().await;
    }

    /// Puts back what a drill that failed may have left.
    pub async fn tidy_up(&self) {
        let stack = self.stack();
        stack
            .sandbox
            .admin(Method::DELETE, "/faults", json!({}))
            .await;
        let callback_url = &stack.description.webhook_url;
        stack
            .sandbox
            .settings(json!({"callbackUrl": callback_url, "fileLinkSeconds": null}))
            .await;
        for function in ["WebhookFunction", "ReconcilerFunction", "PublisherFunction"] {
            self.share_the_pool(function).await;
        }
        self.shell.run("dvctl resume").await;
    }

    /// Sets concurrency aside for a function, which is also its bound.
    pub async fn reserve(&self, function: &str, executions: u32) {
        let name = self.stack().function_name(function).await;
        let command = format!(
            "aws lambda put-function-concurrency --function-name {name} --reserved-concurrent-executions {executions}"
        );
        self.shell.must(&command).await;
    }

    /// Gives a function an address that leads to its code as deployed, past alias and version.
    pub async fn open_unpublished(&self, function: &str) -> String {
        let name = self.stack().function_name(function).await;
        let command = format!(
            "aws lambda create-function-url-config --function-name {name} --auth-type NONE --query FunctionUrl --output text"
        );
        let in_aws = self.shell.must(&command).await;
        let endpoint = Url::parse(&self.stack().description.endpoint_url)
            .expect("the emulator has an address");
        reachable_function_url(&in_aws, &endpoint).expect("an address of a function")
    }

    /// Takes the bound away again.
    pub async fn share_the_pool(&self, function: &str) {
        let name = self.stack().function_name(function).await;
        self.shell
            .run(&format!(
                "aws lambda delete-function-concurrency --function-name {name}"
            ))
            .await;
    }
}

/// One drill under way.
pub struct Exercise<'w> {
    pub world: &'w World,
    drill: &'static Drill,
    since: Option<Since>,
    injected: Instant,
    measured: Vec<Point>,
    detection: Option<Detection>,
    commands: Vec<String>,
    repair: Duration,
    settled: usize,
    is_quiet_again: bool,
}

impl<'w> Exercise<'w> {
    pub fn new(world: &'w World, drill: &'static Drill) -> Self {
        Self {
            world,
            drill,
            since: None,
            injected: Instant::now(),
            measured: Vec::new(),
            detection: None,
            commands: Vec::new(),
            repair: Duration::ZERO,
            settled: 0,
            is_quiet_again: false,
        }
    }

    pub fn stack(&self) -> &'w Stack {
        self.world.stack()
    }

    /// A customer is served, and the alarm is quiet. What the drills before have taught the circuit
    /// is forgotten, as it would be minutes later.
    pub async fn begin(&mut self) {
        self.stack().forget_circuit().await;
        self.is_well().await;
        self.look_from_now_on().await;
        self.injected = Instant::now();
    }

    /// The same at the end.
    pub async fn end(&mut self) {
        assert!(self.detection.is_some(), "the alarm was red");
        assert!(self.settled > 0, "somebody was settled");
        set_alarm(self.stack(), self.drill.alarm, false).await;
        self.is_well().await;
        self.is_quiet_again = true;
    }

    async fn is_well(&mut self) {
        self.look_from_now_on().await;
        let customer = self.stack().session_with_documents().await;
        customer.finish_and_be_believed(json!({})).await;
        customer.until_settled_within(PATIENCE).await;
        self.stack().invoke("ReconcilerFunction", &json!({})).await;
        eventually(format_args!("{} is quiet", self.drill.alarm), || async {
            let verdict = self.judge().await;
            // What is written about the customer appears some moments later; only an alarm about
            // silence needs it.
            if verdict.is_red() {
                Err(verdict)
            } else {
                Ok(())
            }
        })
        .await;
    }

    async fn look_from_now_on(&mut self) {
        self.measured.clear();
        self.since = Some(Since::now(self.stack()).await);
    }

    /// Adds what AWS would measure and the emulator does not.
    pub fn measure(&mut self, point: Point) {
        self.measured.push(point);
    }

    /// Waits until the alarm's metric has crossed its threshold. Silence has at once; that it goes
    /// on is what the alarm's periods are for.
    pub async fn until_red(&mut self) {
        self.until_red_if_it_goes_on_for(Duration::ZERO).await;
    }

    /// The same for what is only an alarm after a time that nobody wants to wait for: what was
    /// measured supposes that it has passed.
    pub async fn until_red_if_it_goes_on_for(&mut self, supposed: Duration) {
        let verdict = eventually(format_args!("{} is red", self.drill.alarm), || async {
            let verdict = self.judge().await;
            if verdict.is_red() {
                Ok(verdict)
            } else {
                Err(verdict)
            }
        })
        .await;
        self.detection = Some(Detection {
            measured: self.injected.elapsed(),
            supposed,
            periods: verdict
                .red
                .iter()
                .map(|alarm| self.world.template.time_to_alarm(alarm))
                .min()
                .unwrap_or_default(),
        });
        progress(&format!("{}: {verdict}", self.drill.alarm));
        for alarm in verdict
            .red
            .iter()
            .map(String::as_str)
            .chain([self.drill.alarm])
        {
            set_alarm(self.stack(), alarm, true).await;
        }
    }

    async fn judge(&self) -> Judged {
        let since = self.since.as_ref().expect("a drill has begun");
        let mut points = since.points(self.stack()).await;
        points.extend(self.measured.iter().cloned());
        let template = &self.world.template;
        let period = Period {
            begins: if self.drill.alarm == "NoCallbacks" {
                BUSINESS_HOUR
            } else {
                since.at()
            },
            points: &points,
            stage: STAGE,
            parameters: &self.world.parameters,
        };
        if template.metric_alarms().contains_key(self.drill.alarm) {
            let verdict = template.judge(self.drill.alarm, &period);
            let red = verdict.is_breaching.then(|| self.drill.alarm.to_owned());
            return Judged {
                value: verdict.value,
                red: red.into_iter().collect(),
            };
        }
        // Of its members those that something was measured of: silence within seconds is no
        // evidence.
        let is_red = |name: &&&str| {
            let Verdict {
                value,
                is_breaching,
            } = template.judge(name, &period);
            value.is_some() && is_breaching
        };
        let red: BTreeSet<String> = template
            .metric_alarms()
            .keys()
            .filter(is_red)
            .map(|name| (*name).to_owned())
            .collect();
        let counts = template.is_composite_red(self.drill.alarm, &red);
        Judged {
            value: None,
            red: if counts { red } else { BTreeSet::new() },
        }
    }

    /// Runs what the runbook says under "Look first", what is about one verification for each of
    /// these, and finds these words in what is printed.
    pub async fn look_first(&mut self, affected: &[&Session<'_>], clues: &[&str]) {
        let printed = self.follow("**Look first**", affected).await;
        for clue in clues {
            assert!(
                printed.contains(clue),
                "{}: looking first shows {clue}: {printed}",
                self.drill.alarm
            );
        }
    }

    /// Runs what the runbook says under "Remedy", in the same way.
    pub async fn remedy(&mut self, affected: &[&Session<'_>]) {
        self.follow("**Remedy**", affected).await;
    }

    async fn follow(&mut self, question: &str, affected: &[&Session<'_>]) -> String {
        let began = Instant::now();
        let entry: Entry = self.world.runbook.entry(self.drill.alarm);
        let mut printed = String::new();
        for command in entry.commands(question) {
            self.commands.push(command.clone());
            if ONLY_IN_AWS.iter().any(|only| command.starts_with(only)) {
                continue;
            }
            let scan_refs: Vec<&str> = affected
                .iter()
                .map(|session| session.scan_ref.as_str())
                .collect();
            let times = if command.contains("SCANREF") {
                scan_refs
            } else {
                vec![""]
            };
            for scan_ref in times {
                let typed = command.replace("SCANREF", scan_ref);
                let ended = self.world.shell.run(&typed).await;
                let has_found = typed.starts_with("dvctl doctor")
                    && ended
                        .status
                        .is_some_and(|status| FOUND_SOMETHING.contains(&status));
                assert!(ended.status == Some(0) || has_found, "{typed}: {ended:?}");
                printed.push_str(&ended.text);
            }
        }
        self.repair += began.elapsed();
        printed
    }

    /// Waits until these customers are settled, each with one accepted submission.
    pub async fn settles(&mut self, affected: &[&Session<'_>]) {
        join_all(affected.iter().map(|session| async {
            session.until_settled_within(PATIENCE).await;
            let submissions = session.accepted_submissions().await;
            assert_eq!(submissions.len(), 1, "{submissions:?}");
        }))
        .await;
        self.settled += affected.len();
    }

    /// What is reported.
    pub fn row(self, failed: Option<String>) -> Row {
        Row {
            alarm: self.drill.alarm,
            failure: self.drill.failure,
            detection: self.detection,
            commands: self.commands,
            repair: self.repair,
            settled: self.settled,
            is_quiet_again: self.is_quiet_again,
            failed,
        }
    }
}

/// What the template's definition makes of what was measured.
struct Judged {
    value: Option<f64>,
    /// The alarms on metrics that are red.
    red: BTreeSet<String>,
}

impl Judged {
    fn is_red(&self) -> bool {
        !self.red.is_empty()
    }
}

impl Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.value {
            Some(value) => write!(f, "the value is {value}")?,
            None => write!(f, "no value")?,
        }
        if self.is_red() {
            write!(
                f,
                ", red: {}",
                self.red
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            )?;
        }
        Ok(())
    }
}
