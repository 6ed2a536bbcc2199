//! What one large mail and many idle connections cost in memory, read from the kernel's account of the process.

use std::fs;

use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, Market};
use tests::postern::Server;
use tests::smtp::{Smtp, stuffed};

const KIB: u64 = 1024;

fn stage() -> (Installation, Server) {
    let market = Market { alpha_networks: vec!["127.0.0.1/32".to_owned()], ..Market::default() };
    let installation = Installation::new(&Settings { market, ..Settings::default() });
    let server = installation.serve();
    // Once through everything, so that what is made once is there.
    let mail = Letter::new(AMY, MAILBOX, "Warm", "warm@alpha.example").bytes();
    let mut smtp = Smtp::greet(server.smtp()).unwrap();
    for _ in 0..3 {
        assert_eq!(smtp.deliver(AMY, &[MAILBOX], &mail).unwrap().code, 250);
    }
    (installation, server)
}

/// A line of `/proc/PID/status`, in bytes: `VmRSS` now, `VmHWM` at its highest.
fn account(server: &Server, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("the kernel's account");
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).expect("the line");
    value.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * KIB
}

#[test]
fn a_mail_of_100_mb_takes_less_than_32_mb() {
    let (installation, server) = stage();
    let idle = account(&server, "VmRSS");
    fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").expect("the highest mark starts again");

    // Just under the limit of 100 MiB, an attachment in base64 as it comes from a client.
    let head = Letter::new(AMY, MAILBOX, "Large", "large@alpha.example").bytes();
    let head = String::from_utf8(head).unwrap();
    let (head, _) = head.split_once("\r\n\r\n").unwrap();
    let head = head
        .replace("Content-Type: text/plain; charset=utf-8", "Content-Type: multipart/mixed; boundary=\"b\"");
    let start = format!(
        "{head}\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: application/zip\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.zip\r\n\r\n"
    );
    let line = format!(
        "{}\r\n",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0".get(..76).unwrap()
    );
    let piece = line.repeat(2000);
    let pieces = (100 << 20) / piece.len() - 1;
    let mut smtp = Smtp::greet(server.smtp()).unwrap();
    assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    smtp.send(start.as_bytes()).unwrap();
    for _ in 0..pieces {
        smtp.send(piece.as_bytes()).unwrap();
    }
    smtp.send(&stuffed(b"--b--\r\n")).unwrap();
    let case = smtp.reply().unwrap().reference();
    let highest = account(&server, "VmHWM");
    println!("idle {} KiB, highest {} KiB, mail {} bytes", idle / KIB, highest / KIB, pieces * piece.len());
    assert!(highest > idle / 2, "the mark was read");
    assert!(highest - idle.min(highest) < 32_000_000, "{} bytes above idle", highest - idle);
    let original = installation.originals(&case).remove(0);
    assert_eq!(original.len(), start.len() + pieces * piece.len() + 7);
    assert!(original.ends_with(format!("{line}--b--\r\n").as_bytes()));
    let after = account(&server, "VmHWM");
    assert!(after - idle.min(after) < 32_000_000, "taking it out again: {} bytes above idle", after - idle);
    server.stop();
}

#[test]
fn an_idle_connection_takes_less_than_32_kib() {
    const CONNECTIONS: u64 = 2000;
    let (_installation, server) = stage();
    let open = |count: u64| -> Vec<Smtp> {
        (0..count)
            .map(|_| Smtp::greet(server.smtp()).expect("open files: raise `ulimit -n` to 10000"))
            .collect()
    };
    let first = open(100);
    let before = account(&server, "VmRSS");
    let rest = open(CONNECTIONS);
    let each = (account(&server, "VmRSS").saturating_sub(before)) / CONNECTIONS;
    println!("{each} bytes of memory for each idle connection");
    assert!(each < 32 * KIB, "{each} bytes");
    // They are really open: the first and the last still answer.
    for mut smtp in [first.into_iter().next(), rest.into_iter().last()].into_iter().flatten() {
        assert_eq!(smtp.command("NOOP").unwrap().code, 250);
    }
    server.stop();
}
