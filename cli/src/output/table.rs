//! Aligned tables and lists of facts, without borders, fit for a terminal.

use comfy_table::{Table, presets};

use super::visible;

/// Longest text of a cell in characters; JSON has it whole.
const MAX_CELL: usize = 60;

/// Rows under a header.
pub(crate) fn rows<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = plain();
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| shortened(&visible(&cell))));
    }
    finish(table)
}

/// Rows under a header whose cells are never cut.
pub(crate) fn whole_rows<const COLUMNS: usize>(
    header: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let mut table = plain();
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| visible(&cell).into_owned()));
    }
    finish(table)
}

/// Facts under each other, with their names in front.
pub(crate) fn facts<'a>(facts: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut table = plain();
    for (name, fact) in facts {
        table.add_row([name, &visible(&fact)]);
    }
    finish(table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn finish(mut table: Table) -> String {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.trim_fmt()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::{facts, rows, whole_rows};

    #[test]
    fn columns_stand_under_each_other() {
        let table = rows(["NAME", "SCOPES"], [["a".into(), "x y".into()], ["long-name".into(), String::new()]]);
        assert_eq!(table, "NAME       SCOPES\na          x y\nlong-name");
        assert_eq!(facts([("name", "work".into()), ("client id", "1".into())]), "name       work\nclient id  1");
    }

    #[test]
    fn nothing_foreign_moves_the_cursor_or_breaks_a_row() {
        let table = rows(["A"], [["x\u{1b}[2J\ny".into()], ["z".repeat(100)]]);
        assert!(!table.contains('\u{1b}') && table.lines().count() == 3 && table.contains('\u{2026}'), "{table:?}");
        let whole = whole_rows(["A"], [["x\u{1b}[2J\ny".into()], ["z".repeat(100)]]);
        assert!(
            !whole.contains('\u{1b}') && whole.lines().count() == 3 && whole.ends_with(&"z".repeat(100)),
            "{whole:?}"
        );
    }
}
