"""MicroPython: `micropython fuzz_run.py FILE` plays `driver hex` lines; prints what is found and at
the end `all N played`.
"""

import sys

from simulator.fuzz import rig, targets


def main():
    count = 0
    with open(sys.argv[1]) as file:
        for line in file:
            driver, data = line.split()
            count += 1
            try:
                rig.play(targets.load(driver).Subject, bytes.fromhex(data))
            except rig.FindingError as finding:
                print(driver, finding.kind, finding, data)
    print(f"all {count} played")


if __name__ == "__main__":
    main()
