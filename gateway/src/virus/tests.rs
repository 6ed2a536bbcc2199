//! The scanner against a clamd that behaves, and several that do not.

use std::io;
use std::sync::Mutex;

use certs::RootKey;
use mail::{Budget, Scanner};
use store::engine::Engine;
use store::memory::Memory;
use store::{ContentWriter, Ledger};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;

use super::*;

/// What a test's clamd does with a stream.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Says that it found something if the stream holds `virus`.
    Honest,
    Says(&'static [u8]),
    HangsUpAtOnce,
    HangsUpInTheMiddle,
    /// Reads the first bytes, then nothing, and never answers.
    Stops,
    /// Reads everything and never answers.
    Silent,
}

struct Fake {
    clamd: Clamd,
    streams: Arc<Mutex<Vec<Vec<u8>>>>,
    _folder: tempfile::TempDir,
    task: JoinHandle<()>,
}

impl Fake {
    fn open(manner: Manner) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clamd.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let streams = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let seen = streams.clone();
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, manner, seen.clone()));
            }
        });
        Self { clamd: Clamd::Unix(path), streams, _folder: folder, task }
    }

    fn scanner(&self) -> VirusScanner {
        self.patient_for(Duration::from_secs(60))
    }

    fn patient_for(&self, patience: Duration) -> VirusScanner {
        VirusScanner::new(ScanSettings { clamd: self.clamd.clone(), patience, at_once: 2 })
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    manner: Manner,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
) -> io::Result<()> {
    let mut command = [0; 10];
    socket.read_exact(&mut command).await?;
    assert_eq!(&command, b"zINSTREAM\0");
    let mut stream = Vec::new();
    loop {
        let length = socket.read_u32().await? as usize;
        match (manner, length) {
            (Manner::HangsUpAtOnce, _) => return Ok(()),
            (Manner::Stops, _) => std::future::pending::<()>().await,
            (Manner::HangsUpInTheMiddle, _) if stream.len() > 100_000 => return Ok(()),
            (_, 0) => break,
            _ => {}
        }
        let start = stream.len();
        stream.resize(start + length, 0);
        socket.read_exact(&mut stream[start..]).await?;
    }
    let infected = stream.windows(5).any(|window| window == b"virus");
    seen.lock().unwrap().push(stream);
    match manner {
        Manner::Silent => std::future::pending::<()>().await,
        Manner::Says(answer) => socket.write_all(answer).await?,
        _ if infected => socket.write_all(b"stream: Test.Virus FOUND\0").await?,
        _ => socket.write_all(b"stream: OK\0").await?,
    }
    Ok(())
}

/// A ledger, since what is shown lies sealed in one.
async fn ledger() -> Ledger {
    certs::install_provider();
    let engine: Arc<dyn Engine> = Arc::new(Memory::new());
    Ledger::open(engine, Arc::new(RootKey::generate().unwrap())).await.unwrap()
}

async fn scan(scanner: &VirusScanner, mail: &[u8]) -> Scan {
    let ledger = ledger().await;
    let mut writer = ContentWriter::new(&ledger).unwrap();
    writer.write(mail).await.unwrap();
    let mut parser = Scanner::new(Budget::default());
    parser.feed(mail);
    let sealed = writer.finish().await.unwrap();
    scanner.check(&sealed.open(&ledger), &parser.finish().headline.parts).await
}

/// Larger than what is in memory at a time.
fn large() -> Vec<u8> {
    b"Subject: x\r\n\r\nsome line of text\r\n".repeat(60_000)
}

/// A text with files in it.
fn with_files(files: &[&str]) -> String {
    let file = |line: &&str| format!("begin 644 readings.txt\r\n{line}\r\n`\r\nend\r\n");
    format!("Subject: x\r\n\r\nSee below.\r\n\r\n{}", files.iter().map(file).collect::<String>())
}

/// `a virus` and `a meter`.
const INFECTED: &str = "'82!V:7)U<P``";
const HARMLESS: &str = "'82!M971E<@``";

#[tokio::test]
async fn mail_of_any_size_is_shown_whole_and_answered_for() {
    let fake = Fake::open(Manner::Honest);
    let scanner = fake.scanner();
    for mail in [b"".to_vec(), b"Subject: x\r\n\r\nbody".to_vec(), large()] {
        assert_eq!(scan(&scanner, &mail).await, Scan::Clean);
        let seen = fake.streams.lock().unwrap().pop().unwrap();
        assert!(seen.starts_with(b"Received: ") && seen.ends_with(&mail));
        assert_eq!(seen.len(), PREFIX.len() + mail.len());
    }
    assert_eq!(scan(&scanner, b"a virus").await, Scan::Found);
    assert_eq!(scan(&scanner, &[large(), b"virus".to_vec()].concat()).await, Scan::Found);
}

