//! Policies that are tried beside those that stand: a folder of policy files, each in the place of the file of its name that
//! stands. They are judged by for the counts of shadow mode and decide nothing.

use std::fs;
use std::path::{Path, PathBuf};

use policies::{FileKind, RuleFiles, Ruleset};

use super::Config;
use super::document::Problems;

/// As the errors name it.
const KEY: &str = "policy.tried";

/// Where calendars lie in a folder of policy files, as `postern policy show` writes them.
const CALENDARS: &str = "calendars";

impl Config {
    /// The standing policies with the files of the folder in their places; none where nothing is tried.
    pub(crate) fn tried_rules(&self) -> Result<Option<Ruleset>, Problems> {
        let Some(folder) = &self.policy.tried else { return Ok(None) };
        let mut files = self.rule_files()?;
        let mut found = 0;
        for file in self.files_to_try(folder)? {
            found += 1;
            self.try_file(folder, &file, &mut files)?;
        }
        if found == 0 {
            let what = format!("{} has no policy file", folder.display());
            let remedy = "put at least one there, such as verdicts.toml, or remove the line";
            return Err(self.places.problem(KEY, what, remedy));
        }
        Ruleset::read(files).map(Some).map_err(|error| self.places.told(KEY, error))
    }

    /// What ends in `.toml`, in the folder itself and among its calendars.
    fn files_to_try(&self, folder: &Path) -> Result<Vec<PathBuf>, Problems> {
        let mut files = Vec::new();
        let calendars = folder.join(CALENDARS);
        for place in [folder, &calendars].into_iter().filter(|place| *place == folder || place.is_dir()) {
            let unread = |error| {
                let remedy = "name the folder of the policies to try, or remove the line";
                self.places.problem(KEY, format!("cannot read {}: {error}", place.display()), remedy)
            };
            for entry in fs::read_dir(place).map_err(unread)? {
                let path = entry.map_err(unread)?.path();
                if path.extension().is_some_and(|ending| ending == "toml") {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// A name that means nothing is an error: rules that somebody believes to be tried would not be.
    fn try_file(&self, folder: &Path, file: &Path, files: &mut RuleFiles) -> Result<(), Problems> {
        let name = file.display().to_string();
        let text = self.rule_text(KEY, file)?;
        let kind = FileKind::ALL.into_iter().find(|kind| folder.join(kind.as_str()) == file);
        if let Some(kind) = kind {
            files.replace(kind, name, text);
            return Ok(());
        }
        if file.parent() == Some(folder.join(CALENDARS).as_path()) {
            return files.calendar(&name, text).map_err(|error| self.places.told(KEY, error));
        }
        let known: Vec<_> = FileKind::ALL.iter().map(|kind| kind.as_str()).collect();
        let what = format!("{name} is no policy file");
        Err(self.places.problem(KEY, what, format!("name it one of {}, or remove it", known.join(", "))))
    }
}
