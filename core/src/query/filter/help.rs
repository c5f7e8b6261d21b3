//! The reference of the grammar.

/// The grammar on one page.
pub const HELP: &str = r#"A filter is terms with spaces between them; an event must match all.

Fields
  kind:file_update         the value is this, letter by letter
  kind:login,logout        any of these
  status_code>=500         also > < <= = != ; numbers compare as numbers, text as text
  artist:*                 has a value
  http.status:404          a field by its path; "http.status":404 is a key with a dot
  path:/^\/api\/v[12]/     a regex
  actor:ann*,b?b           wildcards: * is any text, ? a character
  title:"rate limit: 5"    quotes around spaces, commas, wildcards and a leading /
  tags:urgent              a list has this element
  duration_ms>=1.5s        durations may have a unit
Other names: type is kind, user is actor, text is message, trace is trace_id, id is event_id.
They beat a field of the same name, which is reached in quotes: "type":x

Messages
  timeout  "rate limit"    the message contains this, whatever the case
  ?out  t*out              with wildcards
  /time ?out/              a regex that minds the case; /(?i)time ?out/ does not
  message="exactly this"   the whole message

Time
  last:24h                 s, m, h, d, w; also 1h30m
  since:2026-02-03         from then on; also now, today, yesterday, -2h, 2026-02-03T10:00+01:00
  until:2026-02-04T12:00   before then
  day:2026-02-03           a day in UTC; also day:today, day:2026-02-01..2026-02-05

Severity and errors
  severity>=error          trace, debug, info, notice, warning, error, critical
  level:error              a severity by name; other words as written, whatever the case
  is:error                 severity error or worse, or status failure, failed, error or timeout

Entities
  file:api/                files below a path; file:api/a.rs is that file
  entity:order:42          an entity by type and id

Together
  -status:success          not; also `not status:success`. Events without a status match too
  a b or c                 `or` binds less than a space or `and`; parentheses group
  *                        everything
A backslash makes the next mark or space plain text. The words and, or, not go in quotes.
"#;
