//! A QR picture as one SVG path: no image file, no script, nothing that a content security policy would have to let in.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};
use templates::pages::Picture;

/// White around the picture, in modules (ISO/IEC 18004 §5.3.8).
const QUIET_ZONE: usize = 4;

/// The picture of a text; none if the text is too long for one.
pub(crate) fn picture(text: &str) -> Option<Picture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let (left, top, length) = (x + QUIET_ZONE, y + QUIET_ZONE, run.len());
                // Writing to a string cannot fail.
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    Some(Picture { side: width + 2 * QUIET_ZONE, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_its_three_finders() {
        let picture = picture("otpauth://totp/Postern:sam@beta.example?secret=GEZDGNBVGY3TQOJQ").unwrap();
        let last = picture.side - QUIET_ZONE - 7;
        for finder in [
            format!("M{QUIET_ZONE} {QUIET_ZONE}h7v1h-7z"),
            format!("M{last} {QUIET_ZONE}h7v1h-7z"),
            format!("M{QUIET_ZONE} {last}h7v1h-7z"),
        ] {
            assert!(picture.path.contains(&finder), "{finder}");
        }
        assert!(picture.path.len() < 20_000);
        assert_eq!(super::picture(&"x".repeat(5_000)), None);
    }
}
