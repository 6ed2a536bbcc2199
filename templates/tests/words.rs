//! Every text that is asked for is there, and every text that is there is asked for.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use regex::Regex;
use templates::Words;

/// Where texts are asked for: the templates, and the crates that fill them.
const PLACES: [&str; 5] = ["pages", "mail", "src", "../portal/src", "../gateway/src"];

fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "hbs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// What is said of one text: where, and with which values if a template does.
struct Asked {
    place: String,
    values: Option<BTreeSet<String>>,
}

fn asked_for() -> (BTreeMap<String, Vec<Asked>>, BTreeSet<String>) {
    let template = Regex::new(r#"[{(]\s*say\s+['"]([^'"]+)['"]([^}]*)\}"#).unwrap();
    let name = Regex::new(r"([a-z_0-9]+)=").unwrap();
    let code = Regex::new(r#"\bsay\(\s*"([a-z_0-9]+\.[a-z_0-9]+)""#).unwrap();
    let family = Regex::new(r#"\bsay_of\(\s*"([a-z_0-9-]+)""#).unwrap();
    let (mut keys, mut families) = (BTreeMap::<String, Vec<Asked>>::new(), BTreeSet::new());
    let mut sources = Vec::new();
    for place in PLACES {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place), &mut sources);
    }
    for (place, text) in &sources {
        if place.ends_with("src/words.rs") {
            continue;
        }
        let templates = place.ends_with(".hbs");
        for found in template.captures_iter(text).filter(|_| templates) {
            let values = name.captures_iter(&found[2]).map(|name| name[1].to_owned()).collect();
            let asked = Asked { place: place.clone(), values: Some(values) };
            keys.entry(found[1].to_owned()).or_default().push(asked);
        }
        for found in code.captures_iter(text) {
            let asked = Asked { place: place.clone(), values: None };
            keys.entry(found[1].to_owned()).or_default().push(asked);
        }
        families.extend(family.captures_iter(text).map(|found| found[1].to_owned()));
    }
    (keys, families)
}

#[test]
fn every_text_is_there_and_used() {
    let words = Words::english().unwrap();
    let known: BTreeMap<&str, BTreeSet<&str>> = words.keys().collect();
    let (asked, families) = asked_for();
    assert!(asked.len() > 5);
    for (key, places) in &asked {
        let values =
            known.get(key.as_str()).unwrap_or_else(|| panic!("{}: no text {key:?}", places[0].place));
        for Asked { place, values: given } in places {
            let Some(given) = given else { continue };
            let given: BTreeSet<&str> = given.iter().map(String::as_str).collect();
            assert_eq!(&given, values, "{place}: the values of {key}");
        }
    }
    let unused: Vec<_> = known
        .keys()
        .filter(|key| !asked.contains_key(**key))
        .filter(|key| !key.split_once('.').is_some_and(|(family, _)| families.contains(family)))
        .collect();
    assert!(unused.is_empty(), "nobody says {unused:?}");
}
