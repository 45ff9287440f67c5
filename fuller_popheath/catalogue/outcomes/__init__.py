"""What is predicted: one file an outcome."""
