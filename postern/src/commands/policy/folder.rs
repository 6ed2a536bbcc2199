//! What would have happened to the mails in a folder, by the rules that stand and by others beside them. Who sends is taken
//! for granted, as each mail's own `From` says; nothing of the mails is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use gateway::Watched;
use mail::{Address, GroupId, ReversePath, Scan};
use policies::detect::Business;
use policies::{Facts, Judged, Protection, Recipient, Ruleset};
use store::{Ledger, Observation, ShadowReport, ShadowRows};

use super::mails::{Market, Scanned, scanned};
use super::wait;
use crate::config::Config;
use crate::tools::opened_to_look;

pub(super) fn counted(
    config: &Path,
    against: Option<&Path>,
    folder: &Path,
    group: Option<&GroupId>,
) -> anyhow::Result<ShadowRows> {
    let config = Config::load(config)?;
    let rules = config.rules()?;
    let tried = match against {
        Some(file) => Some(Config::load(file)?.rules()?),
        None => config.tried_rules()?,
    };
    let ledger = wait(opened_to_look(&config))?;
    let market = Market::real(&config, ledger.directory());
    let files = mails_in(folder)?;
    let mut counts = BTreeMap::new();
    let mut left_out = 0;
    for file in files {
        let mail = scanned(&file)?;
        match observed(&market, &ledger, &rules, tried.as_ref(), &mail) {
            Some(seen) if group.is_none_or(|group| *group == seen.group) => {
                for tally in seen.tallies {
                    *counts.entry(tally).or_default() += 1;
                }
            }
            Some(_) => {}
            None => left_out += 1,
        }
    }
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    wait(async {
        ledger.close().await;
        anyhow::Ok(())
    })?;
    Ok(ShadowRows { left_out, ..ShadowReport { days: (today, today), counts }.into() })
}

fn mails_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(read)? {
        let path = entry.with_context(read)?.path();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("eml")) {
            files.push(path);
        }
    }
    ensure!(!files.is_empty(), "{} has no .eml files; put one mail into each", folder.display());
    files.sort();
    Ok(files)
}

/// The header's recipients stand for those of the envelope, which a file does not have.
fn observed(
    market: &Market,
    ledger: &Ledger,
    rules: &Ruleset,
    tried: Option<&Ruleset>,
    mail: &Scanned,
) -> Option<Observation> {
    let message = &mail.message;
    let headline = &message.headline;
    let [author] = &headline.from[..] else { return None };
    let sender = Address::parse(author.address.as_deref()?).ok()?;
    let group = market.company(&sender)?;
    let named = headline.to.iter().chain(&headline.cc);
    let to: Vec<Address> =
        named.filter_map(|person| Address::parse(person.address.as_deref()?).ok()).collect();
    if to.is_empty() {
        return None;
    }
    let recipients: Vec<Recipient> = to.iter().map(|to| market.recipient(&group, to)).collect();
    let is_staff = |domain: &str| market.is_staff(domain);
    let judged = |rules: &Ruleset| -> Judged {
        rules.judge(&Facts {
            sender: &group,
            passing: market.passing(),
            reverse_path: &ReversePath::Address(sender.clone()),
            message,
            recipients: &recipients,
            referenced: &[],
            scan: Scan::Off,
            protection: Protection::Tls,
            documents: &mail.documents(),
            business: &Business::new(&is_staff, headline),
            fields: &mail.fields(),
        })
    };
    let (standing, tried) = (judged(rules), tried.map(judged));
    let watched = Watched {
        group: &group,
        class: message.class,
        recipients: to.iter().zip(&recipients).collect(),
        judged: &standing,
        tried: tried.as_ref(),
    };
    Some(watched.observation(|address| ledger.unmapped_id(address)))
}
