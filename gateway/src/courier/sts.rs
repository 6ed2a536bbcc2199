//! MTA-STS policies (RFC 8461): what a domain publishes about the servers that may take its mail. Parsing and matching
//! only; how a policy is fetched and kept stands in `sts_fetch.rs` and `sts_shelf.rs`.

use std::time::Duration;

/// Longest policy, and the most patterns of one (RFC 8461 §3.2 sets no number; a domain has a handful).
pub(super) const LARGEST: usize = 64 * 1024;
const PATTERNS: usize = 100;
/// RFC 8461 §3.2: a year and a bit.
const LONGEST_AGE: u64 = 31_557_600;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) mode: Mode,
    mx: Vec<String>,
    pub(super) max_age: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Mail goes to a server of the policy whose certificate checks out, or it waits.
    Enforce,
    /// As without a policy; the domain only wants to hear.
    Testing,
    None,
}

/// The `id` of the one policy record in the TXT records of `_mta-sts.<domain>`. Several records are none (§3.1).
pub(super) fn id(records: &[String]) -> Option<String> {
    let mut found =
        records.iter().filter_map(|record| record.strip_prefix("v=STSv1").filter(|rest| is_end(rest)));
    let (record, None) = (found.next()?, found.next()) else { return None };
    let fields = record.split(';').map(str::trim);
    let id =
        fields.filter_map(|field| field.strip_prefix("id")?.trim_start().strip_prefix('=')).next()?.trim();
    let sound = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    sound.then(|| id.to_owned())
}

fn is_end(rest: &str) -> bool {
    rest.trim_start().starts_with(';')
}

impl Policy {
    /// Reads a policy file (§3.2): lines of `key: value`; unknown keys are passed over, of doubled ones the first counts.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (mut version, mut mode, mut max_age) = (None, None, None);
        let mut mx = Vec::new();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim() {
                "version" if version.is_none() => version = Some(value == "STSv1"),
                "mode" if mode.is_none() => mode = Some(read_mode(value)?),
                "max_age" if max_age.is_none() => max_age = Some(value.parse::<u64>().ok()?),
                "mx" if mx.len() < PATTERNS => mx.push(pattern(value)?),
                _ => {}
            }
        }
        let (true, mode, max_age) = (version?, mode?, max_age?) else { return None };
        let enough = mode == Mode::None || !mx.is_empty();
        enough.then(|| Self { mode, mx, max_age: Duration::from_secs(max_age.min(LONGEST_AGE)) })
    }

    /// As it can be read again.
    pub(super) fn text(&self) -> String {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Testing => "testing",
            Mode::None => "none",
        };
        let mx: String = self.mx.iter().map(|mx| format!("mx: {mx}\n")).collect();
        format!("version: STSv1\nmode: {mode}\n{mx}max_age: {}\n", self.max_age.as_secs())
    }

    /// Whether mail may go to `host` (§4.1): `*` stands for one whole label at the left.
    pub(super) fn names(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => {
                host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent)
            }
            None => pattern == host,
        })
    }
}

fn read_mode(value: &str) -> Option<Mode> {
    match value {
        "enforce" => Some(Mode::Enforce),
        "testing" => Some(Mode::Testing),
        "none" => Some(Mode::None),
        _ => None,
    }
}

fn pattern(value: &str) -> Option<String> {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (name.len() <= 253 && name.split('.').all(label)).then(|| value.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx1.beta.example\r\nmx: *.Mail.beta.example\r\nmax_age: 604800\r\n";

    #[test]
    fn a_policy_names_its_servers() {
        let policy = Policy::parse(POLICY).unwrap();
        assert_eq!((policy.mode, policy.max_age.as_secs()), (Mode::Enforce, 604_800));
        assert_eq!(Policy::parse(&policy.text()).as_ref(), Some(&policy));
        for host in ["mx1.beta.example", "a.mail.beta.example"] {
            assert!(policy.names(host), "{host}");
        }
        for host in
            ["mx2.beta.example", "mail.beta.example", "a.b.mail.beta.example", ".mail.beta.example", ""]
        {
            assert!(!policy.names(host), "{host}");
        }
        assert!(Policy::parse(&POLICY.replace("\r\n", "\n")).is_some());
    }

    #[test]
    fn what_is_no_policy_is_none() {
        for (what, with) in [
            ("version: STSv1\r\n", ""),
            ("STSv1", "STSv2"),
            ("mode: enforce", "mode: enforced"),
            ("max_age: 604800", "max_age: -1"),
            ("max_age: 604800", ""),
            ("mx: mx1.beta.example", "mx: *"),
            ("mx: mx1.beta.example", "mx: a..b"),
            ("mx: mx1.beta.example", "mx: a*.b"),
        ] {
            assert_eq!(Policy::parse(&POLICY.replace(what, with)), None, "{what} -> {with}");
        }
        assert_eq!(Policy::parse("version: STSv1\nmode: enforce\nmax_age: 1\n"), None);
        assert!(Policy::parse("version: STSv1\nmode: none\nmax_age: 1\n").is_some());
        assert_eq!(Policy::parse(""), None);
    }

    #[test]
    fn ages_and_lists_are_bounded() {
        let aged = POLICY.replace("604800", "99999999999");
        assert_eq!(Policy::parse(&aged).unwrap().max_age.as_secs(), LONGEST_AGE);
        let long = format!("{POLICY}{}", "mx: x.example\r\n".repeat(1000));
        assert_eq!(Policy::parse(&long).unwrap().mx.len(), PATTERNS);
    }

    #[test]
    fn the_record_has_one_id() {
        let id =
            |records: &[&str]| id(&records.iter().map(|record| (*record).to_owned()).collect::<Vec<_>>());
        assert_eq!(id(&["v=STSv1; id=20160831085700Z;"]).as_deref(), Some("20160831085700Z"));
        assert_eq!(id(&["other", "v=STSv1;id=1"]).as_deref(), Some("1"));
        for none in [
            &["v=STSv1; id=a", "v=STSv1; id=b"][..],
            &["v=STSv2; id=a"],
            &["v=STSv1; id="],
            &["v=STSv1;"],
            &["v=STSv10; id=a"],
            &["v=STSv1; id=a b"],
            &[],
        ] {
            assert_eq!(id(none), None, "{none:?}");
        }
    }
}
