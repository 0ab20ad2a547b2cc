//! A secret from standard input: never an argument, where other processes could read it.

mod terminal;

use std::{
    io::{self, IsTerminal as _, Read},
    os::fd::AsFd as _,
};

use token_broker_client::Secret;

use self::terminal::Hidden;
use crate::{failure::Failed, output::Output};

/// Longest secret in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Reads what somebody types or pipes in.
pub(crate) fn from_stdin(what: &str, output: Output) -> Result<Secret, Failed> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return read(what, stdin.lock()).map_err(Failed::Input);
    }
    let hidden = Hidden::new(stdin.as_fd());
    let mut hidden = hidden.map_err(|error| Failed::System(format!("cannot hide what is typed: {error}")))?;
    output.note(&format!("Type the {what}, which is not shown, then Enter:"));
    let secret = read(what, &mut hidden);
    if hidden.is_cancelled() { Err(Failed::Cancelled) } else { secret.map_err(Failed::Input) }
}

/// Reads all of `input` as the secret that it is; one trailing newline is not part of it.
fn read(what: &str, input: impl Read) -> Result<Secret, String> {
    // Sized at once: a text that grows would leave copies behind. Two more bytes are for the newline, one to see too many.
    let mut text = String::with_capacity(MAX_BYTES + 3);
    let read = input.take(MAX_BYTES as u64 + 3).read_to_string(&mut text);
    if let Err(error) = read {
        drop(Secret::new(text));
        return Err(format!("cannot read the {what} from standard input: {error}"));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    let length = text.len();
    let secret = Secret::new(text);
    match length {
        0 => Err(format!("no {what} came on standard input")),
        1..=MAX_BYTES => Ok(secret),
        _ => Err(format!("the {what} on standard input is longer than {MAX_BYTES} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, read};

    fn text(input: &str) -> Result<String, String> {
        read("secret", input.as_bytes()).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn one_trailing_newline_is_lost() {
        assert_eq!(text("s3cr3t"), Ok("s3cr3t".into()));
        assert_eq!(text("s3cr3t\n"), Ok("s3cr3t".into()));
        assert_eq!(text("s3cr3t\r\n"), Ok("s3cr3t".into()));
        assert_eq!(text("s3cr3t\n\n"), Ok("s3cr3t\n".into()));
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert!(text("").is_err() && text("\n").is_err());
        assert!(text(&format!("{}\n", "x".repeat(MAX_BYTES))).is_ok());
        assert!(text(&"x".repeat(MAX_BYTES + 1)).is_err());
        assert!(text(&"x".repeat(MAX_BYTES * 3)).is_err());
        assert!(read("secret", &b"\xff"[..]).is_err());
    }
}
