//! What commands that ask about events take: a filter, as words or as flags.

use clap::Args;
use daybook::query::filter::{Context, Filter};

use super::limits::{LimitsInput, RawLimits};
use crate::failure::Failure;

/// A filter as typed.
#[derive(Args, Debug, Default)]
pub struct RawFilter {
    /// Which events: kind:deploy severity>=error "rate limit" last:24h; after `--` if a term starts with `-`
    #[arg(value_name = "TERM")]
    pub terms: Vec<String>,
    #[command(flatten)]
    pub flags: RawFilterFlags,
}

/// The flags that stand for terms.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Which events")]
pub struct RawFilterFlags {
    /// The same as one text
    #[arg(long, value_name = "FILTER", allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Of this kind; several with commas; may be repeated
    #[arg(long, alias = "type", value_name = "KIND")]
    pub kind: Vec<String>,
    /// Of this level
    #[arg(long, value_name = "LEVEL")]
    pub level: Vec<String>,
    /// By this actor
    #[arg(long, alias = "user", value_name = "ACTOR")]
    pub actor: Vec<String>,
    /// About this file, or files below this folder
    #[arg(long, value_name = "PATH")]
    pub file: Vec<String>,
    /// With this text in the message, whatever the case
    #[arg(long, value_name = "TEXT")]
    pub text: Vec<String>,
    /// At this time or later: 2026-02-03, 2026-02-03T10:30, yesterday, -2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub until: Option<String>,
    #[command(flatten)]
    pub limits: RawLimits,
}

/// A filter that is not read yet, because that needs a clock; and what the question may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilterInput {
    /// The text of the grammar.
    pub text: String,
    /// Fields, and the values of flags, any of which matches.
    flags: Vec<(&'static str, Vec<String>)>,
    pub limits: LimitsInput,
}

impl RawFilter {
    pub fn check(self) -> Result<FilterInput, Failure> {
        self.flags.check(self.terms)
    }
}

impl RawFilterFlags {
    pub fn check(self, terms: Vec<String>) -> Result<FilterInput, Failure> {
        let text = match (self.filter, terms.is_empty()) {
            (Some(_), false) => {
                let message = "the filter is given twice, with `--filter` and as words";
                return Err(Failure::usage(message).hint("leave one out, or write all of it as one text"));
            }
            (Some(text), true) => text,
            (None, _) => terms.join(" "),
        };
        let one = |text: Option<String>| text.into_iter().collect();
        let flags = [
            ("kind", self.kind),
            ("level", self.level),
            ("actor", self.actor),
            ("file", self.file),
            ("message", self.text),
            ("since", one(self.since)),
            ("until", one(self.until)),
        ];
        let flags = flags.into_iter().filter(|(_, values)| !values.is_empty()).collect();
        Ok(FilterInput { text, flags, limits: self.limits.check() })
    }
}

impl FilterInput {
    /// A filter that is a text of the grammar.
    pub fn of_text(text: &str, limits: LimitsInput) -> FilterInput {
        FilterInput { text: text.to_string(), flags: Vec::new(), limits }
    }

    /// Reads the filter.
    pub fn read(&self, context: &Context<'_>) -> Result<Filter, Failure> {
        let text = &self.text;
        let mut parts = vec![Filter::parse(text, context).map_err(|error| error.into_error(text))?];
        for (field, values) in &self.flags {
            let any = values.iter().map(|value| Filter::flag(field, value, context));
            let any = any.collect::<Result<Vec<_>, _>>().map_err(daybook::Error::from)?;
            parts.push(Filter::or(any));
        }
        Ok(Filter::and(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(terms: &[&str], flags: RawFilterFlags) -> Result<String, String> {
        let raw = RawFilter { terms: terms.iter().map(ToString::to_string).collect(), flags };
        let input = raw.check().map_err(|failure| failure.message())?;
        let filter = input.read(&Context::new(0)).map_err(|failure| failure.message())?;
        Ok(filter.to_string())
    }

    #[test]
    fn words_are_one_filter() {
        assert_eq!(printed(&["kind:a", "x"], RawFilterFlags::default()), Ok("kind:a x".to_string()));
        assert_eq!(printed(&[], RawFilterFlags::default()), Ok("*".to_string()));
        let twice = RawFilterFlags { filter: Some("y".to_string()), ..RawFilterFlags::default() };
        assert!(printed(&["x"], twice).is_err_and(|message| message.contains("twice")));
    }

    #[test]
    fn flags_stand_for_terms() {
        let flags = RawFilterFlags {
            filter: Some("-status:success".to_string()),
            kind: vec!["a,b".to_string(), "c".to_string()],
            text: vec!["rate limit".to_string()],
            ..RawFilterFlags::default()
        };
        let expected = "-status:success (kind:a,b or kind:c) \"rate limit\"";
        assert_eq!(printed(&[], flags), Ok(expected.to_string()));
    }
}
