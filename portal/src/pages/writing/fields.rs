//! The form of a draft as it streams in: fields first, then files, which are sealed while they come.

use axum::extract::Request;
use store::{DraftWords, FileWriter, StoreError};

use crate::access::Visitor;
use crate::access::drafts::OwnDraft;
use crate::error::Problem;
use crate::forms::{self, Fields};
use crate::multipart::{Multipart, PartHead};
use crate::portal::Portal;

/// Longest value of a field, in bytes: the text of a letter of a hundred pages.
pub(super) const LONGEST: usize = 256 * 1024;

/// Fields of a form of ours.
const MOST_FIELDS: usize = 40;

/// Why a file was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotTaken {
    TooLarge,
    TooMany,
    Broken,
}

impl NotTaken {
    /// Its key in the family of texts `file_problem`.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::Broken => "broken",
        }
    }
}

/// A form that was read to its end, or to the end of the upload that broke off.
pub(super) struct Arrived {
    pub(super) fields: Fields,
    pub(super) not_taken: Option<NotTaken>,
}

/// The form, once its first field has shown the token of the visitor's session: before that nothing is looked up.
pub(super) async fn proved(visitor: &Visitor, request: Request) -> Result<Multipart, Problem> {
    const NOT_OURS: Problem = Problem::NotFromHere("token");
    let (parts, body) = request.into_parts();
    let mut form = Multipart::of(&parts.headers, body).map_err(|_| NOT_OURS)?;
    let first = form.next().await.map_err(|_| NOT_OURS)?;
    let is_token = first.is_some_and(|head| head.name == "token" && head.file_name.is_none());
    let token = if is_token { form.text(LONGEST).await.map_err(|_| NOT_OURS)? } else { String::new() };
    if forms::same(&token, visitor.form_token()) { Ok(form) } else { Err(NOT_OURS) }
}

/// Reads the rest of the form of a draft. Its fields are saved before the first file, so that a broken upload takes no
/// word with it.
pub(super) async fn arrive(
    portal: &Portal,
    own: &mut OwnDraft,
    mut form: Multipart,
) -> Result<Arrived, Problem> {
    let (mut fields, mut size) = (Vec::<(String, String)>::new(), 0);
    let (mut saved, mut not_taken) = (false, None);
    while let Some(head) = form.next().await? {
        match &head.file_name {
            None => {
                let value = form.text(LONGEST).await?;
                size += value.len();
                if fields.len() == MOST_FIELDS || size > 2 * LONGEST {
                    return Err(Problem::TooLarge);
                }
                fields.push((head.name, value));
            }
            Some(name) if name.is_empty() || not_taken.is_some() => {}
            Some(_) => {
                if !saved {
                    own.save(portal, words(own, &Fields::of(fields.clone()))).await?;
                    saved = true;
                }
                not_taken = take(portal, own, &head, &mut form).await?;
                if not_taken == Some(NotTaken::Broken) {
                    break;
                }
            }
        }
    }
    Ok(Arrived { fields: Fields::of(fields), not_taken })
}

/// What the form says now; what it has no field for stays.
pub(super) fn words(own: &OwnDraft, form: &Fields) -> DraftWords {
    let before = own.words().clone();
    let line = |name: &str| form.value(name).split_whitespace().collect::<Vec<_>>().join(" ");
    let fields = form.names().filter_map(|name| {
        let field = name.strip_prefix("field-")?;
        Some((field.to_owned(), line(name))).filter(|(_, value)| !value.is_empty())
    });
    DraftWords {
        counterparty: line("counterparty"),
        tag: line("tag"),
        fields: fields.collect(),
        subject: line("subject").chars().take(200).collect(),
        text: form.value("text").replace("\r\n", "\n"),
        seen: form.value("seen").parse().unwrap_or(before.seen),
        ..before
    }
}

/// Seals a file as it comes. `None`: it was taken.
async fn take(
    portal: &Portal,
    own: &mut OwnDraft,
    head: &PartHead,
    form: &mut Multipart,
) -> Result<Option<NotTaken>, Problem> {
    let name = head.file_name.as_deref().unwrap_or_default();
    let room = room(portal, own).await?;
    let file = match own.begin_file(portal, name, &head.media_type, None).await {
        Err(Problem::Store(StoreError::Denied(_))) => return Ok(Some(NotTaken::TooMany)),
        begun => begun?,
    };
    let mut writer = own.resume(portal, file, 0).await?;
    loop {
        match form.piece().await {
            Ok(Some(piece)) if writer.size() + piece.len() as u64 > room => {
                own.remove_file(portal, &file.to_string()).await?;
                return Ok(Some(NotTaken::TooLarge));
            }
            Ok(Some(piece)) => writer.write(&piece).await?,
            Ok(None) => return writer.finish().await.map(|_| None).map_err(Problem::from),
            Err(_) => return broken_off(portal, own, writer, &file.to_string()).await.map(Some),
        }
    }
}

/// Without a script nobody goes on with half a file.
async fn broken_off(
    portal: &Portal,
    own: &OwnDraft,
    writer: FileWriter,
    file: &str,
) -> Result<NotTaken, Problem> {
    drop(writer);
    own.remove_file(portal, file).await?;
    Ok(NotTaken::Broken)
}

/// Bytes that the files of a draft may still have.
pub(super) async fn room(portal: &Portal, own: &OwnDraft) -> Result<u64, Problem> {
    let most = portal.writing()?.largest_upload;
    let files = own.files(portal).await?;
    let taken: u64 = files.iter().map(|file| file.announced.unwrap_or(0).max(file.received)).sum();
    Ok(most.saturating_sub(taken))
}
