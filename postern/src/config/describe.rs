//! The configuration file as its own manual: printed from the declarations that the parser reads by.

use std::fmt::Write;

use super::SECTIONS;
use super::key::{Declared, Fallback, Form};

const WIDTH: usize = 100;

const HEAD: &str = "Configuration of Postern. A line that starts with `#` and a key shows a default or an \
example; take the # away to change it. Sizes and times are text with a unit. SIGHUP reads certificates \
and policy files again; everything else is read at the start.";

/// A value to print instead of the default or example: section, key, TOML.
pub(crate) type Given<'g> = (&'g str, &'g str, String);

/// The annotated file with the few values that it cannot start without.
pub(crate) fn example() -> String {
    let given = [
        ("tls", "certificate", "\"tls/server.pem\""),
        ("tls", "key", "\"tls/server.key\""),
        ("tls", "client_ca", "\"ca/ca.pem\""),
        ("portal", "url", "\"https://portal.example.org\""),
    ];
    describe(&given.map(|(section, key, value)| (section, key, value.to_owned())))
}

/// The annotated file. `given` values are written out; everything else stays as declared.
pub(crate) fn describe(given: &[Given<'_>]) -> String {
    let mut out = String::new();
    comment(&mut out, HEAD);
    for section in SECTIONS {
        out.push('\n');
        comment(&mut out, section.doc);
        let _ = match section.form {
            Form::One => writeln!(out, "[{}]", section.name),
            Form::Entries => writeln!(out, "#[[{}]]", section.name),
        };
        for key in section.keys {
            out.push('\n');
            comment(&mut out, key.doc());
            let value = given.iter().find(|(of, name, _)| *of == section.name && *name == key.name());
            line(&mut out, section.form, *key, value.map(|(_, _, value)| value.as_str()));
        }
    }
    out
}

fn line(out: &mut String, form: Form, key: &dyn Declared, given: Option<&str>) {
    let (mark, value) = match (given, key.fallback()) {
        (Some(value), _) => ("", value),
        (None, Fallback::Required(example)) if form == Form::One => ("", example),
        (None, Fallback::Required(value) | Fallback::Default(value) | Fallback::Absent(value)) => {
            ("#", value)
        }
    };
    // Writing into a String cannot fail.
    let _ = writeln!(out, "{mark}{} = {value}", key.name());
}

fn comment(out: &mut String, text: &str) {
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column == 0 {
            out.push('#');
            column = 1;
        } else if column + 1 + length > WIDTH {
            out.push_str("\n#");
            column = 1;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + length;
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn the_example_is_a_configuration() {
        let config = Config::parse(&example(), "postern.toml".as_ref()).unwrap();
        assert_eq!(config.server.name, "post.example.org");
    }

    fn once() -> impl Iterator<Item = &'static &'static super::super::key::Section> {
        SECTIONS.iter().filter(|section| section.form == Form::One)
    }

    #[test]
    fn an_entry_is_read_once_its_marks_are_taken_away() {
        for (section, absent) in [("[[poll]]", "token"), ("[[provider]]", "")] {
            let mut text = describe(&wanted());
            let start = text.find(&format!("#{section}")).unwrap();
            let entry = text.split_off(start);
            let (entry, rest) = entry.split_once("\n\n# ").map_or((entry.as_str(), ""), |(_, _)| {
                let end = entry[1..].find("\n#[[").map_or(entry.len(), |end| end + 1);
                entry.split_at(end)
            });
            let opened: String = entry
                .lines()
                .filter(|line| absent.is_empty() || !line.starts_with(&format!("#{absent} =")))
                .map(|line| match line.strip_prefix('#') {
                    Some(key) if !key.starts_with(' ') => format!("{key}\n"),
                    _ => format!("{line}\n"),
                })
                .collect();
            let opened = opened.replace("6f1d…", &"6f".repeat(32));
            let text = format!("{text}{opened}{rest}");
            let config = Config::parse(&text, "postern.toml".as_ref()).unwrap();
            assert_eq!(config.polls.len() + config.providers.len(), 1, "{section}");
        }
    }

    fn wanted() -> Vec<Given<'static>> {
        let mut given: Vec<_> =
            ["certificate", "key"].map(|key| ("tls", key, "\"tls/server.pem\"".to_owned())).into();
        given.push(("portal", "url", "\"https://portal.example.org\"".to_owned()));
        given
    }

    #[test]
    fn every_shown_default_is_the_default() {
        let mut shown = wanted();
        for section in once() {
            for key in section.keys {
                if let Fallback::Default(value) = key.fallback() {
                    shown.push((section.name, key.name(), value.to_owned()));
                }
            }
        }
        let silent = Config::parse(&describe(&wanted()), "postern.toml".as_ref()).unwrap();
        let spoken = Config::parse(&describe(&shown), "postern.toml".as_ref()).unwrap();
        assert_eq!(silent, Config { places: silent.places.clone(), ..spoken });
    }

    #[test]
    fn every_shown_example_is_read_by_its_key() {
        let mut shown = Vec::new();
        for section in once() {
            for key in section.keys {
                if let Fallback::Absent(value) = key.fallback() {
                    shown.push((section.name, key.name(), value.to_owned()));
                }
            }
        }
        let config = Config::parse(&describe(&shown), "postern.toml".as_ref()).unwrap();
        assert!(config.metrics.listen.is_some() && config.notices.password.is_some());
    }
}
