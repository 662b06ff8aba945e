"""_gate."""
