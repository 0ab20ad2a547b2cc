//! What an application is set to beyond who it is: its region, parameters and claims that its requests carry besides, scopes that
//! are not asked for, and the name under which it shows itself. All of it is optional, and none of it is secret.

use crate::{
    Invalid,
    oauth::{Claims, ExtraParameters, Region, ScopeSet},
    wire::v1,
};

/// Longest name or version of a program in bytes.
const MAX_APP: usize = 64;
/// What of the usual scopes may be left out; without `openid` nobody would know who signed in.
const EXCLUDABLE: [&str; 2] = ["offline_access", "profile"];
/// Claims of an assertion that are made anew each time (RFC 7519, section 4.1).
const OF_EACH: [&str; 4] = ["exp", "iat", "nbf", "jti"];

/// The options of an application.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplicationOptions {
    /// Whose token endpoint is asked for the application's own tokens (Microsoft Entra ID).
    pub region: Option<Region>,
    /// Parameters added to the query of authorization and token requests.
    pub extra_query: ExtraParameters,
    /// Parameters added to the body of token requests.
    pub extra_body: ExtraParameters,
    /// Scopes that are left out of those that are always asked for.
    pub exclude_scopes: ScopeSet,
    /// Claims merged into the client assertions that are signed here (RFC 7523, section 3).
    pub assertion_claims: Option<Claims>,
    /// Name of the program, as `x-app-name` (Microsoft Entra ID).
    pub app_name: Option<String>,
    /// Its version, as `x-app-ver`.
    pub app_version: Option<String>,
}

/// The options as texts; what is empty is not given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OptionTexts {
    /// `auto` or a name.
    pub region: String,
    /// Names with values.
    pub extra_query: Vec<(String, String)>,
    /// Names with values.
    pub extra_body: Vec<(String, String)>,
    /// Scopes.
    pub exclude_scopes: Vec<String>,
    /// A JSON object.
    pub assertion_claims: String,
    /// Text for a header.
    pub app_name: String,
    /// Text for a header.
    pub app_version: String,
}

impl ApplicationOptions {
    /// The scopes without those that are left out.
    #[must_use]
    pub fn without_excluded(&self, scopes: ScopeSet) -> ScopeSet {
        if self.exclude_scopes.is_empty() {
            return scopes;
        }
        scopes.iter().filter(|scope| !self.exclude_scopes.contains(scope.as_str())).cloned().collect()
    }

