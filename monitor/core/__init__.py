"""Values and reasoning: no I/O, no clock, no await, no settings.

keys, kinds     what an object is called, and which attributes it has
snapshot        a schema in normal form, and its fingerprint
decode/         from catalog rows to a snapshot
diff            the comparison; rules: what each difference is called
source          what a snapshot can be made from, as it is written
history         the graph of revisions
findings        what is wrong, and what could not be looked at; overall: with a database as a whole
verdict         the states of a database
report, record  one look, and what is remembered between two
incidents       findings over time
step            when people are told: pure; it goes by patience, flapping, acknowledgement
silence         quiet that people ask for
message         what they read; grouped: of several at once; cause: what to look at first
channel_health  when a channel is broken
deployment, deploy_verdict  what was deployed, and what came of it
lock, diagnosis what every revision changes, and what a database has of it; more beside them
scope, waivers  what is left out of a comparison, and what is not told of it
smoke, assertions, orphans  what is asked beyond the schema
errors          every error, in one tree
quoting         the one place that quotes for SQL
"""
