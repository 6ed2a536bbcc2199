//! Who may do what, as one table: action × role × relation to what it is done to. What the table does not grant is denied, and a
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
    /// Make a colleague of one's own side the owner.
    Assign,
    /// Write in a case.
    Answer,
    /// Open a case for a participant of one's own, with a permission for the rung on which it begins.
    OpenCase,
    /// Take a case to its next rung; from when on, the life of the case says.
    Escalate,
    /// Say that a case is done.
    Close,
    /// Say that it is not.
    Reopen,
    /// Write an internal note of one's own side about a case.
    Note,
    /// Put a search tag of one's own side on a case, or take one off.
    Tag,
    /// Read the demonstration's page of notices that left; they hold nothing of a case's content.
    ReadOutbox,
    /// See that mail of one's group is held: from whom, to whom, why, since when.
    ListHeld,
    /// Read a held mail.
    OpenHeld,
    /// Let a held mail into the case it belongs to.
    ReleaseHeld,
    /// Let a held mail go on to its recipients as it is.
    RelayHeld,
    /// Destroy a held mail; its sender is told.
    ReturnHeld,
    /// Make and revoke the passwords of one's own mail clients.
    ManageAppPasswords,
    /// See and change how one signs in: password, second step, sessions.
    ManageSignIn,
    /// Make and revoke tokens with which programs act for oneself.
    ManageApiTokens,
    /// Set how the people of one's group sign in.
    SetSignInRules,
    /// See how mail of one's group comes and goes: polled mailboxes, mailboxes that bounce, connectors, certificates.
    ReadMailAdministration,
    /// Say that what such a page asks for is done.
    CloseTask,
    /// See what shadow mode counted for one's group, and for what of it decisions are done.
    ReadShadow,
    /// Promote or demote a process of one's group, and take that back.
    SetStage,
    /// See the same for the market: sums, and what is set for every group.
    ReadMarketShadow,
    /// Promote or demote a process for every group, and take that back.
    SetMarketStage,
    /// Choose when one is told of what waits, and see what one was sent.
    ManageAlerts,
    /// Choose that for the people of one's group who chose nothing, and how its notices look.
    SetCompanyAlerts,
    /// See how much one has sent oneself, and how soon.
    ReadOwnFigures,
    /// See the figures of one's group: by month, process, participant, counterparty and user.
    ReadReports,
    /// See every group's figures side by side, and how available the portal was; no content, no user.
    ReadMarketReports,
    /// See the events of one's group.
    ReadAudit,
    /// Write what is no message yet.
    WriteDrafts,
    /// Change the texts that a group keeps to write with.
    ManageTexts,
    /// Invite, suspend and remove people of one's own group, and grant them roles and permissions.
    ManagePeople,
    /// Map and unmap the mailboxes of one's own group.
    ManageMailboxes,
    /// Bring companies into the market, and say which participants are whose.
    ManageMarket,
}

/// What an action is done to; each has its own relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// A case.
    Case,
    /// Something that is a whole group's: held mail, the ways of its mail.
    Group,
    /// Something that is one user's.
    User,
    /// Something that is no group's: settings for all, sums over all.
    Market,
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

/// How somebody stands to what an action is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Of a side of the case, with the permission for its participant, process and contact type.
    Permitted,
    /// Of a side of the case, without that permission.
    OwnSide,
    /// Of no side of the case; of another group than the thing is.
    Foreign,
    /// Of the group whose thing it is, though not one's own.
    OwnGroup,
    /// One's own.
    Mine,
    /// Towards what is no group's everybody stands alike.
    Market,
}

