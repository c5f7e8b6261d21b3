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
  daybook sql \"SELECT * FROM events WHERE kind IN \\$kinds\" --param 'kinds:=[\"login\",\"logout\"]'
  daybook sql \"FROM events WHERE ts > now() - INTERVAL 7 DAY\" --output week.parquet
  daybook sql \"SELECT count(*) FROM events\" --at 2026-02-01T00:00:00Z
  daybook sql - < report.sql

Tables: events, quarantine, commits. The SQL is DuckDB's, and only reads.
--param NAME=TEXT is text, which compares with numbers and times too; NAME:=JSON is a number, a truth
value, null, a list or text in quotes.
--output FILE takes the format from the name where --format does not say it.";

pub const SHELL: &str = "\
Examples:
  daybook shell
  daybook shell --timeout 30s
  daybook shell --format csv < questions.sql

A statement ends with `;`. Tab completes tables, columns, and values after `column = '`. Ctrl-C stops a
query or clears the line, Ctrl-D leaves. `.help` lists the commands that begin with a dot.
Without a terminal, statements come from standard input, and the first that fails ends it.";

pub const CONFIG: &str = "\
Examples:
  daybook config check
  daybook config show --store /var/lib/my-app/daybook
  daybook config reference

The settings are in daybook.toml in the folder of the store, which need not be there yet.";

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
  daybook export failures.csv is:error last:30d
  daybook export logins.parquet --filter 'kind:login -actor:admin'
  daybook export - --original | gzip > events.jsonl.gz

FILE gets its name only when it is complete. Its name says the format (.jsonl, .json, .csv, .parquet,
.arrow) where --format does not. Times are in UTC.";

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
