"""A board description made whole with the profiles of its models, and checked.

The firmware does this at each start; `edge_agent/technician/description.py` does it with the same
code before a board is built.

| checked | |
| --- | --- |
| models | known, one of the part's; keys known to the model, values allowed |
| UARTs | on the chip, used once, tx and rx where the chip wants them |
| pins | on the chip, free there, used once |
| sizes | receive rooms within RXBUF_MIN..RXBUF_MAX, at least what the model needs |
"""

from firmware import chips
from firmware.models import MODELS, NONE, load

RXBUF_MIN = 64
RXBUF_MAX = 8192
LINK = "link"
LINK_RXBUF_MIN = 1024
_UART_KEYS = ("uart", "baud", "rxbuf")


class DescriptionError(Exception):
    """A description cannot be used. `part`, `key`: where, `other` the (part, key) it is at odds
    with; the text ends with the cure."""

    def __init__(self, part, key, value, cure, other=None):
        super().__init__("%s.%s = %r: %s" % (part, key, value, cure))
        self.part = part
        self.key = key
        self.other = other


def written(board):
    """{part: what the module `board` says of it}: an own copy, {} for a part it does not name."""
    return {name: dict(getattr(board, name.upper(), {})) for name in (LINK,) + tuple(MODELS)}


def drop_foreign(name, part, keep):
    """Leave out what another model than this one had, but for the keys in `keep`."""
    if part.get("model") not in MODELS[name]:
        return
    known = _known_keys(load(part["model"])) + tuple(keep)
    for key in list(part):
        if key not in known:
            del part[key]


def complete(parts, chip_name):
    """Fill what the models know into `parts`, in place; a part that is not built in becomes {}.
    Yields a DescriptionError for each thing that is wrong; go on to the end of it.
    """
    for name in MODELS:
        part = parts[name]
        if not part or part.get("model") == NONE:
            parts[name] = {}
            continue
        if part.get("model") not in MODELS[name]:
            cure = "use one of " + ", ".join(MODELS[name] + (NONE,))
            yield DescriptionError(name, "model", part.get("model"), cure)
            parts[name] = {}
            continue
        model = load(part["model"])
        defaults = {key: default for key, (default, _) in model.SWITCHES.items()}
        if model.BAUDS:
            defaults["baud"] = model.BAUDS[0]
            defaults["rxbuf"] = model.RXBUF
        for pin in model.PINS:
            defaults[pin] = -1
            defaults[pin + "_active"] = 1
        defaults.update(part)
        parts[name] = defaults
    yield from _problems(parts, chip_name)


def _problems(parts, chip_name):
    chip = chips.chip(chip_name)
    if chip is None:
        yield DescriptionError("board", "CHIP", chip_name, "name a chip of firmware/chips.py")
        return
    if not parts[LINK]:
        yield DescriptionError(LINK, "uart", None, "name a uart, or usb")
    used_uarts: "dict" = {}
    used_pins: "dict" = {}
    for name, part in parts.items():
        if not part:
            continue
        wrong = [key for key in part if key != "model" and not isinstance(part[key], int)]
        if wrong:
            yield DescriptionError(name, wrong[0], part[wrong[0]], "use a whole number")
            continue
        if name == LINK:
            yield from _link_problems(part, chip)
        else:
            yield from _model_problems(name, part)
        if "uart" in part:
            yield from _uart_problems(name, part, chip, chip_name, used_uarts)
        yield from _pin_problems(name, part, chip, used_pins)


def _link_problems(link, chip):
    if link.get("usb"):
        if not chip.has_usb:
            yield DescriptionError(LINK, "usb", 1, "this chip has no USB; name a uart")
    elif "uart" not in link:
        yield DescriptionError(LINK, "uart", None, "name a uart, or usb")
    elif link.get("baud") not in chips.LINK_BAUDS:
        cure = "use one of " + _words(chips.LINK_BAUDS)
        yield DescriptionError(LINK, "baud", link.get("baud"), cure)
    for key in link:
        if key not in _UART_KEYS + ("usb", "tx", "rx"):
            yield DescriptionError(LINK, key, link[key], "no such key; leave it out")
    yield from _size(LINK, link, LINK_RXBUF_MIN)


def _model_problems(name, part):
    model = load(part["model"])
    if model.BAUDS:
        if "uart" not in part:
            yield DescriptionError(name, "uart", None, "name the UART of this device")
        if part["baud"] not in model.BAUDS:
            cure = "%s can %s" % (part["model"], _words(model.BAUDS))
            yield DescriptionError(name, "baud", part["baud"], cure)
        yield from _size(name, part, min(model.RXBUF, RXBUF_MAX))
    for pin, needed in model.PINS.items():
        if needed and part[pin] < 0:
            yield DescriptionError(name, pin, part[pin], "wire this pin, it is needed")
        if part[pin + "_active"] not in (0, 1):
            cure = "use 0 (low) or 1 (high)"
            yield DescriptionError(name, pin + "_active", part[pin + "_active"], cure)
    for key, (_, allowed) in model.SWITCHES.items():
        if not _is_allowed(part[key], allowed):
            yield DescriptionError(name, key, part[key], "use one of " + _words(allowed))
    known = _known_keys(model)
    for key in part:
        if key not in known:
            cure = "%s has no such key; leave it out" % part["model"]
            yield DescriptionError(name, key, part[key], cure)


def _known_keys(model):
    known = ("model",) + tuple(model.SWITCHES)
    if model.BAUDS:
        known += _UART_KEYS + ("tx", "rx")
    for pin in model.PINS:
        known += (pin, pin + "_active")
    return known


def _uart_problems(name, part, chip, chip_name, used):
    uart = part["uart"]
    if not 0 <= uart < chip.uarts:
        cure = "the chip has UART 0 to %d; use a free one, or model %s" % (chip.uarts - 1, NONE)
        yield DescriptionError(name, "uart", uart, cure)
        return
    if uart in used:
        cure = "%s is there; use a free one, or model %s" % (used[uart], NONE)
        yield DescriptionError(name, "uart", uart, cure, (used[uart], "uart"))
    used[uart] = name
    for key in ("tx", "rx"):
        if (key in part) != chip.uart_has_pins:
            cure = "name the pin" if chip.uart_has_pins else "no such key; leave it out"
            yield DescriptionError(name, key, part.get(key), cure)
        elif key in part and not chips.uart_pin(chip_name, uart, key, part[key]):
            cure = "UART %d cannot be on this pin, see the chip's table of functions" % uart
            yield DescriptionError(name, key, part[key], cure)


def _pin_problems(name, part, chip, used):
    pins = ["tx", "rx"] if "uart" in part else []
    if name != LINK:
        pins += load(part["model"]).PINS
    for key in pins:
        number = part.get(key, -1)
        if number < 0:
            continue
        if number not in chip.pins:
            yield DescriptionError(name, key, number, "the chip has no such free pin; use another")
        elif number in used:
            cure = "%s.%s is there; use a free pin" % used[number]
            yield DescriptionError(name, key, number, cure, used[number])
        used[number] = (name, key)


def _size(name, part, least):
    size = part.get("rxbuf", 0)
    least = max(least, RXBUF_MIN)
    if not least <= size <= RXBUF_MAX:
        yield DescriptionError(name, "rxbuf", size, "use %d to %d" % (least, RXBUF_MAX))


def _is_allowed(value, allowed):
    if isinstance(allowed, range):
        return allowed.start <= value < allowed.stop
    return value in allowed


def _words(allowed):
    if isinstance(allowed, range):
        return "%d to %d" % (allowed.start, allowed.stop - 1)
    return ", ".join(str(value) for value in allowed)
