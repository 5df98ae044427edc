"""Telling: the ledger, the outbox, the channels and the metrics.

store, queue       the ledger and its outbox; tables, migrations/, backend behind them
past_looks         looks of the past, summed up for pages
outbox, retry      from the outbox to the channels, and when to try again
channel            what a channel is; slack, webhook are two
metrics, families  what Prometheus scrapes
faults             the agent's own errors, to Sentry
"""
