"""Signals: what they end, and when."""

import importlib
import signal
import sys
import time
from pathlib import Path

import pytest

from cnnlab.stopping import imports_uninterrupted, signals_request


@pytest.fixture(autouse=True)
def as_from_a_terminal():
    """Also where the tests run in the background or by nohup, for which a shell has signals ignored."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_the_end_of_its_terminal_stops_a_training_unless_it_was_told_to_mind_none(monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    with signals_request(lambda: asked.append("stop")):
        signal.raise_signal(signal.SIGHUP)
    assert asked == ["stop"] and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    try:
        with signals_request(lambda: asked.append("again")):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert asked == ["stop"]


def test_a_second_ctrl_c_ends_a_training_at_once_and_a_second_sigterm_does_not():
    asked: list[str] = []
    with signals_request(lambda: asked.append("stop")):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert asked == ["stop"] * 3
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_interrupt_amid_an_import_waits_until_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "half_made.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nfor _ in range(9): pass\nwhole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), imports_uninterrupted():
        assert importlib.import_module("half_made").whole
        time.sleep(60)
    assert time.monotonic() - began < 50  # it does not wait for what the process waits for
    assert sys.modules.pop("half_made").whole
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_any_other_interrupt_is_heard_at_once():
    with pytest.raises(KeyboardInterrupt), imports_uninterrupted():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("It was not heard.")
