"""PROJECTION: what eight GPUs would do.  Computed from measured figures and stated assumptions; nothing is measured."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumptions:
    """What is taken for granted about the machine that nobody measured on."""

    sam3_ms: float = 30.0
    """GPU time of SAM3 for one image."""
    cores_per_gpu: int = 16
    model_load_s: float = 60.0
    gpus: int = 8
    images: int = 12_000


@dataclass(frozen=True)
class Projection:
    """A projection, and everything it rests on."""

    label: str
    assumptions: Assumptions
    cpu_s_per_image: float
    """Measured CPU without the embedded segmenter's."""
    gpu_images_per_s: float
    """What one GPU's time allows."""
    cpu_images_per_s: float
    """What the cores of one GPU allow, one of them left to drive it, if the work spreads over them evenly."""
    bound_by: str
    images_per_s: float
    """All GPUs together."""
    total_s: float
    """For all images, models loaded once."""
    disk_mib_per_s: float
    """What would have to be written."""


def project(cpu_s_per_image: float, segment_cpu_ms: float, mib_per_image: float, assumed: Assumptions) -> Projection:
    """Project the measured CPU per image (embedded segmenter included, its part given) to the assumed machine."""
    cpu_s = cpu_s_per_image - segment_cpu_ms / 1000.0
    by_gpu, by_cpu = 1000.0 / assumed.sam3_ms, max(1, assumed.cores_per_gpu - 1) / cpu_s
    rate = assumed.gpus * min(by_gpu, by_cpu)
    return Projection(
        label="PROJECTION, not measured",
        assumptions=assumed,
        cpu_s_per_image=cpu_s,
        gpu_images_per_s=by_gpu,
        cpu_images_per_s=by_cpu,
        bound_by="GPU" if by_gpu <= by_cpu else "CPU",
        images_per_s=rate,
        total_s=assumed.images / rate + assumed.model_load_s,
        disk_mib_per_s=rate * mib_per_image,
    )
