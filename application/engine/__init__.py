"""The single writer of a partition: one sequence, group commit, marks, timers."""
