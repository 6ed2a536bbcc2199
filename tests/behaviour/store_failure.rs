//! A disk that fails: the sender hears that it failed, `250` is never said for what is not durable, and what was
//! acknowledged is there afterwards. Faults are injected into the running server's system calls, or the disk is small.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter};
use tests::market::{AMY, MAILBOX, Market};
use tests::postern::{Server, no_panic};
use tests::process::{Running, program, run};
use tests::smtp::{Reply, Smtp};
use tests::wait;

/// Loopback speaks for Alpha, so that a delivery is the only work.
fn settings() -> Settings {
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    Settings { market, ..Settings::default() }
}

fn mail(id: &str) -> Vec<u8> {
    Letter::new(AMY, MAILBOX, "On a failing disk", &format!("{id}@alpha.example")).bytes()
}

fn deliver(server: &Server, mail: &[u8]) -> std::io::Result<Reply> {
    Smtp::greet(server.smtp())?.deliver(AMY, &[MAILBOX], mail)
}

/// Waits until nothing is left to do but what a mail brings: every notice has been tried once, and waits.
fn settles(installation: &Installation) {
    wait::until_true("every notice to have been tried", || {
        let queue = installation.json(["queue", "list"]);
        queue.as_array().unwrap().iter().all(|job| job["last_error"].is_string())
    });
}

/// strace on a running server. Ends with the server, or when dropped.
struct Fault {
    tracer: Running,
    log: PathBuf,
}

impl Fault {
    /// Makes the given calls of the server fail, as strace's `inject` describes it.
    fn inject(installation: &Installation, server: &Server, calls: &str, how: &str) -> Self {
        let log = installation.folder().join("strace.log");
        let errors = installation.folder().join("strace.stderr");
        let _ = fs::remove_file(&errors);
        let mut strace = program("strace");
        strace.args(["-f", "-p", &server.pid().to_string(), "-o"]).arg(&log);
        strace.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={calls}:{how}")]);
        let mut tracer = Running::start("strace", strace, &errors);
        let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).expect("threads").count();
        wait::until_true("strace to be attached to every thread", || {
            assert!(tracer.ended().is_none(), "strace cannot trace here: {}", tracer.stderr());
            tracer.stderr().matches("attached").count() >= threads.min(1) && {
                let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap_or_default();
                status.contains(&format!("TracerPid:\t{}", tracer.pid()))
            }
        });
        Self { tracer, log }
    }

    /// How many calls were made to fail.
    fn hits(&self) -> usize {
        fs::read_to_string(&self.log).unwrap_or_default().matches("(INJECTED)").count()
    }

    /// Kills the server, with which the tracing ends, and gives the number of calls that failed.
    fn end(mut self, server: &mut Server) -> usize {
        server.process.kill();
        self.tracer.wait();
        self.hits()
    }
}

#[test]
fn a_failed_fsync_is_said_and_is_final() {
    let installation = Installation::new(&settings());
    let mut server = installation.serve();
    let good = mail("good");
    let first = deliver(&server, &good).unwrap().reference();
    settles(&installation);
    let fault = Fault::inject(&installation, &server, "fsync,fdatasync", "error=EIO");
    let lost = mail("lost");
    let reply = deliver(&server, &lost).unwrap();
    assert!(reply.is("451 4.3.0 "), "{reply:?}");
    let status = server.process.wait();
    assert_eq!(status.code(), Some(1), "it ends, and not well");
    assert!(fault.hits() > 0);
    let said = server.process.stderr();
    assert!(said.contains("takes no more mail"), "{said}");
    no_panic(&said);
    drop(fault);

    let server = installation.serve();
    installation.holds(&first, &[good]);
    let second = deliver(&server, &lost).unwrap().reference();
    installation.holds(&second, &[lost]);
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), 2);
    installation.audit_is_whole();
    server.stop();
}

