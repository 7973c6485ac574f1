"""The Java sources of Elasticsearch's standard token filters that the Maven artifact leaves out.

The official image has these filters built in; the artifact is the same server without the module
`analysis-common`. A stable plugin registers them again under their official names, each a few
lines around the Lucene class that the server ships anyway, so index settings are the same on both.
"""

import hashlib
import json
import re
from pathlib import Path

from devstack import processes
from devstack.versions import ELASTICSEARCH_VERSION, JDK_MINIMUM

_NAME = "island-rides-analysis"
_FACTORY = "org.elasticsearch.plugin.analysis.TokenFilterFactory"


def fingerprint() -> str:
    """Changes with the sources and with the version they are compiled against."""
    digest = hashlib.sha256(ELASTICSEARCH_VERSION.encode())
    for source in _sources():
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def install(server_home: Path, jdk_home: Path, log: Path) -> None:
    """Compile the plugin and place it into an unpacked server.

    Raises:
        DevstackError: it does not compile; carries the compiler's words.
    """
    plugin = server_home / "plugins" / _NAME
    classes = server_home.parent / "plugin-classes"
    plugin.mkdir(parents=True)
    processes.run(
        [jdk_home / "bin" / "javac", "--release", str(JDK_MINIMUM),
         "-cp", f"{server_home}/lib/*", "-d", classes, *_sources()],
        what="compiling the analysis plugin", log=log, timeout=120, as_caller=True,
    )  # fmt: skip
    processes.run(
        [jdk_home / "bin" / "jar", "--create", "--file", plugin / f"{_NAME}.jar",
         "-C", classes, "."],
        what="packing the analysis plugin", log=log, timeout=60, as_caller=True,
    )  # fmt: skip
    (plugin / "stable-plugin-descriptor.properties").write_text(
        f"name={_NAME}\n"
        "description=Standard token filters that the Maven artifact leaves out\n"
        "version=1\n"
        f"elasticsearch.version={ELASTICSEARCH_VERSION}\n"
        f"java.version={JDK_MINIMUM}\n"
    )
    (plugin / "named_components.json").write_text(json.dumps({_FACTORY: _filters()}, indent=2))


def _filters() -> dict[str, str]:
    named = re.compile(r'@NamedComponent\("(\w+)"\)')
    package = "islandrides.analysis"
    texts = {source.stem: source.read_text() for source in _sources()}
    return {
        match[1]: f"{package}.{class_name}"
        for class_name, text in texts.items()
        if (match := named.search(text))
    }


def _sources() -> list[Path]:
    return sorted(Path(__file__).parent.glob("*.java"))
