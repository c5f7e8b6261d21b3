"""The names of other logging systems, so that an application moves by changing an import.

`daybook.compat.game_bot`, `daybook.compat.agent` and `daybook.compat.discord_logger` each have the calls of one of them;
what they record is in a store, and all of Daybook reads it.
"""
