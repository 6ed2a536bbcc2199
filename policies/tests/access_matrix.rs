//! The whole access table, printed and compared with the committed one, so that no grant changes unseen.
//! `POSTERN_GOLDEN=write` rewrites the file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{env, fs, path::Path};

use policies::access::{Action, Role, may};

#[test]
fn access_matrix_is_the_committed_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/access-matrix.txt");
    if env::var("POSTERN_GOLDEN").is_ok_and(|value| value == "write") {
        fs::write(&file, matrix()).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap();
    assert_eq!(matrix(), committed, "run with POSTERN_GOLDEN=write if the change is meant");
}

fn matrix() -> String {
    let mut text = line("action", "relation", Role::ALL.map(Role::name));
    for action in Action::ALL {
        for relation in action.matter().relations() {
            let granted = Role::ALL.map(|role| if may(action, role, *relation) { "yes" } else { "-" });
            text.push_str(&line(action.name(), relation.name(), granted));
        }
    }
    text
}

fn line(action: &str, relation: &str, cells: [&str; 4]) -> String {
    let cells = cells.map(|cell| format!("{cell:<11}")).concat();
    format!("{action:<26}{relation:<11}{cells}").trim_end().to_owned() + "\n"
}
