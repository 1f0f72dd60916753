"""Random models of a few kilobytes, built where they are needed: nothing is downloaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

__all__ = ["tiny_model"]


def tiny_model(folder: Path, *, with_encoder: bool = False) -> str:
    """The folder of a model whose weights are random, from a fixed seed: T5 with an encoder, else Llama."""
    torch: Any = pytest.importorskip("torch", reason="needs the extra hf: make integrations")
    transformers: Any = pytest.importorskip("transformers", reason="needs the extra hf: make integrations")
    place = folder / ("t5" if with_encoder else "llama")
    if place.exists():
        return str(place)
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    marks = ["<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    vocabulary = {word: number for number, word in enumerate([*marks, *sorted(alphabet)])}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    if with_encoder:
        config = transformers.T5Config(
            vocab_size=len(vocabulary), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
            decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
        )  # fmt: skip
        model = transformers.T5ForConditionalGeneration(config)
    else:
        config = transformers.LlamaConfig(
            vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
            num_attention_heads=2, max_position_embeddings=512, pad_token_id=0, eos_token_id=1,
        )  # fmt: skip
        wrapped.chat_template = (
            "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
        )
        model = transformers.LlamaForCausalLM(config)
    wrapped.save_pretrained(place)
    model.save_pretrained(place)
    return str(place)
