"""What SageMaker reads off a training's log."""

from tunestack.pipeline.steps import MetricDefinition

# What training_code logs a line of (`{'loss': 3.21, …}`), read as SageMaker metrics.
NUMBER = r"([0-9.eE+\-]+)"
METRICS = tuple(
    MetricDefinition(name=name, regex=rf"'{key}': '?{NUMBER}")
    for name, key in (
        ("train:loss", "loss"),
        ("eval:loss", "eval_loss"),
        ("train:learning_rate", "learning_rate"),
        ("train:grad_norm", "grad_norm"),
        ("train:epoch", "epoch"),
        ("train:num_tokens", "num_tokens"),
        ("train:gpu_peak_gib", "gpu_peak_gib"),
        ("train:gpu_reserved_peak_gib", "gpu_reserved_peak_gib"),
        ("train:runtime_seconds", "train_runtime"),
        ("train:rss_peak_gib", "rss_peak_gib"),
    )
)