impl Action {
    /// Every action, in the order of the printed matrix.
    pub const ALL: [Self; 41] = [
        Self::ListCases,
        Self::ReadCase,
        Self::ReadAttachment,
        Self::DownloadOriginal,
        Self::Claim,
        Self::Release,
        Self::Assign,
        Self::Answer,
        Self::OpenCase,
        Self::Escalate,
        Self::Close,
        Self::Reopen,
        Self::Note,
        Self::Tag,
        Self::ReadOutbox,
        Self::ListHeld,
        Self::OpenHeld,
        Self::ReleaseHeld,
        Self::RelayHeld,
        Self::ReturnHeld,
        Self::ManageAppPasswords,
        Self::ManageSignIn,
        Self::ManageApiTokens,
        Self::SetSignInRules,
        Self::ReadMailAdministration,
        Self::CloseTask,
        Self::ReadShadow,
        Self::SetStage,
        Self::ReadMarketShadow,
        Self::SetMarketStage,
        Self::ManageAlerts,
        Self::SetCompanyAlerts,
        Self::ReadOwnFigures,
        Self::ReadReports,
        Self::ReadMarketReports,
        Self::ReadAudit,
        Self::WriteDrafts,
        Self::ManageTexts,
        Self::ManagePeople,
        Self::ManageMailboxes,
        Self::ManageMarket,
    ];

    /// What it is done to.
    pub fn matter(self) -> Matter {
        match self {
            Self::ListCases
            | Self::ReadCase
            | Self::ReadAttachment
            | Self::DownloadOriginal
            | Self::Claim
            | Self::Release
            | Self::Assign
            | Self::Answer
            | Self::OpenCase
            | Self::Escalate
            | Self::Close
            | Self::Reopen
            | Self::Note
            | Self::Tag
            | Self::ReadOutbox => Matter::Case,
            Self::ListHeld
            | Self::OpenHeld
            | Self::ReleaseHeld
            | Self::RelayHeld
            | Self::ReturnHeld
            | Self::SetSignInRules
            | Self::ReadMailAdministration
            | Self::CloseTask
            | Self::ManageTexts
            | Self::ManagePeople
            | Self::ManageMailboxes
            | Self::ReadShadow
            | Self::SetStage
            | Self::SetCompanyAlerts
            | Self::ReadReports
            | Self::ReadAudit => Matter::Group,
            Self::ManageAppPasswords
            | Self::ManageApiTokens
            | Self::ManageSignIn
            | Self::WriteDrafts
            | Self::ManageAlerts
            | Self::ReadOwnFigures => Matter::User,
            Self::ReadMarketShadow | Self::SetMarketStage | Self::ReadMarketReports | Self::ManageMarket => {
                Matter::Market
            }
        }
    }

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::ListCases => "list-cases",
            Self::ReadCase => "read-case",
            Self::ReadAttachment => "read-attachment",
            Self::DownloadOriginal => "download-original",
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Assign => "assign",
            Self::Answer => "answer",
            Self::OpenCase => "open-case",
            Self::Escalate => "escalate",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Note => "note",
            Self::Tag => "tag",
            Self::ReadOutbox => "read-outbox",
            Self::ListHeld => "list-held",
            Self::OpenHeld => "open-held",
            Self::ReleaseHeld => "release-held",
            Self::RelayHeld => "relay-held",
            Self::ReturnHeld => "return-held",
            Self::ManageAppPasswords => "manage-app-passwords",
            Self::ManageSignIn => "manage-sign-in",
            Self::ManageApiTokens => "manage-api-tokens",
            Self::SetSignInRules => "set-sign-in-rules",
            Self::ReadMailAdministration => "read-mail-administration",
            Self::CloseTask => "close-task",
            Self::WriteDrafts => "write-drafts",
            Self::ManageTexts => "manage-texts",
            Self::ManagePeople => "manage-people",
            Self::ManageMailboxes => "manage-mailboxes",
            Self::ManageMarket => "manage-market",
            Self::ReadShadow => "read-shadow",
            Self::SetStage => "set-stage",
            Self::ReadMarketShadow => "read-market-shadow",
            Self::SetMarketStage => "set-market-stage",
            Self::ManageAlerts => "manage-alerts",
            Self::SetCompanyAlerts => "set-company-alerts",
            Self::ReadOwnFigures => "read-own-figures",
            Self::ReadReports => "read-reports",
            Self::ReadMarketReports => "read-market-reports",
            Self::ReadAudit => "read-audit",
        }
    }
}

