"""Ways back: plans that are proven before they are shown, in a later release."""
