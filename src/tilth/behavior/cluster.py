"""The same bucket tasks on a Ray cluster: actors keep their buckets' sequences warm, a lost one's buckets run again.

The question, its function and its kernels are those of one machine; only `over_buckets` asks somebody else. What goes
over is the task itself, with the question reduced to what it says: the worker has the snapshot (the files' names, the
tail, whose rows changed hands), which is sent once. Values of a breakdown are numbered by the asker alone: a worker
that meets one without a number says so, all workers are asked for their values once, and the task is sent again
with the numbers, so that answers are the same bit for bit, however many workers there are.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tilth.behavior.filters import Name
from tilth.behavior.leaving import look, watching
from tilth.behavior.room import bytes_of
from tilth.errors import InvalidInput, StorageFailed
from tilth.settings import Settings

if TYPE_CHECKING:
    from tilth.behavior.question import Question

__all__ = ["Cluster", "NeedNumbers", "WorkerPlan"]

logger = logging.getLogger("tilth.cluster")
# Snapshots whose files, tail and overrides stay with the workers.
_SNAPSHOTS = 4
_LOST_AT_MOST = 20


class WorkerPlan(msgspec.Struct, frozen=True):
    """What a worker needs to read the lake. folder: of the workspace, or "" where the lake has a URL."""

    folder: str
    url: str
    settings: Settings
    environment: dict[str, str]


class NeedNumbers(Exception):
    """A worker met a value that the asker has not numbered."""

    def __init__(self, names: tuple[Name, ...]) -> None:
        super().__init__(names)
        self.names = names


class _Reduced(NamedTuple):
    """A question as it travels."""

    token: tuple[int, int, int]
    state: dict[str, Any]
    traits: dict[Name, Any]


class Cluster:
    """Workers on the Ray cluster at `settings.ray_address`, one for each of its processors. Thread-safe."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._settings = settings
        self._folder = folder
        self._lock = threading.Lock()
        self._actors: list[Any] = []
        self._snapshots: OrderedDict[tuple[int, int, int], Any] = OrderedDict()
        self._known: dict[tuple[str, tuple[int, int, int]], bool] = {}
        self._numbered: tuple[Any, Any] | None = None
        self.lost = 0

    def over_buckets(self, question: Question, work: Callable[[int], Any]) -> list[Any]:
        """`work` of each bucket, in bucket order. Raises what it raises, and `Cancelled` once the asker has gone."""
        import ray

        self._connect()
        gone = watching()
        task = ray.put(_dumps(work))
        snapshot = self._snapshot(question)
        numbers = self._numbers(question)
        buckets = list(question.buckets())
        found: dict[int, Any] = {}
        pending: dict[Any, tuple[int, Any]] = {}

        def send(bucket: int) -> None:
            actor = self._actors[bucket % len(self._actors)]
            sent = actor.run.remote([task, snapshot, numbers], question.snapshot.token, bucket)
            pending[sent] = bucket, actor

        for bucket in buckets:
            send(bucket)
        lost = held = 0
        try:
            while pending:
                look(gone)
                ready, _ = ray.wait(list(pending), num_returns=1, timeout=0.1)
                for one in ready:
                    bucket, actor = pending.pop(one)
                    try:
                        said, value = ray.get(one)
                    except ray.exceptions.RayActorError:
                        lost += 1
                        if lost > _LOST_AT_MOST:
                            raise StorageFailed("workers of the cluster are lost faster than they answer") from None
                        self._replace(bucket % len(self._actors), actor)
                        send(bucket)
                        continue
                    if said == "numbers":
                        self._learn(question, value, task, snapshot)
                        numbers = self._numbers(question)
                        send(bucket)
                    elif said == "error":
                        raise _error(value)
                    else:
                        found[bucket] = value
                        held += bytes_of(value)
                        question.sources.room.check(held * len(buckets) // len(found), "for its answer")
        finally:
            for one in pending:
                ray.cancel(one, force=False)
        return [found[b] for b in buckets]

    # -- workers ---------------------------------------------------------------------------------

    def _connect(self) -> None:
        import ray

        with self._lock:
            if self._actors and ray.is_initialized():
                return
            if not ray.is_initialized():
                address = self._settings.ray_address
                try:
                    ray.init(
                        address=address,
                        namespace="tilth",
                        logging_level=logging.ERROR,
                        log_to_driver=False,
                        **({"include_dashboard": False} if address == "local" else {}),
                    )
                except (ConnectionError, OSError, RuntimeError, ValueError) as error:
                    raise StorageFailed(f"the Ray cluster at {address} cannot be reached: {error}") from None
            count = max(1, min(int(ray.cluster_resources().get("CPU", 1)), self._settings.buckets))
            self._actors = [self._worker() for _ in range(count)]

    def _worker(self) -> Any:
        import ray

        remote = ray.remote(num_cpus=1, max_restarts=0)(_Worker)
        environment = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
        folder = "" if self._settings.lake_url else str(self._folder)
        return remote.remote(WorkerPlan(folder, self._settings.lake_url, self._settings, environment))

    def _replace(self, place: int, dead: Any) -> None:
        with self._lock:
            if self._actors[place] is not dead:
                return  # another task that it had said so already
            logger.warning("a worker of the cluster was lost; its buckets run again on a new one")
            self.lost += 1
            self._actors[place] = self._worker()

    def close(self) -> None:
        """Let the workers go; the cluster stays."""
        import ray

        with self._lock:
            for actor in self._actors:
                ray.kill(actor)
            self._actors = []
            self._snapshots.clear()
            self._numbered = None

    # -- what travels ----------------------------------------------------------------------------

    def _snapshot(self, question: Question) -> Any:
        import ray

        held = question.snapshot
        with self._lock:
            found = self._snapshots.get(held.token)
            if found is None:
                found = ray.put((held.token, held.files, held.tail, held.overrides))
                self._snapshots[held.token] = found
                while len(self._snapshots) > _SNAPSHOTS:
                    self._snapshots.popitem(last=False)
            self._snapshots.move_to_end(held.token)
            return found

    def _numbers(self, question: Question) -> Any:
        """Where workers find how values are numbered; put there anew when there are more."""
        import ray

        held = {token: list(values.values) for token, values in question.sources.values.items()}
        size = tuple((token, len(values)) for token, values in held.items())
        with self._lock:
            if self._numbered is None or self._numbered[0] != size:
                self._numbered = size, ray.put(held)
            return self._numbered[1]

    def _learn(self, question: Question, names: tuple[Name, ...], task: Any, snapshot: Any) -> None:
        """Number every value of some properties in the snapshot, in an order that does not depend on workers."""
        import ray

        values = question.values_of(list(names))
        asked = [
            self._actors[b % len(self._actors)].words.remote([task, snapshot], question.snapshot.token, names, b)
            for b in question.buckets()
        ]
        for said, found in ray.get(asked):
            if said == "error":
                raise _error(found)
            for value in found:
                values.number(value)

    def know(self, question: Question, names: list[Name]) -> None:
        """Number the values of some properties before they are asked for."""
        import ray

        from tilth.behavior.question import token_of

        self._connect()
        key = (token_of(names), question.snapshot.token)
        if not self._known.get(key):
            task = ray.put(_dumps(_Holding(question)))
            self._learn(question, tuple(names), task, self._snapshot(question))
            self._known = {k: v for k, v in self._known.items() if k[1] == question.snapshot.token} | {key: True}


class _Holding(NamedTuple):
    """A task that is only its question."""

    question: Any


class _Worker:
    """One process of the cluster. Keeps snapshots, decoded columns and what kernels read between questions."""

    def __init__(self, plan: WorkerPlan) -> None:
        from tilth.behavior.question import Sources
        from tilth.behavior.room import Room
        from tilth.behavior.strands import Kept, Snapshots
        from tilth.lake import Lake

        os.environ.update(plan.environment)
        name = sha256(plan.url.encode()).hexdigest()[:16]
        folder = Path(plan.folder) if plan.folder else Path(tempfile.gettempdir()) / f"tilth-worker-{name}"
        self._lake = Lake(folder, plan.settings.buckets, plan.url)
        self._snapshots = Snapshots(self._lake, plan.settings)
        self._held: OrderedDict[Any, Any] = OrderedDict()
        memory = plan.settings.memory_mb * 1_000_000
        people: Any = None
        self._sources = Sources(people, Kept(memory // 4), plan.settings.currency, room=Room(memory // 2))
        self._numbered = ""

    def process(self) -> int:
        """The worker's process."""
        return os.getpid()

    def run(self, refs: list[Any], token: Any, bucket: int) -> tuple[str, Any]:
        """("part", what the task makes of a bucket), ("numbers", names) or ("error", …)."""
        import ray

        from tilth.errors import TilthError

        try:
            task = ray.get(refs[0])
            self._take(refs[1], token)
            if self._numbered != refs[2].hex():
                self._sources.values = _Given(ray.get(refs[2]))
                self._numbered = refs[2].hex()
            work = self._loads(task)
            return "part", work(bucket)
        except NeedNumbers as needed:
            return "numbers", needed.names
        except TilthError as error:
            return "error", (type(error), error.args, error.__dict__)

    def words(self, refs: list[Any], token: Any, names: tuple[Name, ...], bucket: int) -> tuple[str, Any]:
        """("part", the distinct values of some properties in a bucket, sorted) or ("error", …)."""
        import ray

        from tilth.behavior.question import Values
        from tilth.errors import TilthError

        try:
            self._take(refs[1], token)
            question = _question_in(self._loads(ray.get(refs[0])))
            found = Values("values")
            for strand in question.strands(bucket, all_time=True):
                question.number_into(strand, list(names), found)
            return "part", sorted(found.values, key=repr)
        except TilthError as error:
            return "error", (type(error), error.args, error.__dict__)

    def _take(self, ref: Any, token: Any) -> None:
        """Have the snapshot of that token."""
        import ray

        if token not in self._held:
            _, files, tail, overrides = ray.get(ref)
            self._held[token] = self._snapshots.make(token[0], files, tail, overrides)
            while len(self._held) > _SNAPSHOTS:
                self._held.popitem(last=False)

    def _loads(self, task: bytes) -> Any:
        from ray import cloudpickle

        _here.worker = self
        try:
            return cloudpickle.loads(task)
        finally:
            _here.worker = None

    def question(self, reduced: _Reduced) -> Any:
        """The question that travelled, over this worker's snapshot."""
        from tilth.behavior.question import Question

        made = Question.__new__(Question)
        made.__dict__.update(reduced.state)
        made.snapshot = self._held[reduced.token]
        made.sources = self._sources
        made._traits = dict(reduced.traits)
        return made


class _Given(dict[str, Any]):
    """Values as the asker numbered them, by the token of their properties."""

    def __init__(self, numbers: dict[str, list[Any]]) -> None:
        super().__init__()
        self._numbers = numbers

    def setdefault(self, token: str, default: Any = None) -> Any:
        from tilth.behavior.question import Values

        if token not in self:
            values = Values(default.name)
            for value in self._numbers.get(token, ()):
                values.number(value)
            values.close(names_of(token))
            self[token] = values
        return self[token]


def names_of(token: str) -> tuple[Name, ...]:
    """The properties a token of `question.token_of` stands for."""
    parts = (part.partition(".") for part in token.split("\0"))
    return tuple(Name(scope, key) for scope, _, key in parts)


_here = threading.local()


def _question(reduced: _Reduced) -> Any:
    return _here.worker.question(reduced)


def _by_name(module: str, name: str) -> Any:
    import importlib

    return getattr(importlib.import_module(module), name)


def _question_in(task: Any) -> Any:
    """The question a task is of."""
    from tilth.behavior.question import Question

    if isinstance(task, _Holding):
        return task.question
    for cell in task.__closure__ or ():
        held = cell.cell_contents
        if isinstance(held, Question):
            return held
        if isinstance(getattr(held, "question", None), Question):
            return held.question
    raise InvalidInput("task", "has no question")


def _dumps(work: Any) -> bytes:
    """A task as bytes: its function by value, questions reduced, compiled kernels by their name."""
    from numba.core.dispatcher import Dispatcher
    from ray import cloudpickle

    from tilth.behavior.question import Question

    class Pickler(cloudpickle.CloudPickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            if isinstance(obj, Dispatcher):
                return _by_name, (obj.py_func.__module__, obj.py_func.__name__)
            if isinstance(obj, Question):
                state = {k: v for k, v in obj.__dict__.items() if k not in ("snapshot", "sources", "_traits")}
                traits = {name: obj.person_values(name) for name in obj.of_people}
                return _question, (_Reduced(obj.snapshot.token, state, traits),)
            return super().reducer_override(obj)

    out = io.BytesIO()
    Pickler(out, protocol=5).dump(work)
    return out.getvalue()


def _error(said: Any) -> BaseException:
    """An error as the worker raised it, with its fields."""
    kind, args, fields = said
    made: BaseException = kind.__new__(kind, *args)
    made.__dict__.update(fields)
    return made
