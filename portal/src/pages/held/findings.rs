//! What is found in a held mail, for who decides: by the rules as they are now, from the mail as it
//! came. Goes through the whole mail piece by piece and keeps none of it.

use mail::{Budget, Defect, HoldReason, Message, Scan, Scanner, Tag, TagKind};
use policies::{Facts, Passing, Protection, Ruleset, TagNames, detect::Business};
use store::OpenHeld;
use templates::pages::Finding;

use crate::error::Problem;
use crate::pages::mail_words;
use crate::portal::Portal;

/// Numbers of one kind that are named.
const MOST_NAMED: usize = 10;

pub(super) async fn of(portal: &Portal, held: &OpenHeld) -> Result<Vec<Finding>, Problem> {
    let finding =
        |category: &str, reason: &str| Finding { category: category.to_owned(), reason: reason.to_owned() };
    let mut findings = Vec::new();
    match held.mail.scan {
        Scan::Found => findings.push(finding("Virus", "the scanner found something in the mail")),
        Scan::NotChecked => {
            findings
                .push(finding("Not checked for viruses", "the scanner was not there, or did not see all"));
        }
        Scan::Off | Scan::Clean => {}
    }
    for (defect, reason) in [
        (Defect::Opaque, "a part is encrypted or locked with a password"),
        (Defect::ContainerUnreadable, "a file that should hold others, such as winmail.dat, does not open"),
    ] {
        if held.headline.defects.contains(&defect) {
            findings.push(finding("Closed content", reason));
        }
    }
    let Some(mail_side) = &portal.mail_side else { return Ok(findings) };
    let message = scanned(portal, held).await?;
    let rules = mail_side.rules.now();
    let numbers = numbers(rules.tags().names(), &tags(portal, &rules, held, &message));
    if numbers.is_empty() && held.mail.reason == HoldReason::PersonalData {
        let reason = "found when the mail came; by the rules of today there are none";
        findings.push(finding("Personal data", reason));
    }
    findings.extend(numbers);
    Ok(findings)
}

async fn scanned(portal: &Portal, held: &OpenHeld) -> Result<Message, Problem> {
    let _turn = portal.turn().await?;
    let mut scanner = Scanner::new(Budget::default());
    let mut reader = held.content.read(0, held.content.size());
    while let Some(piece) = reader.next().await? {
        scanner.feed(&piece);
    }
    Ok(scanner.finish())
}

/// By the judge itself, so that both find the same.
fn tags(portal: &Portal, rules: &Ruleset, held: &OpenHeld, message: &Message) -> Vec<Tag> {
    let directory = portal.ledger.directory();
    let is_staff = |domain: &str| directory.group_of_domain(domain).is_some();
    let facts = Facts {
        sender: &held.mail.from_group,
        passing: Passing::On,
        reverse_path: &held.envelope.reverse_path,
        message,
        recipients: &[],
        referenced: &[],
        scan: held.mail.scan,
        protection: Protection::None,
        documents: &[],
        business: &Business::new(&is_staff, &message.headline),
        fields: &[],
    };
    rules.judge(&facts).tags
}

/// The market's numbers of people's; a company's own reference is no personal data.
fn numbers(names: &TagNames, tags: &[Tag]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in names.iter().filter(|name| name.kind != TagKind::Reference) {
        let category = || name.label.clone();
        let of_kind: Vec<&Tag> = tags.iter().filter(|tag| tag.kind() == name.kind).collect();
        findings.extend(of_kind.iter().take(MOST_NAMED).map(|tag| Finding {
            category: category(),
            reason: format!(
                "{}: the check digits are right, and the words around it speak of such a number",
                mail_words::line(tag.value())
            ),
        }));
        let more = of_kind.len().saturating_sub(MOST_NAMED);
        if more > 0 {
            findings.push(Finding { category: category(), reason: format!("and {more} more") });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meter_points_are_named_and_references_are_not() {
        let tags = [Tag::reference("ET-2026-1").unwrap(), Tag::mpan("1200023305967").unwrap()];
        let rules = policies::TagRules::shipped().unwrap();
        let found = numbers(rules.names(), &tags);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].category, "Electricity meter point (MPAN)");
        assert!(found[0].reason.starts_with("1200023305967: "));
        let many = vec![Tag::mpan("1200023305967").unwrap(); 12];
        assert_eq!(numbers(rules.names(), &many).last().unwrap().reason, "and 2 more");
    }
}
