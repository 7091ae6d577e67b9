"""Whether torch.compile and CUDA graphs help: the product uses neither, as both take long to begin with."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.gpu.checks.alone import forget_memory, measured
from benchmarks.gpu.material import make_segmenter, photos
from benchmarks.gpu.setting import BACKENDS, Backend, Row, Setting
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter

BATCHES = (1, 16)
"""One photo, where gaps between kernels show most, and a usual batch."""


def check(setting: Setting) -> Iterator[Row]:
    """Each way with each backend: images per second, the seconds of the first call, and what became of the scores."""
    ways = _WAYS if setting.device == "cuda" else {"as it is": _as_it_is, "traced": _traced}
    for backend in BACKENDS:
        for batch in sorted({min(batch, max(setting.batches)) for batch in BATCHES}):
            plain = None
            for way, prepare in ways.items():
                try:
                    row, scores = _measured(setting, backend, batch, prepare)
                except Exception as error:  # noqa: BLE001  (a way that does not work is a result; the others go on)
                    reason = str(error).strip().split("\n", maxsplit=1)[0]
                    yield {"backend": backend, "way": way, "batch": batch, "fault": f"{type(error).__name__}: {reason}"}
                    continue
                plain = scores if plain is None else plain
                yield {"way": way, **row, "score_change": round(float((scores - plain).abs().max()), 5)}


def _measured(
    setting: Setting, backend: Backend, batch: int, prepare: Callable[[PromptedSegmenter, Backend, int], None]
) -> tuple[Row, Any]:
    segmenter, images = make_segmenter(setting, backend), photos(setting, batch)
    torch = segmenter.torch
    torch._dynamo.reset()  # noqa: SLF001  (there is no public way to forget what was compiled)
    scores: list[Any] = []
    prepare(segmenter, backend, batch)
    real = segmenter.candidates

    def kept(squares: Any) -> Any:
        answer = real(squares)
        scores[:] = [answer[0]]
        return answer

    segmenter.candidates = kept  # type: ignore[method-assign]
    start = time.perf_counter()
    segmenter.masks(images, batch)
    first_s, found = time.perf_counter() - start, scores[0].float().cpu()
    segmenter.candidates = real  # type: ignore[method-assign]
    row = measured(segmenter, images, setting.rounds, backend)
    forget_memory(setting)
    return row | {"first_call_s": round(first_s, 1)}, found


def _as_it_is(_: PromptedSegmenter, __: Backend, ___: int) -> None:
    pass


def _traced(segmenter: PromptedSegmenter, backend: Backend, _: int) -> None:
    """As torch.compile traces it, without code being generated, which would take a C++ compiler."""
    _compile(segmenter, backend, backend="aot_eager")


def _compiled(segmenter: PromptedSegmenter, backend: Backend, _: int) -> None:
    _compile(segmenter, backend)


def _compiled_with_graphs(segmenter: PromptedSegmenter, backend: Backend, _: int) -> None:
    _compile(segmenter, backend, mode="reduce-overhead")


def _compile(segmenter: PromptedSegmenter, package: Backend, **options: Any) -> None:
    # Its ``forward``, not the module: the package sam3 calls that by name.
    encoder = image_encoder(segmenter, package)
    encoder.forward = segmenter.torch.compile(encoder.forward, dynamic=False, **options)


def _captured(segmenter: PromptedSegmenter, _: Backend, batch: int) -> None:
    """Record the kernels of the whole network once, and play them back."""
    torch, real = segmenter.torch, segmenter.candidates
    side = segmenter._side  # noqa: SLF001  (nothing in the product asks for this)
    squares = torch.zeros((batch, 3, side, side), device="cuda")
    # Autocast would keep converted weights that live in the graph's own memory.
    with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16, cache_enabled=False):
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for _warm_up in range(3):
                real(squares)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = real(squares)

    def play(given: Any) -> Any:
        squares.copy_(given)
        graph.replay()
        return answer

    segmenter.candidates = play  # type: ignore[method-assign, assignment]


_WAYS = {
    "as it is": _as_it_is,
    "CUDA graph": _captured,
    "torch.compile": _compiled,
    "torch.compile, CUDA graphs": _compiled_with_graphs,
}


def image_encoder(segmenter: Any, backend: Backend) -> Any:
    """The module that takes most of the time."""
    model = segmenter._model  # noqa: SLF001  (nothing in the product asks for this)
    return model.backbone.vision_backbone if backend == "sam3" else model.vision_encoder
