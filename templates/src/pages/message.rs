//! One mail as the pages of cases and of held mail show it.

use serde::Serialize;

use super::{Frame, Mark, Page, When};

/// One message of a case.
#[derive(Debug, Clone, Serialize)]
pub struct MessageCard {
    pub number: u32,
    pub company: String,
    pub ours: bool,
    pub received: When,
    /// That it was taken back: by whom, when, and who had read it.
    pub withdrawn: Option<String>,
    /// It could not be opened: what to do.
    pub unreadable: Option<String>,
    /// What there is to read; none of what was taken back in time or cannot be opened.
    pub mail: Option<Mail>,
}

/// What a mail says and how it came.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// Tells its places on the page from those of other mails.
    pub anchor: String,
    /// What links and frames call it: `message 2`.
    pub label: String,
    pub author: String,
    pub address: Option<String>,
    /// Sent on somebody's behalf by this person.
    pub sender: Option<String>,
    pub company: String,
    pub received: When,
    pub proof: Proof,
    /// What is to be known at a glance: kind of automatic mail, viruses, signature.
    pub marks: Vec<Mark>,
    pub subject: String,
    pub to: String,
    pub cc: Option<String>,
    pub text: String,
    /// The part that repeats earlier messages.
    pub quoted: Option<String>,
    /// Where the whole text is, when only its beginning is shown.
    pub whole: Option<String>,
    /// The text could not be opened: what to do.
    pub broken: Option<String>,
    /// Addresses of the formatted view: one for each HTML text of the mail.
    pub formatted: Vec<String>,
    pub files: Vec<FileLink>,
    /// Pictures that belong to the text, apart from real attachments.
    pub pictures: Vec<FileLink>,
    /// The mail byte for byte; none where it is not given away.
    pub original: Option<FileLink>,
    /// What is wrong with the mail, in words.
    pub remarks: Vec<String>,
}

/// How the sender's company was proved.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// `Sender signed in`
    pub says: String,
    /// It shows who handed the mail over, not only who once wrote it.
    pub strong: bool,
    /// What the checks of the sender's domain and of the mail's signature said; empty if there were none.
    pub checks: Vec<Check>,
}

/// One check of the sender.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// `SPF`
    pub name: &'static str,
    /// `passed`
    pub result: String,
}

/// Something to download.
#[derive(Debug, Clone, Serialize)]
pub struct FileLink {
    /// None: it is named and not given away.
    pub href: Option<String>,
    pub name: String,
    /// `PDF document`, `text/html`
    pub kind: String,
    /// `about 14 KB`
    pub size: String,
}

/// One message on a page of its own, with its whole text.
#[derive(Debug, Clone, Serialize)]
pub struct MessagePage {
    pub frame: Frame,
    pub reference: String,
    pub back: String,
    /// Even here the text had to be cut.
    pub cut: bool,
    pub message: MessageCard,
}

impl Page for MessagePage {
    const TEMPLATE: &'static str = "message";
}
