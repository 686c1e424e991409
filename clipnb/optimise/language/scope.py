"""The values of numbers and random draws in one step of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor

from clipnb.errors import shortened
from clipnb.optimise.language.expressions import Evaluator, Expression, ExpressionError, cast, element
from clipnb.optimise.language.numbers import Number, Numbers
from clipnb.optimise.language.variables import with_aliases

MAX_WHOLE = 2**31
"""Of a whole number that an expression gives, either sign."""


class Randomness:
    """All random draws of a run, from one seed: scalars on the CPU, large tensors where they are used.

    Attributes:
        seed: the seed.
        evaluator: evaluates expressions whose random functions draw from here.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self._scalars = torch.Generator().manual_seed(seed)
        self._tensors = torch.Generator(device).manual_seed(seed) if device.type != "cpu" else self._scalars
        self.evaluator = Evaluator(self.functions())

    def state(self) -> dict[str, Tensor]:
        """Return the state of the generators by their names; uint8 on the CPU."""
        generators = {"scalars": self._scalars, "tensors": self._tensors}
        own = {name: generator for name, generator in generators.items() if name == "scalars" or self._are_two}
        return {name: generator.get_state() for name, generator in own.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on drawing where a `state` was taken; what it has not, such as those of another device, begins anew.

        Raises:
            RuntimeError: it is no state of a generator.
        """
        self._scalars.set_state(state["scalars"])
        if self._are_two and "tensors" in state:
            self._tensors.set_state(state["tensors"])

    @property
    def _are_two(self) -> bool:
        return self._tensors is not self._scalars

    def normal(self, *shape: int) -> Tensor:
        """Draw from the normal distribution, float32 of that shape on the device."""
        return torch.randn(shape, generator=self._tensors, device=self._tensors.device)

    def uniform(self, count: int, low: float | Tensor, high: float | Tensor) -> Tensor:
        """Draw `count` numbers evenly from [low, high); float32 [count] on the CPU."""
        return low + torch.rand(count, generator=self._scalars) * (high - low)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """Return the functions of expressions that draw: `random uniform gauss randint choice`."""

        def one() -> float:
            return float(torch.rand(1, generator=self._scalars, dtype=torch.float64))

        def randint(low: int, high: int) -> int:
            if high < low:
                raise ValueError(f"randint({low}, {high}) is empty")
            return low + int(one() * (high - low + 1))

        return {
            "random": one,
            "uniform": lambda low, high: low + one() * (high - low),
            "gauss": lambda mean, std: mean + std * float(torch.randn(1, generator=self._scalars)),
            "randint": randint,
            "choice": lambda items: items[int(one() * len(items))],
        }


class Scope:
    """Evaluates numbers in one step, for a batch of views.

    Attributes:
        randomness: where random draws come from.
        views: B, how many views are made at once.
        tiles: whether views go on at their opposite edges.
        device: where tensors of numbers are put.
    """

    def __init__(self, names: Mapping[str, Any], randomness: Randomness, device: torch.device) -> None:
        """Set the variables by their full names; aliases are added."""
        self.randomness, self.device = randomness, device
        self.views, self.tiles = 1, False
        self._each: Sequence[Mapping[str, float]] = ()
        self._names = with_aliases(names)
        self._evaluator = randomness.evaluator

    def extended(
        self,
        names: Mapping[str, Any] | None = None,
        *,
        views: int | None = None,
        each: Sequence[Mapping[str, float]] | None = None,
        tiles: bool | None = None,
    ) -> Scope:
        """Copy this scope with more variables, another number of views, or variables that differ by view.

        Args:
            names: further variables.
            views: how many views are made at once.
            each: for every view its own variables, such as its similarity.
            tiles: whether views go on at their opposite edges.
        """
        changes: dict[str, Any] = {"_names": {**self._names, **with_aliases(names or {})}}
        if tiles is not None:
            changes["tiles"] = tiles
        if views is not None:
            changes |= {"views": views, "_each": ()}
        if each is not None:
            changes |= {"views": len(each), "_each": [with_aliases(own) for own in each]}
        other = copy(self)
        other.__dict__.update(changes)
        return other

    def number(self, value: Number, kind: type[int] | type[float] = float) -> float:
        """Evaluate one number.

        Raises:
            ExpressionError: its expression cannot be computed now.
        """
        return self._evaluate(value, kind, None, self._names)

    def numbers(self, values: Numbers) -> list[float]:
        """Evaluate a list of numbers, the same for all views."""
        return [self._evaluate(value, float, place, self._names) for place, value in _placed(values)]

    def integers(self, values: Numbers) -> list[int]:
        """Evaluate a list of whole numbers, the same for all views.

        Raises:
            ExpressionError: as `number`, or one is beyond `MAX_WHOLE`, which nothing has so many of.
        """
        numbers = [int(self._evaluate(value, int, place, self._names)) for place, value in _placed(values)]
        for number, value in zip(numbers, values, strict=False):
            if abs(number) > MAX_WHOLE:
                error = ExpressionError(f"{shortened(str(number))} is too large a number of pixels or things")
                error.source = value.source if isinstance(value, Expression) else ""
                raise error
        return numbers

    def per_view(self, values: Numbers) -> Tensor:
        """Evaluate a list of n numbers, anew for every view where that makes a difference.

        Returns:
            float32 [B, n], or [1, n] when all views share them; on the device.
        """
        own = self._each[0].keys() if self._each else frozenset[str]()
        varies = any(isinstance(v, Expression) and (v.is_random or v.names & own) for v in values)
        rows = []
        for view in range(self.views if varies else 1):
            names = {**self._names, **self._each[view]} if self._each else self._names
            rows.append([self._evaluate(value, float, place, names) for place, value in _placed(values)])
        return torch.tensor(rows, dtype=torch.float32, device=self.device)

    def colours(self, values: Numbers) -> Tensor:
        """Evaluate one number, or one a channel, as `per_view` does; float32 [B or 1, 1 or 3, 1, 1]."""
        return self.per_view(values)[:, :, None, None]

    def uniform(self, low: float | Tensor, high: float | Tensor) -> Tensor:
        """Draw a number for every view, evenly from [low, high); float32 [B] on the CPU."""
        return self.randomness.uniform(self.views, low, high)

    def _evaluate(
        self, value: Number, kind: type[int] | type[float], place: int | None, names: Mapping[str, Any]
    ) -> float:
        if not isinstance(value, Expression):
            return value
        try:
            result = self._evaluator.evaluate(value, names)
            return cast(result if place is None else element(result, place, value.source), kind, value.source)
        except ExpressionError as error:
            error.source = value.source
            raise


def _placed(values: Numbers) -> list[tuple[int | None, Number]]:
    """Number the places of a list, of which an expression may give one each; a single number is no list."""
    return [(None, values[0])] if len(values) == 1 else list(enumerate(values))
