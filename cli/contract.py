"""`rides openapi`: the API's contract as a file."""

import typer


def openapi() -> None:
    """Print the API's OpenAPI document; no server is asked, the same code prints the same bytes.

    `clients/typescript/openapi.json` is this; `make client` renews it.
    """
    typer.echo(document(), nl=False)


def document() -> str:
    """The OpenAPI document as indented JSON, with a final line feed."""
    import json

    from api.app import create_app
    from runtime.settings import Settings

    # Nothing is signed: the app only has to be put together, whatever the environment says.
    app = create_app(Settings(secret_key="nothing is signed with this secret"))  # noqa: S106
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"
