"""`python3 -m deploy.embedded VERB`: what the Makefile calls.

setup needs only the standard library; the other verbs need what setup brings.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.embedded import setup
from deploy.embedded.errors import CannotGoOn
from deploy.embedded.places import ROOT


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy.embedded", description=__doc__)
    parser.add_argument("verb", choices=("setup", "start", "stop", "fresh"))
    parser.add_argument("parts", nargs="*", help="start: only these parts and what they need")
    parser.add_argument("--run", type=Path, default=ROOT / ".run", help="run folder (default .run)")
    parser.add_argument("--tests", action="store_true", help="setup: also what only the tests need")
    parser.add_argument("--keep", action="store_true", help="start: when a part fails, leave the others up")
    arguments = parser.parse_args()
    try:
        if arguments.verb == "setup":
            setup.run(tests=arguments.tests)
            return 0
        return _do(arguments.verb, arguments.run, arguments.parts, arguments.keep)
    except CannotGoOn as error:
        print(f"\n✘ {error.what}\n  → {error.next_step}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again: it goes on where it stopped.", file=sys.stderr)
        return 130


def _do(verb: str, run: Path, parts: list[str], keep: bool) -> int:
    from deploy.embedded import instance  # needs the environment that setup makes

    if verb == "start":
        instance.start(run, parts=parts or None, keep_when_failed=keep)
    elif verb == "stop":
        stopped = [instance.stop(house) for house in (run, *sorted(run.glob("test*")))]  # the tests' houses too
        print("Stopped; the state is kept." if any(stopped) else "Nothing of this checkout was running.")
    else:
        instance.fresh(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
