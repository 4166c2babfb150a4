//! One drill: its checks, the commands that it runs, and its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::{LocalBoxFuture, try_join_all};
use harness::{
    DEADLINE, FaultProxy, Look, ProcessorTuning, PushReceiver, Reply, Session, Stack, WatchedStack,
    wait_for,
};
use local_stack::{STACK_NAME, reachable_url};
use operations::{Entry, Period, Point, Runbook, Template, Verdict};
use reqwest::Method;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use super::cloudwatch::{Since, set_alarm};
use super::progress;
use super::report::{Detection, Row};
use super::shell::Shell;

/// Leases of killed processors end after 15 s instead of 85, and their messages come back after 25
/// s instead of 540. Nothing else is changed.
const TUNING: ProcessorTuning = ProcessorTuning {
    timeout_seconds: 20,
    visibility_seconds: 25,
    ..ProcessorTuning::DEPLOYED
};

/// A Wednesday at nine, UTC, within [`BUSINESS_HOURS`]. NoCallbacks is judged at this time.
const BUSINESS_HOUR: i64 = 1_795_597_200_000;
const BUSINESS_HOURS: (&str, &str) = ("BusinessHours", "7-17");

/// The exit statuses of `dvctl doctor` when it has found something, as it should.
const FOUND_SOMETHING: [i32; 2] = [1, 5];

/// Wait of customers once the failure is gone. A circuit that opened several times waits for 5
/// minutes, and for up to half of that more as jitter.
pub const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Commands that the emulator does not have.
const ONLY_IN_AWS: [&str; 1] = ["aws service-quotas "];

/// One alarm and what turns it red.
pub struct Drill {
    /// The alarm's logical id, which is also its heading in the runbook.
    pub alarm: &'static str,
    /// What is broken, in a few words.
    pub failure: &'static str,
    /// Brings it about, shows the alarm, repairs.
    pub play: for<'a> fn(&'a mut Exercise<'_>) -> LocalBoxFuture<'a, Result<()>>,
}

impl fmt::Debug for Drill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drill")
            .field("alarm", &self.alarm)
            .finish_non_exhaustive()
    }
}

/// The stack, and all that a drill needs around it.
pub struct World {
    watched: WatchedStack,
    /// Outcomes are pushed to it.
    pub application: PushReceiver,
    pub shell: Shell,
    template: Template,
    runbook: Runbook,
    parameters: BTreeMap<String, String>,
}

