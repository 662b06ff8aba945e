"""Async client for Step-Audio-TTS-3B and any server that speaks ``/v1/audio/speech``."""
