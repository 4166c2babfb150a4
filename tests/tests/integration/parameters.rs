//! Parameters that the template refuses before anything is deployed: values that the functions
//! would refuse at their start, and values that exclude each other.

use harness::Stack;
use operations::Template;
use uuid::Uuid;

const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:idenfy-a1B2c3";

/// Whether the parameter's pattern matches the whole value, as CloudFormation reads it.
fn takes(template: &Template, parameter: &str, value: &str) -> bool {
    let pattern = template.parameter(parameter)["AllowedPattern"]
        .as_str()
        .expect("a pattern");
    let schema = serde_json::json!({"pattern": format!("^(?:{pattern})$")});
    jsonschema::is_valid(&schema, &value.into())
}

#[test]
fn patterns_take_what_the_functions_take() {
    let template = Template::read().unwrap();
    for (parameter, value) in [
        ("IdenfySecretArn", ARN),
        (
            "IdenfySecretArn",
            "arn:aws-eusc:secretsmanager:eusc-de-east-1:123456789012:secret:team/idenfy.1-AAAAAA",
        ),
        ("SigningSecretArn", ""),
        ("SigningSecretArn", ARN),
        ("StepImages", ""),
        ("StepImages", "SECOND_DOC=FRONT"),
        ("StepImages", "SECOND_DOC=FRONT+BACK"),
        ("StepImages", "PAGE_ONE=FRONT,PAGE_TWO=BACK"),
        ("StepImages", "PAGE_TWO=BACK,PAGE_ONE=FRONT"),
        ("StepImages", "Ž_BACK=BACK,Second doc.front=FRONT"),
        ("StepImages", "%C5%BD=FRONT+BACK"),
        ("StepImages", "a%2Cb%3Dc+d=FRONT"),
        ("ApiCallers", ""),
        ("ApiCallers", "111122223333"),
        ("ApiCallers", "arn:aws:iam::444455556666:role/service/shop"),
        (
            "ApiCallers",
            "111122223333,arn:aws-eusc:iam::444455556666:user/a@b,222233334444,333344445555",
        ),
        ("OutcomeTargetBusArn", ""),
        (
            "OutcomeTargetBusArn",
            "arn:aws:events:eu-west-1:111122223333:event-bus/shop",
        ),
        ("OutcomePushUrl", ""),
        ("OutcomePushUrl", "https://shop.example.com"),
        (
            "OutcomePushUrl",
            "https://10.0.0.7:8443/a/b%20c?key=a-b_c~d",
        ),
        ("OutcomePushUrl", "http://127.0.0.1:8080/outcomes"),
        ("OutcomePushSecretArn", ""),
        ("OutcomePushSecretArn", ARN),
        ("BusinessHours", ""),
        ("BusinessHours", "0-1"),
        ("BusinessHours", "7-17"),
        ("BusinessHours", "19-24"),
    ] {
        assert!(takes(&template, parameter, value), "{parameter}={value}");
    }
}

#[test]
fn patterns_refuse_what_the_functions_refuse() {
    let template = Template::read().unwrap();
    for (parameter, value) in [
        // A common spelling; a role that names it may read nothing.
        (
            "IdenfySecretArn",
            "arn:aws:secretsmanager:eu-west-1:123456789012:secret:idenfy",
        ),
        ("IdenfySecretArn", "idenfy"),
        ("IdenfySecretArn", ""),
        ("SigningSecretArn", "idenfy-signing"),
        ("StepImages", "SECOND_DOC"),
        ("StepImages", "SECOND_DOC=LEFT"),
        ("StepImages", "SECOND%DOC=FRONT"),
        ("StepImages", "SECOND=DOC=FRONT"),
        ("StepImages", "SECOND_DOC=BACK"),
        ("StepImages", "SECOND_DOC=BACK+FRONT"),
        ("StepImages", "PAGE_ONE=FRONT,PAGE_TWO=FRONT"),
        ("StepImages", "PAGE_ONE=FRONT+BACK,PAGE_TWO=BACK"),
        ("StepImages", "PAGE_ONE=FRONT, PAGE_TWO=BACK"),
        ("ApiCallers", "*"),
        ("ApiCallers", "lambda.amazonaws.com"),
        ("ApiCallers", "11112222333"),
        ("ApiCallers", "111122223333,"),
        ("ApiCallers", "111122223333, 444455556666"),
        ("ApiCallers", "arn:aws:iam::444455556666:role/*"),
        (
            "ApiCallers",
            "arn:aws:sts::444455556666:assumed-role/shop/session",
        ),
        // Five.
        (
            "ApiCallers",
            "111122223333,222233334444,333344445555,444455556666,555566667777",
        ),
        ("OutcomeTargetBusArn", "shop"),
        (
            "OutcomeTargetBusArn",
            "arn:aws:sqs:eu-west-1:111122223333:shop",
        ),
        ("BusinessHours", "17-7"),
        ("BusinessHours", "9-9"),
        ("BusinessHours", "7-25"),
        ("BusinessHours", "07-17"),
    ] {
        assert!(!takes(&template, parameter, value), "{parameter}={value}");
    }
}

