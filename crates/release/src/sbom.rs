//! A software bill of materials in CycloneDX 1.6 (JSON). Equal dependencies give equal bytes: there
//! is no date and no serial number.

use serde_json::{Value, json};

use crate::dependencies::{Dependency, Shipped};

/// The document, with a line break at its end.
pub fn json(shipped: &Shipped) -> String {
    let Shipped { name, version, license, dependencies, direct } = shipped;
    let root = purl(name, version);
    let purls = |keys: &[(String, String)]| -> Vec<String> {
        keys.iter().map(|(name, version)| purl(name, version)).collect()
    };
    let mut graph = vec![json!({ "ref": root, "dependsOn": purls(direct) })];
    graph.extend(
        dependencies.iter().map(
            |one| json!({ "ref": purl(&one.name, &one.version), "dependsOn": purls(&one.uses) }),
        ),
    );
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "bom-ref": root,
            "name": name,
            "version": version,
            "licenses": [{ "expression": license }],
            "purl": root,
        } },
        "components": dependencies.iter().map(component).collect::<Vec<_>>(),
        "dependencies": graph,
    });
    let mut text = serde_json::to_string_pretty(&document).expect("a JSON value can be written");
    text.push('\n');
    text
}

fn component(dependency: &Dependency) -> Value {
    let purl = purl(&dependency.name, &dependency.version);
    let mut component = json!({
        "type": "library",
        "bom-ref": purl,
        "name": dependency.name,
        "version": dependency.version,
        // A macro's own code isn't in the binary.
        "scope": if dependency.is_macro { "excluded" } else { "required" },
    });
    if let Some(sha256) = &dependency.sha256 {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": sha256 }]);
    }
    if !dependency.license.is_empty() {
        // Old manifests separate alternatives by a slash.
        let expression = dependency.license.replace('/', " OR ");
        component["licenses"] = json!([{ "expression": expression }]);
    }
    component["purl"] = json!(purl);
    if let Some(repository) = &dependency.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// The package URL of a crate.
fn purl(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{}", version.replace('+', "%2B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_and_their_graph_are_written() {
        let dependency = |name: &str, license: &str, uses: &[(&str, &str)]| Dependency {
            name: name.to_string(),
            version: "1.0.0+x".to_string(),
            license: license.to_string(),
            authors: Vec::new(),
            repository: Some("https://example.com/a".to_string()),
            folder: "nowhere".into(),
            sha256: Some("ff".to_string()),
            is_macro: name == "b",
            uses: uses.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect(),
        };
        let shipped = Shipped {
            name: "program".to_string(),
            version: "0.1.0".to_string(),
            license: "MIT".to_string(),
            dependencies: vec![
                dependency("a", "MIT/Apache-2.0", &[("b", "1.0.0+x")]),
                dependency("b", "", &[]),
            ],
            direct: vec![("a".to_string(), "1.0.0+x".to_string())],
        };
        let text = json(&shipped);
        assert_eq!(text, json(&shipped));
        let document: Value = serde_json::from_str(&text).unwrap();
        let [a, b] = &document["components"].as_array().unwrap()[..] else { panic!("{text}") };
        assert_eq!(a["purl"], "pkg:cargo/a@1.0.0%2Bx");
        assert_eq!(a["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(a["hashes"][0]["content"], "ff");
        assert_eq!((&a["scope"], &b["scope"]), (&json!("required"), &json!("excluded")));
        assert!(b.get("licenses").is_none());
        let graph = &document["dependencies"];
        assert_eq!(graph[0]["dependsOn"], json!(["pkg:cargo/a@1.0.0%2Bx"]));
        assert_eq!(graph[1]["dependsOn"], json!(["pkg:cargo/b@1.0.0%2Bx"]));
    }
}
