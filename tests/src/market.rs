//! The sample market of the tests as a directory file: three companies, their people and mailboxes.

use std::fmt::Write;

/// A process that suppliers run between each other, with a mailbox at Beta.
pub const PROCESSES: [&str; 6] = [
    "erroneous-transfers",
    "disputed-readings",
    "smart-prepayment",
    "debt-assignment",
    "customer-objections",
    "misdirected-payments",
];

/// Writes for Alpha, and may read Alpha's side of erroneous transfers.
pub const AMY: &str = "amy@alpha.example";
/// May read everything at Beta.
pub const BEN: &str = "ben@beta.example";
/// Of Beta, without a permission.
pub const BOB: &str = "bob@beta.example";
/// Beta's administrator, without a permission.
pub const BEA: &str = "bea@beta.example";
/// May read erroneous transfers of Gamma.
pub const GIA: &str = "gia@gamma.example";
/// Gamma's administrator.
pub const GUS: &str = "gus@gamma.example";
/// Beta's mailbox for initial requests of Erroneous Transfers.
pub const MAILBOX: &str = "et@beta.example";

/// Beta's mailbox for initial requests of the process at `index` of [`PROCESSES`].
pub fn mailbox(index: usize) -> String {
    match index {
        0 => MAILBOX.to_owned(),
        _ => format!("{}@beta.example", PROCESSES[index]),
    }
}

/// What may differ from test to test.
#[derive(Debug, Clone, Default)]
pub struct Market {
    /// Further domains of Alpha's staff.
    pub alpha_domains: Vec<String>,
    /// Networks that speak for Alpha.
    pub alpha_networks: Vec<String>,
    /// How many further mailboxes `et-1@beta.example`, `et-2@…` Beta has for Erroneous Transfers.
    pub further_mailboxes: usize,
    /// Another directory file in the place of all this.
    pub directory: Option<&'static str>,
}

impl Market {
    /// As `postern directory import` reads it.
    pub fn to_toml(&self) -> String {
        if let Some(directory) = self.directory {
            return directory.to_owned();
        }
        let mut file = String::new();
        let mut domains = vec!["alpha.example".to_owned()];
        domains.extend(self.alpha_domains.iter().cloned());
        group(&mut file, "alpha", "Alpha Energy", &domains, &self.alpha_networks);
        group(&mut file, "beta", "Beta Power", &["beta.example".to_owned()], &[]);
        group(&mut file, "gamma", "Gamma Networks", &["gamma.example".to_owned()], &[]);
        user(&mut file, AMY, "alpha", "Amy Archer", "user", &[("ALPH", PROCESSES[0])]);
        let all: Vec<_> = PROCESSES.iter().map(|process| ("BETA", *process)).collect();
        user(&mut file, BEN, "beta", "Ben Baker", "user", &all);
        user(&mut file, BOB, "beta", "Bob Brewer", "user", &[]);
        user(&mut file, BEA, "beta", "Bea Butler", "mau", &[]);
        user(&mut file, GIA, "gamma", "Gia Glover", "user", &[("GAMM", PROCESSES[0])]);
        user(&mut file, GUS, "gamma", "Gus Gardner", "mau", &[]);
        for (index, process) in PROCESSES.iter().enumerate() {
            mapped(&mut file, &mailbox(index), process);
        }
        for number in 1..=self.further_mailboxes {
            mapped(&mut file, &format!("et-{number}@beta.example"), PROCESSES[0]);
        }
        file
    }
}

fn group(file: &mut String, id: &str, name: &str, domains: &[String], networks: &[String]) {
    let mpid = id[..4].to_uppercase();
    let _ = writeln!(
        file,
        "[[group]]\nid = \"{id}\"\nname = \"{name}\"\ndomains = {domains:?}\nnetworks = {networks:?}\nreceipts = \"off\"\n\
         [[participant]]\nmpid = \"{mpid}\"\ngroup = \"{id}\"\nname = \"{name}\"\nrole = \"electricity-supplier\""
    );
}

fn user(file: &mut String, email: &str, group: &str, name: &str, role: &str, permissions: &[(&str, &str)]) {
    let permissions: Vec<_> = permissions
        .iter()
        .map(|(participant, process)| {
            format!(
                "{{ participant = \"{participant}\", process = \"{process}\", contact_type = \"initial-request\" }}"
            )
        })
        .collect();
    let _ = writeln!(
        file,
        "[[user]]\nemail = \"{email}\"\ngroup = \"{group}\"\nname = \"{name}\"\nrole = \"{role}\"\n\
         permissions = [{}]",
        permissions.join(", ")
    );
}

fn mapped(file: &mut String, address: &str, process: &str) {
    let _ = writeln!(
        file,
        "[[mailbox]]\naddress = \"{address}\"\ngroup = \"beta\"\nparticipant = \"BETA\"\n\
         process = \"{process}\"\ncontact_type = \"initial-request\""
    );
}
