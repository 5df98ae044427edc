"""A small flow-orchestration backend, as teams deploy them beside anchorwatch.

models       the tables
service      the HTTP service
migrations/  the Alembic history: a branch for assets, one for events, and a merge
"""
