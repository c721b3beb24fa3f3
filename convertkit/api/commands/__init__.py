"""The commands as functions: each takes the words of its command, and returns the record that ``--json`` prints.

Nothing here prints. What programs of people call is handed out by ``convertkit`` itself, and documented; the rest is
for the command line alone. ``guard`` is what every command runs under.
"""
