//! The applications in `examples/`, built and started as their pages say. Customers go through
//! them by plain requests and, where there is a browser, by hand.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use api_contract::Application;
use harness::{Session, Stack, eventually};
use local_stack::{Toolchain, python_environment, workspace};
use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_browser::{Screen, in_browser};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use uuid::Uuid;

use crate::by_hand::{Photos, verify};

/// Of an installation on a busy machine.
const START_DEADLINE: Duration = Duration::from_secs(60);

pub(crate) fn examples() -> PathBuf {
    workspace::root().join("examples")
}

pub(crate) fn progress(line: &str) {
    println!("{line}");
}

/// Runs a program to its end and returns what it prints.
pub(crate) async fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {printed}{errors}");
    printed
}

/// Installs the packages of a folder with npm, unless they are there, and builds it. Without npm:
/// a message, and `false`.
pub(crate) async fn npm_builds(directory: &Path) -> bool {
    let npm = |arguments: &[&str]| {
        let mut npm = Command::new("npm");
        npm.args(arguments).current_dir(directory);
        npm
    };
    if npm(&["--version"]).output().await.is_err() {
        println!("SKIPPED {}: npm is not installed", directory.display());
        return false;
    }
    let written = |name| std::fs::metadata(directory.join(name)).and_then(|file| file.modified());
    let installed = written("node_modules/.package-lock.json").ok();
    if installed < written("package-lock.json").ok() {
        run(&mut npm(&["ci", "--no-audit", "--no-fund"])).await;
    }
    run(&mut npm(&["run", "build"])).await;
    true
}

/// What the SDKs find the emulator by. It takes any credentials.
fn aws_variables(stack: &Stack) -> [(&'static str, &str); 5] {
    [
        ("AWS_ENDPOINT_URL", &stack.description.endpoint_url),
        ("AWS_REGION", &stack.description.region),
        ("AWS_DEFAULT_REGION", &stack.description.region),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]
}

/// Deploys `outcome-queue.yaml` under a name of its own. Returns the queue's address.
async fn queue(stack: &Stack) -> String {
    let toolchain = Toolchain::prepare(progress).await.unwrap();
    let aws = toolchain.operator(progress).await.unwrap().join("aws");
    let name = format!("outcomes-{}", Uuid::new_v4().simple());
    let bus = format!("EventBusName={}", stack.description.event_bus);
    let mut deploy = Command::new(&aws);
    deploy
        .args(["cloudformation", "deploy", "--stack-name", &name])
        .arg("--template-file")
        .arg(examples().join("outcome-queue.yaml"))
        .args(["--parameter-overrides", &bus])
        .envs(aws_variables(stack));
    run(&mut deploy).await;
    let mut describe = Command::new(&aws);
    describe
        .args(["cloudformation", "describe-stacks", "--stack-name", &name])
        .args([
            "--query",
            "Stacks[0].Outputs[?OutputKey=='QueueUrl'].OutputValue",
        ])
        .args(["--output", "text"])
        .envs(aws_variables(stack));
    run(&mut describe).await.trim().to_owned()
}

/// A port that no outgoing connection takes meanwhile.
fn port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let first = 20_000 + u16::try_from(Uuid::new_v4().as_u128() % 10_000).unwrap();
    (first..32_000).find(is_free).unwrap()
}

/// A running application. It ends with the value.
struct Running {
    stack: Stack,
    url: String,
    queue: String,
    _processes: [Child; 2],
    _folder: TempDir,
}

/// Starts a program that prints its address first.
pub(crate) async fn start(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>, String) {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let said = tokio::time::timeout(START_DEADLINE, lines.next_line()).await;
    let said = said.unwrap().unwrap().unwrap();
    (process, lines, said)
}

