//! Envelopes taken apart: each text and each attribute by the path of its element, namespaces resolved, so that one can be checked, and
//! compared with another that is written differently.

use std::collections::BTreeMap;

use quick_xml::{XmlVersion, escape::resolve_predefined_entity, events::Event, name::ResolveResult, reader::NsReader};

use crate::authorization_server::wire::Answer;

/// Short names of the namespaces that are known; another namespace stands whole.
const NAMESPACES: [(&str, &str); 7] = [
    ("s", "http://www.w3.org/2003/05/soap-envelope"),
    ("a", "http://www.w3.org/2005/08/addressing"),
    ("u", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"),
    ("o", "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"),
    ("p", "http://schemas.xmlsoap.org/ws/2004/09/policy"),
    ("t13", "http://docs.oasis-open.org/ws-sx/ws-trust/200512"),
    ("t2005", "http://schemas.xmlsoap.org/ws/2005/02/trust"),
];

/// An answer in SOAP 1.2.
pub(super) fn answer(status: u16, envelope: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/soap+xml; charset=utf-8".to_owned())];
    Answer { status, headers, body: envelope.as_bytes().to_vec() }
}

/// The parts of an envelope by their paths, such as `s:Header a:To`; `None` for what is not well-formed.
pub(in crate::entra) fn parts(xml: &str) -> Option<BTreeMap<String, String>> {
    let mut reader = NsReader::from_str(xml);
    let (mut path, mut text, mut found) = (Vec::<String>::new(), String::new(), BTreeMap::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let (namespace, name) = reader.resolver().resolve_element(start.name());
                path.push(named(&namespace, name.into_inner())?);
                let at = path.join(" ");
                for attribute in start.attributes() {
                    let attribute = attribute.ok()?;
                    if attribute.key.as_namespace_binding().is_none() {
                        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
                        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned();
                        found.insert(format!("{at} @{}", named(&namespace, name.into_inner())?), value);
                    }
                }
                text.clear();
            }
            Event::End(_) => {
                if !text.trim().is_empty() {
                    found.insert(path.join(" "), std::mem::take(&mut text));
                }
                text.clear();
                path.pop();
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(part) => match part.resolve_char_ref().ok()? {
                Some(character) => text.push(character),
                None => text.push_str(resolve_predefined_entity(&part.xml10_content())?),
            },
            Event::Eof => return path.is_empty().then_some(found),
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Empty(_) | Event::CData(_) | Event::PI(_) | Event::DocType(_) => return None,
        }
    }
}

fn named(namespace: &ResolveResult<'_>, name: &str) -> Option<String> {
    match namespace {
        ResolveResult::Unbound => Some(name.to_owned()),
        ResolveResult::Unknown(_) => None,
        ResolveResult::Bound(namespace) => {
            let known = NAMESPACES.iter().find(|(_, uri)| *uri == namespace.into_inner());
            Some(format!("{}:{name}", known.map_or(namespace.into_inner(), |(short, _)| short)))
        }
    }
}
