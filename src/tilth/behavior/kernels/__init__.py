"""Compiled single-pass state machines: arrays in, arrays out; they know nothing of files or requests."""
