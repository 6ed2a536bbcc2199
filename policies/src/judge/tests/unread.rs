//! What nobody could look at, or not at all of: sealed where a process takes it, held where it would leave as it is.

use mail::Defect;

use super::*;
use crate::detect::Document;

#[test]
fn closed_content_is_what_its_process_says() {
    const LOCKED: &str = "From: jo@alpha.example\nSubject: [ET] x\nMIME-Version: 1.0\n\
        Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\
        Content-Transfer-Encoding: base64\n\nMIIB\n";
    let locked = |rules| Case { rules, ..Case::of(LOCKED) };
    let case = locked(Ruleset::shipped().unwrap());
    assert!(case.message.headline.defects.contains(&Defect::Opaque));
    assert_eq!(case.rule(&mailbox("beta")).1, "secure");
    for to in [mailbox("beta"), with_et("beta")] {
        assert_eq!(locked(strict("hold")).rule(&to), ("hold-opaque".to_owned(), "opaque"));
        assert_eq!(locked(strict("refuse")).rule(&to), ("refuse-opaque".to_owned(), "refuse"));
    }
    assert_eq!(locked(strict("refuse")).rule(&Recipient::Outside).0, "hold-unread");
    assert_eq!(Case { rules: strict("refuse"), ..Case::plain() }.rule(&mailbox("beta")).1, "secure");
}

/// What becomes of a mail with a file of which so much was read.
fn with_file(to: &Recipient, whole: bool) -> (String, Option<HoldReason>) {
    let case = Case::plain();
    let judged = case.rules.judge(&Facts {
        sender: &group("alpha"),
        passing: Passing::On,
        reverse_path: &person(),
        message: &case.message,
        recipients: std::slice::from_ref(to),
        referenced: &[],
        scan: Scan::Off,
        protection: Protection::Tls,
        documents: &[Document { part: 1, name: "plan.pdf", text: "", whole }],
        business: &Business::new(&is_staff, &case.message.headline),
        fields: &[],
    });
    let reason = match &judged.verdicts[0] {
        Verdict::Hold { reason, .. } => Some(*reason),
        _ => None,
    };
    (judged.verdicts[0].rule().unwrap().to_string(), reason)
}

#[test]
fn file_that_was_not_read_to_its_end_does_not_leave_unseen() {
    let held = ("hold-unread".to_owned(), Some(HoldReason::Opaque));
    for to in [Recipient::Outside, with_et("beta"), counterparty("gamma", &[])] {
        assert_eq!(with_file(&to, false), held, "{to:?}");
        assert_eq!(with_file(&to, true).1, None, "{to:?}");
    }
    assert_eq!(with_file(&Recipient::OwnDomain, false), ("relay-own-company".to_owned(), None));
    assert_eq!(with_file(&mailbox("beta"), false), ("secure-mapped-mailbox".to_owned(), None));
}

#[test]
fn number_behind_more_text_than_is_searched_does_not_leave_unseen() {
    let mail = |words: usize| {
        let text = "nothing to see here, go on please\n".repeat(words);
        Case::of(&format!("From: jo@alpha.example\nSubject: x\n\n{text}MPAN 1200023305967\n"))
    };
    assert_eq!(mail(1).rule(&Recipient::Outside).0, "refuse-personal-data-outside");
    let long = mail(50_000);
    assert!(!long.message.text_complete);
    for to in [Recipient::Outside, with_et("beta")] {
        assert_eq!(long.rule(&to), ("hold-unread".to_owned(), "opaque"), "{to:?}");
    }
    assert_eq!(long.rule(&Recipient::OwnDomain).1, "relay");
    assert_eq!(long.rule(&mailbox("beta")).1, "secure");
}

/// What is opaque is always unread: a rule for what is opaque and all the same read would never decide.
#[test]
fn rules_for_what_cannot_be_are_not_taken() {
    let rule = |condition: &str| {
        let verdicts = include_str!("../../../shipped/verdicts.toml");
        let rule = format!(
            "[[rule]]\nid = \"mine\"\nrecipient = [\"outside\"]\n{condition}\nverdict = \"relay\"\n\n[[rule]]\nid = \"hold-virus\""
        );
        VerdictRules::parse("v.toml", &verdicts.replacen("[[rule]]\nid = \"hold-virus\"", &rule, 1)).map(drop)
    };
    assert!(rule("unread = true").is_err(), "it leaves nothing for hold-unread");
    assert_eq!(rule("opaque = false\nunread = true"), Ok(()));
    assert_eq!(rule("opaque = true"), Ok(()));
    let error = rule("opaque = true\nunread = false").unwrap_err().to_string();
    assert!(error.contains("mine never decides for outside"), "{error}");
}
