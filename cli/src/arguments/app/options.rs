//! What an application is set to beyond who it is, on the command line.

use clap::Args;
use token_broker_client::{
    Invalid,
    calls::{ApplicationOptions, OptionTexts},
};

const EXCLUDE_SCOPE_HELP: &str = "Scope not to ask for by itself: offline_access or profile; may repeat";

/// The options of an application.
#[derive(Debug, Args)]
pub(crate) struct OptionArguments {
    /// Region of Azure for the application's own tokens, such as westus2, or auto for the machine's (Microsoft Entra ID)
    #[arg(long, value_name = "R")]
    region: Option<String>,
    /// Parameter for the query of every request of sign-in and for tokens; may repeat
    #[arg(long = "extra-query", value_name = "NAME=VALUE", value_parser = parameter)]
    extra_query: Vec<(String, String)>,
    /// Parameter for the body of every request for tokens; may repeat
    #[arg(long = "extra-body", value_name = "NAME=VALUE", value_parser = parameter)]
    extra_body: Vec<(String, String)>,
    /// A scope that is added by itself and shall not be.
    #[arg(long = "exclude-scope", value_name = "S", help = EXCLUDE_SCOPE_HELP)]
    exclude_scopes: Vec<String>,
    /// Claims to merge into the client assertions that its certificate signs, a JSON object
    #[arg(long, value_name = "JSON")]
    assertion_claims: Option<String>,
    /// Name of the program, shown to Microsoft Entra ID
    #[arg(long, value_name = "NAME")]
    app_name: Option<String>,
    /// Version of the program
    #[arg(long, value_name = "VERSION", requires = "app_name")]
    app_version: Option<String>,
}

impl OptionArguments {
    /// The options, if they are good.
    pub(crate) fn into_options(self) -> Result<ApplicationOptions, Invalid> {
        let texts = OptionTexts {
            region: self.region.unwrap_or_default(),
            extra_query: self.extra_query,
            extra_body: self.extra_body,
            exclude_scopes: self.exclude_scopes,
            assertion_claims: self.assertion_claims.unwrap_or_default(),
            app_name: self.app_name.unwrap_or_default(),
            app_version: self.app_version.unwrap_or_default(),
        };
        texts.try_into()
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_value_may_hold_anything() {
        assert_eq!(
            parameter("audience=https://api.example/?a=b"),
            Ok(("audience".into(), "https://api.example/?a=b".into()))
        );
        assert!(parameter("audience").is_err());
    }
}
