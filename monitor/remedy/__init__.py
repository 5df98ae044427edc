"""Ways back: plans that are proven before they are shown, and rows that are repaired.

repair/     what `anchorwatch orphans repair` does: the only code that writes to a watched database
"""
