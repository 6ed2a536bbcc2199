//! The process itself, spoken to over its pipes: what it may not do, and that it ends with the server.

use std::{
    fs,
    io::{Read, Write},
    process::{Child, Command, Stdio},
};

fn started() -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
    command
        .arg("read-documents")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Sends a document and reads the head of the answer.
fn asked(child: &mut Child, document: &[u8]) -> [u8; 5] {
    let input = child.stdin.as_mut().unwrap();
    input.write_all(&(document.len() as u32).to_be_bytes()).unwrap();
    input.write_all(document).unwrap();
    input.write_all(&[0; 4]).unwrap();
    input.flush().unwrap();
    let mut head = [0; 5];
    child.stdout.as_mut().unwrap().read_exact(&mut head).unwrap();
    head
}

#[test]
fn it_can_open_nothing_write_nothing_and_leave_nothing() {
    let mut child = started();
    assert_eq!(asked(&mut child, b"no document"), [5, 0, 0, 0, 0]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let limit = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..]
            .split_whitespace()
            .take(2)
            .map(|word| word.parse::<u64>().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(limit("Max open files"), [3, 3]);
    assert_eq!(limit("Max file size"), [0, 0]);
    assert_eq!(limit("Max core file size"), [0, 0]);
    assert_eq!(limit("Max address space"), [768 << 20, 768 << 20]);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success(), "it ends when the server does");
}

#[test]
fn it_is_in_no_list_of_commands() {
    let help = Command::new(env!("CARGO_BIN_EXE_postern")).arg("--help").output().unwrap();
    assert!(!String::from_utf8(help.stdout).unwrap().contains("read-documents"));
}
