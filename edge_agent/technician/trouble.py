"""What can be wrong with a board, each with its cure, and what the command ends with.

| exit code | meaning |
| --- | --- |
| 0 | done, nothing is wrong |
| 1 | done, but a device failed its test, or `doctor` found something |
| 2 | the command or a file it was given cannot be used |
| 3 | the port: none, several, no right, in use, broken |
| 4 | the board does not answer: no REPL, no HELLO, wrong baud |
| 5 | another board or firmware than was asked for |
| 6 | the flash: full, or it does not keep what was written |
| 130 | ended by Ctrl-C; run the same command again |
"""

EXIT_DONE = 0
EXIT_FAULTS = 1
EXIT_USAGE = 2
EXIT_PORT = 3
EXIT_SILENT = 4
EXIT_OTHER_BOARD = 5
EXIT_FLASH = 6
EXIT_INTERRUPTED = 130

CODES = {
    "no_board": EXIT_PORT,
    "many_boards": EXIT_PORT,
    "no_port": EXIT_PORT,
    "no_rights": EXIT_PORT,
    "port_busy": EXIT_PORT,
    "port_broken": EXIT_PORT,
    "no_answer": EXIT_SILENT,
    "wrong_baud": EXIT_SILENT,
    "no_hello": EXIT_SILENT,
    "no_firmware": EXIT_SILENT,
    "went_away": EXIT_SILENT,
    "not_micropython": EXIT_SILENT,
    "no_boot_loader": EXIT_SILENT,
    "wrong_board": EXIT_OTHER_BOARD,
    "other_board": EXIT_OTHER_BOARD,
    "unpaired": EXIT_OTHER_BOARD,
    "paired": EXIT_OTHER_BOARD,
    "pair_key": EXIT_OTHER_BOARD,
    "old_firmware": EXIT_OTHER_BOARD,
    "outdated_firmware": EXIT_OTHER_BOARD,
    "old_interpreter": EXIT_OTHER_BOARD,
    "flash_full": EXIT_FLASH,
    "flash_low": EXIT_FLASH,
    "copy_corrupt": EXIT_FLASH,
    "stray_files": EXIT_FLASH,
    "stale_slot": EXIT_FLASH,
    "firmware_fault": EXIT_FAULTS,
    "device_state": EXIT_FAULTS,
    "device_silent": EXIT_FAULTS,
    "nobody_answered": EXIT_FAULTS,
    "device_absent": EXIT_USAGE,
    "no_tool": EXIT_USAGE,
    "file_unusable": EXIT_USAGE,
    "trace_broken": EXIT_USAGE,
    "image_broken": EXIT_USAGE,
    "not_confirmed": EXIT_USAGE,
}
"""Trouble -> exit code. Its words are `trouble.KEY` and `cure.KEY` of `texts/`."""


class TroubleError(Exception):
    """`key` of CODES; `values` fill the places of its texts."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    @property
    def exit_code(self) -> int:
        return CODES[self.key]
