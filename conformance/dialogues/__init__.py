"""What identity providers send, step by step, as captures in JSON."""

from conformance.dialogues.playing import dialogue_checks

__all__ = ["dialogue_checks"]
