"""Seals the files of runs into their owner's chain of manifests, and verifies it."""
