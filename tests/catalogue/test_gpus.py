"""GPUs by the names that logs, tables and instance types give them."""

import pytest

from tunestack.catalogue import instance_types
from tunestack.catalogue.gpus import GPUS, UNKNOWN_SHARE, Gpu, find_gpu, usable_bytes

GIB = 1024**3


@pytest.mark.parametrize("gpu", GPUS, ids=lambda gpu: f"{gpu.name}-{gpu.memory_gb:g}")
def test_every_gpu_is_found_under_each_spelling_of_its_name_and_size(gpu: Gpu) -> None:
    name, size = gpu.name, f"{gpu.memory_gb:g}"
    for spelling in (f"{name}-{size}GB", f"{name}-{size}", f"{name} {size} GiB", f"NVIDIA {name.lower()} {size}GB"):
        assert find_gpu(spelling) == gpu
        assert usable_bytes(spelling) == gpu.usable_bytes


def test_a_gpu_without_a_size_is_the_usual_one_and_with_one_the_nearest() -> None:
    forty, eighty = find_gpu("a100", 40), find_gpu("A100-SXM4-80GB")
    assert forty is not None and eighty is not None
    assert (forty.memory_gb, eighty.memory_gb) == (40, 80)
    assert find_gpu("RTX A6000(?)") == find_gpu("A6000")
    assert find_gpu("tpu-v5") is None


def test_a_card_that_is_known_by_its_size_alone_loses_what_cards_lose() -> None:
    assert usable_bytes("24GB card") == pytest.approx(24 * UNKNOWN_SHARE * GIB)
    assert usable_bytes("13.7 GB card") is None
    assert usable_bytes("A100") is None


def test_every_gpu_that_an_instance_type_names_is_known() -> None:
    assert [item.name for item in instance_types().values() if item.gpu_model and item.gpu is None] == []
