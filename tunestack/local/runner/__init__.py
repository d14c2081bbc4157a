"""Runs deployed pipelines on this machine: executions, their steps, and the jobs as SageMaker runs them."""
