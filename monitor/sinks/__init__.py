"""Telling: the ledger, the outbox, the channels and the metrics.

store              the ledger, put together from its parts: read this first
backend, tables    where it lives, and its tables; migrations/, upgrade, visit, store_failures
incidents, writing incidents with who is at them; an event is written beside its incident
silences           what is kept quiet; acceptances: what need not be told
checks, deployments, locks  what else is remembered of a database
past_looks         looks of the past: each for a week, by the hour for a month
queue              the rows of the outbox; delivery: what one is; claims: which may be taken
outbox             from the outbox to the channels; retry: when again
sorting, bundling  what is said of each row (choice: the rules), and what goes in one message
channel            what one is; slack, slack_bot (slack_blocks, slack_refusals), webhook,
                   alertmanager, apprise
channels           how the channels themselves are, and which are broken; trial: a test of one
mending, revival   one that works again: what is said of it, and what it lost comes back
heartbeat          the dead man's switch
metrics, families  what Prometheus scrapes
faults             the agent's own errors, to Sentry
"""