impl World {
    pub fn new(
        watched: WatchedStack,
        application: PushReceiver,
        shell: Shell,
        template: Template,
        runbook: Runbook,
        mut parameters: BTreeMap<String, String>,
    ) -> Self {
        let (name, hours) = BUSINESS_HOURS;
        parameters.insert(name.to_owned(), hours.to_owned());
        Self {
            watched,
            application,
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
    pub fn services(&self) -> &FaultProxy {
        &self.watched.services
    }

    pub async fn prepare(&self) -> Result<()> {
        self.stack().tune_processor(TUNING).await
    }

    pub async fn stop(self) {
        self.watched.stop().await;
    }

    /// Puts back the settings that a failed drill may have left.
    pub async fn tidy_up(&self) -> Result<()> {
        let stack = self.stack();
        stack
            .sandbox
            .admin(Method::DELETE, "/faults", json!({}))
            .await?;
        self.application.answers([], Reply::Status(204));
        let callback_url = &stack.description.webhook_url;
        stack
            .sandbox
            .settings(json!({"callbackUrl": callback_url, "fileLinkSeconds": null}))
            .await?;
        for function in ["WebhookFunction", "ReconcilerFunction", "PublisherFunction"] {
            self.share_the_pool(function).await?;
        }
        self.shell.run("dvctl resume").await?;
        Ok(())
    }

    /// Reserves concurrency for a function, which is also its bound.
    pub async fn reserve(&self, function: &str, executions: u32) -> Result<()> {
        let name = self.stack().function_name(function).await?;
        let command = format!(
            "aws lambda put-function-concurrency --function-name {name} \
             --reserved-concurrent-executions {executions}"
        );
        self.shell.must(&command).await?;
        Ok(())
    }

    /// Gives a function an address of its deployed code, past alias and version.
    pub async fn open_unpublished(&self, function: &str) -> Result<String> {
        let name = self.stack().function_name(function).await?;
        let command = format!(
            "aws lambda create-function-url-config --function-name {name} --auth-type NONE \
             --query FunctionUrl --output text"
        );
        let in_aws = self.shell.must(&command).await?;
        let endpoint = Url::parse(&self.stack().description.endpoint_url)?;
        reachable_url(&in_aws, &endpoint)
            .with_context(|| format!("{in_aws} is no address of a function"))
    }

    /// Takes the bound away again.
    pub async fn share_the_pool(&self, function: &str) -> Result<()> {
        let name = self.stack().function_name(function).await?;
        let command = format!("aws lambda delete-function-concurrency --function-name {name}");
        self.shell.run(&command).await?;
        Ok(())
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

    /// A customer is served, and the alarm is quiet. The circuit forgets the earlier drills, as it
    /// would minutes later.
    pub async fn begin(&mut self) -> Result<()> {
        self.stack().forget_circuit().await?;
        self.is_well().await?;
        self.look_from_now_on().await?;
        self.injected = Instant::now();
        Ok(())
    }

    /// The same at the end.
    pub async fn end(&mut self) -> Result<()> {
        ensure!(self.detection.is_some(), "the alarm was never red");
        ensure!(self.settled > 0, "no customer was settled");
        set_alarm(self.stack(), self.drill.alarm, false).await?;
        self.is_well().await?;
        self.is_quiet_again = true;
        Ok(())
    }

    async fn is_well(&mut self) -> Result<()> {
        self.look_from_now_on().await?;
        let customer = self.stack().session_with_documents().await?;
        customer.finish_expecting_200(json!({})).await?;
        customer.until_settled_within(PATIENCE).await?;
        self.stack()
            .invoke("ReconcilerFunction", &json!({}))
            .await?;
        let what = format!("{} is quiet", self.drill.alarm);
        wait_for(DEADLINE, what, async || {
            let judged = self.judge().await?;
            // The customer's log lines appear some moments later. Only an alarm about silence needs
            // them.
            Ok(if judged.is_red() {
                Look::NotYet(judged.to_string())
            } else {
                Look::Found(())
            })
        })
        .await
    }

    async fn look_from_now_on(&mut self) -> Result<()> {
        self.measured.clear();
        self.since = Some(Since::now(self.stack()).await?);
        Ok(())
    }

    /// Adds what AWS would measure and the emulator does not.
    pub fn measure(&mut self, point: Point) {
        self.measured.push(point);
    }

    /// Waits until the alarm's metric has crossed its threshold. For silence that is at once: the
    /// alarm's periods are there for its duration.
    pub async fn until_red(&mut self) -> Result<()> {
        self.until_red_if_it_goes_on_for(Duration::ZERO).await
    }

    /// As [`until_red`](Self::until_red), for failures that are an alarm only after a long time.
    /// The measured values suppose that this time has passed.
    pub async fn until_red_if_it_goes_on_for(&mut self, supposed: Duration) -> Result<()> {
        let what = format!("{} is red", self.drill.alarm);
        let judged = wait_for(DEADLINE, what, async || {
            let judged = self.judge().await?;
            Ok(if judged.is_red() {
                Look::Found(judged)
            } else {
                Look::NotYet(judged.to_string())
            })
        })
        .await?;
        let template = &self.world.template;
        let periods = judged.red.iter().map(|alarm| template.time_to_alarm(alarm));
        let periods: Vec<Duration> = periods.collect::<Result<_>>()?;
        self.detection = Some(Detection {
            measured: self.injected.elapsed(),
            supposed,
            periods: periods.into_iter().min().unwrap_or_default(),
        });
        progress(&format!("{}: {judged}", self.drill.alarm));
        let members = judged.red.iter().map(String::as_str);
        for alarm in members.chain([self.drill.alarm]) {
            set_alarm(self.stack(), alarm, true).await?;
        }
        Ok(())
    }

    async fn judge(&self) -> Result<Judged> {
        let since = self.since.as_ref().context("the drill has not begun")?;
        let mut points = since.points(self.stack()).await?;
        points.extend(self.measured.iter().cloned());
        let template = &self.world.template;
        let period = Period {
            begins: if self.drill.alarm == "NoCallbacks" {
                BUSINESS_HOUR
            } else {
                since.at()
            },
            points: &points,
            stack_name: STACK_NAME,
            parameters: &self.world.parameters,
        };
        let alarms = template.metric_alarms();
        if alarms.contains_key(self.drill.alarm) {
            let verdict = template.judge(self.drill.alarm, &period)?;
            let red = verdict.is_breaching.then(|| self.drill.alarm.to_owned());
            return Ok(Judged {
                value: verdict.value,
                red: red.into_iter().collect(),
            });
        }
        // Only members with data: silence within seconds is no evidence.
        let mut red = BTreeSet::new();
        for name in alarms.into_keys() {
            let Verdict {
                value,
                is_breaching,
            } = template.judge(name, &period)?;
            if value.is_some() && is_breaching {
                red.insert(name.to_owned());
            }
        }
        let counts = template.is_composite_red(self.drill.alarm, &red)?;
        Ok(Judged {
            value: None,
            red: if counts { red } else { BTreeSet::new() },
        })
    }

    /// Runs the runbook's commands under "Look first". A command about one verification is run for
    /// each of these customers.
    ///
    /// # Errors
    /// A command fails, or one of these words is not printed.
    pub async fn look_first(&mut self, affected: &[&Session<'_>], clues: &[&str]) -> Result<()> {
        let printed = self.follow("**Look first**", affected).await?;
        for clue in clues {
            ensure!(
                printed.contains(clue),
                "{}: looking first does not show {clue}: {printed}",
                self.drill.alarm
            );
        }
        Ok(())
    }

    /// Runs the runbook's commands under "Remedy", in the same way.
    ///
    /// # Errors
    /// A command fails.
    pub async fn remedy(&mut self, affected: &[&Session<'_>]) -> Result<()> {
        self.follow("**Remedy**", affected).await?;
        Ok(())
    }

    async fn follow(&mut self, question: &str, affected: &[&Session<'_>]) -> Result<String> {
        let began = Instant::now();
        let entry: Entry = self.world.runbook.entry(self.drill.alarm)?;
        let mut printed = String::new();
        for command in entry.commands(question)? {
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
                let ended = self.world.shell.run(&typed).await?;
                let has_found = typed.starts_with("dvctl doctor")
                    && ended
                        .status
                        .is_some_and(|status| FOUND_SOMETHING.contains(&status));
                ensure!(ended.status == Some(0) || has_found, "{typed}: {ended:?}");
                printed.push_str(&ended.text);
            }
        }
        self.repair += began.elapsed();
        Ok(printed)
    }

    /// Waits until these customers are settled, each with one accepted submission.
    ///
    /// # Errors
    /// One is not.
    pub async fn settles(&mut self, affected: &[&Session<'_>]) -> Result<()> {
        try_join_all(affected.iter().map(|session| async {
            session.until_settled_within(PATIENCE).await?;
            let submissions = session.accepted_submissions().await?;
            ensure!(
                submissions.len() == 1,
                "expected one submission: {submissions:?}"
            );
            Ok(())
        }))
        .await?;
        self.settled += affected.len();
        Ok(())
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

/// The template's judgement of the measured values.
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
