"""What runs inside the containers: prepare, train, evaluate, package and serve."""
