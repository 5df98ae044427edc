"""What platforms and extensions put into a database by themselves.

Names alone prove nothing: an application may have a schema ``auth`` of its own. A platform
is told by roles that nobody else can be, an extension by being there.
"""

from typing import Final

import msgspec


class Platform(msgspec.Struct, frozen=True):
    """A service that runs databases, and what it keeps in each of them.

    Attributes:
        name: as people know it.
        roles: roles that nobody but the platform has: what they own tells it.
        schemas: its schemas, where one of these roles owns them.
        shared: its schemas, whoever owns them.
        extensions: what it installs by itself.
        publications: what it makes by itself, whoever owns it.
    """

    name: str
    roles: frozenset[str]
    schemas: frozenset[str]
    shared: frozenset[str] = frozenset()
    extensions: frozenset[str] = frozenset()
    publications: frozenset[str] = frozenset()


class Runtime(msgspec.Struct, frozen=True):
    """What an extension makes while it runs: the server does not count it as the extension's.

    Attributes:
        extension: its name.
        schemas: patterns of schemas that are all its own.
        tables: patterns of tables in the schema that it was installed in.
        trigger: how the definition of a trigger shows that it made it.
        ground: how the definition of a trigger shows that it made the whole schema.
    """

    extension: str
    schemas: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    trigger: str | None = None
    ground: str | None = None


PLATFORMS: Final = (
    Platform(
        name="Supabase",
        roles=frozenset(
            {
                "supabase_admin",
                "supabase_auth_admin",
                "supabase_storage_admin",
                "supabase_functions_admin",
                "supabase_realtime_admin",
                "supabase_replication_admin",
            }
        ),
        schemas=frozenset(
            {
                "auth",
                "cron",
                "graphql",
                "graphql_public",
                "net",
                "pgsodium",
                "pgsodium_masks",
                "pgtle",
                "realtime",
                "storage",
                "supabase_functions",
                "vault",
                "_analytics",
                "_supavisor",
            }
        ),
        shared=frozenset({"extensions", "pgbouncer", "supabase_migrations", "_realtime"}),
        extensions=frozenset(
            {
                "pg_graphql",
                "pg_net",
                "pg_stat_statements",
                "pgcrypto",
                "pgjwt",
                "pgsodium",
                "supabase_vault",
                "uuid-ossp",
            }
        ),
        publications=frozenset({"supabase_realtime"}),
    ),
    Platform(
        name="Neon",
        roles=frozenset({"cloud_admin", "neon_superuser", "neon_auth", "neon_service"}),
        schemas=frozenset({"pgrst"}),
        shared=frozenset({"neon", "neon_auth", "neon_migration"}),
        extensions=frozenset({"neon", "pg_session_jwt"}),
    ),
    Platform(
        name="Heroku",
        roles=frozenset({"heroku_admin"}),
        schemas=frozenset({"_heroku"}),
        shared=frozenset({"heroku_ext"}),
    ),
)
"""Railway is not among them: its databases hold nothing but their owner's."""

PARTMAN: Final = "pg_partman"
"""It makes partitions, one of them for all rows that fit no other."""

RUNTIMES: Final = (
    # Chunks of hypertables, what is behind continuous aggregates, and their triggers.
    Runtime(
        extension="timescaledb",
        schemas=("_timescaledb_*", "timescaledb_*", "toolkit_experimental"),
        trigger="EXECUTE FUNCTION _timescaledb_",
    ),
    # Templates of partitioned tables; the partitions themselves are partitions.
    Runtime(extension=PARTMAN, tables=("template_*",)),
    # One schema for each topology.
    Runtime(extension="postgis_topology", ground="EXECUTE FUNCTION topology.relationtrigger("),
    # Street data that its scripts load.
    Runtime(extension="postgis_tiger_geocoder", schemas=("tiger_data", "tiger_staging")),
    # Queues and their archives.
    Runtime(extension="pgmq", tables=("q_*", "a_*")),
)
