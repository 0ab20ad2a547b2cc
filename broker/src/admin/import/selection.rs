//! What of a cache belongs to an application: entries of its client id, in its cloud by whichever alias, that still are good for
//! something. Counts what is left out, by kind and reason. The users come last: they are those whose tokens were taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use token_broker_proto::{
    calls::{ImportReport, ImportedKind, LeftOut},
    oauth::{ScopeSet, UnixTime, clouds},
};

use crate::{
    flow::microsoft::unified_cache::{AccessTokenEntry, AccountEntry, Entry, IdTokenEntry, RefreshTokenEntry, Section},
    model::{
        CachedToken, Client, Grant, GrantHolder, GrantKey, IdentityDocuments, RefreshToken, RegisteredApplication,
        TokenPartition, User,
    },
    store::{ImportRecord, Imported},
};

/// Scopes of a cache may hold what no scope may; such an entry cannot be matched.
const BAD_SCOPES: &str = "its scopes cannot be read";
const OTHER_CLIENT: &str = "of another client";
const OTHER_CLOUD: &str = "of another cloud or provider";
const EXPIRED: &str = "expired";
const ON_BEHALF_OF: &str = "got on behalf of another token";
const UNREADABLE: &str = "not as it should be";
const NO_TOKEN: &str = "none of its tokens was taken";

/// Chooses and counts.
pub(super) struct Selection {
    client: Client,
    now: UnixTime,
    /// The family that the application's client belongs to, as the file has it.
    family: Option<String>,
    /// Refresh tokens that name a family and no client.
    of_families: Vec<RefreshTokenEntry>,
    /// Users of the file, by home account id.
    users: HashMap<String, User>,
    /// The newest of each grant that came by.
    grants: HashMap<GrantKey, UnixTime>,
    /// Whose tokens were taken.
    owners: HashSet<String>,
    taken: BTreeMap<ImportedKind, u64>,
    known: u64,
    left_out: BTreeMap<(ImportedKind, &'static str), u64>,
}

impl Selection {
    pub(super) fn new(application: &RegisteredApplication, now: UnixTime) -> Self {
        Self {
            client: application.client(),
            now,
            family: None,
            of_families: Vec::new(),
            users: HashMap::new(),
            grants: HashMap::new(),
            owners: HashSet::new(),
            taken: BTreeMap::new(),
            known: 0,
            left_out: BTreeMap::new(),
        }
    }

    /// What to save of an entry.
    pub(super) fn take(&mut self, entry: Entry) -> Option<ImportRecord> {
        let (kind, taken) = match entry {
            Entry::AccessToken(entry) => (ImportedKind::AccessToken, self.access_token(entry)),
            Entry::RefreshToken(entry) if entry.family_id.as_ref() == Some(&entry.client_id) => {
                self.of_families.push(entry);
                return None;
            }
            Entry::RefreshToken(entry) => return self.taken_grant(entry),
            Entry::IdToken(entry) => (ImportedKind::IdToken, self.id_token(entry)),
            Entry::Account(entry) => {
                self.note_user(entry);
                return None;
            }
            Entry::AppMetadata(entry) => {
                if self.is_ours(&entry.client_id, &entry.environment).is_ok() {
                    self.family = entry.family_id.filter(|family| !family.is_empty());
                }
                return None;
            }
            Entry::Unreadable(section) => (kind_of(section)?, Err(UNREADABLE)),
        };
        match taken {
            Ok(record) => Some(record),
            Err(why) => {
                self.leave_out(kind, why);
                None
            }
        }
    }

    /// The grant of a refresh token, unless one as new came by.
    fn taken_grant(&mut self, entry: RefreshTokenEntry) -> Option<ImportRecord> {
        match self.refresh_token(entry) {
            Ok((key, grant)) if self.is_newest(&key, &grant) => Some(ImportRecord::Grant(key, grant)),
            Ok(_) => {
                self.known += 1;
                None
            }
            Err(why) => {
                self.leave_out(ImportedKind::RefreshToken, why);
                None
            }
        }
    }

    /// What every entry had to be seen for: the grants of the application's family, and the users whose tokens were taken.
    pub(super) fn rest(&mut self) -> Vec<ImportRecord> {
        let of_families = std::mem::take(&mut self.of_families);
        let client_id = self.client.client_id.to_string();
        let known = |entry: RefreshTokenEntry| match &self.family {
            // .NET and Java write the family where others write the client that signed in.
            Some(family) if *family == entry.client_id => RefreshTokenEntry { client_id: client_id.clone(), ..entry },
            _ => entry,
        };
        let of_families: Vec<_> = of_families.into_iter().map(known).collect();
        let mut rest: Vec<_> = of_families.into_iter().filter_map(|entry| self.taken_grant(entry)).collect();
        rest.extend(self.users());
        rest
    }

    fn users(&mut self) -> Vec<ImportRecord> {
        let users = std::mem::take(&mut self.users);
        let (owners, others): (Vec<_>, Vec<_>) = users.into_iter().partition(|(home, _)| self.owners.contains(home));
        for _ in others {
            self.leave_out(ImportedKind::Account, NO_TOKEN);
        }
        owners.into_iter().map(|(_, user)| ImportRecord::User(user)).collect()
    }

    /// Counts what became of one.
    pub(super) fn count(&mut self, kind: ImportedKind, outcome: Imported) {
        match outcome {
            Imported::Taken => *self.taken.entry(kind).or_default() += 1,
            Imported::Known => self.known += 1,
        }
    }

    pub(super) fn report(self) -> ImportReport {
        let left_out = self.left_out.into_iter();
        ImportReport {
            taken: self.taken,
            known: self.known,
            left_out: left_out.map(|((kind, why), count)| LeftOut { kind, why: why.to_owned(), count }).collect(),
        }
    }

