//! The page broker/docs/msal.md: the table of scenarios and the list of differences, made from what was just played.

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use super::differences::Listed;

/// One scenario.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) msal_passes: bool,
    /// What MSAL does wrong in it, when it shows that.
    pub(super) fault: Option<String>,
    pub(super) broker_passes: bool,
    pub(super) equal: bool,
    /// The places of the list's entries that are of this scenario.
    pub(super) notes: BTreeSet<usize>,
}

/// The table alone.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = "| scenario | MSAL passes | broker passes | requests equal |\n|---|---|---|---|\n".to_owned();
    let word = |good: bool| if good { "yes" } else { "NO" };
    for row in rows {
        let msal = match (&row.fault, row.msal_passes) {
            (Some(fault), true) => format!("no: {fault}"),
            (_, passes) => word(passes).to_owned(),
        };
        let notes: Vec<_> = row.notes.iter().map(|at| format!("[{}](#d{})", at + 1, at + 1)).collect();
        let equal = match (row.equal, notes.is_empty()) {
            (true, false) => format!("but for {}", notes.join(", ")),
            (equal, _) => word(equal).to_owned(),
        };
        let _ = writeln!(text, "| {} | {msal} | {} | {equal} |", row.name, word(row.broker_passes));
    }
    text
}

/// The whole page.
pub(super) fn written(rows: &[Row], listed: &[Listed]) -> String {
    let mut text = "# MSAL Python and the broker, scenario by scenario\n\n\
        Written by `tests/run msal` from tests/peers/msal: each scenario is played by MSAL Python 1.39.0 and by the broker, each \
        against a fresh double of the identity platform, and every request is compared, random values aside. \
        Everywhere the differences hold whose scenario is `*` below; what a row adds is named in it. A difference that is not listed, \
        and an entry that nothing needs, fail the test.\n\n"
        .to_owned();
    text.push_str(&table(rows));
    text.push_str("\n## Differences that are meant\n\n");
    text.push_str("| | scenario | request | parameter | MSAL | broker | why |\n|---|---|---|---|---|---|---|\n");
    for (at, entry) in listed.iter().enumerate() {
        let number = at + 1;
        let cell =
            |value: &str| if value == "*" { "*any*".to_owned() } else { format!("`{}`", value.replace('|', "\\|")) };
        let _ = writeln!(
            text,
            "| <a id=\"d{number}\"></a>{number} | {} | {} | {} | {} | {} | {} |",
            if entry.scenario == "*" { "`*`".to_owned() } else { entry.scenario.clone() },
            cell(&entry.request),
            cell(&entry.parameter),
            cell(&entry.msal),
            cell(&entry.broker),
            entry.reason
        );
    }
    text
}

/// Compares with the page as it was committed, or writes it.
pub(super) fn compare(written: &str, path: &Path, rewrite: &str) {
    if std::env::var_os(rewrite).is_some() {
        std::fs::write(path, written).expect("the page can be written");
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == written,
        "{} is not what was played; if this is meant: {rewrite}=1 tests/run msal",
        path.display()
    );
}
