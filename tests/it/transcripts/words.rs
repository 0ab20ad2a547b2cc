//! A command of a transcript, as a shell would read it: words in quotes, `<<< 'input'`, and `| head -n N`.

/// A command to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// What follows `broker-cli`.
    pub(super) arguments: Vec<String>,
    /// Its standard input.
    pub(super) input: String,
    /// How many lines of its standard output are looked at.
    pub(super) lines: Option<usize>,
}

impl Typed {
    pub(super) fn parse(line: &str) -> Self {
        let mut words = words(line).into_iter();
        assert_eq!(words.next().as_deref(), Some("broker-cli"), "{line}");
        let mut typed = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "<<<" => typed.input = words.next().expect("the input follows") + "\n",
                "|" => {
                    let rest: Vec<_> = words.by_ref().collect();
                    assert_eq!(rest[..2], ["head", "-n"], "{line}");
                    typed.lines = Some(rest[2].parse().expect("a number of lines"));
                }
                _ => typed.arguments.push(word),
            }
        }
        typed
    }
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut begun, mut quote) = (String::new(), false, None);
    for c in line.chars() {
        match (quote, c) {
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (Some(open), c) if open == c => quote = None,
            (None, ' ') => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    assert_eq!(quote, None, "{line}");
    if begun {
        words.push(word);
    }
    words
}

#[test]
fn quotes_input_and_head_are_understood() {
    let typed = Typed::parse(r#"broker-cli token a --claims '{"x": 1}' --account "" <<< 'a secret' | head -n 3"#);
    assert_eq!(typed.arguments, ["token", "a", "--claims", r#"{"x": 1}"#, "--account", ""]);
    assert_eq!((typed.input.as_str(), typed.lines), ("a secret\n", Some(3)));
}