impl Running {
    /// Between the application and the API, a proxy checks signatures: the emulator does not.
    async fn start(program: &OsStr, script: &Path, python: &Path) -> Self {
        let stack = Stack::shared().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut proxy = Command::new(python);
        proxy
            .arg(workspace::root().join("tests/signatures/proxy.py"))
            .args([&stack.description.api_url, &stack.description.region]);
        let (proxy, _, api_url) = start(&mut proxy).await;
        let answer = stack.http.post(format!("{api_url}sessions")).send().await;
        assert_eq!(answer.unwrap().status(), 403, "not signed");
        let queue = queue(&stack).await;
        let port = port().to_string();
        let mut application = Command::new(program);
        application
            .arg(script)
            .envs(aws_variables(&stack))
            .env("API_URL", api_url)
            .env("QUEUE_URL", &queue)
            .env("PORT", &port)
            .env("CUSTOMERS_FILE", folder.path().join("customers"));
        let (application, _, url) = start(&mut application).await;
        assert_eq!(url, format!("http://localhost:{port}"));
        let running = Self {
            stack,
            url,
            queue,
            _processes: [application, proxy],
            _folder: folder,
        };
        eventually("the application listens", || async {
            running.heading("/").await.map(|_| ())
        })
        .await
        .unwrap();
        running
    }

    async fn heading(&self, path: &str) -> Result<String, String> {
        let answer = self.stack.http.get(format!("{}{path}", self.url)).send();
        let page = answer.await.map_err(|error| format!("{error:?}"))?;
        let page = page.text().await.map_err(|error| error.to_string())?;
        let heading = page
            .split_once("<h1>")
            .and_then(|(_, rest)| rest.split_once("</h1>"));
        heading.map(|(heading, _)| heading.to_owned()).ok_or(page)
    }

    async fn until_heading(&self, path: &str, expected: &str) {
        eventually(expected, || async {
            match self.heading(path).await? {
                heading if heading == expected => Ok(()),
                other => Err(other),
            }
        })
        .await
        .unwrap();
    }

    /// Presses a page's button. Returns where it leads.
    async fn press(&self, path: &str) -> String {
        let answer = self.stack.http.post(format!("{}{path}", self.url)).send();
        let answer = answer.await.unwrap();
        let location = answer.headers().get(LOCATION);
        let location = location.unwrap_or_else(|| panic!("{path} answers {}", answer.status()));
        location.to_str().unwrap().to_owned()
    }

    /// A new customer of the application. Returns their page's path.
    async fn sign_up(&self) -> String {
        let page = self.press("/customers").await;
        page.strip_prefix(&self.url).unwrap_or(&page).to_owned()
    }

    /// All sessions that the application has opened for the customer, the newest first.
    async fn sessions(&self, page: &str) -> Vec<Session<'_>> {
        let client_id = page.rsplit('/').next().unwrap();
        let path = format!("/verifications?clientId={client_id}");
        let answer = self.stack.api(Method::GET, &path, None).await.unwrap();
        let listed = answer.expect(200).unwrap();
        let of = |item: &Value| {
            let scan_ref = item["scanRef"].as_str().unwrap().to_owned();
            Session::of(&self.stack, client_id.to_owned(), scan_ref)
        };
        listed["items"].as_array().unwrap().iter().map(of).collect()
    }
}

async fn a_customer_is_verified(app: &Running) {
    let page = app.sign_up().await;
    app.until_heading(&page, "Please verify your identity")
        .await;
    let verification = format!("{page}/verification");
    let link = app.press(&verification).await;
    assert_eq!(app.press(&verification).await, link, "pressed twice");
    app.until_heading(&page, "We are waiting for your result")
        .await;

    let sessions = app.sessions(&page).await;
    assert_eq!(sessions.len(), 1);
    sessions[0].upload_both(30_000, 20_000).await.unwrap();
    sessions[0].finish_expecting_200(json!({})).await.unwrap();
    app.until_heading(&page, "You are verified").await;

    // Verified customers are not sent off again.
    assert!(app.press(&verification).await.ends_with(&page));
    assert_eq!(app.sessions(&page).await.len(), 1);
    // A result that is taken back is not the end.
    let denied = json!({"overall": "DENIED"});
    sessions[0].finish_expecting_200(denied).await.unwrap();
    app.until_heading(&page, "We are looking at your documents")
        .await;
}

