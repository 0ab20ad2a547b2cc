//! XML from strangers as a small tree with resolved namespaces (Namespaces in XML 1.0). No document type, no entity but XML's own
//! five, a bound on size, depth, elements and attributes; nothing is ever fetched. Of what stands in an element that is opaque only
//! the form is checked and the place is kept, so that no copy of a token is made.

use std::ops::Range;

use quick_xml::{
    XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
    reader::NsReader,
};

/// Largest document in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting.
const MAX_DEPTH: usize = 64;
/// Most elements.
const MAX_ELEMENTS: usize = 16 * 1024;
/// Most attributes of an element.
const MAX_ATTRIBUTES: usize = 64;

/// XML that is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Beyond a limit; what is counted, and the limit.
    #[error("XML of more than {1} {0}")]
    TooMuch(&'static str, usize),
    /// A document type definition, where entities and external files are declared.
    #[error("XML that has a document type (DTD), which is never read")]
    DocumentType,
    /// An entity that is not one of XML's own.
    #[error("XML that refers to an entity which it may not declare")]
    Entity,
    /// Not well-formed.
    #[error("text that is not well-formed XML")]
    Malformed,
}

/// An element.
#[derive(Debug, Default)]
pub(super) struct Element {
    namespace: String,
    name: String,
    attributes: Vec<(String, String, String)>,
    /// Its own text, joined.
    text: String,
    children: Vec<Element>,
    /// The place of the whole element.
    place: Range<usize>,
}

impl Element {
    /// Whether it has this name.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.name == name && self.namespace == namespace
    }

    /// Its children of this name.
    pub(super) fn all<'a>(&'a self, namespace: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.is(namespace, name))
    }

    /// The first one down this path.
    pub(super) fn at(&self, path: &[(&str, &str)]) -> Option<&Self> {
        match path.split_first() {
            None => Some(self),
            Some(((namespace, name), rest)) => {
                self.children.iter().filter(|child| child.is(namespace, name)).find_map(|child| child.at(rest))
            }
        }
    }

    /// The first one of this name inside it, however deep.
    pub(super) fn within(&self, namespace: &str, name: &str) -> Option<&Self> {
        let inside = |child: &Self| child.is(namespace, name);
        let direct = self.children.iter().find(|child| inside(child));
        direct.or_else(|| self.children.iter().find_map(|child| child.within(namespace, name)))
    }

    /// The value of an attribute; most have no namespace.
    pub(super) fn attribute(&self, namespace: &str, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(space, known, _)| space == namespace && known == name);
        found.map(|(_, _, value)| value.as_str())
    }

    /// Its text without the space around it.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }

    /// Its only child.
    pub(super) fn only_child(&self) -> Option<&Self> {
        match self.children.as_slice() {
            [child] => Some(child),
            _ => None,
        }
    }

    /// Its very bytes in the text that it was read from.
    pub(super) fn raw<'a>(&self, text: &'a str) -> Option<&'a str> {
        without_mark(text).get(self.place.clone())
    }
}

/// Reads a document. Elements of the opaque name are empty but for their children, which are empty too.
pub(super) fn parse(text: &str, opaque: &str) -> Result<Element, XmlError> {
    if text.len() > MAX_BYTES {
        return Err(XmlError::TooMuch("bytes", MAX_BYTES));
    }
    let mut tree = Tree { open: Vec::new(), root: None, elements: 0, opaque };
    let mut reader = NsReader::from_str(without_mark(text));
    loop {
        let begin = position(&reader);
        let event = reader.read_event().map_err(|_| XmlError::Malformed)?;
        let end = position(&reader);
        match event {
            Event::Start(start) => tree.open(&reader, &start, begin)?,
            Event::Empty(start) => {
                tree.open(&reader, &start, begin)?;
                tree.close(end)?;
            }
            Event::End(_) => tree.close(end)?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => tree.text(&referred(&reference)?)?,
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.root.filter(|_| tree.open.is_empty()).ok_or(XmlError::Malformed),
        }
    }
}

/// A text without the mark that says it is Unicode.
fn without_mark(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

fn position(reader: &NsReader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

fn referred(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
        return Ok(character.to_string());
    }
    resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned).ok_or(XmlError::Entity)
}

/// The tree as it grows.
struct Tree<'a> {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    opaque: &'a str,
}

impl Tree<'_> {
    fn open(&mut self, reader: &NsReader<&[u8]>, start: &BytesStart<'_>, begin: usize) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > MAX_ELEMENTS {
            return Err(XmlError::TooMuch("elements", MAX_ELEMENTS));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(XmlError::TooMuch("levels", MAX_DEPTH));
        }
        if self.root.is_some() {
            return Err(XmlError::Malformed);
        }
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let name = name.into_inner().to_owned();
        let attributes = if self.is_opaque() { Vec::new() } else { attributes(reader, start)? };
        let place = begin..begin;
        self.open.push(Element { namespace: bound(&namespace)?, name, attributes, place, ..Element::default() });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), XmlError> {
        let mut element = self.open.pop().ok_or(XmlError::Malformed)?;
        element.place.end = end;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let is_opaque = self.is_opaque();
        match self.open.last_mut() {
            Some(_) if is_opaque => Ok(()),
            Some(element) => {
                element.text.push_str(text);
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(XmlError::Malformed),
        }
    }

    fn is_opaque(&self) -> bool {
        self.open.iter().any(|element| element.name == self.opaque)
    }
}

