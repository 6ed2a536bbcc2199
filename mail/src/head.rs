//! The head of the mail itself, read once from its first header block: the shown fields, the references, the signals of
//! its class. Knows nothing of parts.

use crate::{
    Defect, Headline, Person,
    class::Signals,
    header::{Fields, clip},
};

/// Most addresses kept of one field, and most references.
const PEOPLE_MAX: usize = 1000;
const REFERENCES_MAX: usize = 200;
const SUBJECT_MAX: usize = 4 * 1024;

/// Fields that may stand once (RFC 5322 §3.6), beside `From` and `Content-Type`, which have defects of their own.
const SINGLETONS: [&str; 12] = [
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Content-Transfer-Encoding",
    "Content-Disposition",
    "MIME-Version",
];

/// Everything that the first header block says about the mail as a whole.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) headline: Headline,
    pub(crate) in_reply_to: Vec<String>,
    pub(crate) references: Vec<String>,
    pub(crate) hops: usize,
    pub(crate) signals: Signals,
}

impl Head {
    pub(crate) fn read(fields: &Fields<'_>) -> Self {
        let mut defects = Vec::new();
        let mut people = |name| people(fields, name, &mut defects);
        let (from, to, cc) = (people("From"), people("To"), people("Cc"));
        let sender = people("Sender").into_iter().next();
        author_defects(fields, &from, &mut defects);
        let subject = subject(fields);
        let signals = Signals::read(fields, &from, &subject);
        let headline = Headline {
            subject,
            from,
            sender,
            to,
            cc,
            date: fields.first("Date").and_then(|field| field.date()),
            message_id: ids(fields, "Message-ID").into_iter().next(),
            parts: Vec::new(),
            defects,
            signed: None,
            signature: None,
        };
        Self {
            headline,
            in_reply_to: ids(fields, "In-Reply-To"),
            references: ids(fields, "References"),
            hops: fields.count("Received"),
            signals,
        }
    }
}

/// Defects of structure that any header block can have.
pub(crate) fn structure_defects(fields: &Fields<'_>) -> impl Iterator<Item = Defect> {
    let types = (fields.count("Content-Type") > 1).then_some(Defect::ManyContentType);
    let others = SINGLETONS.iter().any(|name| fields.count(name) > 1);
    types.into_iter().chain(others.then_some(Defect::ManySingletons))
}

/// The subject, decoded and cut.
pub(crate) fn subject(fields: &Fields<'_>) -> String {
    clip(&fields.text("Subject"), SUBJECT_MAX)
}

/// Mailboxes of all fields of this name: who looks at one of two `From` fields looks at the other too.
fn people(fields: &Fields<'_>, name: &str, defects: &mut Vec<Defect>) -> Vec<Person> {
    let read = fields.all(name).flat_map(|field| field.people(PEOPLE_MAX + 1));
    let mut people: Vec<Person> = read.take(PEOPLE_MAX + 1).collect();
    if people.len() > PEOPLE_MAX {
        people.truncate(PEOPLE_MAX);
        defects.push(Defect::TooManyAddresses);
    }
    people
}

fn author_defects(fields: &Fields<'_>, from: &[Person], defects: &mut Vec<Defect>) {
    let found = [
        (fields.count("From") > 1, Defect::ManyFrom),
        (from.len() > 1, Defect::ManyAuthors),
        (!from.iter().any(|person| person.address.is_some()), Defect::NoFrom),
    ];
    defects.extend(found.into_iter().filter(|(is, _)| *is).map(|(_, defect)| defect));
}

fn ids(fields: &Fields<'_>, name: &str) -> Vec<String> {
    fields.first(name).map(|field| field.ids(REFERENCES_MAX)).unwrap_or_default()
}
