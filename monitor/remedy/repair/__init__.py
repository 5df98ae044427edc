"""Rows without a parent, repaired: looked at, planned, done and verified in one transaction.

wish        what is asked for, and what became of it
ground      the tables concerned, as the catalog has them        queries/ground.sql
closure     the rows that go along: what references them, and what becomes of that
reasons     why it is refused: pure
statements  what is done, in SQL: pure
texts       rows as text, and back, each column as its type writes it: pure
counters    how many rows a transaction has changed, cascades and triggers included
quarantine  the tables in which rows are kept                     queries/quarantine.sql
identity    whether two connections lead to the same database     queries/identity.sql
survey      a look at all of it, and the plan that follows
repairing   the transaction
undoing     the transaction that brings a batch back              queries/batch.sql
"""
