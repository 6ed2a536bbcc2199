//! The process in which strangers' documents are opened: it reads them from its standard input and writes their text to its
//! standard output. It can open no file, no socket, write nothing to a disk, leave no core behind, and has so much memory
//! and time; whatever a document does to it, it does to it alone.

use std::io::{self, BufReader, stdin, stdout};

use rustix::{
    process::{Resource, Rlimit, setrlimit},
    time::{ClockId, clock_gettime},
};

use super::{inside, wire};

/// Bytes of memory, its program included.
const MEMORY: u64 = 768 * 1024 * 1024;
/// Seconds of work on one document; the server waits less for an idle machine and kills it then.
const SECONDS: u64 = 20;
/// Standard input, output and error; the next one would be the fourth.
const OPEN: u64 = 3;

/// Answers document after document until the server closes its end. The error is for whoever started it by hand.
pub fn serve() -> io::Result<()> {
    confine()?;
    let (mut input, mut output) = (BufReader::with_capacity(wire::PIECE, stdin().lock()), stdout().lock());
    while let Some(document) = wire::document(&mut input)? {
        allow_time()?;
        wire::answer(&mut output, &inside::read(&document, wire::TEXT))?;
    }
    Ok(())
}

fn confine() -> io::Result<()> {
    limit(Resource::Core, 0)?;
    limit(Resource::Fsize, 0)?;
    limit(Resource::Nofile, OPEN)?;
    limit(Resource::As, MEMORY)
}

fn limit(resource: Resource, to: u64) -> io::Result<()> {
    Ok(setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) })?)
}

/// The limit is one of the whole process, so it moves with each document.
fn allow_time() -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    Ok(setrlimit(Resource::Cpu, Rlimit { current: Some(used + SECONDS), maximum: None })?)
}
