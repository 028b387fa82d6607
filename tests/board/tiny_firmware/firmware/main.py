"""A firmware of a few commands, to test the board itself. Commands come over UART 0, one a line."""

import os
import sys
import time

import machine


def lines(uart):
    rest = b""
    while True:
        data = uart.read(64)
        if data:
            rest += data
            while b"\n" in rest:
                line, _, rest = rest.partition(b"\n")
                yield line.decode()
        else:
            yield None


def echo_until_silent(uart, port):
    """Send back what comes in; a tiny driver that keeps the rest of a partial write."""
    quiet_from = time.ticks_ms()
    rest = b""
    while time.ticks_diff(time.ticks_ms(), quiet_from) < 300:
        data = port.read(128)
        if data:
            quiet_from = time.ticks_ms()
            rest += data
        if rest:
            count = port.write(rest)
            rest = rest[count or 0 :]
        time.sleep_ms(1)


def say(uart, text):
    rest = text.encode() + b"\n"
    while rest:
        count = uart.write(rest)
        rest = rest[count or 0 :]


def run():
    uart = machine.UART(0, 921600, rxbuf=1024)
    ports = {}
    watchdog = None
    pin_out = machine.Pin(4, machine.Pin.OUT, value=0)
    pin_in = machine.Pin(6, machine.Pin.IN, machine.Pin.PULL_UP)
    say(uart, f"up {machine.reset_cause()}")
    for line in lines(uart):
        if watchdog is not None:
            watchdog.feed()
        if line is None:
            time.sleep_ms(1)
            continue
        word, _, argument = line.partition(" ")
        if word == "id":
            say(uart, machine.unique_id().hex())
        elif word == "runtime":
            say(uart, sys.implementation.name)
        elif word == "open":
            number, baud, rxbuf = argument.split()
            ports[number] = machine.UART(int(number), int(baud), rxbuf=int(rxbuf))
            say(uart, "opened")
        elif word == "echo":
            echo_until_silent(uart, ports[argument])
            say(uart, "echoed")
        elif word == "send":
            number, data = argument.split()
            ports[number].write(bytes.fromhex(data))
            answer = b""
            begun = time.ticks_ms()
            while time.ticks_diff(time.ticks_ms(), begun) < 300:
                answer += ports[number].read(64) or b""
                time.sleep_ms(1)
            say(uart, "answer " + answer.hex())
        elif word == "block":
            number, ms = argument.split()
            say(uart, "blocking")
            time.sleep_ms(int(ms))
            count = 0
            quiet_from = time.ticks_ms()
            while time.ticks_diff(time.ticks_ms(), quiet_from) < 100:
                data = ports[number].read(4096)
                if data:
                    count += len(data)
                    quiet_from = time.ticks_ms()
            say(uart, f"got {count}")
        elif word == "out":
            pin_out.value(int(argument))
            say(uart, "set")
        elif word == "in":
            say(uart, f"in {pin_in.value()}")
        elif word == "watchdog":
            watchdog = machine.WDT(timeout=int(argument))
            say(uart, "guarded")
        elif word == "sleep":
            time.sleep_ms(int(argument))
            say(uart, "slept")
        elif word == "hang":
            time.sleep(60)
        elif word == "reset":
            try:
                machine.reset()
            finally:
                say(uart, "still here")
        elif word == "raise":
            raise RuntimeError(argument)
        elif word == "write":
            name, _, text = argument.partition(" ")
            try:
                with open("/flash/" + name + ".new", "w") as file:
                    file.write(text)
                os.rename("/flash/" + name + ".new", "/flash/" + name)
            except:  # noqa: E722 - a power cut must not end up here
                say(uart, "caught")
            say(uart, "written")
        elif word == "read":
            try:
                with open("/flash/" + argument) as file:
                    say(uart, "holds " + file.read())
            except OSError:
                say(uart, "absent")
