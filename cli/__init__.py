"""The `rides` command: thin Typer commands over the other rooms, progress bars included.

No rules live here: a command parses, calls one function and prints.
"""
