"""Every error the platform raises on purpose, in one small tree with stable codes.

Two kinds matter to a caller.  A :class:`UserError` is somebody's mistake in a file or a command:
it is shown as one sentence, never as a traceback, and ends a command with exit code 2.  An
:class:`ImageError` belongs to one row: it is written to ``NNNNN_failure.json`` and never stops the
other rows.  ``retryable`` says whether trying again without changing anything can help.
"""

from typing import ClassVar


class RelightError(Exception):
    """Base of all errors raised on purpose.  The message says what happened, to what, and what to do."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class UserError(RelightError):
    """A mistake in a command, a configuration or an input file.  Exit code 2."""

    code = "usage"


class ConfigError(UserError):
    """A recipe or settings file that cannot be used."""

    code = "config"


class CsvError(UserError):
    """A split CSV that cannot be read, or whose name gives no split."""

    code = "csv"


class ModelFileError(UserError):
    """A model file that is missing or is not the one whose sha256 is known."""

    code = "model_file"


class OutputFolderError(UserError):
    """An output folder that cannot be used: somebody's older data, another writer, no permission."""

    code = "output_folder"


class ChangedOutputError(UserError):
    """A file of a split is not what its record says, or changes while it is exported."""

    code = "output_changed"


class DestinationError(UserError):
    """A place to publish to that cannot be used: no such bucket, no credentials, no permission, another region."""

    code = "destination"


class PublishStoppedError(RelightError):
    """Publishing stopped half way, and the same command goes on from there: the store fails, or credentials expired."""

    code = "publish_stopped"
    retryable = True


class OtherPhotosError(UserError):
    """A CSV whose rows name other photos than those that the split's images were made of."""

    code = "other_photos"


class HostLimitError(UserError):
    """The machine gives no more of something that every image needs, such as open files."""

    code = "host_limit"


class DeviceBusyError(UserError):
    """The devices are in use by another run on this machine."""

    code = "device_busy"


class GpuUnavailableError(UserError):
    """GPUs are expected and none can be used: the work is not given to the CPU unless somebody asks for that."""

    code = "gpu_unavailable"


class DeviceOutOfMemoryError(RelightError):
    """A model did not fit into its device's memory with so many images at a time.

    For segmenters to raise: they are asked again with half of the images.
    """

    code = "device_out_of_memory"
    retryable = True


class DeviceFailedError(RelightError):
    """A device error that outlasts the call (a CUDA assertion, an illegal access): the process must be replaced.

    For segmenters to raise: nothing more can be computed in a process whose CUDA context is broken.
    """

    code = "device_failed"
    retryable = True


class WorkersFailedError(RelightError):
    """The worker processes could not be started or kept alive, so the run cannot go on."""

    code = "workers_failed"
    retryable = True


class ServersEndedError(RelightError):
    """A server of the UI ended, or could not be started."""

    code = "servers_ended"


class InterruptedRunError(RelightError):
    """Somebody stopped the run.  Exit code 130, as a shell gives it."""

    code = "interrupted"
    retryable = True

    def __init__(self, message: str = "stopped; what is finished stays done, and the same command goes on from there"):
        super().__init__(message)


class ImageError(RelightError):
    """One image cannot be processed.  ``rejected`` images are unsuitable for training; no fault."""

    code = "image"
    rejected: ClassVar[bool] = False
    skin_lightness: float | None = None
    """Median CIE L* of the face, where the image came so far: are some skins rejected more often?"""


class BlankPathError(ImageError):
    """The row's ``image_path`` cell is empty."""

    code = "blank_path"
    rejected = True


class ForgottenError(ImageError):
    """The photo was forgotten at somebody's request, and does not come back."""

    code = "forgotten"
    rejected = True

    def __init__(self, message: str = "this photo was forgotten (`relight forget`), and is not processed again"):
        super().__init__(message)


class PathRefusedError(ImageError):
    """The path is not one that may be opened (outside the image root, a URL, a device, ...)."""

    code = "path_refused"


class SourceMissingError(ImageError):
    """There is no file at the path.  It may come back, so it is looked for at every run."""

    code = "source_missing"
    retryable = True


class SourceUnreadableError(ImageError):
    """The file is there but the operating system could not read it."""

    code = "source_unreadable"
    retryable = True


class ImageCorruptError(ImageError):
    """The bytes are not a complete image of the format they claim to be."""

    code = "image_corrupt"


