"""The most memory that a job has used so far."""

import resource


def peak_memory() -> dict[str, float]:
    """In GiB: what the GPU's tensors took and what PyTorch reserved for them; this process's where there is no GPU."""
    import torch

    if torch.cuda.is_available():
        return {
            "gpu_peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 3),
            "gpu_reserved_peak_gib": round(torch.cuda.max_memory_reserved() / 2**30, 3),
        }
    return {"rss_peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 3)}
