"""The servers of these tests are their own: none of those that the run itself uses."""

import pytest

VARIABLES = ("RIDES_DATABASE_URL", "RIDES_REDIS_URL", "RIDES_ELASTICSEARCH_URL")


# Of the module: it must end before another room's tests look for the servers of the run.
@pytest.fixture(autouse=True, scope="module")
def no_servers_elsewhere():
    with pytest.MonkeyPatch.context() as patch:
        for variable in VARIABLES:
            patch.delenv(variable, raising=False)
        yield
