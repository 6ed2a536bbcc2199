//! Who may do what, as one table: action × role × relation to the case. What the table does not grant is denied, and a
//! caller who is denied must look exactly like one who asked for something absent. Operators have no row to content.

use mail::{ContactType, GroupId, Mpid, ProcessId};

/// What somebody wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// See that cases exist: reference, process, counterparty, dates, owner.
    ListCases,
    /// Read the case page: the messages' text.
    ReadCase,
    /// Take one attachment.
    ReadAttachment,
    /// Take a message byte for byte as it came.
    DownloadOriginal,
    /// Become the owner of a case on one's own side.
    Claim,
    /// Give that up.
    Release,
    /// Read the demonstration's page of notices that left; they hold nothing of a case's content.
    ReadOutbox,
}

/// A user's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Staff.
    User,
    /// Master administration user of a group.
    Mau,
    /// Compliance officer of a group.
    Compliance,
    /// The market's operator, in no group's confidence.
    Operator,
}

/// How somebody stands to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Of a side of the case, with the permission for its participant, process and contact type.
    Permitted,
    /// Of a side of the case, without that permission.
    OwnSide,
    /// Of no side of the case.
    Foreign,
}

impl Action {
    /// Every action, in the order of the printed matrix.
    pub const ALL: [Self; 7] = [
        Self::ListCases,
        Self::ReadCase,
        Self::ReadAttachment,
        Self::DownloadOriginal,
        Self::Claim,
        Self::Release,
        Self::ReadOutbox,
    ];

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListCases => "list-cases",
            Self::ReadCase => "read-case",
            Self::ReadAttachment => "read-attachment",
            Self::DownloadOriginal => "download-original",
            Self::Claim => "claim",
            Self::Release => "release",
            Self::ReadOutbox => "read-outbox",
        }
    }
}

impl Role {
    /// Every role, in the order of the printed matrix.
    pub const ALL: [Self; 4] = [Self::User, Self::Mau, Self::Compliance, Self::Operator];

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mau => "mau",
            Self::Compliance => "compliance",
            Self::Operator => "operator",
        }
    }
}

impl Relation {
    /// Every relation, in the order of the printed matrix.
    pub const ALL: [Self; 3] = [Self::Permitted, Self::OwnSide, Self::Foreign];

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::OwnSide => "own side",
            Self::Foreign => "foreign",
        }
    }
}

/// One row: this action is granted to these roles in these relations.
struct Grant {
    action: Action,
    roles: &'static [Role],
    relations: &'static [Relation],
}

/// Administration and compliance read by permission like everybody else: a role opens nothing.
const GROUP: &[Role] = &[Role::User, Role::Mau, Role::Compliance];
const PERMITTED: &[Relation] = &[Relation::Permitted];

const TABLE: &[Grant] = &[
    Grant { action: Action::ListCases, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadCase, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadAttachment, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::DownloadOriginal, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Claim, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Release, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadOutbox, roles: &Role::ALL, relations: &Relation::ALL },
];

/// Whether the table grants it.
#[must_use]
pub fn may(action: Action, role: Role, relation: Relation) -> bool {
    TABLE.iter().any(|grant| {
        grant.action == action && grant.roles.contains(&role) && grant.relations.contains(&relation)
    })
}

/// A permission: what of one participant's correspondence a user may read and do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission<'a> {
    /// The participant it is for.
    pub participant: &'a Mpid,
    /// The process it is for.
    pub process: &'a ProcessId,
    /// The rung it is for.
    pub contact_type: &'a ContactType,
}

/// One side of a case, as access sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Side<'a> {
    /// The group.
    pub group: &'a GroupId,
    /// The participant of the group.
    pub participant: &'a Mpid,
}

/// How a user of `group` who holds `permissions` stands to a case of `process` at `contact_type` between `sides`.
pub fn relation<'a>(
    group: &GroupId,
    permissions: impl IntoIterator<Item = Permission<'a>>,
    sides: impl IntoIterator<Item = Side<'a>>,
    process: &ProcessId,
    contact_type: &ContactType,
) -> Relation {
    let own: Vec<&Mpid> =
        sides.into_iter().filter(|side| side.group == group).map(|side| side.participant).collect();
    if own.is_empty() {
        return Relation::Foreign;
    }
    let permitted = permissions
        .into_iter()
        .any(|p| p.process == process && p.contact_type == contact_type && own.contains(&p.participant));
    if permitted { Relation::Permitted } else { Relation::OwnSide }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relation of a user of `group` with the permissions (participant, process, contact type) to a case of alpha
    /// (ALPH) and beta (BETA), erroneous transfers, initial request.
    fn stands(group: &str, permissions: &[(&str, &str, &str)]) -> Relation {
        let groups: Vec<GroupId> = ["alpha", "beta"].map(|g| g.parse().unwrap()).into();
        let mpids: Vec<Mpid> = ["ALPH", "BETA"].map(|m| m.parse().unwrap()).into();
        let held: Vec<(Mpid, ProcessId, ContactType)> = permissions
            .iter()
            .map(|(m, p, c)| (m.parse().unwrap(), p.parse().unwrap(), c.parse().unwrap()))
            .collect();
        relation(
            &group.parse().unwrap(),
            held.iter().map(|(participant, process, contact_type)| Permission {
                participant,
                process,
                contact_type,
            }),
            groups.iter().zip(&mpids).map(|(group, participant)| Side { group, participant }),
            &"erroneous-transfers".parse().unwrap(),
            &"initial-request".parse().unwrap(),
        )
    }

    #[test]
    fn a_permission_counts_for_participant_process_and_contact_type_together() {
        let whole = ("BETA", "erroneous-transfers", "initial-request");
        assert_eq!(stands("beta", &[whole]), Relation::Permitted);
        assert_eq!(
            stands("beta", &[("BETA", "crossed-meters", "initial-request"), whole]),
            Relation::Permitted
        );
        for part in [
            ("ALPH", "erroneous-transfers", "initial-request"),
            ("BETA", "crossed-meters", "initial-request"),
            ("BETA", "erroneous-transfers", "escalation-1"),
        ] {
            assert_eq!(stands("beta", &[part]), Relation::OwnSide, "{part:?}");
        }
        assert_eq!(stands("beta", &[]), Relation::OwnSide);
    }

    #[test]
    fn nobody_of_a_third_group_is_more_than_foreign() {
        let stolen = ("BETA", "erroneous-transfers", "initial-request");
        assert_eq!(stands("gamma", &[stolen]), Relation::Foreign);
    }

    #[test]
    fn no_role_reads_without_the_permission_and_the_operator_never() {
        for action in Action::ALL.into_iter().filter(|a| *a != Action::ReadOutbox) {
            for role in Role::ALL {
                assert!(!may(action, role, Relation::OwnSide), "{action:?} {role:?}");
                assert!(!may(action, role, Relation::Foreign), "{action:?} {role:?}");
                assert_eq!(may(action, role, Relation::Permitted), role != Role::Operator);
            }
        }
    }
}
