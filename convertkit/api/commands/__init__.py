"""The commands as functions: each takes the words of its command, and returns the record that ``--json`` prints.

Nothing here prints or ends the program. The functions are handed out by ``convertkit`` itself.
"""
