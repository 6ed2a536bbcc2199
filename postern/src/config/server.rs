//! The sections about the process itself: `[server]`, `[keys]`, `[metrics]`, `[log]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::document::Document;
use super::key::{Form, Key, OptionalKey, Section};
use super::secret::SecretPlace;
use super::value;

/// Which engine holds the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineChoice {
    Sqlite,
    Sled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) data: PathBuf,
    pub(crate) engine: EngineChoice,
    pub(crate) durable: bool,
    pub(crate) drain: Duration,
}

const NAME: Key<String> = Key {
    name: "name",
    doc: "The host name that other mail servers see in the greeting. It must resolve to this machine.",
    default: None,
    example: "\"post.example.org\"",
    read: value::domain,
};

const DATA: Key<PathBuf> = Key {
    name: "data",
    doc: "The folder of the ledger and of the control socket. Relative paths in this file start at the file's own folder.",
    default: Some("\"data\""),
    example: "",
    read: value::path,
};

const ENGINE: Key<EngineChoice> = Key {
    name: "engine",
    doc: "What holds the ledger: \"sqlite\", or \"sled\" in a build with that feature. \
          sled loses acknowledged mail in a power cut and is refused unless durable = false.",
    default: Some("\"sqlite\""),
    example: "",
    read: |value| value::choice(value, &[("sqlite", EngineChoice::Sqlite), ("sled", EngineChoice::Sled)]),
};

const DURABLE: Key<bool> = Key {
    name: "durable",
    doc: "Whether a mail that was answered with 250 must survive a power cut. Only false allows an engine that cannot promise it.",
    default: Some("true"),
    example: "",
    read: value::switch,
};

const DRAIN: Key<Duration> = Key {
    name: "drain",
    doc: "How long open connections may finish after SIGTERM. A second SIGTERM ends at once.",
    default: Some("\"30 s\""),
    example: "",
    read: |value| value::duration(value, 1, 600),
};

pub(crate) const SERVER: Section = Section {
    name: "server",
    doc: "The process and where it keeps its data.",
    form: Form::One,
    keys: &[&NAME, &DATA, &ENGINE, &DURABLE, &DRAIN],
};

impl Server {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SERVER);
        let (name, data, engine) = (table.read(&NAME), table.read(&DATA), table.read(&ENGINE));
        let (durable, drain) = (table.read(&DURABLE), table.read(&DRAIN));
        Some(Self {
            name: name?,
            data: table.place(data?),
            engine: engine?,
            durable: durable?,
            drain: drain?,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) root: SecretPlace,
}

const ROOT: Key<SecretPlace> = Key {
    name: "root",
    doc: "Where the root key lies, which opens everything: a file with mode 0600, { credential = \"name\" } \
          for a systemd credential, or { fd = 3 } for an inherited file descriptor. Keep a copy in another place: \
          without it the archive is noise.",
    default: Some("\"root.key\""),
    example: "",
    read: SecretPlace::read_file_or_place,
};

pub(crate) const KEYS: Section =
    Section { name: "keys", doc: "Keys, by reference.", form: Form::One, keys: &[&ROOT] };

impl Keys {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&KEYS);
        let root = table.read(&ROOT)?;
        Some(Self { root: root.within(&table.place(PathBuf::new())) })
    }
}

const METRICS_LISTEN: OptionalKey<SocketAddr> = OptionalKey {
    name: "listen",
    doc: "Address of a plain HTTP listener with /metrics (Prometheus text) and /health. Numbers only, no names. \
          Off when absent. Keep it on loopback or on a network of your own.",
    example: "\"127.0.0.1:9464\"",
    read: value::socket,
};

pub(crate) const METRICS: Section = Section {
    name: "metrics",
    doc: "Numbers for a monitoring system.",
    form: Form::One,
    keys: &[&METRICS_LISTEN],
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metrics {
    pub(crate) listen: Option<SocketAddr>,
}

impl Metrics {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let listen = document.table(&METRICS).read_optional(&METRICS_LISTEN)?;
        Some(Self { listen })
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) format: LogFormat,
    pub(crate) level: tracing::Level,
}

const FORMAT: Key<LogFormat> = Key {
    name: "format",
    doc: "\"text\" for people, \"json\" for a log collector. Lines go to stderr and hold ids and domains, never content.",
    default: Some("\"text\""),
    example: "",
    read: |value| value::choice(value, &[("text", LogFormat::Text), ("json", LogFormat::Json)]),
};

const LEVEL: Key<tracing::Level> = Key {
    name: "level",
    doc: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\". Libraries are never more talkative than \"info\".",
    default: Some("\"info\""),
    example: "",
    read: |value| {
        value::choice(
            value,
            &[
                ("error", tracing::Level::ERROR),
                ("warn", tracing::Level::WARN),
                ("info", tracing::Level::INFO),
                ("debug", tracing::Level::DEBUG),
                ("trace", tracing::Level::TRACE),
            ],
        )
    },
};

pub(crate) const LOG: Section = Section {
    name: "log",
    doc: "What the process says about itself.",
    form: Form::One,
    keys: &[&FORMAT, &LEVEL],
};

impl Log {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&LOG);
        let (format, level) = (table.read(&FORMAT), table.read(&LEVEL));
        Some(Self { format: format?, level: level? })
    }
}
