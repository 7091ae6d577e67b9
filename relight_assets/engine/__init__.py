"""Who runs the stages: planning, worker processes and the loop that feeds them."""
