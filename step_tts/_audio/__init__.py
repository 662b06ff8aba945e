"""_audio."""
