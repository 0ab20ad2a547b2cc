//! The options of an application as its record has them: texts, none of which is secret.

use serde::{Deserialize, Serialize};
use token_broker_proto::calls::{ApplicationOptions, OptionTexts};

/// `r`egion, extra parameters of `q`uery and `b`ody, scopes that are not asked for (`e`), cla`i`ms of assertions, `n`ame and
/// `v`ersion of the program.
#[derive(Serialize, Deserialize)]
pub(super) struct OptionsRecord {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    r: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    q: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    b: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    e: Vec<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    i: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    n: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    v: String,
}

/// `None` where there is nothing to write.
pub(super) fn record(options: &ApplicationOptions) -> Option<OptionsRecord> {
    if options.is_empty() {
        return None;
    }
    let OptionTexts { region, extra_query, extra_body, exclude_scopes, assertion_claims, app_name, app_version } =
        options.to_texts();
    Some(OptionsRecord {
        r: region,
        q: extra_query,
        b: extra_body,
        e: exclude_scopes,
        i: assertion_claims,
        n: app_name,
        v: app_version,
    })
}

/// Reads them back; `None` for what cannot be options.
pub(super) fn options(record: Option<OptionsRecord>) -> Option<ApplicationOptions> {
    let Some(record) = record else { return Some(ApplicationOptions::default()) };
    let texts = OptionTexts {
        region: record.r,
        extra_query: record.q,
        extra_body: record.b,
        exclude_scopes: record.e,
        assertion_claims: record.i,
        app_name: record.n,
        app_version: record.v,
    };
    texts.try_into().ok()
}
