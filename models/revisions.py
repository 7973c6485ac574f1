"""Which migrations a database must have for this code."""

from pathlib import Path

import migrations

_VERSIONS = Path(migrations.__file__).parent / "versions"
NEEDED = max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))
"""The newest one. Their names count up, so an older database has a lower one."""
