//! Text of the grammar to a filter.

use super::build;
use super::error::{FilterError, quoted, too_many_terms};
use super::field::Field;
use super::lexer::{Cursor, Ends, in_quotes};
use super::time::Context;
use super::value::{Match, Value};
use super::{BYTES_MAX, Filter, NESTING_MAX, Op, TERMS_MAX, Term};

/// Reads a filter.
pub(super) fn parse(text: &str, context: &Context<'_>) -> Result<Filter, FilterError> {
    if text.len() > BYTES_MAX {
        let message = format!("the filter has {} bytes; it can have {BYTES_MAX}", text.len());
        return Err(FilterError::new(None, message));
    }
    let mut parser = Parser { cursor: Cursor::new(text), context, terms: 0 };
    parser.cursor.skip_blank();
    if parser.cursor.is_at_end() {
        return Ok(Filter::all());
    }
    let filter = parser.any(0)?;
    if parser.cursor.is_at_end() {
        return filter.within_limits();
    }
    let error = FilterError::new(Some(parser.cursor.at()), "there is no `(` for this `)`");
    Err(error.suggest("put text with parentheses in quotes"))
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    context: &'a Context<'a>,
    terms: usize,
}

impl Parser<'_> {
    /// Parts with `or` between them.
    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.every(depth)?];
        while self.cursor.keyword("or") {
            parts.push(self.every(depth)?);
        }
        Ok(Filter::or(parts))
    }

    /// Parts with `and` or nothing between them.
    fn every(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut parts = vec![self.one(depth)?];
        loop {
            self.cursor.skip_blank();
            if matches!(self.cursor.peek(), None | Some(')')) || self.cursor.is_keyword("or") {
                return Ok(Filter::and(parts));
            }
            self.cursor.keyword("and");
            parts.push(self.one(depth)?);
        }
    }

    /// A term, or parts in parentheses, or the negation of either.
    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        self.cursor.skip_blank();
        let at = self.cursor.at();
        if depth > NESTING_MAX {
            let message = format!("the filter is nested deeper than {NESTING_MAX} levels");
            return Err(FilterError::new(Some(at), message));
        }
        let deeper = depth.saturating_add(1);
        if self.cursor.keyword("not") {
            return Ok(self.one(deeper)?.negated());
        }
        for word in ["and", "or"] {
            if self.cursor.is_keyword(word) {
                let error = FilterError::new(Some(at), format!("there is no term before this `{word}`"));
                return Err(error.suggest(format!("to find the word, write \"{word}\"")));
            }
        }
        match self.cursor.peek() {
            None => Err(FilterError::new(Some(at), "the filter ends here").expected("a term")),
            Some('-') => {
                self.check_negation()?;
                self.cursor.next();
                Ok(self.one(deeper)?.negated())
            }
            Some('(') => self.group(deeper),
            Some(')') => Err(FilterError::new(Some(at), "there is no term before this `)`")
                .suggest("put text with parentheses in quotes")),
            Some(_) => self.term(),
        }
    }

    /// What follows a minus must be what it negates.
    fn check_negation(&self) -> Result<(), FilterError> {
        let mut after = self.cursor.clone();
        after.next();
        if after.is_at_boundary() {
            let error = FilterError::new(Some(self.cursor.at()), "there is no term after this `-`");
            return Err(error.suggest("write `-` right before the term, or \"-\" in quotes for the text"));
        }
        if after.peek() != Some('-') {
            return Ok(());
        }
        after.next();
        let word: String = after.rest().chars().take_while(|char| char.is_ascii_alphanumeric()).collect();
        let error = FilterError::new(Some(self.cursor.at()), "a flag cannot stand inside a filter");
        Err(match word.is_empty() {
            true => error.suggest("one `-` negates"),
            false => error.suggest(format!("write `{word}:VALUE`, or flags before the filter")),
        })
    }

    fn group(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let opened = self.cursor.at();
        self.cursor.next();
        self.cursor.skip_blank();
        if self.cursor.peek() == Some(')') {
            let error = FilterError::new(Some(opened), "there is nothing in these parentheses");
            return Err(error.expected("a term").suggest("put text with parentheses in quotes"));
        }
        let inner = self.any(depth)?;
        if !self.cursor.take(")") {
            return Err(FilterError::new(Some(opened), "this `(` is not closed").expected("a `)`"));
        }
        Ok(inner)
    }

    fn term(&mut self) -> Result<Filter, FilterError> {
        let at = self.cursor.at();
        let filter = match self.cursor.peek() {
            Some('/') => self.word(at)?,
            _ => {
                let before = self.cursor.clone();
                match self.cursor.name()? {
                    Some(field) if self.cursor.operator().is_some() => self.comparison(field)?,
                    _ => {
                        self.cursor = before;
                        self.word(at)?
                    }
                }
            }
        };
        self.check_boundary()?;
        Ok(filter)
    }

    /// A text, pattern or regex of the message.
    fn word(&mut self, at: usize) -> Result<Filter, FilterError> {
        self.count(at)?;
        let value = match self.cursor.peek() {
            Some('/') => self.cursor.regex()?,
            Some('"') => Value::text(self.cursor.quoted()?).at(at),
            _ => Value::new(self.cursor.bare(Ends::Word)).at(at),
        };
        if value.is_any() {
            return Ok(Filter::all());
        }
        Ok(Filter::Term(Term::Text(value)))
    }

    fn check_boundary(&self) -> Result<(), FilterError> {
        if self.cursor.is_at_boundary() {
            return Ok(());
        }
        let next = self.cursor.rest().chars().next().unwrap_or_default();
        let error = FilterError::new(Some(self.cursor.at()), format!("a term ends before this `{next}`"));
        Err(error
            .expected("a space")
            .suggest("put text with parentheses or quotes in quotes: \"f(x)\", \"say \\\"hi\\\"\""))
    }

    /// What follows the name of a field.
    fn comparison(&mut self, field: Field) -> Result<Filter, FilterError> {
        let at = self.cursor.at();
        let Some(op) = self.cursor.operator() else {
            return Err(FilterError::new(Some(at), "there is no operator").expected("`:`"));
        };
        self.cursor.take(op.sign());
        self.check_operator(&field, op, at)?;
        if op == Op::Has && self.cursor.rest().starts_with("//") {
            let rest = self.cursor.rest().split(char::is_whitespace).next().unwrap_or_default();
            let error = FilterError::new(field.place.0, "a term with `://` is no comparison");
            return Err(error.suggest(format!("write {}", in_quotes(&format!("{field}:{rest}")))));
        }
        if field.is("entity") {
            return self.entity(op);
        }
        let mut values = vec![self.value(&field)?];
        while self.cursor.take(",") {
            values.push(self.value(&field)?);
        }
        build::comparison(field, op, values, self.context)
    }

    /// Operators of other languages.
    fn check_operator(&self, field: &Field, op: Op, at: usize) -> Result<(), FilterError> {
        let more: String =
            self.cursor.rest().chars().take_while(|char| matches!(char, '=' | '<' | '>' | '!')).collect();
        let meant = match (op, more.as_str()) {
            (_, "") => return Ok(()),
            (Op::Equal, "=" | "==") => "=",
            (Op::Equal, ">") => ">=",
            (Op::Equal, "<") => "<=",
            (Op::Less, ">") | (Op::Has, "!" | "!=") => "!=",
            (Op::Has, ">" | ">=" | "<" | "<=" | "=") => more.as_str(),
            _ => {
                let message = format!("`{}{more}` is no operator", op.sign());
                let error = FilterError::new(Some(at), message);
                return Err(error.expected("one of `:`, `=`, `!=`, `>`, `>=`, `<`, `<=`"));
            }
        };
        let error = FilterError::new(Some(at), format!("`{}{more}` is no operator", op.sign()));
        Err(error.suggest(format!("write `{field}{meant}...`, or put the value in quotes")))
    }

    fn value(&mut self, field: &Field) -> Result<Value, FilterError> {
        let at = self.cursor.at();
        self.count(at)?;
        match self.cursor.peek() {
            Some('"') => Ok(Value::text(self.cursor.quoted()?).at(at)),
            Some('/') if !build::takes_paths(field) => self.cursor.regex(),
            Some('(') => {
                let error = FilterError::new(Some(at), "values do not stand in parentheses");
                Err(error.suggest(format!("write `{field}:a,b` for either, or put the value in quotes")))
            }
            _ => {
                let matches = self.cursor.bare(Ends::Value);
                self.check_value(field, &matches, at)?;
                Ok(Value::new(matches).at(at))
            }
        }
    }

    fn check_value(&self, field: &Field, matches: &Match, at: usize) -> Result<(), FilterError> {
        if !matches!(matches, Match::Text(text) if text.is_empty()) {
            return Ok(());
        }
        let error = FilterError::new(Some(at), "there is no value here").expected("a value");
        let mut after = self.cursor.clone();
        after.skip_blank();
        let next = after.rest().split(|char: char| char.is_whitespace() || char == ')').next();
        Err(match next.filter(|next| !next.is_empty() && after.at() > at) {
            Some(next) => {
                error.suggest(format!("write {} without the space", quoted(&format!("{field}:{next}"))))
            }
            None => {
                error.suggest(format!("write `{field}:\"\"` for the empty text, `-{field}:*` for no value"))
            }
        })
    }

    /// `TYPE:ID`, either in quotes.
    fn entity(&mut self, op: Op) -> Result<Filter, FilterError> {
        let at = self.cursor.at();
        let entity_type = self.entity_part(Ends::ValueBeforeColon)?;
        if entity_type.is_any() && self.cursor.is_at_boundary() {
            return build::entity_present(op, at);
        }
        let has_type = entity_type.as_text() != Some("");
        if !has_type || !self.cursor.take(":") {
            let written = entity_type.as_text().unwrap_or_default();
            let error = FilterError::new(Some(at), "an entity is its type and its id").expected("`TYPE:ID`");
            let hint = format!("for all entities of a type, write `entity_type:{}`", in_quotes(written));
            return Err(if has_type { error.suggest(hint) } else { error });
        }
        let id_at = self.cursor.at();
        let id = self.entity_part(Ends::Value)?;
        if id.as_text() == Some("") && self.cursor.at() == id_at {
            return Err(FilterError::new(Some(id_at), "there is no id here").expected("`TYPE:ID`"));
        }
        build::entity_comparison(op, entity_type, id, at)
    }

    fn entity_part(&mut self, ends: Ends) -> Result<Value, FilterError> {
        let at = self.cursor.at();
        self.count(at)?;
        match self.cursor.peek() {
            Some('"') => Ok(Value::text(self.cursor.quoted()?).at(at)),
            _ => Ok(Value::new(self.cursor.bare(ends)).at(at)),
        }
    }

    fn count(&mut self, at: usize) -> Result<(), FilterError> {
        self.terms = self.terms.saturating_add(1);
        if self.terms > TERMS_MAX { Err(too_many_terms(Some(at))) } else { Ok(()) }
    }
}
