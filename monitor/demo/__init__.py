"""The demonstration: three databases of a small application, an agent on them, and drift.

show         what happens, in order, and what is told about it
receiver     takes the agent's messages and prints them
application/ a flow-orchestration backend with an Alembic history
"""
