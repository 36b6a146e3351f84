"""graph.py -- graphs of nodes, and the flat list of steps that runs one.

A layer called on a node returns a node, which has a shape but no values.  A graph is everything between an input and
its outputs.  It is planned once, as steps in the order in which the nodes were made (a node is newer than its inputs,
so there is no cycle); each step has the slots that it reads and the one it writes.  A slot is reused as soon as its
value is no longer needed, so running a deep graph needs no more memory than its widest point.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pyneural._core import Tensor
from pyneural.arguments.checks import batched
from pyneural.layers.layer import Layer
from pyneural.layers.nodes import Node

Call = Callable[..., Any]


class Step(NamedTuple):
    """One call: reads slot `first` and the slots in `more`, writes slot `target`, clears the slots in `spent`."""

    call: Call
    first: int
    more: tuple[int, ...]
    target: int
    spent: tuple[int, ...]


class Plan(NamedTuple):
    """The steps in order, the number of slots, the slots of the outputs; and only the calls if the graph is a chain."""

    steps: list[Step]
    slots: int
    outputs: dict[str, int]
    chain: list[Call]

    def run(self, x: Tensor, training: bool) -> dict[str, Tensor]:
        """The outputs for a batch x."""
        if self.chain:
            for call in self.chain:
                x = call(x, training=training)
            return dict.fromkeys(self.outputs, x)
        values: list[Any] = [None] * self.slots
        values[0] = x
        for call, first, more, target, spent in self.steps:
            if more:
                values[target] = call(values[first], *[values[slot] for slot in more], training=training)
            else:
                values[target] = call(values[first], training=training)
            for slot in spent:
                values[slot] = None
        return {name: values[slot] for name, slot in self.outputs.items()}


class _Entry(NamedTuple):
    """A call before slots are assigned: the keys of the values that it reads and makes."""

    call: Call
    reads: tuple[Any, ...]
    makes: Any


class Graph:
    """Everything between an input and its outputs.

    Args:
        input: the node of the input x.
        outputs: nodes by name; {"": node} for a single one.

    Attributes:
        nodes: the nodes between input and outputs, oldest first.
        calls: the layer that makes each node, and the node.
        layers: each layer once, in the same order.

    Raises:
        TypeError, ValueError: the arguments are not nodes, or not connected.
    """

    def __init__(self, input: Node, outputs: Mapping[str, Node]) -> None:  # noqa: A002 -- the usual word for models
        self.input = input
        self.outputs = dict(outputs)
        self._names = frozenset(outputs)
        self.nodes = _between(input, self.outputs)
        self.calls = [(node.layer, node) for node in self.nodes if isinstance(node.layer, Layer)]
        self.layers = list({id(layer): layer for layer, _ in self.calls}.values())
        self._reads = Counter(id(source) for node in self.nodes for source in node.inputs)
        self._plans: dict[frozenset[str], Plan] = {}

    @property
    def is_chain(self) -> bool:
        """Whether each node depends on the one before it only, and the last one is the output."""
        before = [self.input, *self.nodes]
        return self.only is not None and all(n.inputs == (b,) for b, n in zip(before, self.nodes, strict=False))

    @property
    def only(self) -> Node | None:
        """The output, if there is a single unnamed one; else None."""
        return self.outputs.get("")

    def run(self, x: Tensor, training: bool, written: frozenset[str] | None = None) -> dict[str, Tensor]:
        """The outputs for a batch x: those in `written` (None: all) as they are, the others as logits."""
        names = self._names if written is None else written
        plan = self._plans.get(names)
        if plan is None:
            plan = self._plans[names] = self._plan(names)
        return plan.run(x, training)

    def _plan(self, written: frozenset[str]) -> Plan:
        entries: list[_Entry] = []
        logits: dict[int, Any] = {}
        fused = self._fused()
        values = {id(node) for name, node in self.outputs.items() if name in written}
        scores = {id(node) for name, node in self.outputs.items() if name not in written}
        for node in self.nodes:
            if id(node) in fused:
                continue
            source = node.inputs[0]
            if id(source) in fused:
                found = [_Entry(fused[id(source)], tuple(map(id, source.inputs)), id(node))]
            else:
                found = self._entries(node, id(node) in scores, id(node) in values)
            entries += found
            logits[id(node)] = found[0].makes
        keys = {name: id(node) if name in written else logits[id(node)] for name, node in self.outputs.items()}
        return _with_slots(entries, id(self.input), keys)

    def _fused(self) -> dict[int, Call]:
        """Nodes whose only reader can be fused with them: the fused call, which makes the reader."""
        seen = {id(node) for node in self.outputs.values()}
        found = {}
        for node in self.nodes:
            source = node.inputs[0]
            alone = len(node.inputs) == self._reads[id(source)] == 1
            if not alone or id(source) in seen or not (source.layer and node.layer):
                continue
            call = node.layer.fused_after(source.layer)
            if call is not None:
                found[id(source)] = call
        return found

    def _entries(self, node: Node, logits: bool, value: bool) -> list[_Entry]:
        """The calls that make a node; the first one makes its logits, if they are needed."""
        assert node.layer is not None
        layer = node.layer
        reads = tuple(id(source) for source in node.inputs)
        if not logits:
            return [_Entry(layer.call, reads, id(node))]
        if not value and id(node) not in self._reads:
            return [_Entry(layer.logits, reads, id(node))]
        end = layer.output_of_logits()  # other layers read the value, the loss reads the logits
        if end is None:
            return [_Entry(layer.call, reads, id(node))]
        before = ("logits", id(node))
        return [_Entry(layer.logits, reads, before), _Entry(end, (before,), id(node))]


def _with_slots(entries: list[_Entry], start: Any, ends: dict[str, Any]) -> Plan:
    """Gives every value a slot: that of an input that is not read afterwards, else a free one, else a new one."""
    last = {key: index for index, entry in enumerate(entries) for key in entry.reads}
    last |= {key: len(entries) for key in ends.values()}
    places = {start: 0}
    free = list[int]()
    count = 1
    steps = []
    for index, entry in enumerate(entries):
        first, *more = [places[key] for key in entry.reads]
        gone = list(dict.fromkeys(places[key] for key in entry.reads if last[key] == index))
        if gone:
            target = gone.pop(0)
        elif free:
            target = free.pop()
        else:
            target, count = count, count + 1
        places[entry.makes] = target
        free += gone
        steps.append(Step(entry.call, first, tuple(more), target, tuple(gone)))
    chain = [step.call for step in steps] if count == 1 and not any(step.more for step in steps) else []
    return Plan(steps, count, {name: places[key] for name, key in ends.items()}, chain)


def _between(start: Node, outputs: Mapping[str, Node]) -> list[Node]:
    """The nodes between the input and the outputs, oldest first, without the input."""
    found: dict[int, Node] = {}
    for name, end in outputs.items():
        who = f"output '{name}'" if name else "the output"
        if end is start:
            raise ValueError(f"Model: {who} is the input itself: put at least one layer between them")
        waiting = [end]
        while waiting:
            node = waiting.pop()
            if node is start or id(node) in found:
                continue
            if node.layer is None:
                raise ValueError(
                    f"Model: {who}, {end!r}, comes from another input {batched(node.shape)}, not from {start!r}: start "
                    "all of its layers at the node given as inputs"
                )
            found[id(node)] = node
            waiting += node.inputs
    return sorted(found.values(), key=lambda node: node.age)
