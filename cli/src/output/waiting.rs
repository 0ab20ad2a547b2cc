//! The spinner while something is waited for; only for people who watch. Gone when dropped.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Output;

/// Turns until it is dropped.
#[derive(Debug)]
pub(crate) struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Says what is waited for, if anybody watches.
    pub(crate) fn begin(output: Output, what: &str) -> Self {
        if !output.is_watched() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
