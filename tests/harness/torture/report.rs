//! The figures of a long run as the page broker/docs/torture.md.

use std::{fmt::Write as _, fs};

use super::Figures;

/// Everything of one run of the program.
#[derive(Debug)]
pub struct Report {
    /// Where the random instants began.
    pub seed: u64,
    /// In the order of the run.
    pub sections: Vec<Section>,
}

/// One kind of callers.
#[derive(Debug)]
pub struct Section {
    /// Who asked, or where it was killed.
    pub title: String,
    /// What came of it.
    pub figures: Figures,
}

const HEAD: &str = "# Torture

Real `token-brokerd` processes on one data folder are killed (SIGKILL) again and again while callers ask for the tokens of four
accounts, a third of the calls forcing a refresh. The provider is oidc-provider with access tokens of two seconds, rotation and
reuse detection without any grace: a refresh token that is used twice ends the grant. A proxy between the two keeps account of
every token: which refresh token came of which, whether the answer with it was written to the daemon's socket, whether a caller
has seen what came with it. Measured by `cargo run --bin torture`; `tests/run torture` runs the same code with fewer kills.

After each kill the daemon starts on what it finds, and every grant is refreshed. One that is refused is a grant lost, and then
the question is when its successor was lost:

- *never arrived*: the daemon was dead before the answer was written to its socket;
- *arrived, never saved*: the answer was in the socket's buffer or in the daemon's memory, and it died before the write was done:
  killed between request and commit. Nobody had seen what came with it;
- *otherwise*: a caller had seen it, it had been used, the daemon's log said that it was saved, or one daemon used a refresh token
  twice. This must not happen, nor may a caller get an older token than another before, an expired one from the cache,
  another's, or no answer at all.

Nothing that the daemon could do at its start would bring the first two back: the successor exists at the provider only, and
this provider takes the question for theft. The user is told so: `INTERACTION_REQUIRED`, with the command to run. A provider with
a grace period gives the successor out again. The kills here come mostly within milliseconds of a refresh; a
machine that crashes once a day at any instant will hardly ever meet one.

SIGKILL does not take the page cache along, so this is no power failure: that a sync comes before the answer is seen in the
recorded order of system calls, by each run of the next table.
";

impl Report {
    /// Adds what came of one.
    pub fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Whether no rule was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.sections.iter().all(|section| section.figures.losses.otherwise.is_empty())
    }

    /// The page.
    ///
    /// # Panics
    /// Never: a text takes all that is written to it.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut page = String::from(HEAD);
        writeln!(page, "\nSeed {}.", self.seed).expect("a text");
        for section in &self.sections {
            writeln!(page, "\n## {}\n\n| what | times |\n|---|---|", section.title).expect("a text");
            for (what, times) in section.figures.lines() {
                writeln!(page, "| {what} | {times} |").expect("a text");
            }
        }
        page
    }

    /// Writes the page.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self) {
        fs::write(crate::folder("../broker/docs").join("torture.md"), self.markdown()).expect("the page is written");
    }
}

impl Figures {
    fn lines(&self) -> Vec<(String, usize)> {
        let kills = &self.kills;
        let losses = &self.losses;
        let counted = [
            ("kills", kills.all()),
            ("of these while the daemon started", kills.starting),
            ("at any time", kills.anytime),
            ("up to 4 ms after a refresh was on its way to the provider", kills.asking),
            ("up to 4 ms after its answer was on its way back", kills.answering),
            ("on entering a chosen system call", kills.at_system_call),
            ("answers with tokens that the provider gave", self.issued),
            ("grants lost: the next refresh token never arrived", losses.never_arrived),
            ("grants lost: it arrived and was never saved", losses.never_saved),
            ("grants lost otherwise, reuse by the daemon's fault, any other rule broken", losses.otherwise.len()),
        ];
        let calls = self.outcomes.0.iter().map(|(how, times)| (format!("calls that ended with: {how}"), *times));
        let kinds = ["of these", "at any", "up to", "on entering"];
        let is_shown = |(what, times): &(&str, usize)| *times > 0 || !kinds.iter().any(|kind| what.starts_with(kind));
        counted.into_iter().filter(is_shown).map(|(what, times)| (what.to_owned(), times)).chain(calls).collect()
    }
}
