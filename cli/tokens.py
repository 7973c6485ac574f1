"""`rides token`: a bearer token to try the API with."""

from typing import Annotated

import typer

from runtime.settings import settings


def token(
    account: Annotated[int, typer.Option(help="id of the account to speak for")],
) -> None:
    """Print a bearer token that speaks for an account for the next 12 hours."""
    from accounts.tokens import BY_HAND_TTL, sign_token
    from models.session import connect

    chosen = settings()
    secret = chosen.require_secret()
    with connect(chosen, application="token") as connection:
        row = connection.execute(
            "SELECT role, tier FROM accounts WHERE id = %s", [account]
        ).fetchone()
    if row is None:
        raise typer.BadParameter(
            f"there is no account {account}: `rides seed` makes some", param_hint="--account"
        )
    role, tier = row
    typer.echo(sign_token(account, role, tier=tier, secret=secret, ttl=BY_HAND_TTL))
