"""MicroPython: `micropython run_cases.py VECTORS SCRATCH NAME...` runs all cases of these modules.

Prints a line a case and at the end `all N passed`; a case that fails prints its traceback.
"""

import gc
import json
import os
import sys

from firmware import app


def run(vectors, scratch, names):
    print(app.__file__)
    failed = 0
    count = 0
    for name in names:
        module = __import__("tests.firmware." + name, None, None, ("CASES",))
        for case in module.CASES:
            count += 1
            folder = scratch + "/" + name + "." + case.__name__
            os.mkdir(folder)
            gc.collect()
            try:
                case(vectors, folder)
                print("ok", name, case.__name__)
            except Exception as error:
                failed += 1
                print("FAILED", name, case.__name__)
                sys.print_exception(error)
    print(f"{failed} of {count} failed" if failed else f"all {count} passed")


def main():
    with open(sys.argv[1]) as file:
        vectors = json.load(file)
    run(vectors, sys.argv[2], sys.argv[3:])


if __name__ == "__main__":
    main()
