//! Where results and messages go: results to standard output in the form that was asked for, everything for people to
//! standard error. A reader that left is an error to be told apart, never a panic.

pub(crate) mod json_form;
pub(crate) mod qr_code;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod token;
pub(crate) mod waiting;

use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write as _},
};

use serde::Serialize;
use token_broker_client::Secret;

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text for people, with notes beside it.
    People,
    /// The stable JSON form, alone.
    Json,
}

impl Output {
    /// Whether JSON was asked for.
    pub(crate) fn is_json(self) -> bool {
        self == Self::Json
    }

    /// Tells people something beside the result; not with JSON.
    pub(crate) fn note(self, text: &str) {
        if self == Self::People {
            // Nobody is there to be told that nobody listens.
            let _ = writeln!(io::stderr().lock(), "{text}");
        }
    }

    /// Whether people watch standard error and are to be talked to.
    pub(crate) fn is_watched(self) -> bool {
        self == Self::People && io::stderr().is_terminal()
    }
}

/// Writes a line to standard output.
pub(crate) fn line(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Writes a line with a secret in it to standard output: what the user asked for.
pub(crate) fn secret_line(text: &Secret) -> io::Result<()> {
    line(text.expose())
}

/// Writes one JSON object as a line, at once. The text is treated as a secret, since some forms hold a token.
pub(crate) fn json(form: &impl Serialize) -> io::Result<()> {
    secret_line(&Secret::new(serde_json::to_string(form)?))
}

/// Text of a provider or of a person, fit for a terminal: line breaks become spaces, other control characters are marked.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let harmless = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(text.chars().map(harmless).collect())
}
