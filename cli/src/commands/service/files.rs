//! The files of the service: their texts are those of `packaging/`, with the place of the program written in.

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::failure::Failed;

/// A text of `packaging/`, one source for packages and for this command.
macro_rules! packaged {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/", $name))
    };
}

const SOCKET_UNIT: &str = packaged!("systemd/token-broker.socket");
const SERVICE_UNIT: &str = packaged!("systemd/token-broker.service");
/// Switches the directives on that need a user namespace.
const PRIVATE_USERS: &str = packaged!("systemd/private-users.conf");
/// The line of it that names the data folder.
const USUAL_DATA: &str = "ReadWritePaths=-%h/.local/share/token-broker";
const AGENT: &str = packaged!("launchd/io.github.token-broker.plist");
/// Starts the line of the unit that names the program.
const EXEC_START: &str = "ExecStart=";

/// The socket unit.
pub(super) fn socket_unit() -> String {
    SOCKET_UNIT.to_owned()
}

/// The service unit for the program at this place.
pub(super) fn service_unit(daemon: &Path) -> Result<String, Failed> {
    let word = unit_word(daemon)?;
    let with =
        |line: &str| if line.starts_with(EXEC_START) { format!("{EXEC_START}{word}\n") } else { format!("{line}\n") };
    Ok(SERVICE_UNIT.lines().map(with).collect())
}

/// The drop-in that confines the service to a user namespace, with data in this folder.
pub(super) fn private_users(data: &Path) -> Result<String, Failed> {
    // Beside the usual one: the manager need not have the $XDG_DATA_HOME of this shell. One that is missing is no fault.
    let word = unit_word(Path::new(&format!("-{}", plain(data)?)))?;
    let with = |line: &str| match line {
        USUAL_DATA => format!("{line}\nReadWritePaths={word}\n"),
        line => format!("{line}\n"),
    };
    Ok(PRIVATE_USERS.lines().map(with).collect())
}

/// The program that a service unit names.
pub(super) fn program_of(unit: &str) -> Option<String> {
    let word = unit.lines().find_map(|line| line.strip_prefix(EXEC_START))?;
    Some(word.trim_matches('"').replace("%%", "%"))
}

/// The launchd agent for the program at this place.
pub(super) fn agent(daemon: &Path, log: &Path) -> Result<String, Failed> {
    Ok(AGENT.replace("@DAEMON@", &xml_text(plain(daemon)?)).replace("@LOG@", &xml_text(plain(log)?)))
}

/// The path as a word of a unit file: quoted, and with specifiers made plain.
fn unit_word(path: &Path) -> Result<String, Failed> {
    let text = plain(path)?;
    if text.contains(['"', '\\', '$']) {
        return Err(unusable(path, "a quote, a backslash or a dollar sign"));
    }
    Ok(format!("\"{}\"", text.replace('%', "%%")))
}

fn plain(path: &Path) -> Result<&str, Failed> {
    match path.to_str() {
        Some(text) if !text.chars().any(char::is_control) => Ok(text),
        _ => Err(unusable(path, "something that is no text")),
    }
}

fn unusable(path: &Path, what: &str) -> Failed {
    Failed::Input(format!("the service cannot use {}: the path has {what} in it; choose another place", path.display()))
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes a file with its folder, whole or not at all; says whether it was other than it is now.
pub(super) fn write(path: &Path, text: &str) -> Result<bool, Failed> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(false);
    }
    let refused = |error: io::Error| Failed::System(format!("cannot write {}: {error}", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(refused)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    fs::write(&name, text).and_then(|()| fs::rename(&name, path)).map_err(refused)?;
    Ok(true)
}

/// Removes a file; says whether it was there.
pub(super) fn remove(path: &Path) -> Result<bool, Failed> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failed::System(format!("cannot remove {}: {error}", path.display()))),
    }
}

/// Makes the data folder, closed to others, if it is missing.
pub(super) fn make_data_folder(path: &Path) -> Result<(), Failed> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| Failed::System(format!("cannot make {}: {error}", path.display())))
}

/// The daemon's program: beside this one, else in `PATH`.
pub(super) fn find_daemon() -> Result<PathBuf, Failed> {
    let beside = env::current_exe().ok().and_then(|own| own.parent().map(Path::to_owned));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = beside.into_iter().chain(env::split_paths(&path).filter(|folder| folder.is_absolute()));
    let found = folders.map(|folder| folder.join("token-brokerd")).find(|candidate| is_program(candidate));
    found.ok_or_else(|| Failed::Input("there is no token-brokerd beside broker-cli, and none in PATH".to_owned()))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{USUAL_DATA, agent, private_users, program_of, service_unit, write};

    #[test]
    fn the_unit_runs_the_program_that_was_found() {
        let unit = service_unit(Path::new("/opt/my tools/100%/token-brokerd")).unwrap();
        let lines: Vec<_> = unit.lines().filter(|line| line.starts_with("ExecStart")).collect();
        assert_eq!(lines, [r#"ExecStart="/opt/my tools/100%%/token-brokerd""#]);
        assert_eq!(program_of(&unit).as_deref(), Some("/opt/my tools/100%/token-brokerd"));
        for strange in ["/a\"b", "/a\nb", "/a$b", "/a\\b"] {
            assert!(service_unit(Path::new(strange)).is_err(), "{strange}");
        }
    }

    #[test]
    fn the_closer_confinement_leaves_the_data_folder_open() {
        let text = private_users(Path::new("/data of/100%/token-broker")).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("ReadWritePaths=")).collect();
        let data = r#"ReadWritePaths="-/data of/100%%/token-broker""#;
        assert_eq!(lines, [USUAL_DATA, data, "ReadWritePaths=-%t/token-broker"]);
    }

    #[test]
    fn the_agent_is_filled_in() {
        let agent = agent(Path::new("/a&b/token-brokerd"), Path::new("/l<o>g")).unwrap();
        assert!(agent.contains("<string>/a&amp;b/token-brokerd</string>"), "{agent}");
        assert!(agent.contains("<string>/l&lt;o&gt;g</string>") && !agent.contains('@'), "{agent}");
    }

    #[test]
    fn writing_the_same_again_changes_nothing() {
        let folder = std::env::temp_dir().join(format!("token-broker-files-{}", std::process::id()));
        let file = folder.join("deep/unit");
        let changed: Vec<_> = ["a", "a", "b"].into_iter().map(|text| write(&file, text).unwrap()).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(changed, [true, false, true]);
    }
}
