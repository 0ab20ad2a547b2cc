//! The table as the page broker/docs/faults.md, and its comparison with the one that was committed.

use std::{collections::BTreeSet, fmt::Write as _, fs};

use token_broker_client::Reason;
use token_broker_tests::folder;

use super::{
    Outcome, Row,
    moment::{MOMENTS, Moment},
};

/// Writes the page instead of comparing with it.
const REWRITE: &str = "TOKEN_BROKER_REWRITE_FAULTS";

const HEAD: &str = "# Faults

What providers and disks do wrong, and what it costs. Every row is run for real, over the socket, by `tests/run faults`; this
page is what came of it. `account`, `token` and `daemon` say whether the user is still signed in, the cached token still served
and the daemon still up while the fault lasts; `afterwards` is the same call once it has ended.

The provider here rotates refresh tokens, takes a second use of one for theft, and gives no grace: the hardest kind. So an
answer that is lost on its way is asked for once more, and if that is refused the user has to sign in; that is the one fault
below (at the moment of refresh, after it acted) that costs a grant. A provider that is unavailable is left alone for `retry_after`, which outlasts a restart; a call within that
time says the same without asking.
";

const STORE: &str = "
## The store

A panic in a call cannot be caused from outside by anything that is known: whatever is sent is parsed first (`tests/run
bad_input`). That one in a write costs only that write, and one in a refresh only its callers, is shown inside the broker (`cargo
test -p token-broker panic`, `flight`).

The database is looked at before each write, and once a minute: one that was deleted or replaced while the daemon runs takes no
more writes, since they would be gone with the daemon, and a refresh is refused before the provider spends the refresh token.
What it held is served on, `status` says so, and it goes on by itself when the file is put back.
";

/// Compares the page with the committed one.
pub(super) fn compare(of_providers: &[Row], of_the_store: &[Row]) {
    let page = format!("{HEAD}{}{STORE}\n{}", sections(of_providers), table(of_the_store, true));
    let path = folder("../broker/docs").join("faults.md");
    if std::env::var_os(REWRITE).is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let old: BTreeSet<_> = committed.lines().collect();
    let new: Vec<_> = page.lines().filter(|line| !old.contains(line)).collect();
    assert!(committed == page, "different now:\n{}\nif this is meant: {REWRITE}=1 tests/run faults", new.join("\n"));
}

fn sections(rows: &[Row]) -> String {
    let section = |moment: Moment| {
        let rows: Vec<_> = rows.iter().filter(|row| row.moment == moment.name()).cloned().collect();
        format!("\n## The provider, at the moment of {}\n\n{}", moment.name(), table(&rows, false))
    };
    MOMENTS.into_iter().map(section).collect()
}

fn table(rows: &[Row], with_moment: bool) -> String {
    let moment = if with_moment { " when |" } else { "" };
    let mut table = format!(
        "| fault |{moment} outcome | exit code | retry_after | account | token | daemon | afterwards |\n|---|{}---|---|---|---|---|---|---|\n",
        if with_moment { "---|" } else { "" }
    );
    for row in rows {
        let moment = if with_moment { format!(" {} |", row.moment) } else { String::new() };
        let [account, token, daemon] = match row.left {
            None => ["-"; 3],
            Some(left) => [(left.account, "kept"), (left.token, "kept"), (left.daemon, "up")]
                .map(|(good, word)| if good { word } else { "**lost**" }),
        };
        let (words, exit, retry) = words(&row.outcome);
        let (afterwards, ..) = self::words(&row.afterwards);
        writeln!(
            table,
            "| {} |{moment} {words} | {exit} | {retry} | {account} | {token} | {daemon} | {afterwards} |",
            row.fault
        )
        .unwrap();
    }
    table
}

fn words(outcome: &Outcome) -> (String, String, String) {
    match outcome {
        Outcome::Works => ("works".to_owned(), "0".to_owned(), String::new()),
        Outcome::Other { what, exit_code } => {
            ((*what).to_owned(), exit_code.map(|code| code.to_string()).unwrap_or_default(), String::new())
        }
        Outcome::Refused { reason, retry_after } => {
            let retry = retry_after.map(|after| match after.as_secs() {
                // Drawn with jitter, or named by the provider.
                7 => "7 s".to_owned(),
                _ => "some".to_owned(),
            });
            (reason.as_str().to_owned(), exit_code(*reason).to_string(), retry.unwrap_or_default())
        }
    }
}

/// The exit code of `broker-cli`, which its own tests hold to the same list.
fn exit_code(reason: Reason) -> u8 {
    match reason {
        Reason::InvalidRequest => 2,
        Reason::InteractionRequired => 3,
        Reason::Declined | Reason::AccessDenied | Reason::ApprovalPending => 5,
        Reason::AuthorityUnavailable | Reason::LimitExceeded => 6,
        Reason::Locked => 7,
        Reason::Cancelled => 130,
        _ => 1,
    }
}
