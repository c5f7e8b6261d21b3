//! Examples and tables at the end of each command's help.

pub const ROOT: &str = "\
Examples:
  daybook demo                                    a year of sample events to explore
  daybook log deploy \"version 2.1 is live\"        one event
  daybook ingest app.jsonl.zst                    a whole file
  daybook sql \"SELECT kind, count(*) FROM events GROUP BY kind\"

Exit codes:
  0    done
  1    a failure that you can mend, a refused or timed-out query, or a check that found something
  2    wrong usage, or SQL that does not parse
  70   a defect in Daybook
  130  Ctrl-C";

pub const DEMO: &str = "\
Examples:
  daybook demo
  daybook demo --until 2026-06-30 --store /tmp/demo";

pub const LOG: &str = "\
Examples:
  daybook log deploy \"version 2.1 is live\" --actor ci --level info
  daybook log edit \"limit raised\" --entity file:limits.toml --before '{\"max\":10}' --after @new.json
  daybook log payment \"card charged\" --status success --field amount=12.5 --field currency=EUR
  my-app | daybook log -

With `-`, each line of standard input is one JSON event. One line is printed for each, in order, as
soon as the event is on disk: its seq, or `quarantined: why` for a line that cannot be read. Blank
lines are skipped.

VALUE of --field is taken as JSON where it is JSON (12.5, true, [1,2], \"12\"), else as text.";

pub const INGEST: &str = "\
Examples:
  daybook ingest app.jsonl
  daybook ingest logs/2026-02-*.jsonl.gz
  zcat old.jsonl.gz | daybook ingest - --json

The same file twice is stored once; a file that grew continues where it stopped. What cannot be
read is kept with its reason in the table `quarantine`.";

pub const SQL: &str = "\
Examples:
  daybook sql \"SELECT * FROM events ORDER BY ts DESC LIMIT 10\"
  daybook sql \"SELECT day, count(*) FROM events WHERE severity >= 17 GROUP BY day\" --json
  daybook sql \"SELECT * FROM events WHERE actor = \\$who\" --param who=alice --format csv
  daybook sql \"SELECT count(*) FROM events\" --at 2026-02-01T00:00:00Z
  daybook sql - < report.sql

Tables: events, quarantine, commits. The SQL is DuckDB's, and only reads.
VALUE of --param is taken as JSON where it is JSON (12.5, true, \"12\"), else as text.";

pub const SEARCH: &str = "\
Examples:
  daybook search \"rate limit\" level>=error last:24h
  daybook search --kind file_update --file api/ --since 2026-02-01
  daybook search -- kind:deploy -status:success
  daybook search actor:alice --columns ts,kind,http.status --limit 20
  daybook search is:error --json

The words are one filter: field:value, field>=value, field:a,b, field:*, -term, not, or, ( ),
\"quoted text\", /regex/, wild*cards, last:24h, since:, until:, day:2026-02-03, file:api/, is:error.
A bare word is searched for in the message, whatever the case.";

pub const RECENT: &str = "\
Examples:
  daybook recent
  daybook recent --hours 2 --limit 20 --kind deploy";

pub const FAILURES: &str = "\
Examples:
  daybook failures
  daybook failures --minutes 120 source:hubspot

An event is an error if its severity is error or graver, or its status is failure, failed, error or
timeout.";

pub const STATS: &str = "\
Examples:
  daybook stats
  daybook stats kind:crm_* last:7d
  daybook stats --json | jq .by_kind";

pub const TIMELINE: &str = "\
Examples:
  daybook timeline last:24h
  daybook timeline is:error --every 1d
  daybook timeline --by kind --every 1h --since yesterday

Stretches begin at whole minutes, hours and days in UTC.";

pub const FACETS: &str = "\
Examples:
  daybook facets --by kind
  daybook facets --by actor,status,http.method --limit 5 last:7d";

pub const SCHEMA: &str = "\
Examples:
  daybook schema
  daybook schema --json";

pub const INFO: &str = "\
Examples:
  daybook info
  daybook info --json --store /var/lib/my-app/daybook";

pub const EXPORT: &str = "\
Examples:
  daybook export events.jsonl
  daybook export - --original | gzip > events.jsonl.gz

FILE gets its name only when it is complete.";

pub const COMPACT: &str = "\
Examples:
  daybook compact
  daybook compact --day 2026-02-03";

pub const COMPLETIONS: &str = "\
Examples:
  daybook completions bash > ~/.local/share/bash-completion/completions/daybook
  daybook completions zsh > ~/.zfunc/_daybook
  daybook completions fish > ~/.config/fish/completions/daybook.fish";

pub const MAN: &str = "\
Examples:
  daybook man | man -l -
  daybook man sql > daybook-sql.1";
