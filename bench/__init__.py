"""`make bench`: figures side by side with their baselines, from one run on one machine."""