class IncompletePhotoError(ImageError):
    """The lower part of the photo was never there: one plain colour from edge to edge."""

    code = "incomplete_photo"
    rejected = True


class ImageFormatError(ImageError):
    """A format, animation or pixel layout that is not taken."""

    code = "image_format"


class ImageSizeError(ImageError):
    """Too many pixels, or a side that is too short or too long."""

    code = "image_size"


class NoPersonError(ImageError):
    """The segmenter found nobody to relight."""

    code = "no_person"


class SeveralPersonsError(ImageError):
    """More than one person, where the recipe wants one."""

    code = "several_persons"
    rejected = True


class RotatedError(ImageError):
    """The head is rolled too far, as where the photo's orientation was lost."""

    code = "rotated"
    rejected = True


class SquashedError(ImageError):
    """The face has proportions that no face has: the photo was scaled by other factors across and down."""

    code = "squashed"
    rejected = True


class NegativeError(ImageError):
    """The face shows only once the colours are inverted."""

    code = "negative"
    rejected = True


class PersonTooLargeError(ImageError):
    """The person fills the photo: most likely the mask took the background along."""

    code = "person_too_large"
    rejected = True


class PersonTooSmallError(ImageError):
    """The person has too few pixels to learn from."""

    code = "person_too_small"
    rejected = True


class FaceTooSmallError(ImageError):
    """The face has too few pixels: a model that is trained on it loses small faces."""

    code = "face_too_small"
    rejected = True


class BadMatteError(ImageError):
    """Too much of the photo is neither person nor background."""

    code = "bad_matte"
    rejected = True


class UnsureCutoutError(ImageError):
    """Person and background have the same colours where the segmenter is in doubt: nothing can tell them apart."""

    code = "unsure_cutout"
    rejected = True


class OverexposedError(ImageError):
    """Too much of the face is clipped: there is nothing to recover."""

    code = "overexposed"
    rejected = True


class UnderexposedError(ImageError):
    """The face, or the person, is nearly black."""

    code = "underexposed"
    rejected = True


class BlurredError(ImageError):
    """The face, or the person, is out of focus."""

    code = "blurred"
    rejected = True


class FlatLightError(ImageError):
    """The light on the face is as even as if there were none to learn."""

    code = "flat_light"
    rejected = True


class MonochromeError(ImageError):
    """The photo is black and white, or toned in one colour: nothing tells paint from light."""

    code = "monochrome"
    rejected = True


class OwnLightError(ImageError):
    """The photo's own light is left in its albedo: under every new light the person would look the same."""

    code = "own_light"
    rejected = True


class DeviceOomError(ImageError):
    """The device's memory does not even hold this one image's turn.  Tried again: who else used it may be gone."""

    code = "device_oom"
    retryable = True


class WeakPairError(ImageError):
    """No drawn light made the input differ enough from its target to teach anything."""

    code = "weak_pair"
    rejected = True


class ModelAnswerError(ImageError):
    """A network that a user brought along answered with something that cannot be used."""

    code = "model_answer"


class ModelLimitError(ModelAnswerError):
    """It took more memory or time for an image than it may have.  It may fit once less is going on."""

    retryable = True


class GeometryMissingError(ImageError):
    """The photo has no file of depth or normals.  It may come, so it is looked for at every run."""

    code = "geometry_missing"
    retryable = True


class GeometryFileError(ImageError):
    """The photo's file of depth or normals is not one that can be used."""

    code = "geometry_file"


class WorkerKilledError(ImageError):
    """The image killed the worker that processed it, twice, alone.  Quarantined."""

    code = "worker_killer"


class RecordUnreadableError(ImageError):
    """The image's record or failure file is there but cannot be read."""

    code = "record_unreadable"
    retryable = True

    @classmethod
    def of(cls, name: str, error: OSError) -> "RecordUnreadableError":
        """The error of a file by its name, and what the system says of it."""
        return cls(f"{name} cannot be read: {error.strerror}. Check permissions and disk; every run looks at it again.")


class OutputBlockedError(ImageError):
    """What lies in the place of one of the image's files can be neither written over nor removed."""

    code = "output_blocked"
    retryable = True


class InternalError(ImageError):
    """A fault in the code.  Not tried again until the code, the recipe or the source changes."""

    code = "internal"
