"""What a score says for itself: one file a reason, in words a clinician uses."""
