//! The audit trail against whoever can write to the disk: each record in turn is changed or taken away, and
//! `postern audit verify` finds it, names it, and says so with its exit code.

use std::fs;
use std::path::Path;

use serde_json::Value;
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, MAILBOX};
use tests::process::{program, run};
use tests::smtp::Smtp;

/// Does one thing to one row of the ledger's file, of the rows in the order of their keys.
const EDIT: &str = r#"
import sqlite3, sys
place, row, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
ledger = sqlite3.connect(place)
rows = ledger.execute("select rowid, value from ledger order by key").fetchall()
if what == "count":
    print(len(rows))
elif what == "change":
    rowid, value = rows[row]
    changed = value[:-1] + bytes([value[-1] ^ 1]) if value else b"\0"
    ledger.execute("update ledger set value = ? where rowid = ?", (changed, rowid))
elif what == "delete":
    ledger.execute("delete from ledger where rowid = ?", (rows[row][0],))
ledger.commit()
ledger.close()
"#;

fn edit(ledger: &Path, row: usize, what: &str) -> String {
    let mut python = program("python3");
    python.args(["-c", EDIT]).arg(ledger).args([&row.to_string(), what]);
    run(&mut python).good("python3").text()
}

#[test]
fn each_changed_or_missing_event_is_found() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    let mail = Letter::new(AMY, MAILBOX, "Audited", "audited@alpha.example").bytes();
    assert_eq!(amy.deliver(AMY, &[MAILBOX], &mail).unwrap().code, 250);
    drop(amy);
    let mut ben = Visitor::signed_in(server.portal(), BEN, &installation.password(BEN));
    let case = ben.get("/").links("/case/").remove(0);
    assert_eq!(ben.get(&case).status, 200);
    server.stop();
    let events = usize::try_from(installation.audit_is_whole()).unwrap();
    assert!(events > 5, "sign-in, mail, reading, directory: {events}");

    let ledger = installation.data().join("ledger.sqlite");
    let whole = fs::read(&ledger).unwrap();
    let rows: usize = edit(&ledger, 0, "count").trim().parse().unwrap();
    for what in ["change", "delete"] {
        let mut found = Vec::new();
        for row in 0..rows {
            fs::write(&ledger, &whole).unwrap();
            edit(&ledger, row, what);
            let said = installation.tool(["audit", "verify", "--json"]);
            match said.code {
                Some(3) => {
                    let trail: Value = serde_json::from_slice(&said.stdout).unwrap();
                    found.push(trail["bad"]["sequence"].as_u64().unwrap());
                }
                // Another table, which others watch over: the trail is whole, or the ledger does not open.
                Some(0 | 1) => {}
                code => panic!("{what} row {row}: {code:?} {}", said.everything()),
            }
        }
        println!("{what}: {} of {rows} rows found, {events} events: {found:?}", found.len());
        found.sort_unstable();
        found.dedup();
        assert!(found.len() >= events, "{what}: found at {found:?}");
    }
    fs::write(&ledger, &whole).unwrap();
    assert_eq!(installation.audit_is_whole(), events as u64);
}
