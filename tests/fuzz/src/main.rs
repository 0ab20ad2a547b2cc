//! Gives one target to libFuzzer; `tests/fuzz/run` builds it with instrumentation and says which one in the environment.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use token_broker_fuzz::{Target, target};

/// The target of this process.
static CHOSEN: OnceLock<Target> = OnceLock::new();

#[expect(clippy::expect_used, reason = "without a target there is nothing to do")]
fn chosen() -> Target {
    *CHOSEN.get_or_init(|| {
        let name = std::env::var("TOKEN_BROKER_FUZZ_TARGET").expect("TOKEN_BROKER_FUZZ_TARGET names the target");
        target(&name).expect("there is a target of that name")
    })
}

fuzz_target!(init: { chosen(); }, |bytes: &[u8]| (chosen().run)(bytes));
