//! Examples and tables at the end of each command's help.

pub const ROOT: &str = "\
Examples:
  daybook demo                                    a year of sample events to explore
  daybook log deploy \"version 2.1 is live\"        one event
  daybook ingest app.jsonl.zst                    a whole file
  daybook search is:error last:24h                the newest errors
  daybook stats                                   how much there is of what
  daybook sql \"SELECT kind, count(*) FROM events GROUP BY kind\"

Exit codes:
  0    done
  1    a failure that you can mend, a refused or timed-out query, or a check that found something
  2    wrong usage, or SQL or a filter that does not parse
  70   a defect in Daybook
  130  Ctrl-C";

pub const DEMO: &str = "\
Examples:
  daybook demo
  daybook demo --until 2026-06-30 --store /tmp/demo
  daybook demo --events 1000000 --store /tmp/large";

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
  daybook ingest --follow /var/log/nginx/access.log /var/log/syslog

The same file twice is stored once; a file that grew continues where it stopped. What cannot be
read is kept with its reason: see `daybook quarantine`.

With --follow, what is in the files is stored, and each further line within a second. A file that
is rotated is read to its end, and the one that takes its place from its beginning; one that is not
there is waited for. Stopped with Ctrl-C, SIGTERM or kill -9, the same command goes on where it was,
also with lines that were rotated away meanwhile.";

pub const QUARANTINE: &str = "\
Examples:
  daybook quarantine
  daybook quarantine list --reason \"not JSON\"
  daybook quarantine retry --from text --input app.log

What cannot be read is kept here with the reason, its input and where it stood, and without its
secrets. The table `quarantine` has all of it for SQL.";

pub const QUARANTINE_SUMMARY: &str = "\
Examples:
  daybook quarantine summary
  daybook quarantine summary --since 2026-02-03 --json";

pub const QUARANTINE_LIST: &str = "\
Examples:
  daybook quarantine list
  daybook quarantine list --input app.log --limit 100
  daybook quarantine list --reason \"not JSON at byte …\" --json

TEXT of --reason may be a reason as the summary has it, where … stands for any number. Long texts
are cut; `daybook sql \"SELECT raw FROM quarantine WHERE seq = ...\"` has the whole.";

pub const QUARANTINE_RETRY: &str = "\
Examples:
  daybook quarantine retry --from text --reason \"not JSON\"
  daybook quarantine retry --map ts=request.when --reason \"no timestamp\"
  daybook quarantine retry --mapping shop --input orders

Each record is read alone. Those that can be read become events, under the numbers that they had,
and leave the quarantine; the others stay. Records of which only the beginning was kept are not
tried. This is also the way to mend a file that was read as the wrong format: to ingest it again
changes nothing, because its records are known.";

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

pub const MINE: &str = "\
Examples:
  daybook mine messages.txt
  daybook mine messages.txt.zst --assign
  cut -d' ' -f6- app.log | daybook mine -

`<*>` stands for a parameter. The same template has the same id in every file and store.";

pub const SLOWEST: &str = "\
Examples:
  daybook slowest
  daybook slowest status:success last:7d --limit 50";

pub const HISTORY: &str = "\
Examples:
  daybook history order:55
  daybook history tenant:acme actor:admin --limit 10

The newest change comes first. Below each stands what differs between the state before and after it.";

pub const FILE_HISTORY: &str = "\
Examples:
  daybook file-history api/main.py
  daybook file-history api/ last:7d";

pub const SESSIONS: &str = "\
Examples:
  daybook sessions last:24h
  daybook sessions actor:alice --gap 60

Events without a session id belong to sessions of their actor, which end when nothing happens for a
while; these are named ACTOR@TIME.";

pub const SESSION: &str = "\
Examples:
  daybook session abc123def456
  daybook session alice
  daybook session alice@2026-02-03T10:00:00Z";

pub const TRACE: &str = "\
Examples:
  daybook trace 4bf92f3577b34da6a3ce929d0e0e4736
  daybook trace req-8812 --json";

