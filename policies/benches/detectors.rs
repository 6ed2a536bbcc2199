//! How long the detectors and the search tags take: cargo bench -p policies --bench detectors
//!
//! A mail of 50 KB as the market writes them, and texts of 1, 2, 4 and 8 MB, ordinary and hostile. Prints nanoseconds
//! per byte, the best of several runs, and how time grows when the text doubles: 2.0 is linear.
#![allow(clippy::unwrap_used)]

use std::{hint::black_box, time::Instant};

use mail::Headline;
use policies::{
    TagRules,
    detect::{Business, Detectors, Inspected},
};

const RUNS: usize = 7;
const MEGABYTE: usize = 1 << 20;

/// A mail with something of everything, the prose of a business letter around it, and a table.
const MAIL: &str = "Hi team,\r\n\r\nPlease see the erroneous transfer below, which our customer Mrs J. Smith of 12 High Street, \
Leeds, LS1 1UR raised on 3 March 2026. She was told by her previous supplier that the change had not been asked for, and she \
would like it to be put back as soon as possible. We have looked at the flows and cannot see an objection on our side, so \
could you confirm the date of the registration, the opening reading and whether a final bill was sent?\r\n\r\n\
MPAN: 12 0002 3305 967, meter S06DS123456, reading 45210 of 28/02/2026\r\nMPRN: 3938424403\r\nPhone: 07700 900123, \
e-mail jane.smith@gmail.com, date of birth 1/2/1950; she is on dialysis.\r\nRefund to sort code 12-34-56, account 12345678.\r\n\r\n\
We would be grateful for an answer within ten working days. If you need anything else from us, including the signed letter \
that the customer has sent to our complaints team, let us know and we will send it on the same day.\r\n\r\nKind regards,\r\n\r\n\
Alice Brown\r\nIndustry Processes\r\nTel: 01632 960123\r\n1 Station Road, York YO1 7HH\r\n\r\nThis e-mail and any attachments \
are confidential and intended solely for the person to whom they are addressed.\r\n\r\n";
const PROSE: &str = "The quick answer is that nobody had looked at the readings of the second quarter before they were sent, \
and so the difference between the two bills was larger than anybody expected. It will be put right with the next run.\r\n";
const PATTERNS: [(&str, &str); 14] = [
    ("prose", PROSE),
    ("market mail", MAIL),
    ("sheet", "12345,1200023305967,3938424403,Jane Smith,01/02/1980,07700 900123,LS1 1UR,45210.5\n"),
    ("digits", "1"),
    ("digits apart", "1 "),
    ("spaces", " "),
    ("mpan", "mpan "),
    ("valid MPANs", "MPAN 1200023305967\n"),
    ("@", "@"),
    ("a@", "a@"),
    ("capitals", "A"),
    ("titles", "Mrs "),
    ("registered", "registered office "),
    ("not ASCII", "\u{200b}é\u{a0}"),
];

fn main() {
    let (detectors, tags) = (Detectors::shipped().unwrap(), TagRules::shipped().unwrap());
    let staff = |domain: &str| domain == "supplier.example";
    let business = Business::new(&staff, &Headline::default());
    let detect = |text: &str| {
        black_box(detectors.find(&Inspected { subject: "", text, attachments: &[], business: &business }));
    };
    let tag = |text: &str| {
        black_box(tags.find("", text, &[]));
    };
    let mail = MAIL.repeat(50_000 / MAIL.len());
    for (name, run) in [("detectors", &detect as &dyn Fn(&str)), ("tags", &tag)] {
        println!("{name}, 50 KB of market mail: {:.0} µs", best(run, &mail) * 1e6);
    }
    println!(
        "\n{:<14}{:>10}{:>10}{:>10}{:>10}  ns/byte at 8 MB   growth",
        "detectors, ms", "1 MB", "2 MB", "4 MB", "8 MB"
    );
    for (name, pattern) in PATTERNS {
        let text = pattern.repeat(8 * MEGABYTE / pattern.len());
        let seconds = [1, 2, 4, 8].map(|size| {
            let end = text.floor_char_boundary((size * MEGABYTE).min(text.len()));
            best(&detect, &text[..end])
        });
        let growth = seconds.windows(2).map(|pair| format!("{:.1}", pair[1] / pair[0]));
        let [one, two, four, eight] = seconds.map(|seconds| seconds * 1e3);
        println!(
            "{name:<14}{one:>10.1}{two:>10.1}{four:>10.1}{eight:>10.1}{:>17.2}   {}",
            eight * 1e6 / text.len() as f64,
            growth.collect::<Vec<_>>().join(" "),
        );
    }
}

/// The best of several runs, in seconds: what else the machine does only makes it slower.
fn best(run: &dyn Fn(&str), text: &str) -> f64 {
    let once = || {
        let start = Instant::now();
        run(text);
        start.elapsed().as_secs_f64()
    };
    (0..RUNS).map(|_| once()).fold(f64::MAX, f64::min)
}
