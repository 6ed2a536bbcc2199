//! The scanner against a clamd that behaves, and several that do not.

use std::io;
use std::sync::Mutex;

use tokio::io::{AsyncWrite, AsyncWriteExt};
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

async fn scan(scanner: &VirusScanner, mail: &[u8], piece: usize) -> Scan {
    let mut scanning = scanner.mail();
    for piece in mail.chunks(piece) {
        scanning.feed(piece).await;
    }
    scanning.finish().await
}

/// Larger than what is held back.
fn large() -> Vec<u8> {
    b"Subject: x\r\n\r\nsome line of text\r\n".repeat(20_000)
}

#[tokio::test]
async fn mail_of_any_size_is_shown_whole_and_answered_for() {
    let fake = Fake::open(Manner::Honest);
    let scanner = fake.scanner();
    for mail in [b"".to_vec(), b"Subject: x\r\n\r\nbody".to_vec(), large()] {
        for piece in [1000, 64 * 1024] {
            assert_eq!(scan(&scanner, &mail, piece).await, Scan::Clean);
            let seen = fake.streams.lock().unwrap().pop().unwrap();
            assert!(seen.starts_with(b"Received: ") && seen.ends_with(&mail));
            assert_eq!(seen.len(), PREFIX.len() + mail.len());
        }
    }
    assert_eq!(scan(&scanner, b"a virus", 3).await, Scan::Found);
    assert_eq!(scan(&scanner, &[large(), b"virus".to_vec()].concat(), 4096).await, Scan::Found);
}

#[tokio::test]
async fn parts_are_shown_as_they_are() {
    let fake = Fake::open(Manner::Honest);
    let scanner = fake.scanner();
    assert_eq!(scanner.check_part(&b"%PDF-1.7 text"[..]).await, Scan::Clean);
    assert_eq!(fake.streams.lock().unwrap().pop().unwrap(), b"%PDF-1.7 text");
    assert_eq!(scanner.check_part(&b"a virus"[..]).await, Scan::Found);
    let broken = broken_reader();
    assert_eq!(scanner.check_part(broken).await, Scan::NotChecked);
}

/// A reader that fails after its first bytes.
fn broken_reader() -> impl AsyncRead + Unpin {
    struct Broken(bool);
    impl AsyncRead for Broken {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            if std::mem::replace(&mut self.0, true) {
                return std::task::Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
            buffer.put_slice(b"some");
            std::task::Poll::Ready(Ok(()))
        }
    }
    Broken(false)
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
            assert_eq!(scan(&scanner, &mail, 4096).await, expected, "{manner:?}");
        }
    }
}

#[tokio::test]
async fn slow_scanner_costs_the_patience_once_and_nothing_is_clean() {
    for manner in [Manner::Stops, Manner::Silent] {
        let fake = Fake::open(manner);
        let scanner = fake.patient_for(Duration::from_millis(50));
        assert_eq!(scan(&scanner, &large(), 4096).await, Scan::NotChecked, "{manner:?}");
        assert_eq!(scan(&scanner, b"small", 4096).await, Scan::NotChecked, "{manner:?}");
    }
}

#[tokio::test]
async fn absent_scanner_is_not_checked_and_found_again_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clamd.sock");
    let settings =
        ScanSettings { clamd: Clamd::Unix(path.clone()), patience: Duration::from_secs(60), at_once: 1 };
    let scanner = VirusScanner::new(settings);
    assert_eq!(scan(&scanner, b"text", 10).await, Scan::NotChecked);
    let listener = UnixListener::bind(&path).unwrap();
    let served = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        serve(socket, Manner::Honest, Arc::default()).await
    });
    assert_eq!(scan(&scanner, b"text", 10).await, Scan::Clean);
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
    assert_eq!(scan(&scanner, b"a virus", 10).await, Scan::Found);
    served.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_waits_for_a_turn_waits_no_longer_than_the_patience() {
    let fake = Fake::open(Manner::Stops);
    let scanner = fake.patient_for(Duration::from_millis(50));
    let _both = scanner.turns.clone().acquire_many_owned(2).await.unwrap();
    assert_eq!(scan(&scanner, b"text", 10).await, Scan::NotChecked);
}

#[test]
fn the_graver_answer_counts() {
    assert_eq!(graver(Scan::Clean, Scan::NotChecked), Scan::NotChecked);
    assert_eq!(graver(Scan::Found, Scan::NotChecked), Scan::Found);
    assert_eq!(graver(Scan::Clean, Scan::Found), Scan::Found);
    assert_eq!(graver(Scan::Off, Scan::Clean), Scan::Clean);
    assert_eq!(graver(Scan::Clean, Scan::Clean), Scan::Clean);
}
