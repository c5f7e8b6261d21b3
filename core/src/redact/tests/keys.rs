use super::*;

fn default_rules() -> Rules {
    Rules::new(&RedactSettings::default(), None).unwrap()
}

#[test]
fn a_name_matches_keys_whose_words_end_with_it() {
    for key in [
        "password",
        "Password",
        "PASSWORD",
        "db_password",
        "userPassword",
        "user.password",
        "user password",
        "USER-PASSWORD",
        "passwd",
        "pwd",
        "access_token",
        "X-Auth-Token",
        "oauth2Token",
        "Authorization",
        "Proxy-Authorization",
        "api_key",
        "apiKey",
        "apikey",
        "APIKey",
        "X-API-Key",
        "x_api_key",
        "privateKey",
        "client_secret",
        "clientSecret",
        "cookie",
        "Set-Cookie",
        "user[password]",
        "DBPassword",
    ] {
        assert!(default_rules().is_sensitive_key(key.as_bytes()), "{key}");
    }
}

#[test]
fn other_keys_do_not_match() {
    for key in [
        "",
        "token_count",
        "tokens",
        "max_tokens",
        "tokenizer",
        "password_changed_at",
        "passwords",
        "key",
        "monkey_api_keys",
        "secretary",
        "cookies",
        "author",
        "_",
        "päss",
        "notoken",
        "kapikey",
    ] {
        assert!(!default_rules().is_sensitive_key(key.as_bytes()), "{key}");
    }
}

#[test]
fn settings_are_read_from_toml_and_written_to_it() {
    let text = "keys = ['pin']\npatterns = ['card', 'private_key', 'ip']\naction = 'hash'\n\
                max_value_bytes = 0\n[key_actions]\nsession_secret = 'drop'";
    let settings: RedactSettings = toml::from_str(text).unwrap();
    assert_eq!(settings.patterns, [Pattern::Card, Pattern::PrivateKey, Pattern::Ip]);
    assert_eq!(settings.key_actions.get("session_secret"), Some(&Action::Drop));
    assert!(settings.enabled && settings.action == Action::Hash && settings.max_value_bytes == 0);
    assert_eq!(toml::from_str::<RedactSettings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
    assert_eq!(toml::from_str::<RedactSettings>("").unwrap(), RedactSettings::default());
    assert!(toml::from_str::<RedactSettings>("action = 'Mask'").is_err());
    assert!(toml::from_str::<RedactSettings>("kyes = []").is_err());
}

#[test]
fn settings_that_cannot_be_applied_are_refused() {
    for settings in [
        with_action(Action::Hash),
        RedactSettings {
            key_actions: [("pin".to_string(), Action::Hash)].into(),
            ..RedactSettings::default()
        },
        RedactSettings { keys: vec!["_".to_string()], ..RedactSettings::default() },
        RedactSettings { max_value_bytes: 63, ..RedactSettings::default() },
    ] {
        assert_eq!(
            Rules::new(&settings, None).unwrap_err().kind(),
            crate::ErrorKind::Invalid,
            "{settings:?}"
        );
    }
    assert!(Rules::needs_key(&with_action(Action::Hash)));
    assert!(!Rules::needs_key(&RedactSettings { enabled: false, ..with_action(Action::Hash) }));
    assert!(!Rules::needs_key(&RedactSettings::default()));
}

#[test]
fn nothing_is_redacted_where_it_is_switched_off() {
    let mut off = redactor(&RedactSettings { enabled: false, ..RedactSettings::default() });
    let text = format!(r#"{{"password":"x","a":"{CARD} Bearer abcdefgh"}}"#);
    assert!(!off.is_suspect(text.as_bytes()));
    assert_eq!(record_with(&mut off, &text), text);
    assert_eq!(off.raw(b"password=x"), None);
    assert!(
        !Rules::new(&RedactSettings { enabled: false, ..RedactSettings::default() }, None)
            .unwrap()
            .is_sensitive_key(b"password")
    );
}

#[test]
fn the_longest_name_gives_the_action_and_the_count() {
    let key_actions = [("session_token".to_string(), Action::Drop)].into();
    let mut redactor = redactor(&RedactSettings { key_actions, ..RedactSettings::default() });
    let text = r#"{"sessionToken":"a","token":"b","db_password":1,"password":"","n":"4111111111111111"}"#;
    let expected = r#"{"token":"[redacted]","db_password":"[redacted]","password":"","n":"[redacted card]"}"#;
    assert_eq!(record_with(&mut redactor, text), expected);
    let counts = redactor.take_counts();
    let by_rule: Vec<(&str, u64)> =
        counts.by_rule.iter().map(|(rule, count)| (rule.as_str(), *count)).collect();
    assert_eq!(by_rule, [("card", 1), ("key password", 1), ("key session_token", 1), ("key token", 1)]);
    assert_eq!((counts.cut, counts.total()), (0, 4));
    assert_eq!(redactor.take_counts(), Counts::default());
    let mut sum = counts.clone();
    sum.add(&Counts { cut: 2, ..counts });
    assert_eq!((sum.total(), sum.by_rule.get("card")), (10, Some(&2)));
}
