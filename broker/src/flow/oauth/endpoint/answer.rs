//! A JSON object that a provider answered with, read leniently: a member of another type than expected is as good as absent.
//! Texts that are not taken out are wiped. What the members mean is for the flows.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use serde_json::{Map, Value, error::Category};
use token_broker_proto::Secret;
use zeroize::Zeroize;

use super::text::readable;
use crate::model::HttpResponse;

/// The members of the object.
pub(in crate::flow) struct Answer(Map<String, Value>);

impl Answer {
    /// Reads the body. The error is a sentence that follows "the provider" and quotes nothing of the body.
    pub(in crate::flow) fn read(response: &HttpResponse) -> Result<Self, String> {
        let status = response.status().as_u16();
        Self::from_text(response.body().expose()).map_err(|fault| match fault {
            Category::Eof if response.body().expose().trim().is_empty() => {
                format!("answered {status} with an empty body")
            }
            Category::Eof => format!("answered {status} with JSON that ends early"),
            Category::Data => format!("answered {status} with JSON that is not an object"),
            Category::Syntax | Category::Io => {
                format!("answered {status} with {} instead of JSON", content_type(response))
            }
        })
    }

    /// Reads a text.
    pub(in crate::flow) fn from_text(text: &str) -> Result<Self, Category> {
        serde_json::from_str(text).map(Self).map_err(|error| error.classify())
    }

    /// Any member.
    pub(in crate::flow) fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A text member that is not empty.
    pub(in crate::flow) fn text(&self, name: &str) -> Option<&str> {
        self.member(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// A text member made fit to be shown.
    pub(in crate::flow) fn readable(&self, name: &str, limit: usize) -> Option<String> {
        self.text(name).map(|text| readable(text, limit)).filter(|text| !text.is_empty())
    }

    /// The texts of a member that is an array.
    pub(in crate::flow) fn texts(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        Some(self.member(name)?.as_array()?.iter().filter_map(Value::as_str))
    }

    /// Takes a secret text out without a copy. `None` if absent or empty, `Err` if it is no text.
    pub(in crate::flow) fn take_secret(&mut self, name: &str) -> Result<Option<Secret>, String> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(Secret::new(text)).filter(|text| !text.is_empty())),
            Some(_) => Err(format!("answered with {name} that is not a text")),
        }
    }

    /// A number of seconds, as a number or as a text; between zero and `most`.
    pub(in crate::flow) fn seconds(&self, name: &str, most: Duration) -> Option<Duration> {
        let seconds = match self.member(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) if text.len() <= 32 => text.trim().parse().ok()?,
            _ => return None,
        };
        let bounded = Duration::try_from_secs_f64(seconds.clamp(0.0, most.as_secs_f64())).ok()?;
        Some(Duration::from_secs(bounded.as_secs()))
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// The media type of the body, without parameters.
fn content_type(response: &HttpResponse) -> String {
    let text = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = readable(text.split(';').next().unwrap_or_default(), 80);
    match media_type.as_str() {
        "" => "text of no type".to_owned(),
        // It says JSON and is none.
        "application/json" => "broken text".to_owned(),
        _ => media_type,
    }
}
