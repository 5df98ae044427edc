"""Judging what was read: pure functions from snapshots to findings.

activity     what a migration that is at work excuses
history      what is stamped
schema       what differs from what is expected, or is wrong by itself
"""
