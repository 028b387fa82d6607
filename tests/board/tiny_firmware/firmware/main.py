"""A firmware of a few commands, to test the board itself: one a line over UART 0, each answered by
a line."""

import os
import sys
import time

import machine

QUIET_MS = 100


class Tiny:
    """Every method is a command; its arguments are the words after it, its result the answer."""

    def __init__(self, link):
        self.link = link
        self.ports = {}
        self.watchdog = None
        self.pin_out = machine.Pin(4, machine.Pin.OUT, value=0)
        self.pin_in = machine.Pin(6, machine.Pin.IN, machine.Pin.PULL_UP)

    def say(self, text):
        rest = text.encode() + b"\n"
        while rest:
            count = self.link.write(rest)
            rest = rest[count or 0 :]

    def id(self):
        return machine.unique_id().hex()

    def runtime(self):
        return sys.implementation.name

    def open(self, number, baud, rxbuf):
        self.ports[number] = machine.UART(int(number), int(baud), rxbuf=int(rxbuf))
        return "opened"

    def echo(self, number):
        """Send back what comes in until it is quiet, keeping the rest of a partial write."""
        port = self.ports[number]
        quiet_from = time.ticks_ms()
        rest = b""
        while time.ticks_diff(time.ticks_ms(), quiet_from) < 3 * QUIET_MS:
            data = port.read(128)
            if data:
                quiet_from = time.ticks_ms()
                rest += data
            if rest:
                count = port.write(rest)
                rest = rest[count or 0 :]
            time.sleep_ms(1)
        return "echoed"

    def send(self, number, data):
        port = self.ports[number]
        port.write(bytes.fromhex(data))
        answer = b""
        begun = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), begun) < 3 * QUIET_MS:
            answer += port.read(64) or b""
            time.sleep_ms(1)
        return "answer " + answer.hex()

    def block(self, number, ms):
        """Do not read for a while, then count what is still there."""
        self.say("blocking")
        time.sleep_ms(int(ms))
        count = 0
        quiet_from = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), quiet_from) < QUIET_MS:
            data = self.ports[number].read(4096)
            if data:
                count += len(data)
                quiet_from = time.ticks_ms()
        return "got " + str(count)

    def out(self, level):
        self.pin_out.value(int(level))
        return "set"

    def level(self):
        return "in " + str(self.pin_in.value())

    def guard(self, ms):
        self.watchdog = machine.WDT(timeout=int(ms))
        return "guarded"

    def sleep(self, ms):
        time.sleep_ms(int(ms))
        return "slept"

    def hang(self):
        time.sleep(60)

    def reset(self):
        try:
            machine.reset()
        finally:
            self.say("still here")

    def fail(self, text):
        raise RuntimeError(text)

    def write(self, name, text):
        try:
            with open("/flash/" + name + ".new", "w") as file:
                file.write(text)
            os.rename("/flash/" + name + ".new", "/flash/" + name)
        except:  # noqa: E722 - a power cut must not end up here
            return "caught"
        return "written"

    def read(self, name):
        try:
            with open("/flash/" + name) as file:
                return "holds " + file.read()
        except OSError:
            return "absent"


def run():
    link = machine.UART(0, 921600, rxbuf=1024)
    tiny = Tiny(link)
    tiny.say("up " + str(machine.reset_cause()))
    rest = b""
    while True:
        if tiny.watchdog is not None:
            tiny.watchdog.feed()
        data = link.read(64)
        if not data:
            time.sleep_ms(1)
            continue
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            word, *arguments = line.decode().split()
            tiny.say(getattr(tiny, word)(*arguments))
