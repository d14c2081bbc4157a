"""Executions of the deployed pipeline, on AWS and on this machine alike: started, followed, explained."""
