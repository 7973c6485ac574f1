"""How Alembic reaches the database: through `RIDES_DATABASE_URL`, like everything else."""

from alembic import context
from sqlalchemy import create_engine, make_url, pool

from models import Base
from runtime.settings import settings


def run() -> None:
    """Run the migrations in one transaction each, on the connection given or on a new one."""
    url = make_url(settings().database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
