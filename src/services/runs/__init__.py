"""Durable runs: accepted once, executed once, followed from anywhere, stored."""
