"""Judging what was read: pure functions from snapshots to findings.

history      what is stamped
schema       what differs from what is expected, or is wrong by itself
"""
