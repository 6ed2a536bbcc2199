//! The rules that stand now, for all who judge by them. New ones take their place as a whole; what was begun with the old
//! ones ends with them. It never reads a file.

use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::Ruleset;

/// A handle; clones share everything.
#[derive(Debug, Clone)]
pub struct Standing(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rules: ArcSwap<Ruleset>,
    refused: ArcSwapOption<String>,
}

impl Standing {
    /// The rules of this moment; they never change under the caller.
    pub fn now(&self) -> Arc<Ruleset> {
        self.0.rules.load_full()
    }

    /// From now on these stand.
    pub fn replace(&self, rules: Arc<Ruleset>) {
        self.0.rules.store(rules);
        self.0.refused.store(None);
    }

    /// New files were not taken, for this reason; the old rules stand.
    pub fn refuse(&self, reason: String) {
        self.0.refused.store(Some(Arc::new(reason)));
    }

    /// Why the newest files were not taken, as long as nothing newer was.
    pub fn refused(&self) -> Option<Arc<String>> {
        self.0.refused.load_full()
    }
}

impl From<Arc<Ruleset>> for Standing {
    fn from(rules: Arc<Ruleset>) -> Self {
        Self(Arc::new(Shared { rules: ArcSwap::new(rules), refused: ArcSwapOption::empty() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileKind, RuleFiles};

    #[test]
    fn new_rules_stand_for_everybody_and_refused_ones_for_nobody() {
        let shipped = Arc::new(Ruleset::shipped().unwrap());
        let standing = Standing::from(Arc::clone(&shipped));
        let (other, begun) = (standing.clone(), standing.now());
        standing.refuse("v.toml:3: wrong".to_owned());
        assert_eq!(other.now().hash(), shipped.hash());
        assert_eq!(other.refused().unwrap().as_str(), "v.toml:3: wrong");
        let mut files = RuleFiles::shipped();
        files.replace(FileKind::Tags, "t.toml", format!("{}\n", crate::tags::FILE.1));
        let newer = Arc::new(Ruleset::read(files).unwrap());
        standing.replace(Arc::clone(&newer));
        assert_eq!(other.now().hash(), newer.hash());
        assert_eq!(begun.hash(), shipped.hash());
        assert_eq!(other.refused(), None);
    }
}
