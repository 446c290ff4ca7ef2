"""Where runs, their events, presets and the chain of manifests are kept: one database is the truth."""
