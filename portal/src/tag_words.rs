//! What the market calls its search tags, said to people: what a field asks for, and what is wrong with what was typed. The
//! words are the policies'; nothing here knows a kind of number that a market may not have.

use mail::TagKind;
use policies::{TagName, TagNames};

use crate::portal::Portal;

impl Portal {
    /// The tags of the market; where nothing is judged here, references alone.
    pub(crate) fn tag_names(&self) -> TagNames {
        self.rules().map(|rules| rules.tags().names().clone()).unwrap_or_default()
    }

    /// `MPAN, MPRN or your reference`, in the words of the market.
    pub(crate) fn asked_tags(&self) -> String {
        self.one_of(self.tag_names().iter().flat_map(|name| name.asked.clone()).collect())
    }

    /// The same with the reference of a case.
    pub(crate) fn asked_anything(&self) -> String {
        let names = self.tag_names();
        let asked = names.iter().flat_map(|name| name.asked.clone());
        self.one_of(asked.chain([self.words.say("tag.case_reference", &[])]).collect())
    }

    /// Why a text is no tag, by its key in `tag_problem`.
    pub(crate) fn tag_problem(&self, problem: &str) -> Option<String> {
        let names = self.tag_names();
        let number = names.of(TagKind::Mpan).map(short).unwrap_or_default();
        let asked = self.asked_tags();
        self.words.say_of("tag_problem", problem, &[("asked", &asked), ("number", number)])
    }

    fn one_of(&self, mut things: Vec<String>) -> String {
        let last = things.pop().unwrap_or_default();
        match things.is_empty() {
            true => last,
            false => self.words.say("tag.or", &[("these", &things.join(", ")), ("last", &last)]),
        }
    }
}

/// The first thing that is asked for.
pub(crate) fn short(name: &TagName) -> &str {
    name.asked.first().map_or(name.label.as_str(), String::as_str)
}
