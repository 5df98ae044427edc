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
incidents       when people are told
message         what they read
errors          every error, in one tree
quoting         the one place that quotes for SQL
"""
