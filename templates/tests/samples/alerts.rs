//! When people are told of what waits. All of it invented.

use templates::pages::*;

use super::{frame, when};

fn choice(value: &'static str, label: &str, chosen: bool) -> RuleChoice {
    RuleChoice { value, label: label.into(), chosen }
}

/// The own alerts; with a mistake in them, or those of the company.
pub(crate) fn alerts(company: bool, wrong: bool) -> Alerts {
    Alerts {
        frame: frame(if company { "Alerts of your company" } else { "Alerts" }, true),
        told: (!wrong).then(|| "Saved. It holds from the next message on.".into()),
        problem: wrong.then(|| "Choose at least one time for the digest.".into()),
        token: "token".into(),
        action: "/account/alerts",
        company: company.then(|| "Beta Power".into()),
        company_link: (!company).then_some("/company/alerts"),
        style: company.then(|| NoticeStyleForm {
            phrase: "Green kettle on the roof".into(),
            link_free: true,
            problem: Some("Choose another.".into()),
        }),
        email: "sam@beta.example".into(),
        paces: vec![
            choice("company", "As my company has set it: digest at 08:00", false),
            choice("at-once", "At once, for each message", false),
            choice("digest", "In a digest, at the times below", true),
            choice("never", "Not at all", false),
        ],
        times: vec![
            choice("480", "08:00", !wrong),
            choice("720", "12:00", false),
            choice("960", "16:00", !wrong),
        ],
        whose: vec![
            choice("all", "Every case that may be read", true),
            choice("own", "Only own cases", false),
        ],
        processes: vec![AlertProcess {
            field: "for-erroneous-transfers".into(),
            name: "Erroneous Transfers".into(),
            choices: vec![choice("", "As above", false), choice("at-once-all", "At once, every case", true)],
        }],
        differ: true,
    }
}

/// What was sent to somebody, or nothing.
pub(crate) fn own_notices(none: bool) -> OwnNotices {
    let notice = |kind: &str, case: Option<&str>, bad| OwnNotice {
        at: when(),
        kind: kind.into(),
        case: case.map(Into::into),
        fate: if bad { "came back" } else { "taken by your mail system" }.into(),
        bad,
    };
    let notices = vec![
        notice("Alert: a message is waiting", Some("K7Q-4M2X"), false),
        notice("Digest of your alerts", None, false),
        notice("News of a case", Some("D4N-77KC"), true),
    ];
    OwnNotices {
        frame: frame("Notices we really sent you", true),
        email: "sam@beta.example".into(),
        days: "90".into(),
        notices: if none { Vec::new() } else { notices },
        older: (!none).then(|| "/account/notices?after=00".into()),
        newest: (!none).then_some("/account/notices"),
    }
}