    /// What is added to requests, as one text; empty where nothing is.
    #[must_use]
    pub fn added(&self) -> String {
        let mut text = String::new();
        for (kind, parameters) in [("query", &self.extra_query), ("body", &self.extra_body)] {
            for (name, value) in parameters.iter() {
                text.extend([kind, " ", name, "=", value, "\n"]);
            }
        }
        text
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The texts again.
    #[must_use]
    pub fn to_texts(&self) -> OptionTexts {
        OptionTexts {
            region: self.region.as_ref().map(ToString::to_string).unwrap_or_default(),
            extra_query: self.extra_query.to_pairs(),
            extra_body: self.extra_body.to_pairs(),
            exclude_scopes: self.exclude_scopes.to_strings(),
            assertion_claims: self
                .assertion_claims
                .as_ref()
                .map(|claims| claims.as_str().to_owned())
                .unwrap_or_default(),
            app_name: self.app_name.clone().unwrap_or_default(),
            app_version: self.app_version.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<OptionTexts> for ApplicationOptions {
    type Error = Invalid;

    fn try_from(texts: OptionTexts) -> Result<Self, Invalid> {
        let region = Some(texts.region).filter(|text| !text.is_empty());
        let app_version = header("app_version", texts.app_version)?;
        let app_name = header("app_name", texts.app_name)?;
        if app_version.is_some() && app_name.is_none() {
            return Err(Invalid::new("app_version", "needs an app_name"));
        }
        Ok(Self {
            region: region.map(|text| Region::parse(&text)).transpose()?,
            extra_query: ExtraParameters::parse("extra_query", texts.extra_query)?,
            extra_body: ExtraParameters::parse("extra_body", texts.extra_body)?,
            exclude_scopes: excluded(&texts.exclude_scopes)?,
            assertion_claims: assertion_claims(&texts.assertion_claims)?,
            app_name,
            app_version,
        })
    }
}

fn excluded(texts: &[String]) -> Result<ScopeSet, Invalid> {
    let scopes = ScopeSet::parse(texts.iter().map(String::as_str))?;
    if scopes.iter().all(|scope| EXCLUDABLE.contains(&scope.as_str())) {
        return Ok(scopes);
    }
    let rule =
        "may be offline_access and profile; openid says who signed in, and others are not asked for by themselves";
    Err(Invalid::new("exclude_scopes", rule))
}

fn assertion_claims(text: &str) -> Result<Option<Claims>, Invalid> {
    let claims = Claims::parse(text).map_err(|invalid| Invalid::new("assertion_claims", invalid.rule))?;
    match claims.as_ref().and_then(|claims| OF_EACH.into_iter().find(|name| claims.has(name))) {
        Some(name) => {
            Err(Invalid::new("assertion_claims", format!("{name} is made anew for each assertion; it cannot be given")))
        }
        None => Ok(claims),
    }
}

fn header(field: &'static str, text: String) -> Result<Option<String>, Invalid> {
    let is_good = text.len() <= MAX_APP && text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text;
    match (text.is_empty(), is_good) {
        (true, _) => Ok(None),
        (false, true) => Ok(Some(text)),
        (false, false) => Err(Invalid::new(field, format!("must be at most {MAX_APP} visible characters of ASCII"))),
    }
}

/// Parameters as the wire has them.
pub(super) fn pairs(wire: Vec<v1::Parameter>) -> Vec<(String, String)> {
    wire.into_iter().map(|parameter| (parameter.name, parameter.value)).collect()
}

/// The wire's parameters.
pub(super) fn parameters(pairs: Vec<(String, String)>) -> Vec<v1::Parameter> {
    pairs.into_iter().map(|(name, value)| v1::Parameter { name, value }).collect()
}

#[cfg(test)]
mod tests {
    use super::{ApplicationOptions, OptionTexts};
    use crate::oauth::ScopeSet;

    fn pair(name: &str) -> Vec<(String, String)> {
        vec![(name.to_owned(), "x".to_owned())]
    }

    #[test]
    fn options_read_back() {
        let texts = OptionTexts {
            region: "westus2".into(),
            extra_query: pair("dc"),
            extra_body: pair("resource_hint"),
            exclude_scopes: vec!["offline_access".into()],
            assertion_claims: r#"{"sub":"other"}"#.into(),
            app_name: "Report maker".into(),
            app_version: "1.2".into(),
        };
        let options = ApplicationOptions::try_from(texts.clone()).expect("they are good");
        assert_eq!((options.to_texts(), options.is_empty()), (texts, false));
        assert!(ApplicationOptions::try_from(OptionTexts::default()).expect("none").is_empty());
        let asked = ScopeSet::parse(["openid offline_access mail"]).expect("scopes");
        assert_eq!(options.without_excluded(asked).to_string(), "mail openid");
    }

    #[test]
    fn a_wrong_option_is_named() {
        let none = OptionTexts::default;
        for (texts, field) in [
            (OptionTexts { region: "West US".into(), ..none() }, "region"),
            (OptionTexts { extra_query: pair("state"), ..none() }, "extra_query"),
            (OptionTexts { extra_body: pair("grant_type"), ..none() }, "extra_body"),
            (OptionTexts { exclude_scopes: vec!["openid".into()], ..none() }, "exclude_scopes"),
            (OptionTexts { assertion_claims: "[]".into(), ..none() }, "assertion_claims"),
            (OptionTexts { assertion_claims: r#"{"exp":1}"#.into(), ..none() }, "assertion_claims"),
            (OptionTexts { app_name: "a\r\nx-evil: 1".into(), ..none() }, "app_name"),
            (OptionTexts { app_version: "1".into(), ..none() }, "app_version"),
        ] {
            assert_eq!(ApplicationOptions::try_from(texts).expect_err(field).field, field);
        }
    }
}
