//! How to sign in: in a browser, by a code, or with nobody in front of a page, when what stands for the user comes from standard
//! input, never as an argument.

use clap::Args;
use token_broker_client::{
    Invalid, Secret,
    calls::{FederatedUser, SignInMethod},
};

/// One way to sign in.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the command line; the parser sees that one is given"
)]
pub(crate) struct MethodArguments {
    /// Enter a code on any device instead of using a browser here [default without a display]
    #[arg(long, group = "method")]
    pub(crate) device_code: bool,
    /// Print the URL alone and wait, instead of opening a browser
    #[arg(long, group = "method")]
    pub(crate) no_browser: bool,
    /// Who signs in, by password or by a user assertion
    #[arg(long, value_name = "U", group = "whom", requires = "named")]
    username: Option<String>,
    /// Read the password from standard input: for a user without a second factor, where no other way is left
    #[arg(long, groups = ["method", "without_page", "named"], requires = "username", conflicts_with = "user_object_id")]
    password_stdin: bool,
    /// Read a federated identity credential that stands for the user from standard input (Microsoft Entra ID, confidential clients)
    #[arg(long, groups = ["method", "without_page", "named"], requires = "whom")]
    user_assertion_stdin: bool,
    /// Object id of the user, instead of a name
    #[arg(long, value_name = "ID", group = "whom", requires = "user_assertion_stdin")]
    user_object_id: Option<String>,
    /// Read a refresh token that was issued to this client elsewhere from standard input, to move it here
    #[arg(long, groups = ["method", "without_page"])]
    refresh_token_stdin: bool,
}

impl MethodArguments {
    /// What standard input is read for, if for anything.
    pub(crate) fn reads(&self) -> Option<&'static str> {
        match self {
            Self { password_stdin: true, .. } => Some("password"),
            Self { user_assertion_stdin: true, .. } => Some("user assertion"),
            Self { refresh_token_stdin: true, .. } => Some("refresh token"),
            _ => None,
        }
    }

    /// The method that needs nobody in front of a page, with what came on standard input.
    pub(crate) fn without_page(&self, read: Secret) -> Result<SignInMethod, Invalid> {
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        if self.refresh_token_stdin {
            return SignInMethod::imported_token(read);
        }
        if self.user_assertion_stdin {
            let user = FederatedUser::parse(&text(&self.username), &text(&self.user_object_id))?;
            return SignInMethod::user_federated_identity_credential(user, read);
        }
        SignInMethod::password(&text(&self.username), read)
    }
}
