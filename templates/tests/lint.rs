//! Rules that every template must keep, and every page filled once with sample data.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use regex::Regex;
use serde_json::Value;
use templates::Templates;

mod samples;

/// What a template may not hold, and why.
const FORBIDDEN: &[(&str, &str)] = &[
    (r"\{\{\{", "prints without escaping"),
    (r"\{\{\s*&", "prints without escaping"),
    (r"(?i)<script", "pages work without scripts"),
    (r"(?i)\son[a-z]+\s*=", "an event handler is a script"),
    (r"(?i)javascript:|vbscript:|data:", "no address that is code"),
    (r#"(?i)(src|href|action)="(https?:)?//"#, "nothing remote"),
    (r"(?i)<(base|object|embed|applet)\b", "nothing that loads or redirects"),
    (r#"(?i)http-equiv="refresh"#, "no redirect in a page"),
];

/// In pages only: mail programs know no style sheets, so the notice has its style inline.
const FORBIDDEN_IN_PAGES: &[(&str, &str)] =
    &[(r"(?i)<style|\sstyle\s*=", "the content security policy refuses inline style")];

fn templates_in(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

fn breaches(text: &str, rules: &[(&str, &str)]) -> Vec<String> {
    rules
        .iter()
        .filter_map(|(pattern, why)| {
            let hit = Regex::new(pattern).unwrap().find(text)?;
            Some(format!("{:?}: {why}", hit.as_str()))
        })
        .collect()
}

/// Attribute values that stand without double quotes can be broken out of.
fn unquoted(text: &str) -> Vec<String> {
    let text = Regex::new(r#""[^"]*""#).unwrap().replace_all(text, "\"\"");
    let rule = Regex::new(r#"<[a-z][^<>]*\s[\w-]+\s*=\s*[^"\s][^<>]*"#).unwrap();
    rule.find_iter(&text).map(|hit| hit.as_str().to_owned()).collect()
}

#[test]
fn templates_keep_the_rules() {
    /// The one script, a file of ours that no page needs.
    const SCRIPT: &str = "<script src=\"{{frame.script}}\" defer></script>";
    for (path, text) in templates_in("pages") {
        let text = if path.ends_with("layout.hbs") { text.replace(SCRIPT, "") } else { text };
        assert_eq!(breaches(&text, FORBIDDEN), Vec::<String>::new(), "{}", path.display());
        assert_eq!(unquoted(&text), Vec::<String>::new(), "{}", path.display());
        assert_eq!(breaches(&text, FORBIDDEN_IN_PAGES), Vec::<String>::new(), "{}", path.display());
    }
    for (path, text) in templates_in("mail") {
        assert_eq!(breaches(&text, FORBIDDEN), Vec::<String>::new(), "{}", path.display());
        assert_eq!(unquoted(&text), Vec::<String>::new(), "{}", path.display());
    }
}

#[test]
fn the_rules_find_what_they_look_for() {
    for bad in [
        "{{{text}}}",
        "{{& text}}",
        "<SCRIPT src=\"x\">",
        "<p onclick =\"x\">",
        "<a href=\"javascript:x\">",
        "<img src=\"//other.example/x\">",
        "<base href=\"/\">",
    ] {
        assert!(!breaches(bad, FORBIDDEN).is_empty(), "{bad}");
    }
    for bad in ["<p class={{x}}>", "<a href='{{x}}'>", "<a rel=\"x\" href={{x}}>"] {
        assert!(!unquoted(bad).is_empty(), "{bad}");
    }
    assert!(!breaches("<p style=\"x\">", FORBIDDEN_IN_PAGES).is_empty());
}

/// Strict mode does not look at `{{#if x}}`: a misspelt name there would be false for ever.
#[test]
fn every_condition_asks_for_a_field_that_exists() {
    let mut known = BTreeSet::new();
    for page in [
        serde_json::to_value(samples::sign_in(true)),
        serde_json::to_value(samples::signing_in::new_password()),
        serde_json::to_value(samples::signing_in::forgotten(true)),
        serde_json::to_value(samples::signing_in::second_step()),
        serde_json::to_value(samples::signing_in::set_up()),
        serde_json::to_value(samples::signing_in::recovery_codes()),
        serde_json::to_value(samples::signing_in::settings(true)),
        serde_json::to_value(samples::alerts::alerts(true, true)),
        serde_json::to_value(samples::alerts::own_notices(false)),
        serde_json::to_value(samples::signing_in::rules(true)),
        serde_json::to_value(samples::signing_in::api_tokens(true)),
        serde_json::to_value(samples::signing_in::new_passkey()),
        serde_json::to_value(samples::signing_in::own_proof()),
        serde_json::to_value(samples::home(false)),
        serde_json::to_value(samples::given()),
        serde_json::to_value(samples::process()),
        serde_json::to_value(samples::case()),
        serde_json::to_value(samples::message_page()),
        serde_json::to_value(samples::case_history()),
        serde_json::to_value(samples::case_print()),
        serde_json::to_value(samples::mails::held_list(false)),
        serde_json::to_value(samples::mails::held()),
        serde_json::to_value(samples::administration::account(true)),
        serde_json::to_value(samples::administration::mail_ways(false)),
        serde_json::to_value(samples::figures::shadow(false)),
        serde_json::to_value(samples::figures::stage_question()),
        serde_json::to_value(samples::figures::audit(false)),
        serde_json::to_value(samples::figures::report(false)),
        serde_json::to_value(samples::search(true)),
        serde_json::to_value(samples::writing::drafts(false)),
        serde_json::to_value(samples::writing::new_case(false)),
        serde_json::to_value(samples::writing::draft(true)),
        serde_json::to_value(samples::writing::draft(false)),
        serde_json::to_value(samples::writing::texts(false)),
        serde_json::to_value(samples::administration::mailboxes(false)),
        serde_json::to_value(samples::people::file(false)),
        serde_json::to_value(samples::people::file(true)),
        serde_json::to_value(samples::market::companies(false)),
        serde_json::to_value(samples::market::new_company()),
        serde_json::to_value(samples::market::company(samples::market::invited())),
        serde_json::to_value(samples::market::company(samples::market::nobody())),
        serde_json::to_value(samples::market::calendars(false)),
        serde_json::to_value(samples::grid::grid()),
        serde_json::to_value(samples::grid::several()),
        serde_json::to_value(samples::people::people(false)),
        serde_json::to_value(samples::people::new_person()),
        serde_json::to_value(samples::people::person()),
        serde_json::to_value(samples::problem()),
        serde_json::to_value(samples::outbox(false)),
    ] {
        collect(&page.unwrap(), &mut known);
    }
    let condition = Regex::new(r"\{\{#(?:if|unless|each|with) ([\w./]+)").unwrap();
    for (path, text) in templates_in("pages") {
        for found in condition.captures_iter(&text) {
            for part in found[1].split(['.', '/']).filter(|part| !part.is_empty()) {
                assert!(known.contains(part), "{}: {}", path.display(), &found[0]);
            }
        }
    }
}

fn collect(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                names.insert(name.clone());
                collect(inner, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

#[test]
fn every_page_fills_escapes_and_stays_small() {
    let words = Templates::load().unwrap();
    let pages = samples::gallery(&words);
    // Parts of pages have no page of their own.
    assert!(templates_in("pages").len() <= pages.len() + 5);
    for (name, page) in pages {
        assert!(page.starts_with("<!DOCTYPE html>"), "{name}");
        assert!(page.trim_end().ends_with("</html>"), "{name}");
        assert!(!page.contains("{{"), "{name}");
        assert!(page.len() < 60_000, "{name}: {} bytes", page.len());
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
    }
    assert!(templates::STYLE_SHEET.len() < 20_000);
    assert!(templates::SCRIPT.len() < 12_000);

    let mut hostile = samples::case();
    let mail = hostile.messages[0].mail.as_mut().unwrap();
    mail.subject = "<script>alert(1)</script>\"'`=".into();
    mail.text = "line one\n  <img src=x onerror=alert(1)>\nline three".into();
    let page = words.page(&hostile).unwrap();
    assert!(!page.contains("<script>alert") && !page.contains("<img src=x"));
    assert!(page.contains("line one\n  &lt;img"), "text keeps its lines and indentation");
}
