//! Numbers of Windows code pages and the charsets they stand for. Converts nothing.

/// The charset of a code page; none for one that nobody knows.
pub(super) fn charset(code_page: u32) -> Option<&'static str> {
    Some(match code_page {
        437 | 850 => "ibm850",
        866 => "ibm866",
        874 => "windows-874",
        932 => "shift_jis",
        936 => "gbk",
        949 => "euc-kr",
        950 => "big5",
        1200 => "utf-16le",
        1201 => "utf-16be",
        1250 => "windows-1250",
        1251 => "windows-1251",
        1252 | 20127 => "windows-1252",
        1253 => "windows-1253",
        1254 => "windows-1254",
        1255 => "windows-1255",
        1256 => "windows-1256",
        1257 => "windows-1257",
        1258 => "windows-1258",
        10000 => "macintosh",
        20866 => "koi8-r",
        21866 => "koi8-u",
        28591 => "iso-8859-1",
        28592 => "iso-8859-2",
        28593 => "iso-8859-3",
        28594 => "iso-8859-4",
        28595 => "iso-8859-5",
        28596 => "iso-8859-6",
        28597 => "iso-8859-7",
        28598 | 38598 => "iso-8859-8",
        28599 => "iso-8859-9",
        28603 => "iso-8859-13",
        28605 => "iso-8859-15",
        50220..=50222 => "iso-2022-jp",
        51932 => "euc-jp",
        51949 => "euc-kr",
        54936 => "gb18030",
        65000 => "utf-7",
        65001 => "utf-8",
        _ => return None,
    })
}

/// The code page of an RTF font (`\fcharset`); none for one that follows the document.
pub(super) fn of_font(charset: i32) -> Option<u16> {
    Some(match charset {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        255 => 850,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_charset_named_is_known() {
        for code_page in 0..=70_000 {
            let Some(name) = charset(code_page) else { continue };
            assert!(crate::charset::read(b"\x80", Some(name)).text != "\u{fffd}\u{fffd}", "{name}");
            assert!(crate::charset::read(b"a\0", Some(name)).sound, "{name} is unknown to the decoder");
        }
        assert!((0..=255).filter_map(of_font).all(|page| charset(u32::from(page)).is_some()));
    }
}
