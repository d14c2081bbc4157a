"""What AWS would refuse is refused: IAM policies, trust, boundaries, key and bucket policies, for every caller.

ministack evaluates them; here is what it doesn't know: whose credentials a job or a pipeline has, what SageMaker's
calls touch, what S3 asks of KMS, and what SageMaker does with a job's role that nothing on this machine does.
Nothing here imports ministack at the top: it reads its settings when it is imported.
"""
