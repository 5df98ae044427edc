"""Looking at databases again and again.

pipeline     one look at one database, from top to bottom: read this first
inspection   what a look reads and what it makes of it
expectation  what databases are compared with, opened when first needed
fleet        when to look: ticks, spreading, one look per database at a time
shelf        the last snapshot of each, for the API
"""
