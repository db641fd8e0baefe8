"""Half precision where the processor computes in it; elsewhere it is emulated, sixty times slower than single."""

from __future__ import annotations

import torch


def has_bfloat16() -> bool:
    """Tell whether the processor multiplies matrices in bfloat16."""
    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16") or found.get("bf16"))


def autocast() -> torch.autocast:
    """Return the context for forward passes: bfloat16 where it pays, else nothing."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=has_bfloat16())
