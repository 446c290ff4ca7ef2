"""The cost of storing runs on SQLite and PostgreSQL side by side: in the stores alone, and over HTTP.

    python -m bench.runs [--runs 10000] [--times 100] [--kills 20] [--half stores|http|kills]

The half of HTTP ends with how soon the box of a run that is deleted is dead; `--half kills` is that alone.
"""

import argparse

from bench.run_kills import print_kill_table
from bench.run_stores import print_store_table
from bench.runs_http import print_http_table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000, help="stored runs")
    parser.add_argument("--times", type=int, default=100, help="calls of each operation")
    parser.add_argument("--kills", type=int, default=20, help="boxes of each kind that are ended in each way")
    parser.add_argument("--half", choices=("stores", "http", "kills"), help="only one of them")
    arguments = parser.parse_args()
    if arguments.half in (None, "stores"):
        print_store_table(arguments.runs, arguments.times)
    if arguments.half in (None, "http"):
        print_http_table(arguments.runs, arguments.times)
    if arguments.half in (None, "http", "kills"):
        print_kill_table(arguments.kills)


if __name__ == "__main__":
    main()
