"""A process that turns one text into a WAV file: text on stdin, WAV on stdout.

python -m simulator.play.speak VOICE WORDS_A_MINUTE
"""

import ctypes
import importlib
import io
import sys
import wave

RETRIEVAL = 1  # AUDIO_OUTPUT_RETRIEVAL: samples come to the callback, no sound card is opened
CHARS_UTF8 = 1
RATE_PARAMETER = 1
SAMPLES_MAX = 22_050 * 60
NO_FLAGS = 0

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def speak(text: str, voice: str, words_a_minute: int) -> bytes:
    """The WAV file. Raises OSError when the voice is not there."""
    loader = importlib.import_module("espeakng_loader")
    library = ctypes.CDLL(loader.get_library_path())
    data = loader.get_data_path().encode()
    rate = library.espeak_Initialize(RETRIEVAL, 0, data, NO_FLAGS)
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise OSError(f"espeak-ng has no voice {voice}")
    samples = bytearray()

    def take(block: "ctypes._Pointer[ctypes.c_short]", count: int, _events: object) -> int:
        if block and count > 0:
            samples.extend(ctypes.string_at(block, 2 * count))
        return int(len(samples) > 2 * SAMPLES_MAX)

    callback = _Callback(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(RATE_PARAMETER, words_a_minute, 0)
    raw = text.encode()
    library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, CHARS_UTF8, None, None)
    library.espeak_Synchronize()
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(bytes(samples))
    return file.getvalue()


if __name__ == "__main__":
    words = sys.stdin.buffer.read().decode("utf-8", "replace")
    sys.stdout.buffer.write(speak(words, sys.argv[1], int(sys.argv[2])))