pub const SHOW: &str = "\
Examples:
  daybook show 1795187611695993
  daybook show 550e8400-e29b-41d4-a716-446655440000 --json";

pub const TAIL: &str = "\
Examples:
  daybook tail
  daybook tail is:error --json
  daybook tail --last 0 kind:deploy";

pub const AUDIT: &str = "\
Examples:
  daybook audit 2026-02-01 2026-02-28 --output february.html
  daybook audit yesterday --actor admin
  daybook audit 2026-01-01 --json > report.json

The last day is part of the period. The hours of work are `hours` in daybook.toml: Monday to Friday,
8 to 18, UTC. Records count as quarantined when they came, and commits when they were made, whatever the
times of their events.";

pub const METRICS: &str = "\
Examples:
  daybook metrics
  daybook metrics --window 1h source:hubspot
  daybook metrics --prometheus /var/lib/node_exporter/textfile/daybook.prom

A change is an event about an entity. All metrics for Prometheus are gauges over the window.";

pub const HEALTH: &str = "\
Examples:
  daybook health
  daybook health --json source:hubspot

Of the last hour: more than 5 % errors, more than 10 errors within 5 minutes, more than 50 changes
within a minute or a source that takes more than 2 s on average make it degraded; more than half
errors, or damaged files, make it failing. The exit code is 0 only if all is well.";

pub const PATTERNS: &str = "\
Examples:
  daybook patterns
  daybook patterns last:30d source:billing
  daybook patterns bursts is:error --limit 50
  daybook patterns rhythms --json

The most telling findings come first, each with the command that shows its events. Times are in UTC.";

pub const PATTERNS_SEQUENCES: &str = "\
Examples:
  daybook patterns sequences
  daybook patterns sequences last:7d --support 20

A session is what has one session id, or what an actor without one does until a pause of --gap
minutes.";

pub const PATTERNS_BURSTS: &str = "\
Examples:
  daybook patterns bursts
  daybook patterns bursts source:hubspot --alarm 0.001

Kinds, sources, levels, templates and shares of errors are each held against their own level at that
hour of the day and on that day of the week. With nothing to find, anything at all is found with the
probability of --alarm.";

pub const PATTERNS_RHYTHMS: &str = "\
Examples:
  daybook patterns rhythms
  daybook patterns rhythms --by source last:30d";

pub const PATTERNS_CHANGES: &str = "\
Examples:
  daybook patterns changes
  daybook patterns changes --kind file_update --window 60";

pub const PATTERNS_ACTORS: &str = "\
Examples:
  daybook patterns actors
  daybook patterns actors source:billing last:90d";

pub const PATTERNS_TEMPLATES: &str = "\
Examples:
  daybook patterns templates
  daybook patterns templates --rare is:error
  daybook patterns templates --new-since yesterday
  daybook patterns templates --template f7c640f4
  daybook patterns templates --compare \"until:2026-02-01\" \"since:2026-02-01\"";

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
  daybook export --bundle site/logs --days 2026-02-01.. --redact severity>=warn

FILE gets its name only when it is complete. Its name says the format (.jsonl, .json, .csv, .parquet,
.arrow) where --format does not. Times are in UTC.";

pub const COMPACT: &str = "\
Examples:
  daybook compact
  daybook compact --day 2026-02-03
  daybook compact --dry-run

Events stay as they are. The files that were replaced stay for readers of older versions, for as many days as
`keep.versions_days` in daybook.toml says (7), and go with a later compaction. Days older than
`keep.compress_after_days` (30) are compressed harder.";

pub const ENCRYPT: &str = "\
Examples:
  (umask 077; openssl rand -hex 32 > ~/app.key)
  daybook --key-file ~/app.key encrypt

With a key, what is new is encrypted; this encrypts what was there before, one file after the other, and removes older
versions. It can be stopped and run again. To change the key, put the new one into the first line of the key file, leave
the old one in the second, run this, and take the old line out when it says that all is done. `key_file` in `[encryption]`
of daybook.toml, `--key-file`, `DAYBOOK_KEY_FILE` or `DAYBOOK_KEY` say what the key is. Who loses it loses the events.";

