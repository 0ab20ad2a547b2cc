//! `app add|list|show|remove`.

use token_broker_client::{
    calls::{Application, CredentialKind, OptionTexts},
    oauth::{ApplicationName, ManagedIdentitySource},
};

use super::Session;
use crate::{
    arguments::{
        app::{AddArguments, AppCommand},
        secret,
    },
    failure::{Exit, Failed},
    output::{
        self,
        json_form::{AddedJson, ApplicationJson, ApplicationsJson, RemovedJson},
        table, time,
    },
};

/// Runs the command.
pub(super) async fn run(session: &Session, command: AppCommand) -> Result<Exit, Failed> {
    match command {
        AppCommand::Add(arguments) => add(session, *arguments).await,
        AppCommand::List => list(session).await,
        AppCommand::Show { application } => show(session, &application).await,
        AppCommand::Remove { application } => remove(session, &application).await,
        AppCommand::Apply(arguments) => super::apply::run(session, &arguments).await,
    }
}

async fn add(session: &Session, arguments: AddArguments) -> Result<Exit, Failed> {
    let output = session.output;
    let read = arguments.credential.reads().map(|what| secret::from_stdin(what, output)).transpose()?;
    let new = arguments.into_new(read)?;
    let (application, changed) = session.client()?.add_application(&new).await?;
    if output.is_json() {
        output::json(&AddedJson { application: ApplicationJson::from(&application), changed })?;
    } else {
        let what = if changed { "Registered" } else { "Unchanged:" };
        output::line(&format!("{what} {} ({})", new.name, application.authority))?;
        let next = match application.credential {
            CredentialKind::None => format!("broker-cli login {}", new.name),
            CredentialKind::ManagedIdentity if application.scopes.is_empty() => {
                format!("broker-cli token {} --scope RESOURCE", new.name)
            }
            CredentialKind::ManagedIdentity => format!("broker-cli token {}", new.name),
            CredentialKind::Secret | CredentialKind::Certificate | CredentialKind::Assertion => {
                format!("broker-cli login {0}, or broker-cli token {0} --app-only", new.name)
            }
        };
        output.note(&format!("next: {next}"));
    }
    Ok(Exit::Done)
}

async fn list(session: &Session) -> Result<Exit, Failed> {
    let applications = session.client()?.applications().await?;
    let output = session.output;
    if output.is_json() {
        output::json(&ApplicationsJson::from(applications.as_slice()))?;
    } else if applications.is_empty() {
        output.note("no application is registered\ntry: broker-cli app add NAME --client-id ID --issuer URL");
    } else {
        let rows = applications.into_iter().map(|application| {
            let credential = application.credential.as_str().to_owned();
            [application.name, application.client_id, application.authority, credential, application.scopes.join(" ")]
        });
        output::line(&table::rows(["NAME", "CLIENT ID", "AUTHORITY", "CREDENTIAL", "SCOPES"], rows))?;
    }
    Ok(Exit::Done)
}

async fn show(session: &Session, name: &ApplicationName) -> Result<Exit, Failed> {
    let application = session.client()?.application(name).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&ApplicationJson::from(&application))?;
    } else {
        output::line(&table::facts(facts(application)))?;
    }
    Ok(Exit::Done)
}

fn facts(application: Application) -> Vec<(&'static str, String)> {
    let credential = credential(application.credential, application.credential_fingerprint);
    let managed_identity = application.managed_identity.as_ref().map(|identity| {
        let source = identity.source.map_or("the environment's", ManagedIdentitySource::as_str);
        let identity = match identity.id.kind() {
            "system_assigned" => "system-assigned".to_owned(),
            kind => format!("user-assigned, by {}", kind.replace('_', " ")),
        };
        [("identity", identity), ("source", source.to_owned())]
    });
    let no_scopes = if managed_identity.is_some() { "none" } else { "openid" };
    let scopes = if application.scopes.is_empty() { no_scopes.to_owned() } else { application.scopes.join(" ") };
    let unasked = if application.no_instance_discovery { " (without instance discovery)" } else { "" };
    let mut facts = vec![
        ("name", application.name),
        ("client id", application.client_id),
        ("authority", format!("{}{unasked}", application.authority)),
        ("credential", credential),
        ("scopes", scopes),
        ("redirect URI", application.redirect_uri.unwrap_or_else(|| "the default".to_owned())),
    ];
    if let Some(managed_identity) = managed_identity {
        facts.retain(|(name, _)| *name != "redirect URI");
        facts.extend(managed_identity);
    }
    if !application.client_capabilities.is_empty() {
        facts.push(("capabilities", application.client_capabilities.join(" ")));
    }
    facts.extend(options(application.options).into_iter().filter(|(_, text)| !text.is_empty()));
    facts.extend(application.keep_alive.map(|longest| ("keep alive", format!("unused for {}", time::span(longest)))));
    facts
}

fn credential(kind: CredentialKind, fingerprint: Option<String>) -> String {
    let word = kind.as_str();
    match fingerprint {
        None => word.to_owned(),
        Some(fingerprint) if kind == CredentialKind::Certificate => format!("{word} (x5t#S256 {fingerprint})"),
        Some(fingerprint) => format!("{word} (fingerprint {fingerprint})"),
    }
}

fn options(texts: OptionTexts) -> [(&'static str, String); 6] {
    let OptionTexts { region, extra_query, extra_body, exclude_scopes, assertion_claims, app_name, app_version } =
        texts;
    let listed = |pairs: Vec<(String, String)>| {
        pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    };
    [
        ("region", region),
        ("extra query", listed(extra_query)),
        ("extra body", listed(extra_body)),
        ("without scopes", exclude_scopes.join(" ")),
        ("assertion claims", assertion_claims),
        ("program", format!("{app_name} {app_version}").trim().to_owned()),
    ]
}

async fn remove(session: &Session, name: &ApplicationName) -> Result<Exit, Failed> {
    let removed = session.client()?.remove_application(name).await?;
    let output = session.output;
    if output.is_json() {
        output::json(&RemovedJson::new(name, removed))?;
    } else {
        let (accounts, tokens) = (counted(removed.accounts, "account"), counted(removed.tokens, "token"));
        output::line(&format!("Removed {name} with {accounts} and {tokens}"))?;
    }
    Ok(Exit::Done)
}

fn counted(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
