//! What the command line can ask of a ledger: one request type, one place that performs it, whether the ledger
//! was opened by the tool itself or belongs to a running server at the other end of the control socket.

mod cases;
mod credentials;
mod desk;
mod export;
mod health;
mod market;
mod people;
mod queue;
pub(crate) mod rows;
mod shadow;
mod trail;

use mail::{Address, GroupId, ProcessId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use self::desk::{Desk, directory_of, kept_rules, look, opened_to_look};
pub(crate) use self::export::{FolderSink, NoFiles, Sink};
pub(crate) use self::people::hash_password;
pub(crate) use self::queue::{QueueChange, QueueSelection};
pub(crate) use self::shadow::StageRow;
use crate::directory_file::{CertificateEntry, DirectoryFile, Hex, UserEntry, Written};

/// One thing asked. The answer is JSON of the row type that the request names.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub(crate) enum Request {
    /// → `rows::Health`
    Health,
    /// → `Vec<Difference>`
    DirectoryImport { file: DirectoryFile, dry_run: bool },
    /// → `DirectoryFile`
    DirectoryExport,
    /// → `rows::NewPassword`
    UserAdd { user: UserEntry },
    /// → `rows::NewPassword`
    UserReset { email: Written<Address> },
    /// → `rows::NewPassword`
    AppPasswordAdd { email: Written<Address>, name: String },
    /// → `Vec<rows::AppPasswordRow>`
    AppPasswordList { email: Written<Address> },
    /// → `null`
    AppPasswordRevoke { email: Written<Address>, which: String },
    /// → `rows::NewSecret`
    ConnectorAdd { connector: rows::ConnectorRow },
    /// → `Vec<rows::ConnectorRow>`
    ConnectorList,
    /// → `null`
    ConnectorSwitch { name: String, active: bool },
    /// → `null`
    ConnectorRemove { name: String },
    /// → `null`
    CertificateRemove { fingerprint: Hex },
    /// → `CertificateEntry`
    CertificateAdd { certificate: CertificateEntry },
    /// → `Vec<rows::JobRow>`
    QueueList,
    /// → `rows::JobRow`
    QueueShow { job: String },
    /// → how many jobs it was about
    QueueChange { change: QueueChange, of: QueueSelection },
    /// → `Vec<rows::DomainHoldRow>`
    QueueHolds,
    /// → `Vec<rows::CaseRow>`
    CaseList { group: Option<Written<GroupId>>, process: Option<Written<ProcessId>>, limit: usize },
    /// → `rows::CaseDetail`
    CaseShow { reference: String },
    /// → `rows::Exported`, after the files
    CaseExport { reference: String },
    /// → `null`; no stage takes back what is set
    StageSet { group: Option<Written<GroupId>>, process: Option<Written<ProcessId>>, stage: Option<String> },
    /// → `Vec<StageRow>`
    StageList,
    /// → `store::ShadowRows`
    ShadowReport { group: Option<Written<GroupId>>, first: String, last: String },
    /// → `rows::Trail`
    AuditVerify,
}

impl Desk {
    /// Does what is asked. `sink` takes files, for the one request that has some.
    pub(crate) async fn perform(&self, request: Request, sink: &mut impl Sink) -> anyhow::Result<Value> {
        let answer = match request {
            Request::Health => serde_json::to_value(self.health().await?),
            Request::DirectoryImport { file, dry_run } => {
                serde_json::to_value(self.import_directory(&file, dry_run).await?)
            }
            Request::DirectoryExport => serde_json::to_value(self.export_directory()),
            Request::UserAdd { user } => serde_json::to_value(self.add_user(&user).await?),
            Request::UserReset { email } => serde_json::to_value(self.reset_user(&email.0).await?),
            Request::AppPasswordAdd { email, name } => {
                serde_json::to_value(self.add_app_password(&email.0, name).await?)
            }
            Request::AppPasswordList { email } => serde_json::to_value(self.app_passwords(&email.0).await?),
            Request::AppPasswordRevoke { email, which } => {
                serde_json::to_value(self.revoke_app_password(&email.0, &which).await?)
            }
            Request::ConnectorAdd { connector } => serde_json::to_value(self.add_connector(connector).await?),
            Request::ConnectorList => serde_json::to_value(self.connectors()),
            Request::ConnectorSwitch { name, active } => {
                serde_json::to_value(self.switch_connector(&name, active).await?)
            }
            Request::ConnectorRemove { name } => serde_json::to_value(self.remove_connector(&name).await?),
            Request::CertificateRemove { fingerprint } => {
                serde_json::to_value(self.remove_certificate(fingerprint).await?)
            }
            Request::CertificateAdd { certificate } => {
                serde_json::to_value(self.add_certificate(certificate).await?)
            }
            Request::QueueList => serde_json::to_value(self.jobs().await?),
            Request::QueueShow { job } => serde_json::to_value(self.job(&job).await?),
            Request::QueueChange { change, of } => serde_json::to_value(self.change_queue(change, of).await?),
            Request::QueueHolds => serde_json::to_value(self.queue_holds().await?),
            Request::CaseList { group, process, limit } => {
                serde_json::to_value(self.cases(group.map(|id| id.0), process.map(|id| id.0), limit).await?)
            }
            Request::CaseShow { reference } => serde_json::to_value(self.case(&reference).await?),
            Request::CaseExport { reference } => {
                serde_json::to_value(self.export_case(&reference, sink).await?)
            }
            Request::StageSet { group, process, stage } => {
                let (group, process) = (group.map(|id| id.0), process.map(|id| id.0));
                serde_json::to_value(self.set_stage(group, process, stage.as_deref()).await?)
            }
            Request::StageList => serde_json::to_value(self.stages()),
            Request::ShadowReport { group, first, last } => {
                let group = group.map(|id| id.0);
                serde_json::to_value(self.shadow_report(group.as_ref(), (&first, &last)).await?)
            }
            Request::AuditVerify => serde_json::to_value(self.verify_audit().await?),
        };
        Ok(answer?)
    }
}
