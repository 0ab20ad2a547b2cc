//! How a user signs in: in front of a page, or without one by a password, a federated identity credential, or a refresh token from
//! elsewhere. Each method has its own facts, and a request that gives another method's is refused.

use crate::{Invalid, Secret, wire::v1};

/// Longest username in bytes.
const MAX_NAME: usize = 320;
/// Longest password in bytes.
const MAX_PASSWORD: usize = 4 * 1024;
/// Longest token in bytes.
const MAX_TOKEN: usize = 64 * 1024;

/// How the user signs in.
#[derive(Debug, Clone, Default)]
pub enum SignInMethod {
    /// Authorization code with PKCE and a loopback redirect (RFC 8252).
    #[default]
    Browser,
    /// Device authorization grant (RFC 8628).
    DeviceCode,
    /// Username and password (RFC 6749, section 4.3).
    Password {
        /// Who.
        username: Username,
        /// Not empty.
        password: Secret,
    },
    /// `user_fic` of Microsoft Entra ID.
    UserFederatedIdentityCredential {
        /// Whom it is for.
        user: FederatedUser,
        /// The credential: visible ASCII, not empty.
        assertion: Secret,
    },
    /// A refresh token from elsewhere: visible ASCII, not empty.
    ImportedToken(Secret),
}

/// Who signs in, as the provider calls them: not empty, bounded, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username(String);

/// Whom a federated identity credential is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FederatedUser {
    /// By username.
    Name(Username),
    /// By object id: visible ASCII without spaces.
    ObjectId(String),
}

impl Username {
    /// Checks a name.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = |rule: &str| Err(Invalid::new("username", rule));
        match text.len() {
            0 => invalid("must not be empty for this sign-in method"),
            1..=MAX_NAME if !text.chars().any(char::is_control) => Ok(Self(text.to_owned())),
            1..=MAX_NAME => invalid("must have no control characters"),
            _ => invalid("is longer than 320 bytes"),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FederatedUser {
    /// Exactly one of the two.
    pub fn parse(username: &str, object_id: &str) -> Result<Self, Invalid> {
        let plain = |text: &str| text.len() <= MAX_NAME && text.bytes().all(|byte| byte.is_ascii_graphic());
        match (username.is_empty(), object_id.is_empty()) {
            (false, true) => Username::parse(username).map(Self::Name),
            (true, false) if plain(object_id) => Ok(Self::ObjectId(object_id.to_owned())),
            (true, false) => Err(Invalid::new("user_object_id", "must be visible ASCII without spaces")),
            (true, true) => Err(Invalid::new("username", "must be given, or user_object_id")),
            (false, false) => Err(Invalid::new("user_object_id", "cannot be given together with username")),
        }
    }

    fn parts(&self) -> (&str, &str) {
        match self {
            Self::Name(name) => (name.as_str(), ""),
            Self::ObjectId(id) => ("", id),
        }
    }
}

impl SignInMethod {
    /// By a password.
    pub fn password(username: &str, password: Secret) -> Result<Self, Invalid> {
        let rule = match password.expose().len() {
            0 => "must not be empty",
            1..=MAX_PASSWORD => {
                return Ok(Self::Password { username: Username::parse(username)?, password });
            }
            _ => "is longer than 4096 bytes",
        };
        Err(Invalid::new("password", rule))
    }

    /// By a federated identity credential.
    pub fn user_federated_identity_credential(user: FederatedUser, assertion: Secret) -> Result<Self, Invalid> {
        token("assertion", assertion).map(|assertion| Self::UserFederatedIdentityCredential { user, assertion })
    }

    /// By a refresh token from elsewhere.
    pub fn imported_token(refresh_token: Secret) -> Result<Self, Invalid> {
        token("refresh_token", refresh_token).map(Self::ImportedToken)
    }

    /// Its name, as the protocol spells it; without any of its facts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::DeviceCode => "device code",
            Self::Password { .. } => "password",
            Self::UserFederatedIdentityCredential { .. } => "user federated identity credential",
            Self::ImportedToken(_) => "refresh token",
        }
    }
}

