//! What a file of people or permissions would change: the difference, row by row, and the steps that make it. Changes
//! nothing. People and permissions that the file does not name stay as they are.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use mail::Address;
use store::{DirectoryChange, Permission, StoreError, User, UserId, UserState};

use super::super::{ROLES, name};
use crate::access::people::People;
use crate::csv::{self, Row};
use crate::portal::Portal;

/// The two kinds of files, told apart by their first line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    People,
    Permissions,
}

pub(super) const PEOPLE: [&str; 4] = ["address", "name", "role", "state"];
pub(super) const PERMISSIONS: [&str; 4] = ["address", "participant", "process", "contact_type"];

/// Errors that are shown at once.
const MOST_ERRORS: usize = 100;

/// One thing that would be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) line: usize,
    pub(super) who: String,
    /// A key of the family of texts `import_what`.
    pub(super) what: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// What is wrong, and where. `key`: of the family of texts `import_problem`, or `csv_problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// 0: of the file as a whole.
    pub(super) line: usize,
    /// The name of the column, or its number; empty: the whole line.
    pub(super) column: String,
    pub(super) key: &'static str,
    pub(super) value: String,
}

/// What a file comes to.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) kind: Kind,
    pub(super) differences: Vec<Difference>,
    pub(super) steps: Vec<DirectoryChange>,
    pub(super) mistakes: Vec<Mistake>,
    /// The rules of the directory are against it: an attempt that is to be recorded.
    pub(super) forbidden: bool,
}

impl Plan {
    /// What was shown and what is applied must be the same.
    pub(super) fn digest(&self) -> String {
        crate::portal::fingerprint(&format!("{:?}{:?}", self.kind, self.differences))
    }

    fn mistake(&mut self, line: usize, column: &str, key: &'static str, value: &str) {
        if self.mistakes.len() < MOST_ERRORS {
            let (column, value) = (column.to_owned(), value.to_owned());
            self.mistakes.push(Mistake { line, column, key, value });
        }
    }

    fn differs(&mut self, line: usize, who: &Address, what: &'static str, before: &str, after: &str) {
        let (before, after) = (before.to_owned(), after.to_owned());
        self.differences.push(Difference { line, who: who.to_string(), what, before, after });
    }
}

/// Reads a file against the people as they are now.
pub(super) fn plan(portal: &Portal, people: &People, text: &str) -> Result<Plan, StoreError> {
    let mut plan = Plan {
        kind: Kind::People,
        differences: Vec::new(),
        steps: Vec::new(),
        mistakes: Vec::new(),
        forbidden: false,
    };
    let rows = match csv::read(text) {
        Ok(rows) => rows,
        Err(csv::Unreadable { line, column, key }) => {
            plan.mistake(line, &column.to_string(), key, "");
            return Ok(plan);
        }
    };
    let Some((head, rows)) = rows.split_first() else {
        plan.mistake(0, "", "empty", "");
        return Ok(plan);
    };
    let Some(columns) = columns(head, &mut plan) else { return Ok(plan) };
    let known: HashMap<String, &User> =
        people.all().into_iter().map(|user| (user.email.key().to_string(), user)).collect();
    let table = Table { columns, rows };
    let lines = match plan.kind {
        Kind::People => people_rows(portal, people, &table, &known, &mut plan)?,
        Kind::Permissions => permission_rows(portal, people, &table, &known, &mut plan),
    };
    if plan.mistakes.is_empty() {
        try_out(portal, people, &lines, &mut plan);
    }
    Ok(plan)
}

/// The rules of the directory have the last word, also on what looks right.
fn try_out(portal: &Portal, people: &People, lines: &[usize], plan: &mut Plan) {
    let Err((step, why)) = portal.ledger.try_out(&people.visitor().actor(), &plan.steps) else { return };
    let line = lines.get(step).copied().unwrap_or_default();
    let (line, key) = match why {
        StoreError::LastMau(_) => (0, "last-mau"),
        StoreError::Forbidden => (line, "forbidden"),
        _ => (line, "taken"),
    };
    plan.forbidden = true;
    plan.mistake(line, "", key, "");
}

