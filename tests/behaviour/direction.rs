//! Who depends on whom: the graph of the architecture, read from cargo itself.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use tests::process::run;
use tests::root;

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Which crates of the workspace each may name, directly.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("postern", &["gateway", "portal", "policies", "store", "templates", "certs", "mail"]),
    ("gateway", &["policies", "store", "templates", "certs", "mail"]),
    ("portal", &["policies", "store", "templates", "certs", "mail"]),
    ("policies", &["mail"]),
    ("store", &["mail", "certs"]),
    ("templates", &[]),
    ("certs", &[]),
    ("mail", &[]),
];

/// Crates beside the product, which may look at it and which nobody looks at.
const ASIDE: [&str; 3] = ["tests", "bench", "fuzz"];

fn allowed() -> Graph {
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    ALLOWED.iter().map(|(name, list)| ((*name).to_owned(), names(list))).collect()
}

/// The workspace's own edges, of every kind: normal, build and test.
fn actual() -> Graph {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked", "--offline"])
        .current_dir(root());
    let metadata: Value =
        serde_json::from_slice(&run(&mut cargo).good("cargo metadata").stdout).expect("JSON");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let packages = metadata["packages"].as_array().expect("packages");
    let edges = |package: &Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies");
        let own = dependencies.iter().filter(|dependency| !dependency["path"].is_null());
        own.map(|dependency| text(&dependency["name"])).collect()
    };
    packages.iter().map(|package| (text(&package["name"]), edges(package))).collect()
}

/// Every other crate that is reached from each.
fn reach(graph: &Graph) -> Graph {
    let mut reached = graph.clone();
    for _ in 0..graph.len() {
        let before = reached.clone();
        for set in reached.values_mut() {
            let further: Vec<_> = set.iter().filter_map(|name| before.get(name)).flatten().cloned().collect();
            set.extend(further);
        }
    }
    for (name, set) in &mut reached {
        set.remove(name);
    }
    reached
}

#[test]
fn crates_see_only_what_the_architecture_lets_them_see() {
    let (allowed, actual) = (allowed(), actual());
    for (name, edges) in actual.iter().filter(|(name, _)| !ASIDE.contains(&name.as_str())) {
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the architecture"));
        // A crate's tests may use its own optional parts.
        let beyond: Vec<_> = edges.iter().filter(|edge| *edge != name && !may.contains(*edge)).collect();
        assert!(beyond.is_empty(), "{name} must not depend on {beyond:?}");
    }
}

#[test]
fn the_product_hangs_together_as_drawn() {
    let (allowed, actual) = (reach(&allowed()), reach(&actual()));
    for (name, reached) in &allowed {
        let found = actual.get(name).unwrap_or_else(|| panic!("there is no crate {name}"));
        assert_eq!(found, reached, "what {name} stands on");
    }
}

#[test]
fn these_tests_know_the_product_by_its_binary_only() {
    let actual = actual();
    assert!(actual["tests"].is_empty(), "tests links {:?}", actual["tests"]);
    for (name, edges) in &actual {
        assert!(!edges.iter().any(|edge| ASIDE.contains(&edge.as_str())), "{name} depends on {edges:?}");
    }
}
