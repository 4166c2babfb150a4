//! The backend as a part of other tools' deployments: `examples/cdk` and `examples/terraform`. What
//! would need an AWS account is not run; `docs/CDK.md` and `docs/TERRAFORM.md` say what.

use std::collections::BTreeSet;
use std::path::Path;

use local_stack::{python_environment, workspace};
use operations::Template;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::examples::{examples, npm_builds, progress, run};

const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:idenfy-a1B2c3";

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The words that stand between two marks, wherever they do.
fn between<'text>(text: &'text str, begin: &str, end: &str) -> BTreeSet<&'text str> {
    let behind = text.split(begin).skip(1);
    behind.filter_map(|rest| rest.split(end).next()).collect()
}

/// The names of the template's outputs.
fn outputs(template: &str) -> BTreeSet<&str> {
    let (_, section) = template.split_once("\nOutputs:\n").unwrap();
    let lines = section.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.strip_suffix(':'))
        .collect()
}

fn assert_are_parameters<'name>(names: impl IntoIterator<Item = &'name str>) {
    let known = Template::read().unwrap().parameter_names();
    for name in names {
        assert!(known.iter().any(|one| one == name), "{name}");
    }
}

#[tokio::test]
async fn the_cdk_example_nests_the_whole_template() {
    let directory = examples().join("cdk");
    let template = read(workspace::root().join("template.yaml"));
    let source = read(directory.join("src/dual-verification.ts"));
    assert_eq!(between(&source, "  | \"", "\""), outputs(&template));
    if !npm_builds(&directory).await {
        return;
    }
    let made = tempfile::tempdir().unwrap();
    let mut synthesis = Command::new("node");
    synthesis
        .arg("dist/app.js")
        .current_dir(&directory)
        .env("PACKAGED_TEMPLATE", workspace::root().join("template.yaml"))
        .env("IDENFY_SECRET_ARN", SECRET_ARN)
        .env("CDK_OUTDIR", made.path());
    run(&mut synthesis).await;

    let shop: Value = serde_json::from_str(&read(made.path().join("Shop.template.json"))).unwrap();
    let resources = shop["Resources"].as_object().unwrap();
    let nested: Vec<&Value> = resources
        .values()
        .filter(|one| one["Type"] == "AWS::CloudFormation::Stack")
        .collect();
    assert_eq!(nested.len(), 1, "{shop}");
    let parameters = nested[0]["Properties"]["Parameters"].as_object().unwrap();
    assert_eq!(parameters["IdenfySecretArn"], json!(SECRET_ARN));
    assert_are_parameters(parameters.keys().map(String::as_str));
    // The address ends with the asset's file.
    let url = nested[0]["Properties"]["TemplateURL"].to_string();
    let name = url.rsplit('/').next().unwrap().split('"').next().unwrap();
    assert!(read(made.path().join(format!("asset.{name}"))) == template);
    let read_outputs = shop.to_string();
    let read_outputs = between(&read_outputs, "\"Outputs.", "\"");
    assert!(read_outputs.is_subset(&outputs(&template)) && !read_outputs.is_empty());
}

/// `terraform validate` would need the provider from Terraform's registry.
#[tokio::test]
async fn the_terraform_example_is_well_formed() {
    let directory = examples().join("terraform");
    let page = read(workspace::root().join("docs/TERRAFORM.md"));
    let on_page = *between(&page, "```hcl\n", "```").first().unwrap();
    let files = ["main.tf", "outputs.tf", "variables.tf"].map(|name| read(directory.join(name)));
    let requirements = include_str!("../../infrastructure/requirements.txt");
    let environment = python_environment("infrastructure", requirements, progress);
    let python = environment.await.unwrap().join("bin/python");
    for text in files.iter().map(String::as_str).chain([on_page]) {
        let parse = [
            "-I",
            "-c",
            "import hcl2, sys; hcl2.loads(sys.argv[1])",
            text,
        ];
        run(Command::new(&python).args(parse)).await;
    }
    let format = ["fmt", "-check", "-diff"];
    match Command::new("terraform").arg("-version").output().await {
        Ok(_) => drop(run(Command::new("terraform").args(format).arg(&directory)).await),
        Err(_) => println!("SKIPPED the format: terraform is not installed"),
    }

    let template = read(workspace::root().join("template.yaml"));
    let read_outputs = between(&files[1], "outputs[\"", "\"]");
    assert!(read_outputs.is_subset(&outputs(&template)) && !read_outputs.is_empty());
    assert_are_parameters(["IdenfySecretArn"]);
    let given = on_page.split_once("parameters").unwrap().1;
    assert_are_parameters(given.split(['{', ',', '}']).filter_map(|pair| {
        let name = pair.split_once(" = \"")?.0;
        Some(name.trim())
    }));
    let variables = between(&files[2], "variable \"", "\"");
    for line in on_page.lines().filter(|line| line.starts_with("  ")) {
        let name = line.split_whitespace().next().unwrap();
        assert!(name == "source" || variables.contains(name), "{name}");
    }
}