/// The rows below the first, and where its columns are.
struct Table<'a> {
    columns: [Option<usize>; 4],
    rows: &'a [Row],
}

impl Table<'_> {
    fn cell<'r>(&self, row: &'r Row, column: usize) -> &'r str {
        let at = self.columns.get(column).copied().flatten();
        at.and_then(|at| row.cells.get(at)).map_or("", String::as_str)
    }
}

/// Which column is where; the kind of the file follows from their names.
fn columns(head: &Row, plan: &mut Plan) -> Option<[Option<usize>; 4]> {
    let names: Vec<String> =
        head.cells.iter().map(|cell| cell.trim().to_lowercase().replace(' ', "_")).collect();
    let permissions = names.iter().any(|name| name == "participant");
    plan.kind = if permissions { Kind::Permissions } else { Kind::People };
    let wanted = if permissions { PERMISSIONS } else { PEOPLE };
    for name in &names {
        let strange = !name.is_empty() && !wanted.contains(&name.as_str());
        if strange || names.iter().filter(|other| *other == name).count() > 1 {
            plan.mistake(head.line, name, "column", name);
        }
    }
    let columns = wanted.map(|wanted| names.iter().position(|name| name == wanted));
    let needed: &[usize] = if permissions { &[0, 1, 2, 3] } else { &[0] };
    for column in needed.iter().filter(|column| columns[**column].is_none()) {
        plan.mistake(head.line, wanted[*column], "missing", wanted[*column]);
    }
    plan.mistakes.is_empty().then_some(columns)
}

fn people_rows(
    portal: &Portal,
    people: &People,
    table: &Table<'_>,
    known: &HashMap<String, &User>,
    plan: &mut Plan,
) -> Result<Vec<usize>, StoreError> {
    let (mut lines, mut named) = (Vec::new(), HashSet::new());
    for row in table.rows {
        let typed = table.cell(row, 0);
        let Some(email) = typed.parse::<Address>().ok() else {
            plan.mistake(row.line, "address", "address", typed);
            continue;
        };
        if !named.insert(email.key().to_string()) {
            plan.mistake(row.line, "address", "twice", typed);
            continue;
        }
        let before = plan.steps.len();
        match known.get(&*email.key()) {
            Some(user) => change_row(table, row, user, plan),
            None => {
                let id = UserId::new(portal.ledger.now())?;
                new_row(
                    table,
                    row,
                    User::new(id, people.visitor().group().clone(), email, String::new()),
                    plan,
                );
            }
        }
        lines.extend(std::iter::repeat_n(row.line, plan.steps.len() - before));
    }
    Ok(lines)
}

fn new_row(table: &Table<'_>, row: &Row, user: User, plan: &mut Plan) {
    let (typed, role, state) = (table.cell(row, 1), table.cell(row, 2), table.cell(row, 3));
    let Some(name) = name(typed) else { return plan.mistake(row.line, "name", "name", typed) };
    let role = if role.is_empty() { "user" } else { role };
    let Some(role) = ROLES.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(role)) else {
        return plan.mistake(row.line, "role", "role", role);
    };
    if !state.is_empty() && !state.eq_ignore_ascii_case("invited") {
        return plan.mistake(row.line, "state", "new-state", state);
    }
    plan.differs(row.line, &user.email, "new", "", &format!("{name}, {}", role.as_str()));
    plan.steps.push(DirectoryChange::User(User { name, role, ..user }));
}

