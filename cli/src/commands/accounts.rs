//! `accounts` and `logout`.

use token_broker_client::{calls::Revocation, oauth::ApplicationName};

use super::Session;
use crate::{
    arguments::sign_in::LogoutArguments,
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{AccountsJson, SignOutJson},
        table, visible,
    },
};

/// Lists the accounts.
pub(super) async fn list(session: &Session, application: Option<&ApplicationName>) -> Result<Exit, Failed> {
    let accounts = session.client()?.accounts(application).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&AccountsJson::from(accounts.as_slice()))?;
    } else if accounts.is_empty() {
        let name = application.map_or("APP", ApplicationName::as_str);
        output.note(&format!("nobody is signed in\ntry: broker-cli login {name}"));
    } else {
        let rows = accounts.into_iter().map(|account| {
            let label = account.label().to_owned();
            [account.application, label, account.name.unwrap_or_default(), account.environment, account.tenant]
        });
        output::line(&table::rows(["APPLICATION", "ACCOUNT", "NAME", "ENVIRONMENT", "TENANT"], rows))?;
    }
    Ok(Exit::Done)
}

/// Signs out. A revocation that failed is told and has its own exit code; the tokens are gone all the same.
pub(super) async fn sign_out(session: &Session, arguments: LogoutArguments) -> Result<Exit, Failed> {
    let application = arguments.application.clone();
    let answer = session.client()?.sign_out(&arguments.into_request()).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&SignOutJson::from(&answer))?;
    } else if let Some(account) = &answer.account {
        let revoked = if answer.revocation == Revocation::Accepted { ", and revoked at the provider" } else { "" };
        output::line(&format!("Signed out {} of {application}{revoked}", visible(account.label())))?;
    } else {
        output.note(&format!("nobody was signed in to {application}"));
    }
    match &answer.revocation {
        Revocation::NotRequested | Revocation::Accepted => Ok(Exit::Done),
        Revocation::Failed(why) => {
            output.note(&format!("error: the provider did not revoke the refresh token: {}", visible(why)));
            output.note("its tokens are gone from this machine; revoke it in the account's settings at the provider");
            Ok(Exit::RevocationFailed)
        }
    }
}
