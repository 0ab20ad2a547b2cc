//! A QR code in the terminal, in half blocks: two modules a character.

use qrcode::{EcLevel, QrCode, render::unicode::Dense1x2};

/// Black on white whatever the colours of the terminal are: scanners want it so.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// The code as lines, or nothing if the text is too long for one.
pub(crate) fn render(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let picture = code.render::<Dense1x2>().dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
    let lines: Vec<String> = picture.lines().map(|line| format!("  {BLACK_ON_WHITE}{line}{PLAIN}")).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::render;

    #[test]
    fn a_url_fits_and_a_book_does_not() {
        let picture = render("https://id.example/device?user_code=ABCD-EFGH").unwrap();
        assert!(picture.lines().count() > 10 && picture.contains('\u{2580}'));
        assert!(render(&"x".repeat(10_000)).is_none());
    }
}
