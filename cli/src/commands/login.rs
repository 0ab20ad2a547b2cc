//! `login`: follows a sign-in, tells the user what to do, and prints who signed in. The client opens the browser, since it has
//! the desktop, and reads what stands for the user where there is nobody in front of a page; the daemon does everything else.

use std::ffi::OsString;

use token_broker_client::{
    ClientError, Secret,
    calls::{SignInEvent, SignInMethod, UserCode},
    oauth::ApplicationName,
    open_in_browser,
};

use super::Session;
use crate::{
    arguments::{secret, sign_in::LoginArguments},
    failure::{Exit, Failed},
    output::{self, json_form::SignInJson, qr_code, time, visible, waiting::Waiting},
};

/// How the user is brought to the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A browser that we open.
    Browser,
    /// The URL is printed.
    Url,
    /// A code to enter on any device.
    DeviceCode,
}

impl Way {
    /// What was asked for; else a browser if there is a desktop in front of the user, else a code.
    fn choose(arguments: &LoginArguments, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let is_set = |name| variable(name).is_some_and(|value| !value.is_empty());
        let over_ssh = ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"].into_iter().any(is_set);
        let display = cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(is_set);
        if arguments.method.no_browser {
            Self::Url
        } else if arguments.method.device_code || over_ssh || !display {
            Self::DeviceCode
        } else {
            Self::Browser
        }
    }

    fn method(self) -> SignInMethod {
        match self {
            Self::Browser | Self::Url => SignInMethod::Browser,
            Self::DeviceCode => SignInMethod::DeviceCode,
        }
    }
}

/// Whether these arguments, here and now, mean a sign-in by device code.
pub(crate) fn uses_device_code(arguments: &LoginArguments) -> bool {
    let is_for_people = arguments.method.reads().is_none();
    is_for_people && Way::choose(arguments, |name| std::env::var_os(name)) == Way::DeviceCode
}

/// Signs in.
pub(super) async fn run(session: &Session, arguments: LoginArguments) -> Result<Exit, Failed> {
    let application = arguments.application.clone();
    let way = Way::choose(&arguments, |name| std::env::var_os(name));
    let method = match arguments.method.reads() {
        None => way.method(),
        Some(what) => arguments.method.without_page(secret::from_stdin(what, session.output)?)?,
    };
    let request = arguments.into_request(method)?;
    let mut events = session.client()?.sign_in(&request).await?;
    let mut waiting = None;
    while let Some(event) = events.next().await? {
        drop(waiting.take());
        if session.output.is_json() {
            output::json(&SignInJson::from(&event))?;
        }
        match event {
            SignInEvent::OpenUrl(url) => show_url(session, way, &application, &url)?,
            SignInEvent::UserCode(code) => show_code(session, &application, &code),
            SignInEvent::SignedIn(account) => {
                if !session.output.is_json() {
                    output::line(&format!("Signed in to {application} as {}", visible(account.label())))?;
                }
                return Ok(Exit::Done);
            }
        }
        waiting = Some(Waiting::begin(session.output, "Waiting for you to sign in; Ctrl-C cancels"));
    }
    Err(ClientError::Protocol("the daemon ended the sign-in without saying who signed in".to_owned()).into())
}

fn show_url(session: &Session, way: Way, application: &ApplicationName, url: &Secret) -> Result<(), Failed> {
    let output = session.output;
    if way == Way::Browser {
        let opened = open_in_browser(url);
        let what = if opened {
            format!("Opening your browser to sign in to {application}. If nothing opens, visit:")
        } else {
            format!("To sign in to {application}, visit:")
        };
        output.note(&format!("{what}\n  {}", visible(url.expose())));
    } else if !output.is_json() {
        output.note(&format!("To sign in to {application}, visit this address with a browser on this machine:"));
        output::secret_line(url)?;
    }
    Ok(())
}

fn show_code(session: &Session, application: &ApplicationName, code: &UserCode) {
    let output = session.output;
    let remaining = time::span(code.expires_on.since(time::now()));
    output.note(&format!(
        "To sign in to {application}, visit\n\n  {}\n\nand enter the code\n\n  {}\n\nwithin {remaining}.",
        visible(&code.verification_uri),
        visible(code.user_code.expose()),
    ));
    if output.is_watched() {
        let target = code.verification_uri_complete.as_ref().map_or(code.verification_uri.as_str(), Secret::expose);
        if let Some(picture) = qr_code::render(target) {
            output.note(&format!("Or scan this:\n\n{picture}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::Way;
    use crate::arguments::{Arguments, Command};

    fn way(flags: &str, variables: &[&str]) -> Way {
        let line = format!("broker-cli login work {flags}");
        match Arguments::try_parse_from(line.split_whitespace()).unwrap().command {
            Command::Login(arguments) => {
                Way::choose(&arguments, |name| variables.contains(&name).then(|| "something".into()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    #[cfg(not(target_os = "macos"))]
    fn a_browser_needs_a_display_in_front_of_the_user() {
        assert_eq!(way("", &["DISPLAY"]), Way::Browser);
        assert_eq!(way("", &["WAYLAND_DISPLAY"]), Way::Browser);
        assert_eq!(way("", &["DISPLAY", "SSH_CONNECTION"]), Way::DeviceCode);
        assert_eq!(way("", &[]), Way::DeviceCode);
    }

    #[test]
    fn what_is_asked_for_wins() {
        assert_eq!(way("--device-code", &["DISPLAY"]), Way::DeviceCode);
        assert_eq!(way("--no-browser", &["DISPLAY"]), Way::Url);
        assert_eq!(way("--no-browser", &[]), Way::Url);
    }
}
