//! `metrics`: what happened in the daemon since its start, as the text that Prometheus reads.

use super::Session;
use crate::{
    failure::{Exit, Failed},
    output::{self, json_form::MetricsJson},
};

/// Asks and prints.
pub(crate) async fn run(session: &Session) -> Result<Exit, Failed> {
    let metrics = session.client()?.metrics().await?;
    if session.output.is_json() {
        output::json(&MetricsJson { metrics: &metrics })?;
    } else {
        output::line(metrics.trim_end())?;
    }
    Ok(Exit::Done)
}
