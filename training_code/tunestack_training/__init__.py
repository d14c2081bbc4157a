"""What runs inside the containers: prepare, train, evaluate, merge and serve."""