async fn a_customer_tries_again(app: &Running) {
    let page = app.sign_up().await;
    let verification = format!("{page}/verification");
    let first = app.press(&verification).await;
    let denied = json!({"overall": "DENIED"});
    app.sessions(&page).await[0]
        .finish_expecting_200(denied)
        .await
        .unwrap();
    app.until_heading(&page, "Please try again").await;

    assert_ne!(app.press(&verification).await, first, "a new session");
    app.until_heading(&page, "We are waiting for your result")
        .await;
    let sessions = app.sessions(&page).await;
    assert_eq!(sessions.len(), 2);
    sessions[0].upload_both(30_000, 20_000).await.unwrap();
    sessions[0].finish_expecting_200(json!({})).await.unwrap();
    app.until_heading(&page, "You are verified").await;
}

async fn one_person_twice_is_looked_at(app: &Running) {
    let page = app.sign_up().await;
    app.press(&format!("{page}/verification")).await;
    let session = &app.sessions(&page).await[0];
    let same = json!({"secondDocument": "SameDocument"});
    session.outcome(same).await.unwrap();
    session.upload_both(30_000, 20_000).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    app.until_heading(&page, "We are looking at your documents")
        .await;
}

/// The API asks to repeat the request in a second.
async fn a_busy_provider_costs_no_second_press(app: &Running) {
    let page = app.sign_up().await;
    let client_id = page.rsplit('/').next().unwrap();
    let fault = json!({"route": "token", "kind": "status", "status": 429,
        "retryAfterSeconds": 1, "times": 1,
        "match": {"clientId": client_id}});
    app.stack
        .sandbox
        .admin(Method::POST, "/faults", fault)
        .await
        .unwrap();
    app.press(&format!("{page}/verification")).await;
    assert_eq!(app.sessions(&page).await.len(), 1);
}

async fn customers_are_served(name: &'static str, app: &Running) {
    // It holds up no outcome.
    app.stack.send(&app.queue, &["not JSON"]).await.unwrap();
    tokio::join!(
        a_customer_is_verified(app),
        a_customer_tries_again(app),
        one_person_twice_is_looked_at(app),
        a_busy_provider_costs_no_second_press(app),
    );
    let photos = Photos::take();
    in_browser(name, Screen::Phone, async |browser| {
        browser.open(&app.url).await;
        browser.press("Sign up").await;
        browser.sees_heading("Please verify your identity").await;
        browser.press("Verify your identity").await;
        verify(browser, &photos).await;
        browser.sees_heading("You are verified").await;
        browser.screenshot("verified").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_typescript_example_serves_customers() {
    let directory = examples().join("typescript");
    if !npm_builds(&directory).await {
        return;
    }
    let (program, script) = ("node".as_ref(), directory.join("dist/app.js"));
    let app = Running::start(program, &script, &python().await).await;
    customers_are_served("typescript-example", &app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_example_serves_customers() {
    let directory = examples().join("python");
    let python = python().await;
    let programs = python.parent().unwrap();
    let path = std::iter::once(programs.to_owned()).chain(search_path());
    let path = std::env::join_paths(path).unwrap();
    run(Command::new(directory.join("generate.sh")).env("PATH", &path)).await;
    run(Command::new(programs.join("mypy")).current_dir(&directory)).await;
    let script = directory.join("app.py");
    let app = Running::start(python.as_ref(), &script, &python).await;
    customers_are_served("python-example", &app).await;
}

/// The interpreter that has the Python example's packages.
async fn python() -> PathBuf {
    let requirements = include_str!("../../../examples/python/requirements.txt");
    let environment = python_environment("python-example", requirements, progress);
    environment.await.unwrap().join("bin/python")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program is put before the others"
)]
fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).collect()
}
