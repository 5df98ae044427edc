"""Alembic's environment: an asyncio engine on DATABASE_URL, as many applications have it."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool
from sqlalchemy.ext.asyncio import create_async_engine

url = os.environ.get("DATABASE_URL") or context.config.get_main_option("sqlalchemy.url") or ""
url = url.replace("postgresql://", "postgresql+asyncpg://", 1)


def migrate(connection: Connection) -> None:
    """Run the migrations on one connection."""
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


async def run() -> None:
    """Open a connection for the migrations and close it again."""
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


asyncio.run(run())
