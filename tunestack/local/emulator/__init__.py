"""The emulator: ministack for CloudFormation and most services, moto for the SageMaker API.

ministack reads its settings when it is imported, so nothing here imports it at the top but `serve`, which
sets them first.
"""