/// For n = 1, 2, …: the nth such call since a mail arrived fails, until there is no nth call any more.
fn each_call_fails(calls: &str, error: &str) {
    let installation = Installation::new(&settings());
    let mut expected = Vec::new();
    let mut answers = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        let mut server = installation.serve();
        settles(&installation);
        let fault = Fault::inject(&installation, &server, calls, &format!("error={error}:when={number}"));
        let mail = mail(&format!("n{number}"));
        let answer = deliver(&server, &mail);
        match &answer {
            Ok(reply) if reply.code == 250 => expected.push((reply.reference(), mail.clone())),
            Ok(reply) => assert!(reply.is("451 4.3.0 ") || reply.is("452 4.3.1 "), "{number}: {reply:?}"),
            // The server was gone before it could say so: nothing was acknowledged.
            Err(_) => {}
        }
        let hits = fault.end(&mut server);
        answers.push(answer.map_or(0, |reply| reply.code));
        no_panic(&installation.stderr());
        // A retry on the next start is the same mail, acknowledged or not.
        let server = installation.serve();
        let again = deliver(&server, &mail).unwrap().reference();
        if expected.last().is_none_or(|(_, last)| *last != mail) {
            expected.push((again.clone(), mail.clone()));
        }
        assert_eq!(expected.last().map(|(reference, _)| reference), Some(&again));
        server.stop();
        if hits == 0 {
            break;
        }
        assert!(number < 200, "there must be an end to {calls}");
    }
    println!("{calls} failing with {error}: {number} places, answers {answers:?}");
    assert!(number > 1, "no {calls} was made at all");
    assert_eq!(answers.last(), Some(&250), "without a fault it is taken");
    for (reference, mail) in &expected {
        installation.holds(reference, std::slice::from_ref(mail));
    }
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), expected.len());
    installation.audit_is_whole();
}

#[test]
fn each_sync_of_a_delivery_fails_once() {
    each_call_fails("fsync,fdatasync", "EIO");
}

#[test]
fn each_write_of_a_delivery_fails_once() {
    each_call_fails("pwrite64", "EIO");
}

#[test]
fn each_write_of_a_delivery_finds_the_disk_full() {
    each_call_fails("pwrite64", "ENOSPC");
}

/// A small disk, taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(place: PathBuf, size: &str) -> Self {
        fs::create_dir_all(&place).expect("a place for the disk");
        let mut mount = program("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tmpfs"]).arg(&place);
        run(&mut mount).good("mount needs root: run the tests as root");
        Self(place)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run(program("umount").arg("--lazy").arg(&self.0));
    }
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let folder = tempfile::Builder::new().prefix("postern-disk-").tempdir().expect("a folder");
    let disk = SmallDisk::mount(folder.path().join("disk"), "48m");
    let installation = Installation::new(&Settings { data: Some(disk.0.join("data")), ..settings() });
    let server = installation.serve();
    // Somebody else's file takes most of the room.
    let filler = disk.0.join("filler");
    fs::write(&filler, vec![0u8; 20 << 20]).expect("room for the filler");
    let mut kept = Vec::new();
    let mut number = 0;
    let large = |number: usize| {
        let mut letter = Letter::new(AMY, MAILBOX, "Large", &format!("large{number}@alpha.example"));
        let bytes = (0..1_500_000usize).map(|place| (place * 7 + number) as u8).collect();
        letter.attachment = Some(Attachment { name: "a.bin".to_owned(), bytes });
        letter.bytes()
    };
    let refused = loop {
        let mail = large(number);
        number += 1;
        assert!(number < 100, "48 MB hold more than 100 mails of 2 MB");
        let reply = deliver(&server, &mail).expect("an answer, not a broken connection");
        match reply.code {
            250 => kept.push((reply.reference(), mail)),
            _ => break reply,
        }
    };
    assert!(refused.is("452 4.3.1 "), "{refused:?}");
    assert!(kept.len() > 1, "some were taken first");
    // While it is full: still refused, also what nobody may do without an event in the audit trail.
    let reply = deliver(&server, &large(900)).unwrap();
    assert!(reply.is("452 4.3.1 "), "{reply:?}");
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), kept.len());
    let to = installation.folder().join("refused");
    let export = installation.tool(["case", "export", &kept[0].0, "--to", &to.to_string_lossy()]);
    assert!(export.code == Some(1) && export.stderr.contains("disk is full"), "{}", export.everything());
    fs::remove_file(&filler).expect("the filler goes");
    let limit = Duration::from_secs(30);
    let back = wait::until_within("mail to be taken again", limit, || {
        let reply = deliver(&server, &large(number)).ok()?;
        (reply.code == 250).then(|| reply.reference())
    });
    kept.push((back, large(number)));
    server.stop();
    let server = installation.serve();
    for (reference, mail) in &kept {
        installation.holds(reference, std::slice::from_ref(mail));
    }
    assert_eq!(installation.json(["case", "list"]).as_array().unwrap().len(), kept.len());
    installation.audit_is_whole();
    server.stop();
    no_panic(&installation.stderr());
    drop(installation);
    drop(disk);
}
