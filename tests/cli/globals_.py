"""What holds for every command: the store, global options, messages, exit codes, completions, manual pages."""

import json

from harness import daybook, equal

NEED_A_STORE = [["sql", "SELECT 1"], ["shell"], ["schema"], ["info"], ["export", "-"], ["compact"]]


def no_store_is_said_with_a_hint(folder):
    for command in NEED_A_STORE:
        done = daybook(*command, "--store", folder / "nothing", code=1)
        equal(done.out, "")
        message, hint = done.err.splitlines()
        equal(message, f"error: there is no store at `{folder / 'nothing'}`")
        assert hint.startswith("hint: ") and "daybook ingest" in hint, done
        done = daybook(*command, "--json", "--store", folder / "nothing", code=1)
        error = json.loads(done.err)["error"]
        equal([error["kind"], error["message"]], ["not_found", message.removeprefix("error: ")])
        equal(done.out, "")
    equal(list(folder.iterdir()), [], "a command that only reads makes nothing")


def a_folder_with_other_things_is_no_store(folder):
    (folder / "letters.txt").write_text("dear")
    daybook("info", "--store", folder, code=1)
    done = daybook("log", "a", "b", "--store", folder, code=1)
    assert "letters.txt" in done.err and "hint: " in done.err, done
    equal([path.name for path in folder.iterdir()], ["letters.txt"])
    done = daybook("info", "--store", folder / "letters.txt", code=1)
    assert "letters.txt" in done.err, done


def global_options_go_before_and_after_the_command(folder):
    daybook("log", "a", "b", "--store", folder / "s")
    before = daybook("--store", folder / "s", "--json", "--tz", "UTC", "info").json
    after = daybook("info", "--tz", "UTC", "--json", "--store", folder / "s").json
    equal(before, after)
    equal(before["events"], 1)


def the_store_is_named_by_option_then_variable_then_habit(folder):
    for name, count in (("option", 1), ("variable", 2), ("daybook", 3)):
        for _ in range(count):
            daybook("log", "a", "b", "--store", folder / name)

    def events(*arguments, **variables):
        return daybook("info", "--json", *arguments, cwd=folder, **variables).json["events"]

    equal(events("--store", "option", DAYBOOK_STORE="variable"), 1)
    equal(events(DAYBOOK_STORE="variable"), 2)
    equal(events(), 3)
    equal(events(DAYBOOK_STORE=""), 3)


def wrong_usage_is_exit_code_two(folder):
    for command in (
        [], ["nonsense"], ["info", "--nonsense"], ["log"], ["log", "kind"], ["ingest"], ["sql"], ["export"],
        ["info", "-q", "-v"], ["info", "--store", ""], ["log", "-", "--actor", "x"], ["info", "--tz", "Nowhere/Land"],
        ["log", "a", "b", "--field", "novalue"], ["log", "a", "b", "--entity", "nocolon"], ["compact", "--day", "x"],
        ["log", "a", "b", "--before", "{"], ["log", "a", "b", "--duration-ms", "-1"], ["ingest", "-", "-"],
        ["demo", "--until", "2026-13-01"], ["sql", "SELECT 1", "--timeout", "soon"], ["completions", "nonsense"],
    ):
        done = daybook(*command, code=2, cwd=folder)
        equal(done.out, "", done)
        assert done.err, done
    equal(list(folder.iterdir()), [], "wrong usage makes nothing")


def wrong_usage_has_a_json_form(folder):
    done = daybook("info", "--json", "-q", "-v", code=2, cwd=folder)
    equal(json.loads(done.err)["error"]["kind"], "usage")
    done = daybook("--json", "info", "--nonsense", code=2, cwd=folder)
    equal(json.loads(done.err)["error"]["kind"], "usage")


def quiet_says_nothing_but_data_and_errors(folder):
    (folder / "events.jsonl").write_text('{"kind":"a"}\nbad\n')
    done = daybook("ingest", folder / "events.jsonl", "-q", "--store", folder / "s")
    equal([done.out, done.err], ["", ""])
    done = daybook("log", "a", "b", "--quiet", "--store", folder / "s")
    assert int(done.out) > 0 and not done.err, done
    equal(daybook("compact", "-q", "--store", folder / "s").bytes, b"")
    done = daybook("sql", "SELECT kind FROM events", "-q", "--store", folder / "s")
    assert "kind" in done.out and not done.err, done
    done = daybook("info", "-q", "--store", folder / "nothing", code=1)
    assert done.err.startswith("error: "), done


def no_progress_without_a_terminal(folder):
    (folder / "events.jsonl").write_text('{"kind":"a"}\n' * 200_000)
    done = daybook("ingest", folder / "events.jsonl", "--store", folder / "s")
    assert "\r" not in done.err + done.out and "\x1b" not in done.err + done.out, done
    assert "200,000" in done.out + done.err, done


def help_completions_and_manual_pages(folder):
    commands = ["demo", "log", "ingest", "sql", "schema", "info", "export", "compact", "completions", "man"]
    everything = daybook("--help").out
    for command in commands:
        assert f"  {command} " in everything, f"`{command}` is not in the help"
        assert "daybook " in daybook(command, "--help").out
        assert ".TH" in daybook("man", command).out
    assert ".TH" in daybook("man").out
    for shell in ("bash", "zsh", "fish", "elvish", "powershell"):
        script = daybook("completions", shell).out
        assert "daybook" in script and "ingest" in script, shell
    assert daybook("--version").out.startswith("daybook ")
    daybook("man", "nonsense", code=2)
    equal(list(folder.iterdir()), [])


CHECKS = [
    no_store_is_said_with_a_hint,
    a_folder_with_other_things_is_no_store,
    global_options_go_before_and_after_the_command,
    the_store_is_named_by_option_then_variable_then_habit,
    wrong_usage_is_exit_code_two,
    wrong_usage_has_a_json_form,
    quiet_says_nothing_but_data_and_errors,
    no_progress_without_a_terminal,
    help_completions_and_manual_pages,
]
