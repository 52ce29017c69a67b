//! Logits in, text out: the generation loop and its observer.
