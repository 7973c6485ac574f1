"""Exit codes of the commands that operate the index; 2 is wrong usage, as everywhere."""

FAILED = 1  # a server is away, or an index did not take its documents
BUSY = 3  # another reindex, rollback or prune is running on this database
DIFFERENCES = 4  # a store does not hold what the database says
NOTHING = 5  # there is no build, or no dead letter, to do it with
INTERRUPTED = 130

EPILOG = (
    "Exit codes: 0 done; 1 a server is away or did not take documents; 2 wrong usage; "
    "3 another reindex, rollback or prune is running; 4 differences were found; "
    "5 nothing to do it with; 130 interrupted."
)
