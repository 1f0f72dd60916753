"""The family: a baseline and what was derived from it, each trained and tracked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import tracker
from tracker.demo.digits import Digits
from tracker.demo.mlp import Network
from tracker.domain.errors import Unavailable
from tracker.domain.experiments.experiment import Experiment

__all__ = ["CLAIMED_METRIC", "CLAIMS", "FAMILY", "STEPS", "Claim", "Diverged", "Member", "train"]

STEPS = 300
BATCH = 64
PATIENCE = 5


class Diverged(Exception):
    """The loss stopped being a number."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    lr: float = 0.1
    width: int = 16
    l2: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Member:
    """One experiment: what changed against which earlier member (its index), and the recipe."""

    change: str
    parent: int | None
    recipe: Recipe


FAMILY = (
    Member("baseline", None, Recipe()),
    Member("lr0.5", 0, Recipe(lr=0.5)),
    Member("lr0.02", 0, Recipe(lr=0.02)),
    Member("l2", 0, Recipe(l2=0.03)),
    Member("seed1", 0, Recipe(seed=1)),
    Member("seed2", 0, Recipe(seed=2)),
    Member("seed1", 1, Recipe(lr=0.5, seed=1)),
    Member("seed2", 1, Recipe(lr=0.5, seed=2)),
    Member("seed1", 3, Recipe(l2=0.03, seed=1)),
    Member("seed2", 3, Recipe(l2=0.03, seed=2)),
    Member("width64", 1, Recipe(lr=0.5, width=64)),
    Member("lr10000", 3, Recipe(lr=10_000.0, l2=0.03)),
)


@dataclass(frozen=True)
class Claim:
    """A hypothesis, and the members (their indices) that test it against their root and its replicates."""

    title: str
    description: str
    members: tuple[int, ...]


CLAIMS = (
    Claim("a larger learning rate helps", "0.5 in place of 0.1: lower val.loss in as many steps.", (1, 6, 7)),
    Claim("weight decay helps", "l2 of 0.03 in place of none: lower val.loss.", (3, 8, 9)),
)
CLAIMED_METRIC = "val.loss"


def train(
    member: Member,
    digits: Digits,
    *,
    project: str,
    name: str,
    parent: Experiment | None,
    data: Path | None,
    steps: int,
    stepped: Callable[[], None],
) -> Experiment:
    """Trains one member and tracks every step; a diverged one ends as failed.

    Args:
        member: what to train.
        digits: on what.
        project: where it is tracked.
        name: the experiment's.
        parent: what it derives from.
        data: the folder to write to.
        steps: how many to train for.
        stepped: called after each step.

    Raises:
        Unavailable: the store did not take every point.
    """
    recipe = member.recipe
    with tracker.init(
        project, name, params=asdict(recipe), tags=["demo"], parent=parent, data=data,
        capture=False, silent=True,
        features={"model": {"width": recipe.width}, "optimizer": {"lr": recipe.lr, "l2": recipe.l2}},
    ) as run:  # fmt: skip
        try:
            _learn(run, recipe, digits, steps, stepped)
        except Diverged:
            run.finish("failed")
    if run.unsaved:
        raise Unavailable(f"{run.unsaved} points of {name} were not saved")
    return run.experiment


def _learn(run: tracker.Run, recipe: Recipe, digits: Digits, steps: int, stepped: Callable[[], None]) -> None:
    network = Network(recipe.width, recipe.seed)
    draw = np.random.default_rng(recipe.seed)
    broken = 0
    val_loss = val_acc = math.nan
    for step in range(steps):
        rows = draw.integers(0, len(digits.train_labels), BATCH)
        with np.errstate(all="ignore"):  # the one that diverges is meant to
            loss, acc = network.step(
                digits.train_images[rows], digits.train_labels[rows], lr=recipe.lr, l2=recipe.l2
            )
            val_loss, val_acc = network.evaluate(digits.val_images, digits.val_labels)
        run.log({"train": {"loss": loss, "acc": acc}, "val": {"loss": val_loss, "acc": val_acc}}, step=step)
        stepped()
        broken += not math.isfinite(val_loss)
        if broken == PATIENCE:
            raise Diverged(f"no finite loss since step {step - PATIENCE + 1}")
    run.metric("val.loss", val_loss, step=steps - 1)
    run.metric("val.acc", val_acc, step=steps - 1)
