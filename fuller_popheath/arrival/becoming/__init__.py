"""What becomes of each inbound table about persons: one file a table. What does not belong here: reading, checking and keeping rows."""
