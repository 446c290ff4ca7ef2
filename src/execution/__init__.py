"""Untrusted code: it is read, contained in a box, and audited by what it leaves behind."""
