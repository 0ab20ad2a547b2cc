//! Transcripts of the command line, a file per case in `tests/transcripts`: what is typed, what is printed, the exit code; as a
//! user sees it, with placeholders for what differs each time. `TOKEN_BROKER_REWRITE_TRANSCRIPTS=1` writes them anew: read what
//! changed before it is committed.
//!
//! A file has lines of these kinds: `# a remark`, `% what happens around` (see `stage`), `$ a command`, then what it printed on
//! standard output as it is (after a `\` where it would look like one of these), what on standard error after `! `, and `=> CODE`
//! where that is not 0.

mod placeholders;
mod stage;
mod words;

use std::{collections::BTreeSet, fs, path::PathBuf};

use token_broker_tests::folder;

use self::stage::Stage;

/// Writes the files instead of comparing with them.
const REWRITE: &str = "TOKEN_BROKER_REWRITE_TRANSCRIPTS";

fn files() -> Vec<PathBuf> {
    let found = fs::read_dir(folder("transcripts")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = found.filter(|path| path.extension().is_some_and(|it| it == "txt")).collect();
    found.sort();
    found
}

#[tokio::test]
async fn the_command_line_says_what_its_transcripts_say() {
    let rewrite = std::env::var_os(REWRITE).is_some();
    let mut different = Vec::new();
    for path in files() {
        let expected = fs::read_to_string(&path).unwrap();
        let actual = played(&expected).await;
        if rewrite {
            fs::write(&path, actual).unwrap();
        } else if actual != expected {
            different.push(format!("{}:\n{}", path.display(), difference(&expected, &actual)));
        }
    }
    let advice = format!("if this is meant: {REWRITE}=1 tests/run transcripts");
    assert!(different.is_empty(), "{}\n{advice}", different.join("\n"));
}

/// The transcript with what is printed now.
async fn played(transcript: &str) -> String {
    let mut stage = Stage::set().await;
    let mut written = String::new();
    for line in transcript.lines() {
        let kept = match line.split_at_checked(2) {
            Some(("$ ", command)) => {
                format!("{line}\n{}", stage.run(command).await)
            }
            Some(("% ", event)) => {
                stage.prepare(event).await;
                format!("{line}\n")
            }
            _ if line.starts_with(['#', '>']) => {
                stage.keep(line);
                format!("{line}\n")
            }
            _ if line.is_empty() => "\n".to_owned(),
            _ => continue,
        };
        // An empty line stands between the parts, and may be printed, too.
        if kept != "\n" || !written.ends_with("\n\n") {
            written.push_str(&kept);
        }
    }
    written
}

/// The first line that differs, with both versions.
fn difference(expected: &str, actual: &str) -> String {
    let (mut old, mut new) = (expected.lines(), actual.lines());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return "only the line ends differ".to_owned(),
            (old, new) if old == new => {}
            (old, new) => {
                return format!("  - {}\n  + {}", old.unwrap_or("(the end)"), new.unwrap_or("(the end)"));
            }
        }
    }
}

#[test]
fn every_command_and_every_exit_code_has_a_transcript() {
    let texts: Vec<_> = files().iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let lines = || texts.iter().flat_map(|text| text.lines());
    let codes: BTreeSet<_> = lines().filter_map(|line| line.strip_prefix("=> ")).collect();
    assert_eq!(codes, ["1", "130", "2", "3", "4", "5", "6", "7"].into_iter().collect());
    for command in [
        "app add",
        "app list",
        "app show",
        "app remove",
        "app apply",
        "login",
        "token",
        "accounts",
        "logout",
        "watch",
        "events",
        "cache list",
        "cache show",
        "cache remove",
        "cache import-msal",
        "cache verify",
        "status",
        "completions",
    ] {
        let typed = |help: bool| {
            let start = format!("$ broker-cli {command}");
            lines().any(|line| line.starts_with(&start) && line.contains("--help") == help)
        };
        assert!(typed(false) && typed(true), "{command}");
    }
}
