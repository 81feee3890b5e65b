"""Where Optuna keeps a sweep, a journal or a database, and what to say if that does not answer.

>>> study = optuna.load_study(study_name="search", storage=storage_of(folder, "sqlite:///trials.db"))  # doctest: +SKIP
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages._heartbeat import BaseHeartbeatThread, get_heartbeat_thread
from optuna.storages.journal import JournalFileBackend

from cnnlab.sweeps.folder import SweepFolder

BEAT, LOST = 60, 300  # seconds: how often a worker on a database gives a sign of life, and how long one may be silent

optuna.logging.set_verbosity(optuna.logging.WARNING)  # what is to be said goes through the listener


class SweepError(Exception):
    """A sweep that cannot be read; the message says which, why and what to do."""


class UnknownSweep(SweepError):
    """There is no sweep of that name."""


def storage_of(folder: SweepFolder, address: str | None) -> JournalStorage | RDBStorage:
    """The journal of a sweep, or the database at ``address`` that it is kept in."""
    if address is None:
        return JournalStorage(JournalFileBackend(str(folder.journal_path)))
    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        return _Database(address, heartbeat_interval=BEAT, grace_period=LOST)


class _Database(RDBStorage):
    def record_heartbeat(self, trial_id: int) -> None:
        """Give a sign of life; one that is not heard must not be the last."""
        with suppress(StorageInternalError):
            super().record_heartbeat(trial_id)


def signs_of_life(trial: optuna.Trial) -> BaseHeartbeatThread:
    """A database hears of ``trial`` inside the ``with``, as Optuna does by itself in Study.optimize alone."""
    return get_heartbeat_thread(trial._trial_id, trial.study._storage)


def sampler() -> optuna.samplers.TPESampler:
    """Optuna's own, but one that keeps away from what other workers are trying."""
    with warnings.catch_warnings(action="ignore", category=optuna.exceptions.ExperimentalWarning):
        return optuna.samplers.TPESampler(constant_liar=True)


@contextmanager
def reading(folder: SweepFolder, address: str | None) -> Iterator[None]:
    """Raises SweepError where the sweep's storage, as for :func:`storage_of`, cannot be read inside the ``with``."""
    try:
        yield
    except SweepError:
        raise
    except Exception as error:  # a line that is no JSON, a record that is none, a database that does not answer
        raise SweepError(unreadable(folder, address, error)) from error


def without_password(address: str) -> str:
    """``address`` for people: of a database's password, in ``postgresql://lab:secret@host/db``, it shows ``***``."""
    return re.sub(r"(://[^:/@]*:).*@", r"\1***@", address)


def unreadable(folder: SweepFolder, address: str | None, error: Exception) -> str:
    """A sentence for an ``error`` of the storage, as for :func:`storage_of`."""
    where = without_password(address or str(folder.journal_path))
    return (
        f"The sweep '{folder.name}' cannot be read: {where} is damaged or out of reach "
        f"({reason(error)}). Its runs are still among all runs."
    )


def reason(error: Exception) -> str:
    """What stands behind an ``error`` of the storage, such as ``OperationalError: database is locked``, on one line."""
    cause = error.__cause__ if isinstance(error, StorageInternalError | ImportError) and error.__cause__ else error
    return f"{type(cause).__name__}: {cause}".splitlines()[0]
