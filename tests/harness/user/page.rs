//! A page as a person sees it, as far as signing in goes: its first form with fields and buttons, and its links.

use url::Url;

/// What a server showed.
#[derive(Debug)]
pub struct Page {
    /// Its address.
    pub url: Url,
    /// HTTP status.
    pub status: u16,
    /// Its source.
    pub body: String,
}

/// A form that waits to be filled in.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) by_get: bool,
    pub(super) fields: Vec<Field>,
    pub(super) buttons: Vec<Field>,
}

/// An input or a button.
#[derive(Debug, Default, Clone)]
pub(super) struct Field {
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) value: String,
}

/// An opening tag with its attributes.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Page {
    /// The first form; buttons that stand outside of it and name it (`form=`) are among its buttons.
    pub(super) fn form(&self) -> Option<Form> {
        let mut form: Option<Form> = None;
        for tag in tags(&self.body) {
            match (tag.name.as_str(), &mut form) {
                ("form", None) => {
                    let by_get = !tag.attribute("method").eq_ignore_ascii_case("post");
                    form = Some(Form { action: tag.attribute("action"), by_get, ..Form::default() });
                }
                ("form", Some(_)) => break,
                ("input", Some(form)) => form.fields.push(tag.field()),
                ("button", Some(form)) => form.buttons.push(tag.field()),
                _ => {}
            }
        }
        form
    }

    /// The target of the first link whose address has this word in it.
    pub(super) fn link(&self, word: &str) -> Option<Url> {
        let target = tags(&self.body).find(|tag| tag.name == "a" && tag.attribute("href").contains(word))?;
        self.url.join(&target.attribute("href")).ok()
    }
}

impl Tag {
    fn attribute(&self, name: &str) -> String {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn field(&self) -> Field {
        Field { kind: self.attribute("type"), name: self.attribute("name"), value: self.attribute("value") }
    }
}

/// The opening tags of a page, in order.
fn tags(body: &str) -> impl Iterator<Item = Tag> {
    body.split('<').skip(1).filter(|text| text.starts_with(|first: char| first.is_ascii_alphabetic())).map(|text| {
        let end = text.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        Tag { name: name.to_ascii_lowercase(), attributes: attributes(rest) }
    })
}

/// `name`, `name=value`, `name="value"` and `name='value'`, up to the end of the tag.
fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return found;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '>').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let (value, taken) = match after.strip_prefix('=') {
            None => ("", 0),
            Some(quoted) if quoted.starts_with(['"', '\'']) => {
                let (quote, inner) = quoted.split_at(1);
                let value = inner.split(quote).next().unwrap_or_default();
                (value, value.len() + 3)
            }
            Some(bare) => {
                let value = bare.split(|c: char| c.is_whitespace() || c == '>').next().unwrap_or_default();
                (value, value.len() + 1)
            }
        };
        found.push((name.to_ascii_lowercase(), decode(value)));
        rest = after.get(taken..).unwrap_or_default();
    }
}

/// The entities that servers escape with.
fn decode(text: &str) -> String {
    let named = [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#x2F;", "/"),
        ("&lt;", "<"),
        ("&gt;", ">"),
    ];
    named.iter().fold(text.to_owned(), |text, (entity, meaning)| text.replace(entity, meaning)).replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_form_is_read_with_its_fields_and_buttons() {
        let body = r#"<p>1 < 2</p><form autocomplete="off" action="/a?x=1&amp;y=2" method='post'>
            <input type=hidden name="prompt" value="it&#39;s"/><input required name="login" placeholder="">
            </form><button name="abort" value="yes">No</button><a class=x href="/a/abort">Cancel</a>"#;
        let page = Page { url: "http://127.0.0.1:1/".parse().unwrap(), status: 200, body: body.to_owned() };
        let form = page.form().unwrap();
        assert_eq!((form.action.as_str(), form.by_get), ("/a?x=1&y=2", false));
        let fields: Vec<_> = form.fields.iter().map(|f| (f.kind.as_str(), f.name.as_str(), f.value.as_str())).collect();
        assert_eq!(fields, [("hidden", "prompt", "it's"), ("", "login", "")]);
        assert_eq!(form.buttons[0].name, "abort");
        assert_eq!(page.link("abort").unwrap().as_str(), "http://127.0.0.1:1/a/abort");
    }
}
