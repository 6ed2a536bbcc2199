//! axe-core, which finds what keeps people out of a page (WCAG 2.2 AA); `tests/run` puts it into `target/npm`.

use std::fs;

use serde_json::Value;

use crate::browser::Browser;
use crate::target;

/// Looks at the page that is open and gives what keeps somebody out: rule, how bad, and where.
const LOOK: &str = r"
const done = arguments[arguments.length - 1];
axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], iframes: false })
  .then(found => done(found.violations.map(one =>
     ({ rule: one.id, impact: one.impact, places: one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)) }))))
  .catch(error => done([{ rule: 'axe itself', impact: 'critical', places: [String(error)] }]));";

pub struct Axe(String);

/// Something on a page that keeps somebody out.
#[derive(Debug, Clone)]
pub struct Barrier {
    pub rule: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    pub impact: String,
    /// The first elements that it is about.
    pub places: Vec<String>,
}

impl Axe {
    pub fn fetched() -> Self {
        let file = target().parent().expect("the target folder").join("npm/node_modules/axe-core/axe.min.js");
        let source = fs::read_to_string(&file);
        Self(source.unwrap_or_else(|error| panic!("{}: {error}; tests/run fetches axe-core", file.display())))
    }

    /// What keeps somebody out of the page that is open.
    pub fn look(&self, browser: &Browser) -> Vec<Barrier> {
        browser.script(&self.0);
        let found = browser.script_that_calls_back(LOOK);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let barrier = |found: &Value| Barrier {
            rule: text(&found["rule"]),
            impact: text(&found["impact"]),
            places: found["places"].as_array().into_iter().flatten().map(text).collect(),
        };
        found.as_array().unwrap_or_else(|| panic!("a list: {found}")).iter().map(barrier).collect()
    }
}

impl Barrier {
    /// Whether it is more than a blemish.
    pub fn is_grave(&self) -> bool {
        ["serious", "critical"].contains(&self.impact.as_str())
    }
}
