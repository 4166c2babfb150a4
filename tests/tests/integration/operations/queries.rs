//! The saved queries of CloudWatch Logs Insights and their fields.

use std::collections::{BTreeMap, BTreeSet};

use operations::{FUNCTIONS, Template};

/// The words of the query language that the queries use, besides fields.
const WORDS: [&str; 21] = [
    "and",
    "as",
    "asc",
    "bin",
    "by",
    "count",
    "desc",
    "fields",
    "filter",
    "in",
    "ispresent",
    "like",
    "limit",
    "max",
    "min",
    "not",
    "or",
    "pct",
    "sort",
    "stats",
    "sum",
];

/// What a saved query reads.
pub struct SavedQuery {
    pub name: String,
    /// The functions whose logs it is run on.
    pub functions: Vec<String>,
    /// The fields of log lines that it names, without computed ones and those of CloudWatch (`@…`).
    pub fields: BTreeSet<String>,
}

pub fn saved_queries(template: &Template) -> Vec<SavedQuery> {
    let definitions: BTreeMap<_, _> = template
        .resources_of_type("AWS::Logs::QueryDefinition")
        .collect();
    definitions
        .into_iter()
        .map(|(name, properties)| SavedQuery {
            name: name.to_owned(),
            functions: properties["LogGroupNames"]
                .as_array()
                .unwrap()
                .iter()
                // Of `!If`: the condition, the group, and nothing.
                .map(|group| group.as_str().or(group[1].as_str()).unwrap())
                .map(|group| in_kebab_case(group.strip_suffix("LogGroup").unwrap()))
                .collect(),
            fields: fields(properties["QueryString"].as_str().unwrap()),
        })
        .collect()
}

/// `PreTraffic` as `pre-traffic`, which is how logs and programs are named.
fn in_kebab_case(name: &str) -> String {
    let mut written = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !written.is_empty() {
            written.push('-');
        }
        written.extend(character.to_lowercase());
    }
    written
}

fn fields(query: &str) -> BTreeSet<String> {
    // Every second part stands between quotation marks.
    let without_texts: String = query.split('"').step_by(2).collect::<Vec<&str>>().join(" ");
    let is_mark =
        |character: char| !(character.is_alphanumeric() || character == '_' || character == '@');
    let words: Vec<&str> = without_texts
        .split(is_mark)
        .filter(|word| !word.is_empty())
        .collect();
    let computed: BTreeSet<&str> = words
        .windows(2)
        .filter(|pair| pair[0] == "as")
        .map(|pair| pair[1])
        .collect();
    words
        .into_iter()
        .filter(|word| {
            !word.starts_with('@') && !word.starts_with(|first: char| first.is_ascii_digit())
        })
        .filter(|word| !WORDS.contains(word) && !computed.contains(word))
        .map(str::to_owned)
        .collect()
}

#[test]
fn fields_are_told_from_words_texts_and_results() {
    let query = r#"filter event = "some event" | stats max(took_ms) as slowest by outcome, bin(15m) | sort slowest desc | fields @timestamp"#;
    let found = fields(query);
    assert_eq!(
        found,
        ["event", "outcome", "took_ms"].map(str::to_owned).into()
    );
}

#[test]
fn every_saved_query_is_run_on_functions_that_exist() {
    let template = Template::read().unwrap();
    let queries = saved_queries(&template);
    assert!(queries.len() >= 4);
    for query in queries {
        assert!(
            query.fields.len() >= 3,
            "{}: {:?}",
            query.name,
            query.fields
        );
        for function in query.functions {
            assert!(
                FUNCTIONS.contains(&function.as_str()),
                "{}: {function}",
                query.name
            );
        }
    }
}