fn token(field: &'static str, token: Secret) -> Result<Secret, Invalid> {
    let text = token.expose();
    let rule = match text.len() {
        0 => "must not be empty",
        1..=MAX_TOKEN if text.bytes().all(|byte| byte.is_ascii_graphic()) => return Ok(token),
        1..=MAX_TOKEN => "must be visible ASCII without spaces and line ends",
        _ => "is longer than 64 KiB",
    };
    Err(Invalid::new(field, rule))
}

/// The fields of `SignInRequest` that make it up.
pub(super) struct Parts {
    pub(super) method: i32,
    pub(super) username: String,
    pub(super) password: Secret,
    pub(super) assertion: Secret,
    pub(super) user_object_id: String,
    pub(super) refresh_token: Secret,
}

impl Parts {
    /// Which fields belong to no method but this one.
    fn foreign(&self, method: v1::SignInMethod) -> Option<&'static str> {
        use v1::SignInMethod::{Password, RefreshToken, UserFederatedIdentityCredential};
        let by_credential = method == UserFederatedIdentityCredential;
        let fields = [
            ("username", self.username.is_empty(), method == Password || by_credential),
            ("password", self.password.is_empty(), method == Password),
            ("assertion", self.assertion.is_empty(), by_credential),
            ("user_object_id", self.user_object_id.is_empty(), by_credential),
            ("refresh_token", self.refresh_token.is_empty(), method == RefreshToken),
        ];
        fields.into_iter().find(|(_, is_empty, belongs)| !is_empty && !belongs).map(|(name, ..)| name)
    }
}

pub(super) fn from_wire(parts: Parts) -> Result<SignInMethod, Invalid> {
    let method = v1::SignInMethod::try_from(parts.method)
        .map_err(|_| Invalid::new("method", "is not a sign-in method of this version"))?;
    if let Some(field) = parts.foreign(method) {
        return Err(Invalid::new(field, "is for another sign-in method"));
    }
    match method {
        v1::SignInMethod::Unspecified | v1::SignInMethod::Browser => Ok(SignInMethod::Browser),
        v1::SignInMethod::DeviceCode => Ok(SignInMethod::DeviceCode),
        v1::SignInMethod::Password => SignInMethod::password(&parts.username, parts.password),
        v1::SignInMethod::UserFederatedIdentityCredential => {
            let user = FederatedUser::parse(&parts.username, &parts.user_object_id)?;
            SignInMethod::user_federated_identity_credential(user, parts.assertion)
        }
        v1::SignInMethod::RefreshToken => SignInMethod::imported_token(parts.refresh_token),
    }
}