fn attributes(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Vec<(String, String, String)>, XmlError> {
    let mut found = Vec::new();
    for attribute in start.attributes().with_checks(false) {
        if found.len() >= MAX_ATTRIBUTES {
            return Err(XmlError::TooMuch("attributes of an element", MAX_ATTRIBUTES));
        }
        let attribute = attribute.map_err(|_| XmlError::Malformed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| XmlError::Entity)?;
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        found.push((bound(&namespace)?, name.into_inner().to_owned(), value.into_owned()));
    }
    Ok(found)
}

fn bound(namespace: &ResolveResult<'_>) -> Result<String, XmlError> {
    match namespace {
        ResolveResult::Bound(namespace) => Ok(namespace.into_inner().to_owned()),
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Unknown(_) => Err(XmlError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_ATTRIBUTES, MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, XmlError, parse};

    fn refused(text: &str) -> XmlError {
        parse(text, "").expect_err("refused")
    }

    #[test]
    fn names_texts_and_places_are_read() {
        let text = "\u{feff}<?xml version='1.0'?>\n<a:x xmlns:a='urn:a' xmlns='urn:d'><!-- c --> <y a:k='1&amp;2' k='3'> o\
                    <![CDATA[<&>]]>&lt;&#x41; </y><z/></a:x>\n";
        let root = parse(text, "").unwrap();
        let y = root.at(&[("urn:d", "y")]).unwrap();
        assert!(root.is("urn:a", "x") && root.within("urn:d", "z").is_some() && root.only_child().is_none());
        assert_eq!((y.text(), y.attribute("urn:a", "k"), y.attribute("", "k")), ("o<&><A", Some("1&2"), Some("3")));
        assert_eq!(y.raw(text), Some("<y a:k='1&amp;2' k='3'> o<![CDATA[<&>]]>&lt;&#x41; </y>"));
        assert_eq!(root.at(&[("urn:d", "z")]).unwrap().raw(text), Some("<z/>"));
    }

    #[test]
    fn what_is_opaque_leaves_no_copy() {
        let text = "<r><t><saml a='s3cr3t'>s3cr3t<b>s3cr3t</b></saml></t><u>shown</u></r>";
        let root = parse(text, "t").unwrap();
        let tree = format!("{root:?}");
        assert!(!tree.contains("s3cr3t") && tree.contains("shown"), "{tree}");
        let inside = root.within("", "t").and_then(super::Element::only_child).unwrap();
        assert_eq!(inside.raw(text), Some("<saml a='s3cr3t'>s3cr3t<b>s3cr3t</b></saml>"));
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for text in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>text",
            "<a b></a>",
            "<x:a/>",
            "<a x:b='c'/>",
            "</a>",
            "<a>&b</a>",
        ] {
            assert_eq!(refused(text), XmlError::Malformed, "{text}");
        }
    }

    #[test]
    fn no_document_type_and_no_entity_is_taken() {
        let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]><a>&c;</a>";
        assert_eq!(refused(bomb), XmlError::DocumentType);
        assert_eq!(refused("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), XmlError::DocumentType);
        assert_eq!(refused("<a>&b;</a>"), XmlError::Entity);
        assert_eq!(refused("<a b='&c;'/>"), XmlError::Entity);
    }

    #[test]
    fn everything_has_its_bound() {
        let nested = |depth| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH), "").is_ok());
        assert_eq!(refused(&nested(MAX_DEPTH + 1)), XmlError::TooMuch("levels", MAX_DEPTH));
        let wide = |count| format!("<a>{}</a>", "<b/>".repeat(count));
        assert!(parse(&wide(MAX_ELEMENTS - 1), "").is_ok());
        assert_eq!(refused(&wide(MAX_ELEMENTS)), XmlError::TooMuch("elements", MAX_ELEMENTS));
        let with = |count: usize| {
            let attributes: Vec<_> = (0..count).map(|n| format!("b{n}=''")).collect();
            format!("<a {}/>", attributes.join(" "))
        };
        assert!(parse(&with(MAX_ATTRIBUTES), "").is_ok());
        assert!(matches!(refused(&with(MAX_ATTRIBUTES + 1)), XmlError::TooMuch("attributes of an element", _)));
        let long = |length: usize| format!("<a>{}</a>", " ".repeat(length - 7));
        assert!(parse(&long(MAX_BYTES), "").is_ok());
        assert_eq!(refused(&long(MAX_BYTES + 1)), XmlError::TooMuch("bytes", MAX_BYTES));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(<[/!?]?[a:b ='\"&;]{0,6}>?|\\PC|&[a#x1]{0,3};?){0,40}") {
            let _ = parse(&text, "b");
        }
    }
}
