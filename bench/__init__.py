"""What is measured, each with its command in the first lines."""