/// The method's own fields over a request.
pub(super) fn to_wire(method: &SignInMethod, request: v1::SignInRequest) -> v1::SignInRequest {
    let exposed = |secret: &Secret| secret.expose().to_owned();
    match method {
        SignInMethod::Browser => v1::SignInRequest { method: v1::SignInMethod::Browser.into(), ..request },
        SignInMethod::DeviceCode => v1::SignInRequest { method: v1::SignInMethod::DeviceCode.into(), ..request },
        SignInMethod::Password { username, password } => v1::SignInRequest {
            method: v1::SignInMethod::Password.into(),
            username: username.as_str().to_owned(),
            password: exposed(password),
            ..request
        },
        SignInMethod::UserFederatedIdentityCredential { user, assertion } => {
            let (username, object_id) = user.parts();
            v1::SignInRequest {
                method: v1::SignInMethod::UserFederatedIdentityCredential.into(),
                username: username.to_owned(),
                user_object_id: object_id.to_owned(),
                assertion: exposed(assertion),
                ..request
            }
        }
        SignInMethod::ImportedToken(refresh_token) => v1::SignInRequest {
            method: v1::SignInMethod::RefreshToken.into(),
            refresh_token: exposed(refresh_token),
            ..request
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{FederatedUser, SignInMethod, Username};
    use crate::{Invalid, Secret, calls::SignInRequest, wire::v1};

    fn parsed(request: v1::SignInRequest) -> Result<SignInMethod, (&'static str, String)> {
        let request = v1::SignInRequest { application: "work".into(), ..request };
        let told = |invalid: Invalid| (invalid.field, invalid.rule);
        SignInRequest::try_from(request).map(|request| request.method).map_err(told)
    }

    fn with(method: v1::SignInMethod) -> v1::SignInRequest {
        v1::SignInRequest { method: method.into(), ..v1::SignInRequest::default() }
    }

    #[test]
    fn every_method_goes_over_the_wire_and_back() {
        let secret = || Secret::new("s3cr3t");
        for method in [
            SignInMethod::Browser,
            SignInMethod::DeviceCode,
            SignInMethod::password("ada@contoso.example", secret()).unwrap(),
            SignInMethod::user_federated_identity_credential(FederatedUser::parse("ada", "").unwrap(), secret())
                .unwrap(),
            SignInMethod::user_federated_identity_credential(FederatedUser::parse("", "id").unwrap(), secret())
                .unwrap(),
            SignInMethod::imported_token(secret()).unwrap(),
        ] {
            let request = SignInRequest {
                method: method.clone(),
                ..SignInRequest::new(crate::oauth::ApplicationName::parse("application", "work").unwrap())
            };
            let wire = v1::SignInRequest::from(&request);
            let back = parsed(wire).expect("it reads back");
            assert_eq!(format!("{back:?}"), format!("{method:?}"));
            assert!(!format!("{request:?}").contains("s3cr3t"));
        }
    }

    #[test]
    fn what_a_method_lacks_and_what_is_not_its_own_is_named() {
        use v1::SignInMethod::{Browser, DeviceCode, Password, RefreshToken, UserFederatedIdentityCredential};
        let refused = |request| parsed(request).expect_err("refused").0;
        let text = || "x".to_owned();
        assert_eq!(refused(with(Password)), "password");
        assert_eq!(refused(v1::SignInRequest { password: text(), ..with(Password) }), "username");
        assert_eq!(refused(v1::SignInRequest { username: text(), ..with(Password) }), "password");
        assert_eq!(refused(v1::SignInRequest { password: text(), ..with(Browser) }), "password");
        assert_eq!(refused(v1::SignInRequest { refresh_token: text(), ..with(DeviceCode) }), "refresh_token");
        assert_eq!(refused(with(RefreshToken)), "refresh_token");
        assert_eq!(refused(v1::SignInRequest { refresh_token: "a\nb".into(), ..with(RefreshToken) }), "refresh_token");
        let credential = || v1::SignInRequest { assertion: text(), ..with(UserFederatedIdentityCredential) };
        assert_eq!(refused(credential()), "username");
        assert_eq!(
            refused(v1::SignInRequest { username: text(), user_object_id: text(), ..credential() }),
            "user_object_id"
        );
        assert_eq!(refused(v1::SignInRequest { user_object_id: "a b".into(), ..credential() }), "user_object_id");
        assert_eq!(
            refused(v1::SignInRequest { username: text(), ..with(UserFederatedIdentityCredential) }),
            "assertion"
        );
    }

    #[test]
    fn everything_is_bounded() {
        assert!(Username::parse(&"u".repeat(320)).is_ok() && Username::parse(&"u".repeat(321)).is_err());
        assert!(Username::parse("a\nb").is_err());
        let of_length = |length| SignInMethod::password("ada", Secret::new("p".repeat(length)));
        assert!(of_length(4096).is_ok() && of_length(4097).is_err());
        let token = |length| SignInMethod::imported_token(Secret::new("t".repeat(length)));
        assert!(token(64 * 1024).is_ok() && token(64 * 1024 + 1).is_err());
    }
}
