//! `doctor`: what is wrong and what to do. The daemon looks at itself and its store; what is around it, and why no daemon answers, is
//! looked at here. It changes nothing.

use token_broker_client::{
    ClientError,
    calls::{Check, CheckState},
};

use super::{Session, around};
use crate::{
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{CheckJson, ChecksJson},
        table, visible,
    },
};

/// Looks, and prints a line for each check and the advice below.
pub(crate) async fn run(session: &Session) -> Result<Exit, Failed> {
    let checks = checks(session).await;
    let worst = checks.iter().map(|check| check.state).max();
    if session.output.is_json() {
        output::json(&ChecksJson { checks: checks.iter().map(CheckJson::from).collect() })?;
    } else {
        let row = |check: &Check| [check.state.as_str().to_owned(), check.name.clone(), check.found.clone()];
        output::line(&table::whole_rows(["STATE", "CHECK", "FOUND"], checks.iter().map(row)))?;
        let advice: Vec<_> = checks.iter().filter_map(|check| Some((&check.name, check.advice.as_ref()?))).collect();
        if !advice.is_empty() {
            output::line("")?;
        }
        for (name, advice) in advice {
            output::line(&format!("try ({name}): {}", visible(advice)))?;
        }
    }
    Ok(if worst == Some(CheckState::Problem) { Exit::ProblemFound } else { Exit::Done })
}

async fn checks(session: &Session) -> Vec<Check> {
    let mut checks = vec![around::socket(session.options.socket.as_deref())];
    let asked = match session.client() {
        Ok(client) => client.diagnose().await.map_err(Failed::from),
        Err(failed) => Err(failed),
    };
    match asked {
        Ok(found) => {
            checks.push(around::answers(session).await);
            checks.extend(found);
        }
        Err(failed) => {
            let is_missing = matches!(
                failed,
                Failed::Client(ClientError::NoDaemon { .. } | ClientError::NoSocketPath | ClientError::Interrupted)
            );
            let (found, advice) = session.told(&failed);
            checks.push(Check::problem(
                "daemon",
                found,
                advice.unwrap_or_else(|| "look into the daemon's log".to_owned()),
            ));
            if is_missing {
                checks.push(around::program());
                checks.push(around::service().await);
            }
        }
    }
    checks
}
