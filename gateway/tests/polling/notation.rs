//! Just enough of RON to read the server scripts of the corpus: names, strings, structures, lists and maps.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    /// A name, alone or with what follows it in parentheses: `Auth(Plain)`.
    Name(String, Vec<Value>),
    /// `(name: value, …)` and `{"name": value, …}`
    Fields(BTreeMap<String, Value>),
    List(Vec<Value>),
}

impl Value {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader(text);
        let value = reader.value()?;
        reader.skip();
        reader.0.is_empty().then_some(value)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Fields(fields) => match fields.get(name)? {
                Value::Name(some, inner) if some == "Some" => inner.first(),
                Value::Name(none, _) if none == "None" => None,
                value => Some(value),
            },
            Value::Name(_, inner) => inner.first()?.field(name),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Value] {
        match self {
            Value::List(list) => list,
            Value::Name(_, inner) => inner.first().map_or(&[], Value::list),
            _ => &[],
        }
    }

    /// The text, or the innermost one of `CapabilityOther(inner: Atom("IMAP4"))`.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            Value::Name(name, inner) => match inner.as_slice() {
                [] => Some(name),
                [first, ..] => first.text(),
            },
            Value::Fields(fields) => fields.values().next().and_then(Value::text),
            Value::List(list) => list.first().and_then(Value::text),
        }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Value::Name(name, _) => Some(name),
            _ => None,
        }
    }
}

struct Reader<'a>(&'a str);

impl Reader<'_> {
    /// White space and comments.
    fn skip(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            match self.0.strip_prefix("//") {
                Some(comment) => self.0 = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => return,
            }
        }
    }

    fn take(&mut self, c: char) -> bool {
        self.skip();
        match self.0.strip_prefix(c) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Value> {
        if self.take('"') {
            return self.string().map(Value::Text);
        }
        if self.take('[') {
            return self.items(']').map(Value::List);
        }
        if self.take('{') {
            return self.fields('}').map(Value::Fields);
        }
        if self.take('(') {
            return self.fields(')').map(Value::Fields);
        }
        let name = self.word()?;
        if !self.take('(') {
            return Some(Value::Name(name, Vec::new()));
        }
        let before = self.0;
        match self.fields(')') {
            Some(fields) => Some(Value::Name(name, vec![Value::Fields(fields)])),
            None => {
                self.0 = before;
                Some(Value::Name(name, self.items(')')?))
            }
        }
    }

    fn word(&mut self) -> Option<String> {
        self.skip();
        let end = self.0.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        (!word.is_empty()).then(|| word.to_owned())
    }

    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.0.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(text);
                }
                '\\' => text.push(match chars.next()?.1 {
                    'r' => '\r',
                    'n' => '\n',
                    other => other,
                }),
                c => text.push(c),
            }
        }
        None
    }

    fn items(&mut self, end: char) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        while !self.take(end) {
            items.push(self.value()?);
            if !self.take(',') {
                return self.take(end).then_some(items);
            }
        }
        Some(items)
    }

    fn fields(&mut self, end: char) -> Option<BTreeMap<String, Value>> {
        let mut fields = BTreeMap::new();
        while !self.take(end) {
            let name = if self.take('"') { self.string()? } else { self.word()? };
            if !self.take(':') {
                return None;
            }
            fields.insert(name, self.value()?);
            if !self.take(',') {
                return self.take(end).then_some(fields);
            }
        }
        Some(fields)
    }
}
