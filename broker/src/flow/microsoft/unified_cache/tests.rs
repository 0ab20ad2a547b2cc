//! Reading caches as several libraries write them, and files that are none.

use token_broker_proto::oauth::UnixTime;

use super::{Entry, MAX_ENTRY_BYTES, UnifiedCacheError, read};

/// What came of it, a word an entry, and how it ended.
fn entries(text: &str) -> (Vec<String>, Result<(), UnifiedCacheError>) {
    let mut found = Vec::new();
    let ended = read(text.as_bytes(), &mut |entry| {
        found.push(match entry {
            Entry::AccessToken(it) => {
                let time = |at: Option<UnixTime>| at.map(UnixTime::seconds);
                format!("at {} {:?} {:?} {:?}", it.client_id, it.target, time(it.expires_on), it.key_id)
            }
            Entry::RefreshToken(it) => format!("rt {} {:?}", it.client_id, it.family_id),
            Entry::IdToken(it) => format!("id {:?}", it.realm),
            Entry::Account(it) => format!("account {:?}", it.username),
            Entry::AppMetadata(it) => format!("app {:?}", it.family_id),
            Entry::Unreadable(section) => format!("unreadable {section:?}"),
        });
        true
    });
    (found, ended)
}

#[test]
fn times_are_texts_or_numbers_and_names_differ() {
    let (found, ended) = entries(
        r#"{"AccessToken":{
            "a":{"secret":"s","home_account_id":"u.t","environment":"e","client_id":"python","target":"A B","expires_on":"1700000000"},
            "b":{"secret":"s","home_account_id":null,"environment":"e","client_id":"go","expires_on":1700000001,"keyid":"k"},
            "c":{"secret":"s","environment":"e","client_id":"none"},
            "d":{"secret":"","environment":"e","client_id":"empty"},
            "e":{"secret":"s","environment":"e","client_id":"x","expires_on":"soon"},
            "f":17},
          "Own":{"anything":[1,2]},
          "RefreshToken":{"a":{"secret":"s","home_account_id":"u.t","environment":"e","client_id":"1","family_id":"1"}},
          "IdToken":{"a":{"secret":"s","home_account_id":"u.t","environment":"e","client_id":"c","realm":"t"}},
          "Account":{"a":{"home_account_id":"u.t","environment":"e","username":"ada"}},
          "AppMetadata":{"a":{"client_id":"c","environment":"e"}}}"#,
    );
    ended.unwrap();
    assert_eq!(
        found,
        [
            "at python Some(\"A B\") Some(1700000000) None",
            "at go None Some(1700000001) Some(\"k\")",
            "at none None None None",
            "unreadable AccessToken",
            "unreadable AccessToken",
            "unreadable AccessToken",
            "rt 1 Some(\"1\")",
            "id Some(\"t\")",
            "account Some(\"ada\")",
            "app None",
        ]
    );
}

#[test]
fn what_is_no_cache_is_refused_without_quoting_it() {
    for text in ["", "{", "[]", "<html>s3cr3t", r#"{"AccessToken":{"a":{"secret":"s3cr3t"#, r#"{"Account":{}} s3cr3t"#]
    {
        let error = entries(text).1.unwrap_err();
        assert!(matches!(error, UnifiedCacheError::NotACache(_)), "{text}: {error}");
        assert!(!error.to_string().contains("s3cr3t"), "{error}");
    }
    assert!(matches!(entries("{}").1, Err(UnifiedCacheError::NoSection)));
    assert!(matches!(entries(r#"{"version":2}"#).1, Err(UnifiedCacheError::NoSection)));
    let endless = format!(r#"{{"Account":{{"a":{{"username":"{}"}}}}}}"#, "x".repeat(2 * MAX_ENTRY_BYTES));
    assert!(matches!(entries(&endless).1, Err(UnifiedCacheError::TooLong)));
}

#[test]
fn a_section_of_others_may_be_as_long_as_it_likes() {
    let long = "x".repeat(2 * MAX_ENTRY_BYTES);
    let entry = r#"{"home_account_id":"a","environment":"e","local_account_id":"l","username":"ada"}"#;
    let text = format!(r#"{{"theirs":{{"a":"{long}"}},"Account":{{"a":{entry}}},"more":["{long}"]}}"#);
    let (found, ended) = entries(&text);
    assert!(ended.is_ok() && found.len() == 1, "{ended:?}, {found:?}");
}

#[test]
fn who_wants_no_more_gets_no_more() {
    let text =
        r#"{"Account":{"a":{"home_account_id":"a","environment":"e"},"b":{"home_account_id":"b","environment":"e"}}}"#;
    let mut taken = 0;
    let ended = read(text.as_bytes(), &mut |_| {
        taken += 1;
        false
    });
    assert!(matches!(ended, Err(UnifiedCacheError::Stopped)));
    assert_eq!(taken, 1);
}
