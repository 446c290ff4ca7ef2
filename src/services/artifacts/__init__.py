"""The files of finished runs, sealed into a chain that anyone can check: see docs/artifacts.md."""
