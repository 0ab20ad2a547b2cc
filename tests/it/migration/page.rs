//! The page broker/docs/from-msal-python.md, taken apart: its chapters, and each fenced block with what it is written in.

use std::fs;

use token_broker_tests::folder;

/// A chapter: one call of MSAL Python, and what stands for it.
#[derive(Debug, Default)]
pub(super) struct Chapter {
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
}

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) side: Side,
    pub(super) code: String,
}

/// What a block is written in, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// `python msal`: as it was written with MSAL Python.
    Msal,
    /// `python broker`: the same with stubs of the .proto files.
    Stubs,
    /// `sh`: the same with `broker-cli`.
    Shell,
}

impl Side {
    fn named(info: &str) -> Self {
        match info {
            "python msal" => Self::Msal,
            "python broker" => Self::Stubs,
            "sh" => Self::Shell,
            other => panic!("the page has a block that this test cannot run: {other:?}"),
        }
    }
}

/// The chapters of the page.
pub(super) fn chapters() -> Vec<Chapter> {
    read(&fs::read_to_string(folder("../broker/docs/from-msal-python.md")).expect("the page"))
}

fn read(text: &str) -> Vec<Chapter> {
    let mut chapters = vec![Chapter::default()];
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(info)) => open = Some(Block { side: Side::named(info), code: String::new() }),
            (Some(_), Some(_)) => chapters.last_mut().expect("one").blocks.extend(open.take()),
            (Some(block), None) => block.code.extend([line, "\n"]),
            (None, None) => {
                if let Some(title) = line.strip_prefix("## ") {
                    chapters.push(Chapter { title: title.to_owned(), blocks: Vec::new() });
                }
            }
        }
    }
    assert!(open.is_none(), "a block without an end: {open:?}");
    chapters
}

#[test]
fn blocks_are_found_wherever_they_stand() {
    let chapters = read("a\n```sh\nx\ny\n```\n## B\n- c\n  ```python msal\n  z\n  ```\n```python broker\n```\n");
    let sides: Vec<Vec<_>> = chapters.iter().map(|it| it.blocks.iter().map(|block| block.side).collect()).collect();
    assert_eq!(sides, [vec![Side::Shell], vec![Side::Msal, Side::Stubs]]);
    assert_eq!((chapters[0].blocks[0].code.as_str(), chapters[1].title.as_str()), ("x\ny\n", "B"));
}

#[test]
#[should_panic(expected = "cannot run")]
fn an_unknown_block_is_refused() {
    read("```json\n{}\n```\n");
}
