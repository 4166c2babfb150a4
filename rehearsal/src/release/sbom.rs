//! The bill of materials of a bundle, in CycloneDX 1.6.

use serde_json::{Value, json};

use super::components::{Components, Crate, CrateId};

/// Names the bundle and the commit that it is made of.
pub(super) struct Origin<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub commit: &'a str,
    /// RFC 3339.
    pub time: &'a str,
}

/// Lists each program with its hash, and each crate with its licence and what it depends on.
pub(super) fn write(components: &Components, origin: &Origin<'_>) -> Value {
    let programs = components.programs.iter().map(|program| {
        json!({
            "type": "application",
            "bom-ref": program.file,
            "name": program.file,
            "version": origin.version,
            "hashes": [{"alg": "SHA-256", "content": program.sha256}],
            "licenses": [{"expression": "Apache-2.0"}],
        })
    });
    let crates = components
        .crates
        .iter()
        .map(|(id, known)| describe(id, known));
    let of_programs = components.programs.iter().map(|program| {
        let root = components.crates.get(&program.root);
        let depends_on: Vec<_> = root
            .map(|root| reference(&program.root, root))
            .into_iter()
            .collect();
        json!({"ref": program.file, "dependsOn": depends_on})
    });
    let of_crates = components.crates.iter().map(|(id, known)| {
        let depends_on = known.dependencies.iter().filter_map(|id| {
            let known = components.crates.get(id)?;
            Some(reference(id, known))
        });
        json!({"ref": reference(id, known), "dependsOn": depends_on.collect::<Vec<_>>()})
    });
    let files: Vec<_> = components
        .programs
        .iter()
        .map(|program| &program.file)
        .collect();
    let whole = json!({"ref": origin.name, "dependsOn": files});
    let dependencies = std::iter::once(whole).chain(of_programs).chain(of_crates);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": origin.time,
            "component": {
                "type": "application",
                "bom-ref": origin.name,
                "name": origin.name,
                "version": origin.version,
                "licenses": [{"expression": "Apache-2.0"}],
            },
            "properties": [{"name": "dual-verification:commit", "value": origin.commit}],
        },
        "components": programs.chain(crates).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// A crate of ours has no package URL: on crates.io its name belongs to something else.
fn describe(id: &CrateId, known: &Crate) -> Value {
    let (name, version) = id;
    let component = json!({
        "type": "library",
        "bom-ref": reference(id, known),
        "name": name,
        "version": version,
        "licenses": [{"expression": known.licence}],
    });
    let purl = (!known.is_ours).then(|| json!(package_url(id)));
    let mut members = component.as_object().cloned().unwrap_or_default();
    members.extend(purl.map(|purl| ("purl".to_owned(), purl)));
    Value::Object(members)
}

fn reference(id: &CrateId, known: &Crate) -> String {
    if known.is_ours {
        return format!("{} {}", id.0, id.1);
    }
    package_url(id)
}

fn package_url((name, version): &CrateId) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}
