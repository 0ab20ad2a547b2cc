//! The published contract keeps the standard rules of `buf lint`, as proto/buf.yaml says. The program comes with the npm peers
//! (Linux), or is one in PATH.

use std::{fs, path::PathBuf, process::Command};

use token_broker_tests::{
    folder,
    requirements::{Missing, program, require},
};

#[test]
fn the_proto_files_pass_buf_lint() {
    let Some(buf) = require(buf()) else { return };
    let lint = Command::new(buf).arg("lint").current_dir(folder("../proto")).output().unwrap();
    let printed = String::from_utf8_lossy(&lint.stdout);
    assert!(lint.status.success(), "{printed}{}", String::from_utf8_lossy(&lint.stderr));
}

/// The npm package of this platform, whichever of them is installed.
fn buf() -> Result<PathBuf, Missing> {
    let packages = fs::read_dir(folder("peers/node_modules/@bufbuild")).into_iter().flatten().flatten();
    let pinned = packages.map(|package| package.path().join("bin/buf")).find(|program| program.is_file());
    pinned.map_or_else(|| program("buf", "run `npm ci` in tests/peers, or install it"), Ok)
}
