//! `completions`: the completion script of a shell, made from the definition of the command line. Needs no daemon.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    arguments::Arguments,
    failure::{Exit, Failed},
    output,
};

/// Prints the script.
pub(super) fn run(shell: Shell) -> Result<Exit, Failed> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    // Into memory first: the generator panics when its writer fails.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    output::line(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