#[test]
fn only_what_is_asked_for_first_has_no_default() {
    let template = Template::read().unwrap();
    // The SAM CLI asks in the template's order.
    let names = template.parameter_names();
    assert_eq!(names[..2], ["Stage", "IdenfySecretArn"]);
    assert_eq!(names.last().map(String::as_str), Some("AwsEndpointUrl"));
    for name in names {
        let parameter = template.parameter(&name);
        assert!(
            parameter["Description"]
                .as_str()
                .is_some_and(|text| text.ends_with('.')),
            "{name}"
        );
        assert_eq!(
            parameter.get("Default").is_none(),
            name == "IdenfySecretArn",
            "{name}"
        );
    }
}

/// The template's parameters and rules with one free resource: CloudFormation need not get all of
/// it.
fn rules_alone() -> String {
    let template = std::fs::read_to_string(local_stack::workspace::root().join("template.yaml"))
        .expect("a template");
    let (_, from_parameters) = template.split_once("\nParameters:\n").expect("parameters");
    let (parameters_and_rules, _) = from_parameters
        .split_once("\nConditions:\n")
        .expect("conditions follow the rules");
    format!(
        "Parameters:\n{parameters_and_rules}\nResources:\n  Topic: {{ Type: AWS::SNS::Topic }}\n"
    )
}

/// What CloudFormation says about a change set with these parameters.
async fn change_set(stack: &Stack, parameters: &[(&str, &str)]) -> (u16, String) {
    let mut form = vec![
        ("Action".to_owned(), "CreateChangeSet".to_owned()),
        ("Version".to_owned(), "2010-05-15".to_owned()),
        (
            "StackName".to_owned(),
            format!("rules-{}", Uuid::new_v4().simple()),
        ),
        ("ChangeSetName".to_owned(), "rules".to_owned()),
        ("ChangeSetType".to_owned(), "CREATE".to_owned()),
        ("TemplateBody".to_owned(), rules_alone()),
    ];
    let secret = [("IdenfySecretArn", ARN)];
    for (number, (name, value)) in (1..).zip(secret.iter().chain(parameters)) {
        form.push((
            format!("Parameters.member.{number}.ParameterKey"),
            (*name).to_owned(),
        ));
        form.push((
            format!("Parameters.member.{number}.ParameterValue"),
            (*value).to_owned(),
        ));
    }
    stack.emulator.cloudformation(&form).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn production_is_protected_and_leads_to_no_emulator() {
    let stack = Stack::shared().await.unwrap();
    for stage in ["production", "prod", "live"] {
        let (status, answer) = change_set(&stack, &[("Stage", stage)]).await;
        assert!(
            status == 400 && answer.contains("DeletionProtection=true"),
            "{stage}: {status} {answer}"
        );
        let endpoint = ("AwsEndpointUrl", "http://localhost:4566");
        let (status, answer) = change_set(
            &stack,
            &[("Stage", stage), ("DeletionProtection", "true"), endpoint],
        )
        .await;
        assert!(
            status == 400 && answer.contains("AwsEndpointUrl is for emulators"),
            "{stage}: {status} {answer}"
        );
        let (status, answer) =
            change_set(&stack, &[("Stage", stage), ("DeletionProtection", "true")]).await;
        assert_eq!(status, 200, "{stage}: {answer}");
    }
    let (status, answer) = change_set(&stack, &[("Stage", "staging")]).await;
    assert_eq!(status, 200, "{answer}");
}
