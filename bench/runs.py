"""What it costs to keep runs, on SQLite and PostgreSQL side by side: by itself, and for people who wait over HTTP.

    python -m bench.runs [--runs 10000] [--times 100] [--half stores|http] [--before /path/of/another/checkout]

`--before` adds the same fresh run on another checkout of the service, from before it stored runs: what storing one
adds is the difference.
"""

import argparse
from pathlib import Path

from bench.run_stores import print_store_table
from bench.runs_http import print_http_table


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="stored runs")
    parser.add_argument("--times", type=int, default=100, help="calls of each operation")
    parser.add_argument("--half", choices=("stores", "http"), help="only one of the tables")
    parser.add_argument("--before", type=Path, help="a checkout to compare fresh runs with")
    arguments = parser.parse_args()
    if arguments.half != "http":
        print_store_table(arguments.runs, arguments.times)
    if arguments.half != "stores":
        print_http_table(arguments.runs, arguments.times, arguments.before)


if __name__ == "__main__":
    main()
