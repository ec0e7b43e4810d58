"""The registry's check finds what is wrong with wrong registries, and names it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinytorch.checks.calls import ContractError
from tinytorch.checks.registry import check_registry
from tinytorch.mlops.deploy import AuditedRegistry


class CountsOverAllNames(AuditedRegistry):
    """Gives out one number after the other, whatever the name."""

    n_models = 0

    def register(self, model, metadata):
        version = super().register(model, metadata)
        self.n_models += 1
        return replace(version, version=self.n_models)


class ForgetsTheDraft(AuditedRegistry):
    def register(self, model, metadata):
        return super().register(model, replace(metadata, metrics={}))


class TakesNumberedDrafts(AuditedRegistry):
    def register(self, model, metadata):
        return super().register(model, replace(metadata, version=0))


class PromotesTheNewest(AuditedRegistry):
    """Takes the newest version for the champion once there is one."""

    def get(self, name, version_or_alias):
        champion = super().get(name, version_or_alias)
        return super().get(name, "latest") if version_or_alias == "champion" else champion


class OverrulesUnseen(AuditedRegistry):
    """Moves the pointer whatever the caller knew."""

    def promote(self, name, version, expected_revision):
        return super().promote(name, version, self.revision(name))


class RollsBackUnseen(AuditedRegistry):
    def rollback(self, name, expected_revision):
        return super().rollback(name, self.revision(name))


class RollsBackByOne(AuditedRegistry):
    """Goes back to the number before, whoever was the champion before."""

    def rollback(self, name, expected_revision):
        before = self.get(name, "champion").version - 1
        return self.promote(name, before, expected_revision)


class CountsFromTheEnd(AuditedRegistry):
    """Reads -1 as Python's lists do."""

    def get(self, name, version_or_alias):
        if isinstance(version_or_alias, int) and version_or_alias < 0:
            version_or_alias = "latest"
        return super().get(name, version_or_alias)


class LoadsTheNewest(AuditedRegistry):
    def load(self, name, version_or_alias):
        super().load(name, version_or_alias)
        return super().load(name, "latest")


class RaisesKeyError(AuditedRegistry):
    def get(self, name, version_or_alias):
        try:
            return super().get(name, version_or_alias)
        except ValueError as error:
            raise KeyError(version_or_alias) from error


class CountsNoRollback(AuditedRegistry):
    n_rollbacks = 0

    def revision(self, name):
        return super().revision(name) - self.n_rollbacks

    def rollback(self, name, expected_revision):
        version = super().rollback(name, expected_revision)
        self.n_rollbacks += 1
        return version


@pytest.mark.parametrize(
    ("make_registry", "sentence"),
    [
        (CountsOverAllNames, "registry.register under another name: expected version 1: each name counts alone"),
        (ForgetsTheDraft, "registry.register, call 1: expected the draft's fields"),
        (TakesNumberedDrafts, "registry.register of an entry that has a number already: expected a ValueError"),
        (PromotesTheNewest, r'registry.get\("digits", "champion"\) after version 1 was promoted: expected version 1'),
        (OverrulesUnseen, "registry.promote with a revision that is out of date: expected a ValueError"),
        (RollsBackUnseen, "registry.rollback with expected_revision 0 where it is 2: expected a ValueError"),
        (RollsBackByOne, "registry.rollback from the version promoted after version 3: expected version 3"),
        (CountsFromTheEnd, r'registry.get\("digits", -1\): expected a ValueError, got digits, version 3'),
        (LoadsTheNewest, r'registry.load\("digits", 1\) : expected the model that was registered as version 1'),
        (RaisesKeyError, "before any promotion: expected a ValueError, but KeyError was raised"),
        (CountsNoRollback, "registry.revision after 3 promotions and 2 rollbacks: expected 5 moves, got 3"),
    ],
)
def test_a_wrong_registry_is_told_what_is_wrong(make_registry, sentence):
    with pytest.raises(ContractError, match=sentence):
        check_registry(make_registry)


def test_a_registry_may_be_tried_with_models_of_its_own_kind():
    asked = []

    class Fixed:
        def __init__(self, number):
            asked.append(number)
            self.number = number

        def predict_proba(self, features):
            return [[1.0 / self.number, 1.0 - 1.0 / self.number]] * len(features)

    check_registry(AuditedRegistry, Fixed)
    assert set(asked) == {1, 2, 3, 4}
