"""Reading the world: databases, migrations, models, files, HTTP.

postgres, dsn, failures   the door to PostgreSQL
catalog, queries/         the one statement that reads a schema
expected, source builds   a snapshot of any source; what a database is expected to be
shadow*, statements       scratch databases, and scripts in them
scripts, replay, models   Alembic histories and SQLAlchemy models
interpreter, collector    what runs in the application's own interpreter
engine and its parts      PostgreSQL servers of our own
http                      the door to HTTP
"""
