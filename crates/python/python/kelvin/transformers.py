"""Kelvin's exact draws inside the `generate` of Hugging Face transformers.

    from transformers import LogitsProcessorList
    processors = LogitsProcessorList([KelvinSampler("temp=1.2 | min_p=0.05", seed=7)])
    model.generate(**inputs, do_sample=False, logits_processor=processors)

Needs neither transformers nor torch itself: it works on any tensors that look like torch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Chain

__all__ = ["KelvinSampler"]


class KelvinSampler:
    """A logits processor that draws: it leaves one token of each row, the one that Kelvin draws.

    Use it as the last processor with do_sample=False; other warpers see one token only. The same
    logits, chain, seed and sample give the token that `Chain.draw` gives.

    Args:
        chain: a Chain or its notation.
        seed, sample: name the dice. Row i of a batch has the sample `sample + i`.
        pad_token_id: tokens of this id at the left of a row are padding, and no positions.

    Raises:
        ValueError: as Chain; a chain whose last stage learns (mirostat, adaptive_p) keeps a state
            for each sequence, which a processor can't follow when rows change places.

    Source: transformers, generation/logits_process.py, for the interface.

    Examples:
        >>> from kelvin.transformers import KelvinSampler
        >>> KelvinSampler("temp=0.7", seed=7).token(np.array([1, 2]), np.array([0.0, 9.0, 1.0]))
        1
    """

    def __init__(
        self,
        chain: Chain | str,
        seed: int = 0,
        sample: int = 0,
        pad_token_id: int | None = None,
    ) -> None:
        self.chain = chain if isinstance(chain, Chain) else Chain(chain)
        last = str(self.chain).rsplit("|", 1)[-1].strip()
        if last.startswith(("mirostat", "adaptive_p")):
            raise ValueError(
                f"`{last}` learns from the tokens of one sequence, which a logits processor can't "
                "follow; draw with kelvin.Sampler"
            )
        self.seed = seed
        self.sample = sample
        self.pad_token_id = pad_token_id
        self.n_prompt: int | None = None

    def token(self, ids: Any, logits: Any, row: int = 0) -> int:
        """The token that follows `ids`, shape (tokens,), drawn from `logits`, shape (vocab,).

        Raises:
            ValueError: as Chain.draw.

        Examples:
            >>> from kelvin.transformers import KelvinSampler
            >>> KelvinSampler("temp=0").token(np.array([5]), np.array([0.0, 1.0]))
            1
        """
        history = np.asarray(ids)
        padding = 0
        if self.pad_token_id is not None:
            kept = np.flatnonzero(history != self.pad_token_id)
            padding = int(kept[0]) if len(kept) else len(history)
            history = history[padding:]
        n_prompt = len(history) if self.n_prompt is None else max(self.n_prompt - padding, 0)
        draw = self.chain.draw(
            logits,
            history,
            n_prompt=min(n_prompt, len(history)),
            seed=self.seed,
            sample=self.sample + row,
        )
        return int(draw.token)

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Scores of which each row has one token left, with 0; all others are -inf.

        Args:
            input_ids: shape (rows, tokens), integers.
            scores: shape (rows, vocab), floats; the model's logits.

        Examples:
            >>> import kelvin.transformers
            >>> callable(kelvin.transformers.KelvinSampler("temp=1"))
            True
        """
        ids = np.asarray(input_ids.detach().cpu())
        if self.n_prompt is None or ids.shape[1] < self.n_prompt:
            # The first call of a generation sees the prompts alone.
            self.n_prompt = ids.shape[1]
        logits = np.asarray(scores.detach().float().cpu())
        left = scores.new_full(scores.shape, -np.inf)
        for row in range(len(logits)):
            left[row, self.token(ids[row], logits[row], row)] = 0.0
        return left
