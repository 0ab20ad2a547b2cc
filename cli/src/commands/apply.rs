//! `app apply`: makes the registrations what a file says. All of it is parsed before the first is sent; doing it twice is
//! the same as once.

use std::{collections::BTreeSet, fs, path::Path};

use super::Session;
use crate::{
    arguments::app::{ApplyArguments, apply_file},
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{AppliedJson, AppliedListJson},
    },
};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Applies the file.
pub(super) async fn run(session: &Session, arguments: &ApplyArguments) -> Result<Exit, Failed> {
    let named = |what: String| Failed::Input(format!("{}: {what}", arguments.file.display()));
    let text = read(arguments).map_err(named)?;
    let wanted = {
        let folder = arguments.file.parent().unwrap_or_else(|| Path::new(""));
        apply_file::parse(&text, folder, arguments.offline)
    }
    .map_err(named)?;
    let output = session.output;
    if wanted.is_empty() && !output.is_json() {
        output.note("the file lists no [[application]]; nothing to do");
    }
    let client = session.client()?;
    let known = client.applications().await?;
    let known: BTreeSet<&str> = known.iter().map(|application| application.name.as_str()).collect();
    let mut applied = Vec::with_capacity(wanted.len());
    for new in wanted {
        let name = new.name.to_string();
        let one = client.add_application(&new).await;
        let (_, changed) = one.map_err(|error| Failed::Application(name.clone(), Box::new(error.into())))?;
        let result = match (known.contains(name.as_str()), changed) {
            (false, _) => "added",
            (true, true) => "changed",
            (true, false) => "unchanged",
        };
        if !output.is_json() {
            output::line(&format!("{name}: {result}"))?;
        }
        applied.push(AppliedJson { name, result });
    }
    if output.is_json() {
        output::json(&AppliedListJson { applications: applied })?;
    }
    Ok(Exit::Done)
}

fn read(arguments: &ApplyArguments) -> Result<String, String> {
    let size = fs::metadata(&arguments.file).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE {
        return Err(format!("is larger than {MAX_FILE} bytes"));
    }
    fs::read_to_string(&arguments.file).map_err(|error| error.to_string())
}
