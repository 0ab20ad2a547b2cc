//! The published contract keeps the standard rules of `buf lint`, as proto/buf.yaml says.

use std::process::Command;

use token_broker_tests::{
    folder,
    requirements::{Missing, require},
};

#[test]
fn the_proto_files_pass_buf_lint() {
    let buf = folder("peers").join("node_modules/.bin/buf");
    let present =
        buf.is_file().then_some(()).ok_or_else(|| Missing::new("buf is not there: run `npm ci` in tests/peers"));
    let Some(()) = require(present) else { return };
    let lint = Command::new(buf).arg("lint").current_dir(folder("../proto")).output().unwrap();
    let printed = String::from_utf8_lossy(&lint.stdout);
    assert!(lint.status.success(), "{printed}{}", String::from_utf8_lossy(&lint.stderr));
}
