"""`daybook config`: what is wrong with `daybook.toml`, what holds, and the reference."""

from harness import ROOT, daybook, equal


def the_settings_are_checked_before_there_is_a_store(folder):
    store = folder / "s"
    done = daybook("config", "check", "--store", store)
    assert "defaults" in done.out, done
    store.mkdir()
    settings = store / "daybook.toml"
    settings.write_text("max_columns = 5\n[seal]\nseconds = 60\n")
    assert "is right" in daybook("config", "check", "--store", store).out
    equal(daybook("config", "check", "--json", "--store", store).json["found"], True)
    for text, words in (
        ("max_colums = 5\n", ["max_colums", "max_columns", "line 1"]),
        ("max_columns = \"5\"\n", ["line 1", "invalid type"]),
        ("[seal\n", ["line 1"]),
        ("[mapping.app]\nfrom = \"cvs\"\n", ["cvs", "csv", "mapping.app"]),
        ("[mapping.app.columns]\nknd = \"a\"\n", ["mapping.app", "knd"]),
        ("[redact]\nmax_value_bytes = 3\n", ["max_value_bytes"]),
    ):
        settings.write_text(text)
        done = daybook("config", "check", "--store", store, code=1)
        assert all(word in done.err for word in words) and not done.out, done
    equal([path.name for path in store.iterdir()], ["daybook.toml"])


def what_holds_is_shown_as_a_file(folder):
    store = folder / "s"
    store.mkdir()
    (store / "daybook.toml").write_text("[seal]\nevents = 7\n")
    shown = daybook("config", "show", "--store", store).out
    assert "events = 7\n" in shown and "max_columns = 1000\n" in shown and "(default)" in shown, shown
    equal(daybook("config", "show", "--store", store, "--json").json["seal"]["events"], 7)
    (store / "daybook.toml").write_text(shown)
    again = daybook("config", "show", "--store", store).out
    equal(again, shown.replace(" (default)", ""))


def the_reference_is_the_printed_one(folder):
    equal(daybook("config", "reference").out, (ROOT / "cli/CONFIG.md").read_text())


CHECKS = [
    the_settings_are_checked_before_there_is_a_store,
    what_holds_is_shown_as_a_file,
    the_reference_is_the_printed_one,
]
