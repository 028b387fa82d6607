"""What the chips of the boards have: UARTs, and pins that are free for devices.

| chip | UARTs | their pins | not free |
| --- | --- | --- | --- |
| esp32s3 | 3 | any (GPIO matrix) | 0 3 45 46 strapping, 19 20 USB, 26-37 flash and octal PSRAM |
| rp2350 | 2 | fixed, see `uart_pin` | 23-25 29 on a Pico 2 (power, USB sense, LED, ADC of VSYS) |
| simulated | 7 | none: a UART is a socket | - |

ESP32-S3 datasheet v1.9, sections 2.2 and 2.3.5; RP2350 datasheet, GPIO function table; Pico 2
datasheet, section 2.1. The USB of esp32s3 and rp2350 is beside the UARTs.
"""

LINK_BAUDS = (921_600, 460_800, 230_400, 115_200)


class Chip:
    """`pins`: numbers that a description may use; `has_usb`: the link can sit there."""

    def __init__(self, uarts, pins, has_usb, uart_has_pins):
        self.uarts = uarts
        self.pins = pins
        self.has_usb = has_usb
        self.uart_has_pins = uart_has_pins


def chip(name):
    """The chip of this name, None when there is none."""
    if name == "esp32s3":
        free = (1, 2) + tuple(range(4, 19)) + (21,) + tuple(range(38, 45)) + (47, 48)
        return Chip(3, free, True, True)
    if name == "rp2350":
        return Chip(2, tuple(range(23)) + (26, 27, 28), True, True)
    if name == "simulated":
        return Chip(7, tuple(range(32)), False, False)
    return None


def uart_pin(chip_name, uart, key, pin):
    """Whether `pin` can be the `tx` or `rx` of this UART."""
    if chip_name != "rp2350":
        return True
    return pin % 4 == (0 if key == "tx" else 1) and (pin + 4) // 8 % 2 == uart