fn change_row(table: &Table<'_>, row: &Row, user: &User, plan: &mut Plan) {
    let (typed, role, state) = (table.cell(row, 1), table.cell(row, 2), table.cell(row, 3));
    let state = state.to_lowercase();
    if state == "removed" {
        plan.differs(row.line, &user.email, "removed", user.state.as_str(), "removed");
        plan.steps.push(DirectoryChange::RemoveUser(user.id));
        return;
    }
    if !typed.is_empty() && typed != user.name {
        let Some(name) = name(typed) else { return plan.mistake(row.line, "name", "name", typed) };
        plan.differs(row.line, &user.email, "name", &user.name, &name);
        plan.steps.push(DirectoryChange::NameOf(user.id, name));
    }
    if !role.is_empty() && !role.eq_ignore_ascii_case(user.role.as_str()) {
        let known = ROLES.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(role));
        let Some(known) = known else { return plan.mistake(row.line, "role", "role", role) };
        plan.differs(row.line, &user.email, "role", user.role.as_str(), known.as_str());
        plan.steps.push(DirectoryChange::RoleOf(user.id, known));
    }
    let after = match (user.state, state.as_str()) {
        (_, "") => return,
        (known, word) if known.as_str() == word => return,
        (UserState::Confirmed, "suspended") => UserState::Suspended,
        (UserState::Suspended, "confirmed") => UserState::Confirmed,
        (_, word) => return plan.mistake(row.line, "state", "state", word),
    };
    plan.differs(row.line, &user.email, "state", user.state.as_str(), after.as_str());
    plan.steps.push(DirectoryChange::State(user.id, after));
}

/// Whom the file names holds afterwards what it says and nothing else; a line with an address alone says: nothing.
fn permission_rows(
    portal: &Portal,
    people: &People,
    table: &Table<'_>,
    known: &HashMap<String, &User>,
    plan: &mut Plan,
) -> Vec<usize> {
    let mut wanted = BTreeMap::<UserId, (usize, &User, BTreeSet<Permission>)>::new();
    for row in table.rows {
        let typed = table.cell(row, 0);
        let user = typed.parse::<Address>().ok().and_then(|email| known.get(&*email.key()).copied());
        let Some(user) = user else {
            plan.mistake(row.line, "address", "nobody", typed);
            continue;
        };
        let (_, _, set) = wanted.entry(user.id).or_insert((row.line, user, BTreeSet::new()));
        if (1..4).all(|column| table.cell(row, column).is_empty()) {
            continue;
        }
        match permission(portal, people, table, row) {
            Ok(permission) => drop(set.insert(permission)),
            Err((column, value)) => plan.mistake(row.line, column, "permission", value),
        }
    }
    let mut lines = Vec::new();
    for (line, user, set) in wanted.into_values() {
        let add: Vec<_> = set.iter().filter(|one| !user.permissions.contains(one)).cloned().collect();
        let remove: Vec<_> = user.permissions.iter().filter(|one| !set.contains(one)).cloned().collect();
        let said = |one: &Permission| format!("{} · {} · {}", one.participant, one.process, one.contact_type);
        for one in &add {
            plan.differs(line, &user.email, "given", "", &said(one));
        }
        for one in &remove {
            plan.differs(line, &user.email, "taken", &said(one), "");
        }
        if !add.is_empty() || !remove.is_empty() {
            plan.steps.push(DirectoryChange::Grants { user: user.id, add, remove });
            lines.push(line);
        }
    }
    lines
}

/// Processes and contact types are named by their ids, or as people call them.
fn permission<'r>(
    portal: &Portal,
    people: &People,
    table: &Table<'_>,
    row: &'r Row,
) -> Result<Permission, (&'static str, &'r str)> {
    let (mpid, process, rung) = (table.cell(row, 1), table.cell(row, 2), table.cell(row, 3));
    let participants = people.participants();
    let participant = participants.iter().find(|known| known.mpid.as_str() == mpid);
    let participant = participant.ok_or(("participant", mpid))?;
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let catalogue = portal.catalogue();
    let known =
        catalogue.processes().find(|known| same(known.id.as_str(), process) || same(&known.name, process));
    let known = known.ok_or(("process", process))?;
    let found =
        known.rungs.iter().find(|known| same(known.contact_type.as_str(), rung) || same(&known.name, rung));
    Ok(Permission {
        participant: participant.mpid.clone(),
        process: known.id.clone(),
        contact_type: found.ok_or(("contact_type", rung))?.contact_type.clone(),
    })
}