pub const EXPIRE: &str = "\
Examples:
  daybook expire --older-than 90d --dry-run
  daybook expire level:debug --older-than 7d
  daybook expire --max-size 500MB
  daybook expire                      what the policies of daybook.toml say

Whole days (UTC) go, in one commit, which the hash chain records: `daybook verify` names it. An event of the kind
store_expire says so, too. Their files stay for readers of older versions, for as many days as `keep.versions_days` in
daybook.toml says (7), and go with a later `daybook compact` or `daybook maintain`.";

pub const ERASE: &str = "\
Examples:
  daybook erase actor:12345 --reason 'request 77' --dry-run
  daybook erase actor:12345 --reason 'request 77'
  daybook erase actor:12345 --reason 'request 77' --redact actor --redact message

Events go from the data files, the write-ahead log and the index; records from the quarantine, if the filter's values
stand in their text; templates of messages that no other event has. Older versions and their files go at once: nobody can
read them any more. The record of it (in the hash chain, in an event of the kind store_erase and in _erasures) says when,
why, how many and of which files, and has a keyed hash of the filter. The rest still verifies.

With --redact, fields of the events are blanked, and the events stay. Exit code 1 if something may be left: events in the
log of a process that is running, or files that somebody is writing. Copies elsewhere are out of reach.";

pub const MAINTAIN: &str = "\
Examples:
  daybook maintain --dry-run
  daybook maintain                    for cron: once a day, say
  daybook maintain --watch --every 1h

Seals what is in the write-ahead log, takes out what the policies of daybook.toml say, merges the files of each day,
compresses old days harder, makes a checkpoint, and removes what no version that can be read needs. One at a time.";

pub const ARCHIVE: &str = "\
Examples:
  daybook archive --quarter 2026Q1 --to /archive/app
  daybook archive --before 2026-01-01 --to /archive/app --keep
  daybook --store /archive/app sql 'SELECT count(*) FROM events'
  daybook --with-archive /archive/app search actor:12345
  daybook archive --print-schedule --to /archive/app

The archive is a store of its own, compressed as hard as is sensible, with a manifest in _archive.json. Everything is read
back from there and compared before anything is taken out here. It can be stopped at any moment and run again.";

pub const RESTORE: &str = "\
Examples:
  daybook restore --from /archive/app --quarter 2026Q1

Events come back that are not here; those that were erased here stay away.";

pub const BACKUP: &str = "\
Examples:
  daybook backup /backups/2026-02-03

The copy has the latest version, with what is in the write-ahead log, and the same head of the hash chain. Each data file
is compared with its hash while it is copied. A copy that was cut off is no store; make it again into the same folder.";

pub const VERIFY: &str = "\
Examples:
  daybook verify
  daybook verify --against daybook-head-1:812:3f0c...:14:9a1b...
  daybook verify --proof event.json --against daybook-head-1:812:3f0c...:14:9a1b...

Every commit and every data file is read again and compared with the hash chain. Whoever can write to the store could
write all of it anew: a head that was kept elsewhere (see `daybook proof`) shows that, and that commits were cut off.";

pub const PROOF: &str = "\
Examples:
  daybook proof
  daybook proof | tail -1 >> /mnt/elsewhere/heads.txt
  daybook proof --event 1795188813903665 > event.json
  daybook proof --new-key head.key > head.public

The last line is the head; `daybook verify --against HEAD` checks against it. With --event, what is printed proves to
whoever has a head that this event is in the store, and shows no other event: `daybook verify --proof` needs no store.";

pub const COMPLETIONS: &str = "\
Examples:
  daybook completions bash > ~/.local/share/bash-completion/completions/daybook
  daybook completions zsh > ~/.zfunc/_daybook
  daybook completions fish > ~/.config/fish/completions/daybook.fish";

pub const MAN: &str = "\
Examples:
  daybook man | man -l -
  daybook man sql > daybook-sql.1";
