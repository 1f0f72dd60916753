"""Models that transformers loads into this process; the extra ``hf``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from tracker.adapters.language_models.completions import without_thoughts
from tracker.adapters.language_models.keys import checked_key, without_key
from tracker.domain.errors import Invalid, Unavailable
from tracker.domain.evaluation.generation import GenerationConfig
from tracker.domain.evaluation.jobs.retrying import Failure
from tracker.domain.evaluation.secrets import PlainSecret
from tracker.domain.evaluation.tasks import TaskDefinition, TaskKind
from tracker.ports.evaluation.language_model import Answer, Miss

__all__ = ["HfModel", "Loading"]


@dataclass(frozen=True, slots=True)
class Loading:
    """How a model is loaded.

    Attributes:
        task: what models without instructions are told by a prefix.
        revision: of the model in its hub.
        accelerator: a device of torch, such as ``cuda:0``; ``auto`` takes what there is.
        torch_dtype: such as ``bfloat16``; ``auto`` takes that of the file.
        use_fast: the tokenizer in Rust.
        trust_remote_code: whether code that comes with the model may run.
    """

    task: TaskDefinition = field(default_factory=TaskDefinition)
    revision: str = "main"
    accelerator: str = "auto"
    torch_dtype: str = "auto"
    use_fast: bool = True
    trust_remote_code: bool = False


class HfModel:
    """Keeps the port :class:`tracker.ports.evaluation.language_model.LanguageModel`.

    It is loaded when it is first asked, and writes one answer at a time, which takes all processors. A model
    with an encoder gets the text alone (T5 with its prefix of the task), any other the system prompt and the
    text, by its chat template where it has one.

    Args:
        name: in the hub, or a folder.
        loading: how.
        token: of the hub.

    Raises:
        Unavailable: the extra is not installed.
        Invalid: the token cannot stand in a header.
    """

    def __init__(self, name: str, loading: Loading, token: PlainSecret | None = None) -> None:
        self._token = None if token is None else checked_key(token)
        if find_spec("transformers") is None or find_spec("torch") is None:
            raise Unavailable(
                "provider: hf needs transformers and torch where the job runs: pip install 'tracker[hf]'"
            )
        self._name = name
        self._loading = loading
        self._loaded: _Loaded | None = None
        self._turn = asyncio.Lock()

    async def answer(self, system: str, text: str, config: GenerationConfig) -> Answer | Miss:
        """What it writes."""
        async with self._turn:
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(self._load)
            return await asyncio.to_thread(self._loaded.answer, system, text, config)

    async def close(self) -> None:
        """Lets go of the model."""
        self._loaded = None

    def __repr__(self) -> str:
        return f"HfModel({self._name!r})"

    def _load(self) -> _Loaded:
        import torch  # noqa: PLC0415  (late: an extra, and slow to import)
        import transformers  # noqa: PLC0415

        how: dict[str, Any] = {
            "revision": self._loading.revision,
            "trust_remote_code": self._loading.trust_remote_code,
            "token": self._token,
        }
        try:
            about: Any = transformers.AutoConfig.from_pretrained(self._name, **how)
            kind: Any = (
                transformers.AutoModelForSeq2SeqLM
                if about.is_encoder_decoder
                else transformers.AutoModelForCausalLM
            )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                self._name, use_fast=self._loading.use_fast, **how
            )
            model: Any = kind.from_pretrained(self._name, dtype=self._loading.torch_dtype, **how)
            model = model.to(_device(torch, self._loading.accelerator)).eval()
        except Exception as error:  # the hub, the file, the device: each has errors of its own
            why = str(error).strip().partition("\n")[0]
            why = (why if self._token is None else without_key(why, self._token))[:500]
            raise Invalid.field("model", f"{self._name} cannot be loaded: {why}") from None
        return _Loaded(model, tokenizer, _prefix(about.model_type, self._loading.task))


def _device(torch: Any, accelerator: str) -> str:
    if accelerator != "auto":
        return accelerator
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _prefix(model_type: str, task: TaskDefinition) -> str:
    if "t5" not in model_type:
        return ""
    if task.task is TaskKind.TRANSLATION:
        return f"translate {task.source_language} to {task.target_language}: "
    return "summarize: " if task.task is TaskKind.SUMMARIZATION else ""


@dataclass
class _Loaded:
    """A model in memory, used by one thread at a time."""

    model: Any
    tokenizer: Any
    prefix: str

    def answer(self, system: str, text: str, config: GenerationConfig) -> Answer | Miss:
        """What it writes, with its tokens counted."""
        import torch  # noqa: PLC0415

        encoded = self._encoded(system, text)
        given = int(encoded["input_ids"].shape[-1])
        has_encoder = bool(self.model.config.is_encoder_decoder)
        most = getattr(self.model.config, "max_position_embeddings", None)
        if most is not None and given + (0 if has_encoder else config.max_new_tokens) > most:
            room = "" if has_encoder else f", and {config.max_new_tokens} max_new_tokens"
            return Miss(Failure.REFUSED, f"the input has {given} tokens{room}; the model takes {most}")
        if config.seed is not None:
            torch.manual_seed(config.seed)
        try:
            with torch.inference_mode():
                written = self.model.generate(**encoded, **self._how(config, 1 if has_encoder else given))[0]
        except (RuntimeError, ValueError, IndexError) as error:
            return Miss(Failure.REFUSED, f"the model fails: {str(error).strip()[:500]}")
        new = written if has_encoder else written[given:]
        told = self.tokenizer.decode(new, skip_special_tokens=True).replace("\x00", "")
        for stop in config.stop:
            told = told.partition(stop)[0]
        answer, reasoning = without_thoughts(told)
        return Answer(answer, reasoning, given, len(new))

    def _encoded(self, system: str, text: str) -> dict[str, Any]:
        told: Any
        if self.model.config.is_encoder_decoder:
            told = self.tokenizer(self.prefix + text, return_tensors="pt")
        elif self.tokenizer.chat_template:
            messages = [{"role": "system", "content": system}] if system else []
            messages.append({"role": "user", "content": text})
            told = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
        else:
            told = self.tokenizer(f"{system}\n\n{text}\n" if system else text, return_tensors="pt")
        names = ("input_ids", "attention_mask")
        return {name: told[name].to(self.model.device) for name in names if name in told}

    def _how(self, config: GenerationConfig, before: int) -> dict[str, Any]:
        """Parameters of generation; temperature 0 takes the likeliest token each time."""
        how: dict[str, Any] = {"max_new_tokens": config.max_new_tokens, "do_sample": config.temperature > 0}
        how["pad_token_id"] = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0
        if config.temperature > 0:
            how |= {"temperature": config.temperature, "top_p": config.top_p, "top_k": 0}
        if config.stop:
            how |= {"stop_strings": list(config.stop), "tokenizer": self.tokenizer}
        if config.frequency_penalty:
            how["logits_processor"] = [_frequency_penalty(config.frequency_penalty, before)]
        return how


def _frequency_penalty(penalty: float, before: int) -> Callable[[Any, Any], Any]:
    """As OpenAI defines it: a token's logit loses `penalty` for each time it was written already."""

    def lowered(ids: Any, scores: Any) -> Any:
        import torch  # noqa: PLC0415

        new = ids[:, before:]
        counts = torch.zeros_like(scores).scatter_add_(1, new, torch.ones_like(new, dtype=scores.dtype))
        return scores - penalty * counts

    return lowered