#[tokio::test]
async fn what_stands_inside_a_container_is_shown_as_it_is() {
    let fake = Fake::open(Manner::Honest);
    let scanner = fake.scanner();
    assert_eq!(scan(&scanner, with_files(&[HARMLESS, INFECTED]).as_bytes()).await, Scan::Found);
    assert_eq!(fake.streams.lock().unwrap().pop().unwrap(), b"a virus");
    assert_eq!(scan(&scanner, with_files(&[HARMLESS, HARMLESS]).as_bytes()).await, Scan::Clean);
    assert_eq!(fake.streams.lock().unwrap().pop().unwrap(), b"a meter");
}

#[tokio::test]
async fn more_parts_than_are_looked_at_are_not_clean() {
    let fake = Fake::open(Manner::Honest);
    let scanner = fake.scanner();
    let most = with_files(&[HARMLESS; MOST_PARTS]);
    assert_eq!(scan(&scanner, most.as_bytes()).await, Scan::Clean);
    let more = with_files(&[HARMLESS; MOST_PARTS + 1]);
    assert_eq!(scan(&scanner, more.as_bytes()).await, Scan::NotChecked);
    let found = format!("{more}virus");
    assert_eq!(scan(&scanner, found.as_bytes()).await, Scan::Found);
}

#[tokio::test]
async fn whatever_goes_wrong_is_not_checked() {
    for manner in [
        Manner::Says(b"INSTREAM size limit exceeded. ERROR\0"),
        Manner::Says(b"stream: OK"),
        Manner::Says(b"UNKNOWN COMMAND\0"),
        Manner::Says(b""),
        Manner::Says(&[b'x'; 100_000]),
        Manner::HangsUpAtOnce,
        Manner::HangsUpInTheMiddle,
    ] {
        let fake = Fake::open(manner);
        let scanner = fake.scanner();
        for mail in [b"virus".to_vec(), large()] {
            let small_survives = matches!(manner, Manner::HangsUpInTheMiddle) && mail.len() < 1000;
            let expected = if small_survives { Scan::Found } else { Scan::NotChecked };
            assert_eq!(scan(&scanner, &mail).await, expected, "{manner:?}");
        }
    }
}

#[tokio::test]
async fn slow_scanner_costs_the_patience_once_and_nothing_is_clean() {
    for manner in [Manner::Stops, Manner::Silent] {
        let fake = Fake::open(manner);
        let scanner = fake.patient_for(Duration::from_millis(50));
        assert_eq!(scan(&scanner, &large()).await, Scan::NotChecked, "{manner:?}");
        assert_eq!(scan(&scanner, b"small").await, Scan::NotChecked, "{manner:?}");
    }
}

#[tokio::test]
async fn absent_scanner_is_not_checked_and_found_again_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.sock");
    let settings =
        ScanSettings { clamd: Clamd::Unix(path.clone()), patience: Duration::from_secs(60), at_once: 1 };
    let scanner = VirusScanner::new(settings);
    assert_eq!(scan(&scanner, b"text").await, Scan::NotChecked);
    let listener = UnixListener::bind(&path).unwrap();
    let served = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        serve(socket, Manner::Honest, Arc::default()).await
    });
    assert_eq!(scan(&scanner, b"text").await, Scan::Clean);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn tcp_serves_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clamd = Clamd::Tcp(listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        serve(socket, Manner::Honest, Arc::default()).await
    });
    let scanner = VirusScanner::new(ScanSettings { clamd, patience: Duration::from_secs(60), at_once: 1 });
    assert_eq!(scan(&scanner, b"a virus").await, Scan::Found);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_waits_for_a_turn_waits_no_longer_than_the_patience() {
    let fake = Fake::open(Manner::Stops);
    let scanner = fake.patient_for(Duration::from_millis(50));
    let _both = scanner.turns.clone().acquire_many_owned(2).await.unwrap();
    assert_eq!(scan(&scanner, b"text").await, Scan::NotChecked);
}

#[test]
fn the_graver_answer_counts() {
    let (clean, found) = (|| Ok(Reply::Clean), || Ok(Reply::Found("x".to_owned())));
    let fault = || Err(Fault::TooMuch);
    assert!(matches!(graver(clean(), clean()), Ok(Reply::Clean)));
    for (one, other) in [(found(), fault()), (fault(), found()), (clean(), found()), (found(), clean())] {
        assert!(matches!(graver(one, other), Ok(Reply::Found(_))));
    }
    for (one, other) in [(clean(), fault()), (fault(), clean()), (fault(), fault())] {
        assert!(matches!(graver(one, other), Err(Fault::TooMuch)));
    }
}
