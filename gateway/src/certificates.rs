//! Client certificates that speak for a company by a name alone, as they are seen in use: nobody registered them, so what is
//! seen is all that there is to tell when one of them ends. It proves nothing and warns nobody.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use mail::GroupId;

/// A certificate of a company's name that was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCertificate {
    pub name: String,
    pub group: GroupId,
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
}

/// What was seen since it was last asked for. There is no more of it than names in the directory.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<String, NamedCertificate>>);

impl Seen {
    /// Of two with one name the one that ends first is remembered: somebody still uses it.
    pub(crate) fn note(&self, name: &str, group: &GroupId, not_after: i64) {
        let new = NamedCertificate { name: name.to_owned(), group: group.clone(), not_after };
        let mut seen = self.all();
        let known = seen.entry(name.to_owned()).or_insert_with(|| new.clone());
        if not_after < known.not_after {
            *known = new;
        }
    }

    /// All of it, and begins anew.
    pub(crate) fn take(&self) -> Vec<NamedCertificate> {
        std::mem::take(&mut *self.all()).into_values().collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, NamedCertificate>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_that_ends_first_is_told_until_it_is_seen_no_more() {
        let (seen, group) = (Seen::default(), "alpha".parse().unwrap());
        for not_after in [30, 10, 20] {
            seen.note("mail.alpha.example", &group, not_after);
        }
        let told =
            NamedCertificate { name: "mail.alpha.example".to_owned(), group: group.clone(), not_after: 10 };
        assert_eq!(seen.take(), [told]);
        seen.note("mail.alpha.example", &group, 30);
        assert_eq!(seen.take().first().map(|one| one.not_after), Some(30), "the renewed one");
        assert!(seen.take().is_empty());
    }
}