impl Matter {
    /// The relations that somebody can have to it, in the order of the printed matrix.
    pub fn relations(self) -> &'static [Relation] {
        match self {
            Self::Case => &[Relation::Permitted, Relation::OwnSide, Relation::Foreign],
            Self::Group => &[Relation::OwnGroup, Relation::Foreign],
            Self::User => &[Relation::Mine, Relation::OwnGroup, Relation::Foreign],
            Self::Market => &[Relation::Market],
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
    /// Every relation.
    pub const ALL: [Self; 6] =
        [Self::Permitted, Self::OwnSide, Self::Foreign, Self::OwnGroup, Self::Mine, Self::Market];

    /// How somebody of `group` stands to something of the group `of`.
    pub fn to_group(group: &GroupId, of: &GroupId) -> Self {
        if group == of { Self::OwnGroup } else { Self::Foreign }
    }

    /// Its name in the printed matrix.
    pub fn name(self) -> &'static str {
        match self {
            Self::Permitted => "permitted",
            Self::OwnSide => "own side",
            Self::Foreign => "foreign",
            Self::OwnGroup => "own group",
            Self::Mine => "mine",
            Self::Market => "market",
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
const OWN_GROUP: &[Relation] = &[Relation::OwnGroup];
/// A held mail belongs to no case yet, so no permission opens it: it is the compliance role's alone.
const COMPLIANCE: &[Role] = &[Role::Compliance];
const MAU: &[Role] = &[Role::Mau];
const OFFICERS: &[Role] = &[Role::Mau, Role::Compliance];
const OPERATOR: &[Role] = &[Role::Operator];
const MARKET: &[Relation] = &[Relation::Market];

const TABLE: &[Grant] = &[
    Grant { action: Action::ListCases, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadCase, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadAttachment, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::DownloadOriginal, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Claim, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Release, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Assign, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Answer, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::OpenCase, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Escalate, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Close, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Reopen, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Note, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::Tag, roles: GROUP, relations: PERMITTED },
    Grant { action: Action::ReadOutbox, roles: &Role::ALL, relations: &Relation::ALL },
    Grant { action: Action::ListHeld, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::OpenHeld, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::ReleaseHeld, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::RelayHeld, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::ReturnHeld, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::ManageAppPasswords, roles: GROUP, relations: &[Relation::Mine] },
    Grant { action: Action::ManageSignIn, roles: &Role::ALL, relations: &[Relation::Mine] },
    Grant { action: Action::ManageApiTokens, roles: GROUP, relations: &[Relation::Mine] },
    Grant { action: Action::SetSignInRules, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::ReadMailAdministration, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::CloseTask, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::ReadShadow, roles: OFFICERS, relations: OWN_GROUP },
    Grant { action: Action::SetStage, roles: OFFICERS, relations: OWN_GROUP },
    Grant { action: Action::ReadMarketShadow, roles: OPERATOR, relations: MARKET },
    Grant { action: Action::SetMarketStage, roles: OPERATOR, relations: MARKET },
    Grant { action: Action::ManageAlerts, roles: GROUP, relations: &[Relation::Mine] },
    Grant { action: Action::SetCompanyAlerts, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::ReadOwnFigures, roles: GROUP, relations: &[Relation::Mine] },
    Grant { action: Action::ReadReports, roles: OFFICERS, relations: OWN_GROUP },
    Grant { action: Action::ReadMarketReports, roles: OPERATOR, relations: MARKET },
    Grant { action: Action::ReadAudit, roles: COMPLIANCE, relations: OWN_GROUP },
    Grant { action: Action::WriteDrafts, roles: GROUP, relations: &[Relation::Mine] },
    Grant { action: Action::ManageTexts, roles: OFFICERS, relations: OWN_GROUP },
    Grant { action: Action::ManagePeople, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::ManageMailboxes, roles: MAU, relations: OWN_GROUP },
    Grant { action: Action::ManageMarket, roles: OPERATOR, relations: MARKET },
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
mod tests;