    fn leave_out(&mut self, kind: ImportedKind, why: &'static str) {
        *self.left_out.entry((kind, why)).or_default() += 1;
    }

    /// Whether an entry of this client and cloud is the application's.
    fn is_ours(&self, client_id: &str, environment: &str) -> Result<(), &'static str> {
        if client_id != self.client.client_id.as_str() {
            Err(OTHER_CLIENT)
        } else if !self.is_our_cloud(environment) {
            Err(OTHER_CLOUD)
        } else {
            Ok(())
        }
    }

    /// Whether a host is one of the application's cloud.
    fn is_our_cloud(&self, environment: &str) -> bool {
        clouds::name(&environment.to_ascii_lowercase()) == self.client.environment
    }

    fn access_token(&mut self, entry: AccessTokenEntry) -> Result<ImportRecord, &'static str> {
        self.is_ours(&entry.client_id, &entry.environment)?;
        if entry.user_assertion_hash.is_some() {
            return Err(ON_BEHALF_OF);
        }
        let expires_on = entry.expires_on.ok_or(UNREADABLE)?;
        if expires_on <= self.now {
            return Err(EXPIRED);
        }
        let token_type = entry.token_type.filter(|it| !it.is_empty()).unwrap_or_else(|| "Bearer".to_owned());
        let home_account_id = entry.home_account_id.filter(|home| !home.is_empty());
        let token = CachedToken {
            access_token: entry.secret,
            scopes: scopes(entry.target.as_deref())?,
            issued_on: entry.cached_at.unwrap_or(self.now),
            expires_on,
            refresh_on: entry.refresh_on,
            token_type: token_type.clone(),
            subject: None,
        };
        self.owners.extend(home_account_id.clone());
        let partition = TokenPartition {
            environment: self.client.environment.clone(),
            client_id: self.client.client_id.clone(),
            home_account_id,
            tenant: entry.realm.unwrap_or_default().to_lowercase(),
            token_type: token_type.to_lowercase(),
            key_id: entry.key_id.unwrap_or_default(),
            extra: entry.ext_cache_key.unwrap_or_default(),
        };
        Ok(ImportRecord::AccessToken(partition, token))
    }

    fn refresh_token(&mut self, entry: RefreshTokenEntry) -> Result<(GrantKey, Grant), &'static str> {
        let family = entry.family_id.filter(|family| !family.is_empty());
        self.is_ours(&entry.client_id, &entry.environment)?;
        if entry.user_assertion_hash.is_some() {
            return Err(ON_BEHALF_OF);
        }
        let obtained_on = entry.last_modification_time.unwrap_or(UnixTime::from_seconds(0));
        let grant = Grant::issued(RefreshToken::new(entry.secret), scopes(entry.target.as_deref())?, obtained_on);
        self.owners.insert(entry.home_account_id.clone());
        let holder = family.map_or_else(|| GrantHolder::Client(self.client.client_id.clone()), GrantHolder::Family);
        let key =
            GrantKey { environment: self.client.environment.clone(), holder, home_account_id: entry.home_account_id };
        Ok((key, grant))
    }

    /// Whether no other entry for this grant was as new. MSAL keeps one for every set of scopes.
    fn is_newest(&mut self, key: &GrantKey, grant: &Grant) -> bool {
        let newest = self.grants.entry(key.clone()).or_insert(UnixTime::from_seconds(i64::MIN));
        let newer = grant.obtained_on > *newest;
        *newest = grant.obtained_on.max(*newest);
        newer
    }

    fn id_token(&mut self, entry: IdTokenEntry) -> Result<ImportRecord, &'static str> {
        self.is_ours(&entry.client_id, &entry.environment)?;
        Ok(ImportRecord::Identity {
            tenant: entry.realm.unwrap_or_default().to_lowercase(),
            home_account_id: entry.home_account_id,
            documents: IdentityDocuments { id_token: entry.secret, client_info: None },
        })
    }

    /// An account has no client: whose it is, its tokens say. The first of an account's tenants is kept.
    fn note_user(&mut self, entry: AccountEntry) {
        if !self.is_our_cloud(&entry.environment) {
            return self.leave_out(ImportedKind::Account, OTHER_CLOUD);
        }
        let home_account_id = entry.home_account_id;
        let local = || home_account_id.split('.').next().unwrap_or_default().to_owned();
        let user = User {
            local_account_id: entry.local_account_id.unwrap_or_else(local),
            username: entry.username.unwrap_or_default(),
            name: entry.name,
            tenant: entry.realm.unwrap_or_default().to_lowercase(),
            home_account_id: home_account_id.clone(),
        };
        self.users.entry(home_account_id).or_insert(user);
    }
}

/// The kind of a record.
pub(super) fn kind(record: &ImportRecord) -> ImportedKind {
    match record {
        ImportRecord::AccessToken(..) => ImportedKind::AccessToken,
        ImportRecord::Grant(..) => ImportedKind::RefreshToken,
        ImportRecord::Identity { .. } => ImportedKind::IdToken,
        ImportRecord::User(_) => ImportedKind::Account,
    }
}

/// The kind of a section's entries; none of what is not shown to people.
fn kind_of(section: Section) -> Option<ImportedKind> {
    match section {
        Section::AccessToken => Some(ImportedKind::AccessToken),
        Section::RefreshToken => Some(ImportedKind::RefreshToken),
        Section::IdToken => Some(ImportedKind::IdToken),
        Section::Account => Some(ImportedKind::Account),
        Section::AppMetadata => None,
    }
}

fn scopes(target: Option<&str>) -> Result<ScopeSet, &'static str> {
    ScopeSet::parse(target).map_err(|_| BAD_SCOPES)
}
