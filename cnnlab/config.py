"""TrainConfig: every hyperparameter once, with its default, range, unit and help.

The sidebar form, the command line and a run's ``config.json`` all derive from the fields below::

    >>> TrainConfig(dataset="mnist", lr=0.01).lr
    0.01

Values from outside go through :func:`cnnlab.parsing.parse`, whose errors are sentences.
"""

import reprlib
from collections.abc import Mapping
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

MOST_PADDING = 5  # pixels
SPLITS = ("train", "val", "test")  # of a dataset's images


class ConvBlock(BaseModel):
    """One block of the custom network: convolution, batch norm, activation, pooling, in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channels: int = Field(16, ge=1, le=1024, description="How many kernels, and so output channels.")
    kernel: int = Field(3, ge=1, le=11, description="Width and height of each kernel, in pixels.")
    stride: int = Field(1, ge=1, le=4, description="How far the kernel moves, in pixels.")
    padding: int = Field(1, ge=0, le=MOST_PADDING, description="Zeros added on every side, in pixels.")
    batch_norm: bool = Field(True, description="Normalise each channel over the batch.")
    activation: Literal["relu", "leaky_relu", "gelu", "tanh", "none"] = Field(
        "relu", description="What follows the convolution."
    )
    pool: Literal["none", "max", "avg"] = Field("max", description="Kind of pooling at the block's end.")
    pool_size: int = Field(2, ge=1, le=8, description="Window and stride of the pooling, in pixels.")


def _field(
    default: Any,
    group: str,
    title: str,
    help: str,
    unit: str = "",
    when: tuple[str, ...] = (),
    zero: str = "",
    **limits: Any,
) -> Any:
    """A Field with what the form needs. ``when`` = (field, value, …): only then does this field count.

    ``zero`` is what 0 means, where that is no number.
    """
    facts: dict[str, Any] = {"group": group, "unit": unit, "when": list(when), "zero": zero}
    return Field(default, title=title, description=help, json_schema_extra=facts, **limits)


GROUPS = ("Data", "Network", "Optimiser", "Schedule", "Regularisation", "Run")


class TrainConfig(BaseModel):
    """Everything that a training run depends on. Frozen; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = _field(
        "digits",
        "Data",
        "Dataset",
        "A dataset's name (`python -m cnnlab datasets`), or folder:PATH for your own images.",
    )
    image_size: int = _field(
        32,
        "Data",
        "Image size",
        "Width and height to which a folder's images are resized.",
        "pixels",
        ("dataset", "folder:"),
        ge=8,
        le=512,
    )
    color: bool = _field(
        True,
        "Data",
        "Colour",
        "Read a folder's images in colour (three channels) rather than grey.",
        "",
        ("dataset", "folder:"),
    )
    train_images: int = _field(
        0,
        "Data",
        "Training images",
        "Train on only so many images of the training split; 0 uses all.",
        "images",
        zero="all",
        ge=0,
        le=10_000_000,
    )
    validation_fraction: float = _field(
        0.1,
        "Data",
        "Validation fraction",
        "Share of the training images held out to choose by; the test split is never used for that.",
        "share",
        ge=0,
        le=0.5,
    )
    scaling: Literal["unit", "half", "dataset"] = _field(
        "dataset",
        "Data",
        "Input scaling",
        "unit: grey values in [0, 1]; half: (x − 0.5) / 0.5; dataset: the training images' own mean and deviation.",
    )

    model: str = _field("simple_cnn", "Network", "Network", "A network's name (`python -m cnnlab models`).")
    dropout: float | None = _field(
        None,
        "Network",
        "Dropout",
        "Share of units switched off while training; empty keeps the network's own.",
        "share",
        ("model", "mlp", "cifar_cnn", "tiny_resnet", "vgg16", "custom"),
        ge=0,
        le=0.9,
    )
    blocks: tuple[ConvBlock, ...] = _field(
        (ConvBlock(channels=16), ConvBlock(channels=32)),
        "Network",
        "Convolution blocks",
        "The custom network's blocks, from the image on; as JSON on the command line.",
        "",
        ("model", "custom"),
        max_length=32,
    )
    hidden: tuple[int, ...] = _field(
        (64,),
        "Network",
        "Hidden layers",
        "Sizes of the custom network's hidden linear layers, such as 128,64.",
        "units",
        ("model", "custom"),
        max_length=8,
    )

    optimizer: Literal["sgd", "adam", "adamw"] = _field(
        "adam", "Optimiser", "Optimiser", "How weights follow gradients."
    )
    lr: float = _field(
        0.001,
        "Optimiser",
        "Learning rate",
        "Step size; the peak of the schedule.",
        gt=0,
        le=100,
    )
    momentum: float = _field(
        0.0, "Optimiser", "Momentum", "How much of the last step SGD keeps.", "share", ("optimizer", "sgd"), ge=0, lt=1
    )
    nesterov: bool = _field(
        False,
        "Optimiser",
        "Nesterov momentum",
        "Look ahead along the momentum; needs momentum above 0.",
        "",
        ("optimizer", "sgd"),
    )
    weight_decay: float = _field(
        0.0, "Optimiser", "Weight decay", "Pull of the weights towards 0 (decoupled in AdamW).", ge=0, le=10
    )
    grad_clip: float = _field(
        0.0,
        "Optimiser",
        "Gradient clipping",
        "Largest norm of the whole gradient; 0 leaves it alone.",
        zero="off",
        ge=0,
        le=1000,
    )
    epochs: int = _field(5, "Optimiser", "Epochs", "Passes over the training images.", "epochs", ge=1, le=1000)
    batch_size: int = _field(64, "Optimiser", "Batch size", "Images in one step.", "images", ge=1, le=65_536)

    schedule: Literal["constant", "step", "cosine", "one_cycle"] = _field(
        "constant", "Schedule", "Schedule", "How the learning rate changes over the run."
    )
    warmup_epochs: float = _field(
        0.0,
        "Schedule",
        "Warm-up",
        "Epochs over which the rate rises to its peak; for one_cycle 0 means 30 % of the run.",
        "epochs",
        ge=0,
        le=100,
    )
    step_epochs: int = _field(
        10,
        "Schedule",
        "Step every",
        "Epochs between two drops of the rate.",
        "epochs",
        ("schedule", "step"),
        ge=1,
        le=1000,
    )
    step_gamma: float = _field(
        0.1,
        "Schedule",
        "Step factor",
        "By what the rate is multiplied at each drop.",
        "factor",
        ("schedule", "step"),
        gt=0,
        le=1,
    )

    label_smoothing: float = _field(
        0.0, "Regularisation", "Label smoothing", "Share of the target spread over all classes.", "share", ge=0, lt=1
    )
    augment_shift: int = _field(
        0, "Regularisation", "Shift", "Move each image at random by up to so many pixels.", "pixels", ge=0, le=64
    )
    augment_flip: bool = _field(
        False, "Regularisation", "Flip left to right", "Mirror half of the images; wrong for digits and letters."
    )
    augment_rotation: float = _field(
        0.0,
        "Regularisation",
        "Rotation",
        "Turn each image at random by up to so many degrees.",
        "degrees",
        ge=0,
        le=180,
    )
    augment_erase: int = _field(
        0,
        "Regularisation",
        "Erase",
        "Blank a square of this side in each image; 0 for none.",
        "pixels",
        zero="off",
        ge=0,
        le=256,
    )
    early_stopping: int = _field(
        0,
        "Regularisation",
        "Early stopping",
        "End after so many epochs without a lower validation loss; 0 never does.",
        "epochs",
        zero="off",
        ge=0,
        le=1000,
    )

    eval_every: int = _field(
        0,
        "Run",
        "Evaluate every",
        "Steps between two evaluations; 0 evaluates at the end of each epoch only.",
        "steps",
        zero="epoch",
        ge=0,
        le=1_000_000,
    )
    eval_images: int = _field(
        0,
        "Run",
        "Evaluate on",
        "How many images such an evaluation takes, always the same; 0 takes all.",
        "images",
        zero="all",
        ge=0,
        le=10_000_000,
    )
    watch_test: bool = _field(
        False,
        "Run",
        "Watch the test set",
        "Record test loss and accuracy while training, as the tutorials do; never choose by them.",
    )
    seed: int = _field(
        0,
        "Run",
        "Seed",
        "Fixes weights, validation split, order and augmentation: same seed, same run.",
        ge=0,
        le=2**31 - 1,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = _field(
        "auto", "Run", "Device", "Where to compute; auto takes a GPU if there is one."
    )
    precision: Literal["float32", "bfloat16"] = _field(
        "float32",
        "Run",
        "Precision",
        "bfloat16 computes with fewer digits: faster for wide networks, on recent GPUs and some processors.",
    )
    compile: bool = _field(
        False,
        "Run",
        "Compile",
        "Compile the network with torch.compile: half a minute at the start, for faster steps on a GPU. On a CPU it "
        "needs a C++ compiler and rarely pays. Not done in several processes.",
    )

    @field_validator("dataset")
    @classmethod
    def _one_name_for_a_folder(cls, name: str) -> str:
        return name.rstrip("/") if name.startswith("folder:") and name.strip("/") != "folder:" else name

    @model_validator(mode="after")
    def _fields_fit_together(self) -> "TrainConfig":
        for name, info in type(self).model_fields.items():
            if not applies(name, self.__dict__) and getattr(self, name) != info.default:
                field, *values = condition(name)
                raise ValueError(
                    f"{name} = {shown(getattr(self, name))} has no effect with {field} = {getattr(self, field)}: "
                    f"leave it out, or set {field} to {' or '.join(values)}."
                )
        if self.model == "custom" and self.dropout and not self.hidden:
            raise ValueError(
                f"dropout = {self.dropout:g} has no effect without hidden layers: leave it out, or set hidden to 64."
            )
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov = true needs momentum above 0: set momentum to 0.9, say, or turn nesterov off.")
        if self.schedule in ("step", "cosine", "one_cycle") and self.warmup_epochs >= self.epochs:
            raise ValueError(
                f"warmup_epochs = {self.warmup_epochs:g} leaves nothing of the {self.epochs} epochs: "
                f"give less than {self.epochs}, or more epochs."
            )
        for size in self.hidden:
            if not 1 <= size <= 65_536:
                raise ValueError(
                    f"hidden = {shown(self.hidden)} is not allowed: give sizes from 1 to 65536, such as 128,64."
                )
        return self


def condition(name: str) -> list[str]:
    """When the field ``name`` counts: [] always, else [field, value, …] (a value ending in ':' is a prefix)."""
    when: list[str] = form_facts(name)["when"]
    return when


def applies(name: str, values: Mapping[str, Any]) -> bool:
    """Whether the field ``name`` has any effect, given the other fields' ``values``."""
    if not (when := condition(name)):
        return True
    field, *allowed = when
    value = str(values[field])
    return any(value.startswith(a) if a.endswith(":") else value == a for a in allowed)


def form_facts(name: str) -> dict[str, Any]:
    """The form's facts about the field ``name``: group, unit, when, zero."""
    facts = TrainConfig.model_fields[name].json_schema_extra
    assert isinstance(facts, dict)
    return dict(facts)


def title(name: str) -> str:
    """What a person calls the field ``name``, such as ``Learning rate``."""
    return str(TrainConfig.model_fields[name].title)


def limits(info: FieldInfo) -> tuple[float | None, float | None]:
    """Smallest and largest value of a numeric field as its Field states them; None where there is none."""
    low: Any = None
    high: Any = None
    for rule in info.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high


def choices(info: FieldInfo) -> tuple[str, ...]:
    """The values of a Literal field; empty for any other."""
    return get_args(info.annotation) if "Literal" in str(info.annotation) else ()


def shown(value: Any) -> str:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, BaseModel):
        return value.model_dump_json(exclude_unset=True)
    if isinstance(value, tuple | list):
        listed = ",".join(reprlib.repr(v) if isinstance(v, list) else shown(v) for v in value) or "(empty)"
        return f"[{listed}]" if any(isinstance(v, BaseModel) for v in value) else listed
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
