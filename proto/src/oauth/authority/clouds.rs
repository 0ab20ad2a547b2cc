//! The clouds of Microsoft Entra ID: hosts that are one place under several names, as its instance discovery groups them. What
//! stands here is known without asking; a host that does not is asked about.

/// Each cloud's hosts, the name that its accounts are kept under first.
const CLOUDS: [&[&str]; 8] = [
    &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
    &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    &["login.microsoftonline.us", "login.usgovcloudapi.net"],
    &["login-us.microsoftonline.com"],
    &["login.microsoftonline.de"],
    &["login.sovcloud-identity.fr"],
    &["login.sovcloud-identity.de"],
    &["login.sovcloud-identity.sg"],
];

/// The one name of a host's cloud; a host that is not known is its own.
#[must_use]
pub fn name(host: &str) -> String {
    aliases(host).first().copied().unwrap_or(host).to_owned()
}

/// Every host of the cloud of this one; none for a host that is not known.
#[must_use]
pub fn aliases(host: &str) -> &'static [&'static str] {
    CLOUDS.iter().find(|hosts| hosts.contains(&host)).copied().unwrap_or_default()
}

/// Whether the host is one of Microsoft's own, known beforehand.
#[must_use]
pub fn is_well_known(host: &str) -> bool {
    !aliases(host).is_empty()
}
