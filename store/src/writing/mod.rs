//! What people write in the portal before it is a message: drafts with their files, who is answering which case, and the
//! texts that a group keeps for reuse. All of it is sealed for the own group alone; nothing here reaches another one.

mod answering;
mod drafts;
mod sealed;
mod texts;
mod uploads;

pub use answering::{ANSWERING, Answering};
pub use drafts::{Draft, DraftWords, MOST_DRAFTS};
pub use texts::{MOST_TEXTS, TextTemplate};
pub use uploads::{DraftFile, FileWriter, MOST_FILES};
