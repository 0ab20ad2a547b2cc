//! What an application is set to besides, in the forms of `app`.

use std::collections::BTreeMap;

use serde::Serialize;
use token_broker_client::calls::OptionTexts;

/// What an application is set to besides.
#[derive(Serialize)]
pub(crate) struct OptionsJson<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    region: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra_query: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extra_body: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    exclude_scopes: &'a [String],
    #[serde(skip_serializing_if = "str::is_empty")]
    assertion_claims: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    app_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    app_version: &'a str,
}

impl<'a> From<&'a OptionTexts> for OptionsJson<'a> {
    fn from(options: &'a OptionTexts) -> Self {
        let map = |pairs: &'a [(String, String)]| pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        Self {
            region: &options.region,
            extra_query: map(&options.extra_query),
            extra_body: map(&options.extra_body),
            exclude_scopes: &options.exclude_scopes,
            assertion_claims: &options.assertion_claims,
            app_name: &options.app_name,
            app_version: &options.app_version,
        }
    }
}
