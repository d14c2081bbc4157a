"""What estimates of time and cost assume where no fact is known, said once; each shows beside the figures it moves."""

# From a job's request to its first line of work, image pull included; billed.
START_UP_HOURS = 5 / 60
# Spot's share saved (public logs: 0.54 to 0.78), and the time that its interruptions cost.
SPOT_SAVINGS, SPOT_EXTRA_TIME = 0.6, 0.15
