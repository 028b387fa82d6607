"""What can be broken at a terminal, in plain words: device -> its name, fault -> what one sees."""

Words = tuple[str, str]
"""zh-CN, en."""

DEVICES: dict[str, Words] = {
    "printer": ("打印机", "Printer"),
    "card_reader": ("读卡器", "Card reader"),
    "voice": ("语音", "Voice"),
    "gate": ("闸门", "Gate"),
    "help_button": ("求助按钮", "Help button"),
}
_LINE: dict[str, Words] = {
    "silence": ("不回答，其余照常", "Does not answer, works otherwise"),
    "power_off": ("断电", "No power"),
}
FAULTS: dict[str, dict[str, Words]] = {
    "printer": {
        "paper_out": ("缺纸", "No paper"),
        "cover_open": ("盖子开着", "Cover open"),
        "paper_low": ("纸快用完", "Little paper left"),
        "paper_out_mid_job": ("打到一半没纸", "Paper ends in the middle"),
        "cutter_jam": ("切刀卡住", "Cutter jams"),
        "head_hot": ("打印头过热", "Head too hot"),
        "broken": ("坏了", "Broken"),
        "slow": ("打印很慢", "Prints slowly"),
        "no_process_id": ("不认作业编号", "Knows no job numbers"),
        "process_id_lost": ("作业回执丢失", "Job receipts get lost"),
        "no_buffer_clear": ("不能清缓冲", "Cannot clear its buffer"),
        "unknown_as_text": ("不懂的命令当字打出", "Prints unknown commands"),
        "no_near_end_sensor": ("没有少纸传感器", "No low-paper sensor"),
        "chinese_size_ignored": ("汉字不能放大", "Chinese stays small"),
        "noise_before_reply": ("回答前有杂音", "Noise before answers"),
        **_LINE,
    },
    "card_reader": {
        "read_failed": ("读不出", "Reads fail"),
        "card_lifted_mid_read": ("读到一半卡被拿走", "Card leaves in mid-read"),
        "select_failed": ("选不中卡", "Cannot select the card"),
        "card_type_unknown": ("认不出卡的种类", "Unknown kind of card"),
        "verify_failed": ("卡内信息验证不过", "Card fails its check"),
        "sam_failed": ("安全模块坏了", "Security module broken"),
        "not_authorised": ("安全模块未授权", "Security module not authorised"),
        "slow": ("很慢", "Slow"),
        "lost_reply": ("回答丢失", "Answers get lost"),
        "truncated_reply": ("回答只有一半", "Answers are cut"),
        "wrong_checksum": ("校验错", "Wrong checksums"),
        "noise_before_header": ("回答前有杂音", "Noise before answers"),
        "header_split": ("回答断成两段", "Answers come in two pieces"),
        **_LINE,
    },
    "voice": {
        "voice_silent": ("线断了，不出声", "Line cut, no sound"),
        "speaker_broken": ("喇叭坏了", "Loudspeaker broken"),
        "voice_busy": ("一直说忙", "Says it is busy for ever"),
        "voice_rejects": ("拒绝每句话", "Refuses each sentence"),
        "idle_lost": ("说完了不通知", "Does not tell when it ends"),
        "reply_lost": ("回答丢失", "Answers get lost"),
        "noise_before_reply": ("回答前有杂音", "Noise before answers"),
        "brown_out": ("一说话就掉电", "Loses power when it speaks"),
        **_LINE,
    },
    "gate": {
        "stuck_closed": ("打不开", "Does not open"),
        "stuck_open": ("关不上", "Does not close"),
        "power_off": ("断电", "No power"),
        "contact_dead": ("不知道有人通过", "Sees nobody pass"),
        "contact_stuck": ("一直以为有人通过", "Always sees somebody"),
        "contact_bounce": ("通过信号抖动", "Contact bounces"),
        "door_contact_dead": ("不知道门开着", "Does not see the door open"),
        "door_contact_stuck": ("一直以为门开着", "Always sees the door open"),
        "fire_contact_dead": ("收不到火警信号", "Gets no fire alarm"),
    },
    "help_button": {
        "dead": ("按了没反应", "Pressing does nothing"),
        "stuck_pressed": ("按下弹不起", "Stays pressed"),
        "long_bounce": ("接触不良", "Bad contact"),
        "lamp_broken": ("灯坏了", "Lamp broken"),
        "bell_broken": ("铃不响", "Bell broken"),
        "answer_dead": ("服务台应答键没反应", "Desk’s answer button dead"),
        "answer_stuck": ("服务台应答键弹不起", "Desk’s answer button stuck"),
    },
}
