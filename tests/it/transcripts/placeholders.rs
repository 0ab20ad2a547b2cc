//! What differs each time, as a placeholder: `[HOME]`, `[PROGRAMS]`, `[PORT]`, `[UUID]`, `[TIME]`, `[HEX]`, `[ACCESS_TOKEN]`, `[JWT]`,
//! `[RANDOM]`, `[USER_CODE]`, `[BASE64]`, `[PID]`, `[VERSION]`. Only where the shape leaves no doubt, so that nothing wrong hides
//! behind one.

use std::path::Path;
use token_broker_tests::process::program;

/// The text with placeholders; what was typed stays as it is.
pub(super) fn put(text: &str, home: &Path, pid: Option<u32>, typed: &str) -> String {
    let daemon = program("token-brokerd");
    let programs = daemon.parent().unwrap_or(&daemon).display().to_string();
    let text = text.replace(&home.display().to_string(), "[HOME]").replace(&programs, "[PROGRAMS]");
    let mut text = text.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    if let Some(pid) = pid {
        text = text
            .replace(&format!("process {pid}"), "process [PID]")
            .replace(&format!("\"pid\":{pid}"), "\"pid\":[PID]");
    }
    for (start, placeholder) in [
        ("127.0.0.1:", "[PORT]"),
        ("127.0.0.1%3A", "[PORT]"),
        ("up for ", "[TIME]"),
        ("\"uptime_seconds\":", "[TIME]"),
        ("broker_uptime_seconds ", "[TIME]"),
        ("free: ", "[N]"),
    ] {
        text = number_after(&text, start, placeholder);
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.=+/".contains(c);
    let mut written = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| is_word(c) != is_word(rest.chars().next().unwrap_or(' '))).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        written.push_str(&if is_word(c) && !typed.contains(part) { word(part) } else { part.to_owned() });
        rest = after;
    }
    written
}

fn number_after(text: &str, start: &str, placeholder: &str) -> String {
    let mut parts = text.split(start);
    let mut written = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        written += start;
        written += if rest.len() < part.len() { placeholder } else { "" };
        written += rest;
    }
    written
}

/// Names and values joined by `=`, `.`, `/` or `+`, unless they are one long value.
fn word(word: &str) -> String {
    if word.starts_with("eyJ") && word.matches('.').count() == 2 {
        return "[JWT]".to_owned();
    }
    if word.len() > 60 && word.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)) {
        return "[BASE64]".to_owned();
    }
    match word.find(['=', '.', '/', '+']) {
        None => atom(word).to_owned(),
        Some(at) => {
            let (first, rest) = word.split_at(at);
            format!("{}{}{}", atom(first), &rest[..1], self::word(&rest[1..]))
        }
    }
}

fn atom(atom: &str) -> &str {
    let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let upper = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let lengths: Vec<_> = atom.split('-').map(str::len).collect();
    match atom.len() {
        36 if lengths == [8, 4, 4, 4, 12] && hex(&atom.replace('-', "")) => "[UUID]",
        16 if hex(atom) => "[HEX]",
        10 if atom.bytes().all(|byte| byte.is_ascii_digit()) => "[TIME]",
        9 if atom.split('-').all(upper) && lengths == [4, 4] => "[USER_CODE]",
        35 if atom.starts_with("at-") => "[ACCESS_TOKEN]",
        43 if !atom.contains(' ') => "[RANDOM]",
        _ => atom,
    }
}

#[test]
fn what_differs_is_replaced_and_nothing_else() {
    let text = "http://127.0.0.1:40123/a?state=abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG process 77 /tmp/h/data\n\
                correlation id: c7593aff-8dc0-4e6f-9862-fbda2c97f16d at-12 0123456789abcdef 1700000000 BCDF-GHJK";
    assert_eq!(
        put(text, Path::new("/tmp/h"), Some(77), ""),
        "http://127.0.0.1:[PORT]/a?state=[RANDOM] process [PID] [HOME]/data\n\
         correlation id: [UUID] at-12 [HEX] [TIME] [USER_CODE]"
    );
}
