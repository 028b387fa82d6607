"""A code from the scanner into the record, with everything real but the people; and what they hear
and see when the scanner does not work."""

import asyncio
import urllib.request
from pathlib import Path

from protocol.records import DeviceState, ServiceFact
from protocol.wire import states
from simulator.board import Board
from simulator.devices.cards import citizen_card
from simulator.devices.escpos_printer import EscposPrinter
from simulator.devices.gate import Gate
from simulator.devices.gm_scanner import GmScanner
from simulator.devices.help_button import HelpButton
from simulator.devices.sdt_reader import SdtReader
from simulator.devices.speech_chip import VoiceTiming
from simulator.devices.syn6288_voice import Syn6288Voice
from tests.agent.agent_process import AgentProcess
from tests.agent.scan_service import SCAN_TOML
from tests.board.terminal_scene import play_in_true_time
from tests.board.test_help_with_agent import SPEED, until

CARD = citizen_card("样例甲", "441900190001010027")
REMOVED_S = 1.5  # two searches that find no card
CODE = "TB1.number.1900-01-01.A001 东莞"
SHOW = "请把二维码对准扫码窗口。"
TAKE = "请取回您的身份证。"
UNREADABLE = "这个二维码本机不能识别。"
FAULT = "扫码器暂时不能使用"


def test_a_code_is_recorded_and_without_a_scanner_people_hear_it(
    image: Path, tmp_path: Path
) -> None:
    async def scene() -> None:
        reader, scanner = SdtReader(), GmScanner()
        voice = Syn6288Voice(timing=VoiceTiming.for_speed(SPEED))
        devices = {
            "card_reader": reader,
            "printer": EscposPrinter(),
            "voice": voice,
            "gate": Gate(),
            "help_button": HelpButton(),
            "scanner": scanner,
        }
        services = tmp_path / "services"
        services.mkdir()
        (services / "parcel.toml").write_text(SCAN_TOML, "utf-8")
        board = Board("t1", tmp_path / "board", devices, firmware_folder=image, speed=SPEED)
        await board.start()
        config = f'services = "{services}"\nservice = "parcel"\n'
        agent = AgentProcess(tmp_path, board.link_path, config=config)
        try:
            await board.booted()
            page = (await asyncio.to_thread(agent.start))["kiosk"]
            heard = lambda text: sum(text in said.text for said in voice.transcript)  # noqa: E731

            async def visit(code: bytes | None, ends: str) -> None:
                count, asked = heard(ends), heard(SHOW)
                reader.place(CARD)
                if code is not None:
                    await until(lambda: heard(SHOW) > asked, "the question")
                    scanner.show(code)
                await until(lambda: heard(ends) > count, ends)
                scanner.take_away()
                reader.lift()
                await asyncio.sleep(REMOVED_S)

            await visit(CODE.encode("gb18030"), TAKE)
            await visit(b"\xff\xfe\x00", UNREADABLE)
            scanner.faults.add("half_code", 1)
            await visit(CODE.encode(), TAKE)  # cut, and read again
            scanner.faults.add("power_off")
            await visit(CODE.encode(), FAULT)
            with urllib.request.urlopen(page) as answer:
                assert FAULT in str(answer.read().decode())
            scanner.faults.remove("power_off")
            await until(lambda: scanner.mode == 1, "the scanner's settings")
            await asyncio.sleep(REMOVED_S)
            await visit(CODE.encode(), TAKE)
            assert await asyncio.to_thread(agent.stop) == 0
        finally:
            await asyncio.to_thread(agent.stop)
            await board.stop()
        bodies = agent.records()
        codes = [body.fields["code"] for body in bodies if isinstance(body, ServiceFact)]
        assert codes == [CODE] * 3
        of_scanner = [
            body.state
            for body in bodies
            if isinstance(body, DeviceState) and body.device == states.BARCODE_READER
        ]
        assert of_scanner == [states.OFFLINE, states.ONLINE]  # what the technician is told

    play_in_true_time(scene, 120)
