"""Whether torch.compile and CUDA graphs help: the product uses neither, as both take long to begin with."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.gpu.checks.alone import forget_memory, measured
from benchmarks.gpu.material import first_line, for_each_backend, make_segmenter, photos
from benchmarks.gpu.setting import Backend, Row, Setting
from relight_assets.core.arrays import Rgb8
from relight_assets.models.segmenters.sam3.base import PromptedSegmenter

BATCHES = (1, 16)
"""One photo, where gaps between kernels show most, and a usual batch."""


def check(setting: Setting) -> Iterator[Row]:
    """Each way with each backend: images per second, the seconds of the first call, and what became of the scores."""
    yield from for_each_backend(setting, _backend)


def _backend(setting: Setting, backend: Backend) -> Iterator[Row]:
    ways = _WAYS if setting.device == "cuda" else {"as it is": _as_it_is, "traced": _traced}
    segmenter = make_segmenter(setting, backend)
    for batch in sorted({min(batch, max(setting.batches)) for batch in BATCHES}):
        images, plain = photos(setting, batch), None
        for way, prepare in ways.items():
            about: Row = {"backend": backend, "way": way}
            try:
                with prepared(segmenter, backend, batch, prepare):
                    first_s, scores = _first_call(segmenter, images)
                    row = measured(segmenter, images, setting.rounds, backend)
            except Exception as error:  # noqa: BLE001  (a way that does not work is a result; the others go on)
                yield about | {"batch": batch, "fault": first_line(error)}
                continue
            plain = scores if plain is None else plain
            change = round(float((scores - plain).abs().max()), 5)
            yield about | row | {"first_call_s": round(first_s, 1), "score_change": change}
    del segmenter
    forget_memory(setting)


@contextmanager
def prepared(
    segmenter: PromptedSegmenter,
    backend: Backend,
    batch: int,
    prepare: Callable[[PromptedSegmenter, Backend, int], None],
) -> Iterator[None]:
    """A segmenter with its network made ready in some way, and as it was after that."""
    encoder, candidates = image_encoder(segmenter, backend), segmenter.candidates
    forward = encoder.forward
    try:
        prepare(segmenter, backend, batch)
        yield
    finally:
        encoder.forward = forward
        segmenter.candidates = candidates  # type: ignore[method-assign]
        segmenter.torch._dynamo.reset()  # noqa: SLF001  (there is no public way to forget what was compiled)


def _first_call(segmenter: PromptedSegmenter, images: Sequence[Rgb8]) -> tuple[float, Any]:
    """Its seconds, and the scores of all candidates."""
    scores: list[Any] = []
    real = segmenter.candidates

    def kept(squares: Any) -> Any:
        answer = real(squares)
        scores.append(answer[0].float().cpu())
        return answer

    segmenter.candidates = kept  # type: ignore[method-assign]
    start = time.perf_counter()
    segmenter.masks(images, len(images))
    first_s = time.perf_counter() - start
    segmenter.candidates = real  # type: ignore[method-assign]
    return first_s, scores[0]


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
        stream.wait_stream(torch.cuda.current_stream())
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
    "torch.compile": _compiled,
    "torch.compile, CUDA graphs": _compiled_with_graphs,
    "CUDA graph": _captured,
}


def image_encoder(segmenter: Any, backend: Backend) -> Any:
    """The module that takes most of the time."""
    model = segmenter._model  # noqa: SLF001  (nothing in the product asks for this)
    return model.backbone.vision_backbone if backend == "sam3" else model.vision_encoder
