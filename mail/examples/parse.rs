//! How long the scanner takes for a mail: `cargo run --release -p mail --example parse -- MAIL...`. Each mail is read in
//! pieces of 16 KiB, as the gateway gets them, for a fifth of a second. Judges nothing.

use std::{
    env, fs,
    hint::black_box,
    time::{Duration, Instant},
};

use mail::{Budget, Message, Scanner};

fn main() -> std::io::Result<()> {
    println!("{:>12} {:>10} {:>12}  mail", "bytes", "MB/s", "ns");
    for file in env::args().skip(1) {
        let mail = fs::read(&file)?;
        let (begun, mut runs) = (Instant::now(), 0_u32);
        while begun.elapsed() < Duration::from_millis(200) || runs < 3 {
            black_box(scan(&mail));
            runs += 1;
        }
        let each = begun.elapsed() / runs;
        let rate = mail.len() as f64 / each.as_secs_f64() / 1e6;
        println!("{:>12} {rate:>10.1} {:>12}  {file}", mail.len(), each.as_nanos());
    }
    Ok(())
}

fn scan(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    mail.chunks(16 * 1024).for_each(|piece| scanner.feed(piece));
    scanner.finish()
}
