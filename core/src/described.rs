//! Settings that describe themselves: each key's text, type and place come from where it is declared.

use std::collections::BTreeMap;

/// A key of the settings.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it is for: the comment at its declaration.
    pub about: String,
    /// What it takes.
    pub takes: Takes,
}

/// What a key takes.
#[derive(Clone, Debug)]
pub enum Takes {
    /// A value, described in words.
    Value(String),
    /// A table of other keys.
    Table(Vec<Key>),
    /// Tables of these keys under names of the user's.
    Named(Vec<Key>),
    /// Tables of these keys, one after the other.
    List(Vec<Key>),
}

/// A type that settings have.
pub trait Setting {
    /// What a key of the type takes.
    fn takes() -> Takes;
}

/// Declares a struct of settings, whose fields are keys with the comments in front of them.
macro_rules! described {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $about:literal])+ pub $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[doc = $about])+ pub $field: $type,)*
        }

        impl $crate::described::Setting for $name {
            fn takes() -> $crate::described::Takes {
                $crate::described::Takes::Table(vec![
                    $($crate::described::Key {
                        name: stringify!($field),
                        about: concat!($($about),+).trim().to_string(),
                        takes: <$type as $crate::described::Setting>::takes(),
                    },)*
                ])
            }
        }
    };
}
pub(crate) use described;

macro_rules! values {
    ($($type:ty => $words:literal),* $(,)?) => {
        $(impl Setting for $type {
            fn takes() -> Takes {
                Takes::Value($words.to_string())
            }
        })*
    };
}

values! {
    bool => "true or false",
    u8 => "number",
    u32 => "number",
    u64 => "number",
    usize => "number",
    i64 => "number",
    f64 => "number",
    String => "text",
}

impl<T: Setting> Setting for Option<T> {
    fn takes() -> Takes {
        T::takes()
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn takes() -> Takes {
        match T::takes() {
            Takes::Value(words) => Takes::Value(format!("list of: {words}")),
            Takes::Table(keys) | Takes::Named(keys) | Takes::List(keys) => Takes::List(keys),
        }
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn takes() -> Takes {
        match T::takes() {
            Takes::Value(words) => Takes::Value(format!("table of names, each with: {words}")),
            Takes::Table(keys) | Takes::Named(keys) | Takes::List(keys) => Takes::Named(keys),
        }
    }
}
