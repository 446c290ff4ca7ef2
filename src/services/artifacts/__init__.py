"""The files of finished runs, sealed into a chain that anybody can check: see docs/artifacts.md."""
