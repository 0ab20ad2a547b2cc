//! Configuration files that are none: the daemon does not start on a guess. It names the file, the line and the key, and the
//! nearest right one; the data folder is not touched.

use std::{ffi::OsStr, fs, path::Path};

use token_broker_tests::machine::program::refused;

use super::has_words;

/// What the daemon says of this configuration file.
fn said_of(config: &Path) -> String {
    let data_dir = config.with_file_name("data");
    let output = refused(&[
        OsStr::new("--config"),
        config.as_os_str(),
        OsStr::new("--data-dir"),
        data_dir.as_os_str(),
        OsStr::new("--socket"),
        config.with_file_name("run").join("broker.sock").as_os_str(),
    ]);
    let said = String::from_utf8(output.stderr).expect("words");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("token-brokerd: ") && said.contains(config.to_str().unwrap()), "{said}");
    assert!(!data_dir.exists(), "nothing was made");
    said
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let cases: [(&str, &[&str]); 13] = [
        ("\nsockett = \"/x\"\n", &["line 2", "unknown field `sockett`", "did you mean `socket`?"]),
        ("data-dir = \"/x\"", &["unknown field `data-dir`", "did you mean `data_dir`?"]),
        ("[http]\ntimeout = 5", &["line 2", "unknown field `timeout`", "did you mean `timeout_seconds` in [http]?"]),
        ("timeout_seconds = 5", &["unknown field `timeout_seconds`", "did you mean `timeout_seconds` in [http]?"]),
        ("socket = 5", &["line 1", "invalid type: integer `5`"]),
        ("log_format = \"xml\"", &["line 1", "unknown variant `xml`", "`text` or `json`"]),
        ("socket = ", &["line 1"]),
        ("[http]\ntimeout_seconds = 0", &["[http] timeout_seconds must be from 1 to 30"]),
        ("[http]\ntimeout_seconds = 31", &["[http] timeout_seconds must be from 1 to 30"]),
        ("[http]\nproxy = 'proxy.example:3128'", &["[http] proxy must be like http://proxy.example:3128"]),
        ("[http]\nproxy = 'http://ada:s3cret@proxy.example'", &["[http] proxy must be like", "HTTPS_PROXY"]),
        ("[http]\nno_proxy = 'localhost'", &["[http] no_proxy goes with [http] proxy"]),
        ("[http]\nca_file = 'roots.pem'", &["[http] ca_file must be an absolute path"]),
    ];
    for (text, words) in cases {
        fs::write(&config, text).unwrap();
        let said = said_of(&config);
        has_words(&said, words);
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_file_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    assert!(said_of(&config).contains("No such file"));
    fs::create_dir(&config).unwrap();
    assert!(said_of(&config).contains("Is a directory"));
    fs::remove_dir(&config).unwrap();
    fs::write(&config, [0xFF, 0xFE, 0x00]).unwrap();
    assert!(said_of(&config).contains("UTF-8"));
}
