//! Names of downloads, rebuilt so that they are only names.
//!
//! What a mail calls its parts is a claim of its sender: paths, device names, control characters
//! and marks that turn the reading direction (`exe.fdp`) are taken out here (threat T15).

/// Longest name in bytes: fits every file system, with room for a browser's ` (1)`.
const LONGEST: usize = 120;

/// Longest suffix that is kept when a name is cut.
const LONGEST_SUFFIX: usize = 12;

/// A name that is safe on three systems, for the `number`th part of a mail.
pub(crate) fn safe(declared: Option<&str>, media_type: &str, number: usize) -> String {
    let last = declared.unwrap_or("").rsplit(['/', '\\']).next().unwrap_or("");
    let mut name: String = last.chars().filter(|c| !invisible(*c)).map(plain).collect();
    // A trailing dot or space is dropped by Windows, a leading dot hides the file elsewhere.
    name = name.trim_matches(|c: char| c.is_whitespace() || c == '.').to_owned();
    if name.chars().all(|c| c == '_' || c.is_whitespace()) {
        name = format!("attachment-{number}.{}", suffix_of(media_type));
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    shortened(name)
}

/// `Content-Disposition` for a safe name: an ASCII form for old programs and the exact one
/// (RFC 6266 §4.3, RFC 8187 §3.2).
pub(crate) fn disposition(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%;".contains(c) || c == ' ' { c } else { '_' })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            exact.push(char::from(byte));
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{exact}")
}

/// What kind of file it says it is, for people.
pub(crate) fn kind(media_type: &str) -> String {
    let known =
        match media_type {
            "application/pdf" => "PDF document",
            "application/zip" | "application/x-zip-compressed" => "ZIP archive",
            "application/msword"
            | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "Word document",
            "application/vnd.ms-excel"
            | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "Excel workbook",
            "text/csv" => "CSV table",
            "text/plain" => "text",
            "text/html" => "web page",
            "text/calendar" => "calendar entry",
            "message/rfc822" => "mail",
            "image/png" => "PNG picture",
            "image/jpeg" => "JPEG picture",
            "image/gif" => "GIF picture",
            "application/octet-stream" | "" => "file",
            other => return other.chars().filter(|c| c.is_ascii_graphic()).take(60).collect(),
        };
    known.to_owned()
}

/// `14 KB`, `2.3 MB`: decimal units, as file managers show them.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Characters that no name shows: controls, direction marks, joiners, tags, private use.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

fn plain(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | '\u{fffd}' => '_',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// Names that open a device on Windows, whatever their suffix.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end().to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" | "CLOCK$") {
        return true;
    }
    let numbered = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    numbered.is_some_and(|number| {
        matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    })
}

/// Cuts the stem, not the suffix.
fn shortened(name: String) -> String {
    if name.len() <= LONGEST {
        return name;
    }
    let suffix = match name.rsplit_once('.') {
        Some((_, suffix)) if suffix.len() <= LONGEST_SUFFIX => format!(".{suffix}"),
        _ => String::new(),
    };
    let mut end = LONGEST - suffix.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", name[..end].trim_end())
}

fn suffix_of(media_type: &str) -> &'static str {
    match media_type {
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "message/rfc822" => "eml",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/html" => "html",
        "text/plain" => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_names() {
        for (declared, safe_name) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\system32\\calc.exe", "calc.exe"),
            ("/", "attachment-3.bin"),
            ("..", "attachment-3.bin"),
            ("", "attachment-3.bin"),
            (".htaccess", "htaccess"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("a\u{200b}b\u{feff}.txt", "ab.txt"),
            ("line\r\nContent-Type: text/html", "html"),
            ("line\r\nbreak.txt", "linebreak.txt"),
            ("nul\0byte.pdf", "nulbyte.pdf"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("LPT1.pdf", "_LPT1.pdf"),
            ("COM¹", "_COM¹"),
            ("COM10.txt", "COM10.txt"),
            ("nul .txt", "_nul .txt"),
            ("console.txt", "console.txt"),
            ("a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"),
            ("trailing. . ", "trailing"),
            ("photo.jpg.exe", "photo.jpg.exe"),
            ("Übersicht – März.xlsx", "Übersicht – März.xlsx"),
            ("::::", "attachment-3.bin"),
        ] {
            assert_eq!(safe(Some(declared), "", 3), safe_name, "{declared:?}");
        }
        assert_eq!(safe(None, "application/pdf", 1), "attachment-1.pdf");
    }

    #[test]
    fn long_names_keep_their_suffix() {
        for (declared, end) in [
            (format!("{}.xlsx", "a".repeat(300)), ".xlsx"),
            (format!("{}.pdf", "é".repeat(300)), ".pdf"),
            ("x".repeat(300), "x"),
            (format!("a.{}", "y".repeat(300)), "y"),
        ] {
            let name = safe(Some(&declared), "", 1);
            assert!(name.len() <= LONGEST && name.ends_with(end), "{name}");
        }
    }

    #[test]
    fn the_header_has_one_line_and_two_forms() {
        assert_eq!(
            disposition("Übersicht \"1\".pdf"),
            "attachment; filename=\"_bersicht _1_.pdf\"; filename*=UTF-8''%C3%9Cbersicht%20%221%22.pdf"
        );
        for byte in 0..=255u8 {
            let name = safe(Some(&format!("a{}b", char::from(byte))), "", 1);
            let header = disposition(&name);
            assert!(header.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{byte}");
            assert_eq!(header.matches('"').count(), 2, "{byte}");
        }
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1_001), "2 KB");
        assert_eq!(size(2_340_000), "2.3 MB");
    }
}
