//! A mail as it goes over the wire: header, parts, transfer encodings (RFC 5322, RFC 2045 to 2047).

use super::{chance::Chance, dress::Dressed, files::File};

/// Everything that a mail is built from.
pub(crate) struct Envelope {
    /// Name and address.
    pub(crate) from: (String, String),
    pub(crate) to: (String, String),
    pub(crate) cc: Option<(String, String)>,
    pub(crate) subject: String,
    pub(crate) date: String,
    pub(crate) number: u64,
    pub(crate) reply: bool,
}

pub(crate) fn mail(chance: &mut Chance, head: &Envelope, body: &Dressed, files: &[File]) -> Vec<u8> {
    let mut parts: Vec<String> = Vec::new();
    if let Some(plain) = &body.plain {
        parts.push(text(chance, "plain", plain));
    }
    if let Some(html) = &body.html {
        let html = text(chance, "html", html);
        let logo = chance.percent(40);
        parts.push(if logo { multipart("related", head.number, &[html, picture()]) } else { html });
    }
    let mut whole = match parts.as_slice() {
        [one] => one.clone(),
        _ => multipart("alternative", head.number, &parts),
    };
    if !files.is_empty() {
        let attached = files.iter().map(attached);
        whole = multipart("mixed", head.number, &std::iter::once(whole).chain(attached).collect::<Vec<_>>());
    }
    let eml = header(head) + &whole;
    eml.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes()
}

fn header(head: &Envelope) -> String {
    let person = |(name, address): &(String, String)| match name.is_empty() {
        true => address.clone(),
        false => format!("\"{name}\" <{address}>"),
    };
    let mut header = format!(
        "From: {}\nTo: {}\nSubject: {}\nDate: {}\nMessage-ID: <{:016x}@{}>\nMIME-Version: 1.0\n",
        person(&head.from),
        person(&head.to),
        worded(&head.subject),
        head.date,
        head.number,
        head.from.1.rsplit('@').next().unwrap_or_default(),
    );
    if let Some(cc) = &head.cc {
        header.push_str(&format!("Cc: {}\n", person(cc)));
    }
    if head.reply {
        header.push_str(&format!("In-Reply-To: <{:016x}@elsewhere.example>\n", head.number / 3));
    }
    header
}

/// RFC 2047, one word for all of it; long ones are folded between characters.
fn worded(subject: &str) -> String {
    if subject.is_ascii() {
        return subject.to_owned();
    }
    let letters: Vec<char> = subject.chars().collect();
    let words = letters
        .chunks(24)
        .map(|some| format!("=?utf-8?B?{}?=", base64(some.iter().collect::<String>().as_bytes())));
    words.collect::<Vec<_>>().join("\n ")
}

fn multipart(kind: &str, number: u64, parts: &[String]) -> String {
    let boundary = format!("_{kind}_{number:x}_");
    let inside: String = parts.iter().map(|part| format!("--{boundary}\n{part}\n")).collect();
    format!("Content-Type: multipart/{kind};\n boundary=\"{boundary}\"\n\n{inside}--{boundary}--\n")
}

fn text(chance: &mut Chance, kind: &str, text: &str) -> String {
    match chance.between(0, 3) {
        0 => format!(
            "Content-Type: text/{kind}; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\n{}\n",
            lines(&base64(text.as_bytes()))
        ),
        1 if text.chars().all(|letter| u32::from(letter) < 256) => {
            let bytes: Vec<u8> = text.chars().map(|letter| letter as u32 as u8).collect();
            format!(
                "Content-Type: text/{kind}; charset=\"windows-1252\"\nContent-Transfer-Encoding: quoted-printable\n\n{}\n",
                quoted(&bytes)
            )
        }
        _ => format!(
            "Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n{}\n",
            quoted(text.as_bytes())
        ),
    }
}

fn picture() -> String {
    let gif = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
    format!(
        "Content-Type: image/gif; name=\"image001.gif\"\nContent-ID: <logo@company>\nContent-Disposition: inline; filename=\"image001.gif\"\nContent-Transfer-Encoding: base64\n\n{gif}\n"
    )
}

fn attached(file: &File) -> String {
    format!(
        "Content-Type: {}; name=\"{1}\"\nContent-Disposition: attachment; filename=\"{1}\"\nContent-Transfer-Encoding: base64\n\n{2}\n",
        file.media_type,
        file.name,
        lines(&base64(&file.bytes))
    )
}

fn lines(code: &str) -> String {
    code.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>().join("\n")
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| {
        let bits =
            three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        let digit = |place: usize| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 63]);
        (0..4).map(|place| if place > three.len() { '=' } else { digit(place) }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

/// RFC 2045 §6.7, lines of at most 76 characters with soft breaks wherever they fall.
fn quoted(bytes: &[u8]) -> String {
    let (mut code, mut column) = (String::with_capacity(bytes.len() * 5 / 4), 0);
    for (place, &byte) in bytes.iter().enumerate() {
        let ends = matches!(bytes.get(place + 1), None | Some(b'\n' | b'\r'));
        let unit = match byte {
            b'\r' => continue,
            b'\n' => {
                code.push('\n');
                column = 0;
                continue;
            }
            b' ' | b'\t' if !ends => char::from(byte).to_string(),
            33..=60 | 62..=126 => char::from(byte).to_string(),
            _ => format!("={byte:02X}"),
        };
        if column + unit.len() > 75 {
            code.push_str("=\n");
            column = 0;
        }
        column += unit.len();
        code.push_str(&unit);
    }
    code
}
