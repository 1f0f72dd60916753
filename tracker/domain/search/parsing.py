"""From the text of a filter or an order to its tree, in one pass.

::

    filter   = all {"or" all}
    all      = test {"and" test}
    test     = "not" test | "(" filter ")" | relation | field test-of-it
    relation = ("descendant_of" | "ancestor_of") "(" text ")"
    of it    = ("=" | "!=" | "<" | "<=" | ">" | ">=") value
             | ["not"] "in" "(" value {"," value} ")"
             | ["not"] ("like" | "ilike" | "matches") text
             | "is" ["not"] "null"
    field    = name ["[" label "]"] | ("last" | "min" | "max") "(" name ["[" label "]"] ")"
    order    = ["-"] field {"," ["-"] field}
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from tracker.domain.errors import Invalid, QuerySyntax
from tracker.domain.search.lexing import Kind, Token, tokens
from tracker.domain.search.operands import TAG_WORDS, TEXTS, WORDS, measure, operand_of, typed
from tracker.domain.search.patterns import Pattern, PatternKind
from tracker.domain.search.query import (
    All,
    Builtin,
    Column,
    Compare,
    Either,
    Filter,
    Like,
    Measure,
    Missing,
    Not,
    OneOf,
    Operand,
    Operator,
    OrderKey,
    Related,
    Relation,
    Tagged,
    Value,
    Which,
)

__all__ = ["parse_filter", "parse_order"]

_DEEPEST = 20  # SQLite's own parser takes about three times as many
_MOST_TESTS = 200
_MOST_COSTLY = 10  # patterns and relatives: each reads a whole column, or a lineage
_MOST_VALUES = 500
_MOST_KEYS = 10

_WORDS_OF_VALUES = {
    "true": True, "false": False, "nan": float("nan"), "inf": float("inf"), "infinity": float("inf"),
}  # fmt: skip
_KEYWORDS = frozenset({"and", "or", "not", "in", "is", "like", "ilike", "matches", "null"})


def parse_filter(text: str, *, now: datetime) -> Filter:
    """The tree of a filter; of an empty one, what lets everything pass.

    Args:
        text: as people write it.
        now: what relative times are counted from.

    Raises:
        QuerySyntax: it does not parse; says where and why.
    """
    parser = _Parser(text, now)
    if parser.at.kind is Kind.END:
        return All()
    found = parser.either(0)
    parser.expect_end("and, or, or the end")
    return found


def parse_order(text: str) -> tuple[OrderKey, ...]:
    """The keys of an order such as ``-metrics.acc,name``; none for an empty one.

    Raises:
        QuerySyntax: it does not parse; says where and why.
    """
    try:
        parser = _Parser(text, None)
        return parser.order()
    except QuerySyntax as error:
        raise QuerySyntax(error.why, error.column, "order_by") from error


_Item = TypeVar("_Item")


class _Parser:
    def __init__(self, text: str, now: datetime | None) -> None:
        self._words = tokens(text)
        self._now = now
        self._tests = self._costs = 0
        self.at = next(self._words)

    # Filters.

    def either(self, depth: int) -> Filter:
        return self._joined("or", lambda: self._all(depth), Either)

    def _all(self, depth: int) -> Filter:
        return self._joined("and", lambda: self._test(depth), All)

    def _joined(
        self, word: str, part: Callable[[], Filter], whole: Callable[[tuple[Filter, ...]], Filter]
    ) -> Filter:
        parts = [part()]
        while self._takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else whole(tuple(parts))

    def _test(self, depth: int) -> Filter:
        if depth > _DEEPEST:
            raise QuerySyntax(f"is nested deeper than {_DEEPEST} levels", self.at.column)
        negated = False
        while self._takes("not"):
            negated = not negated
        found = self._positive(depth)
        return Not(found) if negated else found

    def _positive(self, depth: int) -> Filter:
        if self._takes_sign("("):
            found = self.either(depth + 1)
            self._expect(")")
            return found
        self._tests += 1
        if self._tests > _MOST_TESTS:
            raise QuerySyntax(f"has more than {_MOST_TESTS} tests", self.at.column)
        if self.at.word in (Relation.DESCENDANT, Relation.ANCESTOR):
            relation = Relation(self._next().word)
            self._expect("(")
            column, who = self.at.column, self._reference()
            self._expect(")")
            return Related(relation, (who,), column)
        if self.at.word in TAG_WORDS:
            self._next()
            return self._of_tags()
        operand = self._operand()
        return self._of_parent() if operand == Column(Builtin.PARENT) else self._of(operand)

    def _of(self, operand: Operand) -> Filter:
        if (operator := self._operator()) is not None:
            column, value = self.at.column, self._value(operand)
            if operator not in (Operator.EQUAL, Operator.UNEQUAL):
                if isinstance(value, bool):
                    raise QuerySyntax("true and false have no order; use = or !=", column)
                if operand == Column(Builtin.ID):
                    raise QuerySyntax("ids are compared with =, != or in", column)
            return Compare(operand, operator, value)
        if self._takes("is"):
            negated = self._takes("not")
            self._expect_null()
            return Missing(operand, negated)
        negated = self._takes("not")
        if self._takes("in"):
            return OneOf(operand, tuple(self._listed(lambda: self._value(operand))), negated)
        if isinstance(operand, Measure) or (isinstance(operand, Column) and operand.field not in TEXTS):
            raise self._unexpected("=, !=, <, <=, >, >=, in or is null")
        return Like(operand, self._pattern(), negated)

    def _of_tags(self) -> Filter:
        if (operator := self._operator()) is not None:
            if operator not in (Operator.EQUAL, Operator.UNEQUAL):
                raise QuerySyntax("tags have no order; use =, !=, in or like", self.at.column)
            found: Filter = Tagged((self._text("a tag"),))
            return found if operator is Operator.EQUAL else Not(found)
        if self._takes("is"):
            negated = self._takes("not")
            self._expect_null()
            return Tagged() if negated else Not(Tagged())
        negated = self._takes("not")
        if self._takes("in"):
            found = Tagged(tuple(self._listed(lambda: self._text("a tag"))))
        else:
            found = Tagged(pattern=self._pattern())
        return Not(found) if negated else found

    def _of_parent(self) -> Filter:
        column = self.at.column
        if (operator := self._operator()) is not None:
            if operator not in (Operator.EQUAL, Operator.UNEQUAL):
                raise QuerySyntax("parents have no order; use =, !=, in or is null", column)
            found: Filter = Related(Relation.CHILD, (self._reference(),), column)
            return found if operator is Operator.EQUAL else Not(found)
        if self._takes("is"):
            negated = self._takes("not")
            self._expect_null()
            return Missing(Column(Builtin.PARENT), negated)
        negated = self._takes("not")
        if not self._takes("in"):
            raise self._unexpected("=, !=, in or is null")
        found = Related(Relation.CHILD, tuple(self._listed(self._reference)), column)
        return Not(found) if negated else found

    # Their parts.

    def _operand(self) -> Operand:
        token = self.at
        if token.word not in (Which.LAST, Which.MIN, Which.MAX):
            return self._field()
        self._next()
        if not self._takes_sign("("):
            return self._labelled(token)
        inner = self.at
        operand = measure(self._field(), Which(token.word), inner)
        self._expect(")")
        return operand

    def _field(self) -> Operand:
        if self.at.kind is not Kind.NAME or self.at.word in _KEYWORDS:
            raise self._unexpected("a field")
        return self._labelled(self._next())

    def _labelled(self, token: Token) -> Operand:
        operand = operand_of(token)
        if not self._takes_sign("["):
            return operand
        if not isinstance(operand, Measure):
            raise QuerySyntax("only a metric has a label in brackets", token.column)
        label = self._text("a label")
        self._expect("]")
        return Measure(operand.name, label)

    def _operator(self) -> Operator | None:
        if self.at.kind is Kind.SIGN and self.at.text in set(Operator):
            return Operator(self._next().text)
        return None

    def _value(self, operand: Operand) -> Value:
        token, sign = self.at, 1.0
        if token.kind is Kind.SIGN and token.text in "+-":
            sign = -1.0 if self._next().text == "-" else 1.0
        elif token.kind is Kind.NUMBER:
            self._next()
            return self._typed(operand, float(token.text), token.column)
        elif token.kind is Kind.TEXT:
            self._next()
            return self._typed(operand, token.text, token.column)
        word = self.at.word
        if word in _WORDS_OF_VALUES:
            if sign < 0 and word in ("true", "false", "nan"):
                raise self._unexpected("a number")
            value = _WORDS_OF_VALUES[self._next().word]
            return self._typed(operand, value if isinstance(value, bool) else sign * value, token.column)
        if word and isinstance(operand, Column) and operand.field in WORDS:
            return self._typed(operand, self._next().word, token.column)
        raise self._unexpected("a number, text in quotes, true or false")

    def _typed(self, operand: Operand, value: bool | float | str, column: int) -> Value:
        assert self._now is not None  # orders have no values
        return typed(operand, value, column, self._now)

    def _listed(self, item: Callable[[], _Item]) -> list[_Item]:
        self._expect("(")
        items = [item()]
        while self._takes_sign(","):
            items.append(item())
            if len(items) > _MOST_VALUES:
                raise QuerySyntax(f"a list has at most {_MOST_VALUES} values", self.at.column)
        self._expect(")")
        return items

    def _text(self, what: str) -> str:
        if self.at.kind is Kind.TEXT or (self.at.kind is Kind.NAME and self.at.word not in _KEYWORDS):
            token = self._next()
            return token.text if token.kind is Kind.TEXT else ".".join(token.parts)
        raise self._unexpected(f"{what} in quotes")

    def _reference(self) -> str:
        """An experiment's id, number or name."""
        self._count_costly()
        if self.at.kind is Kind.NUMBER:
            return self._next().text
        return self._text("an experiment's number, name or id")

    def _pattern(self) -> Pattern:
        if self.at.word not in set(PatternKind):
            raise self._unexpected("=, !=, <, <=, >, >=, in, like, ilike, matches or is null")
        self._count_costly()
        kind = PatternKind(self._next().word)
        column, text = self.at.column, self._text("a pattern")
        try:
            return Pattern(kind, text).check()
        except Invalid as error:
            raise QuerySyntax(error.problems[0].msg, column) from error

    # Orders.

    def order(self) -> tuple[OrderKey, ...]:
        if self.at.kind is Kind.END:
            return ()
        keys = [self._key()]
        while self._takes_sign(","):
            keys.append(self._key())
            if len(keys) > _MOST_KEYS:
                raise QuerySyntax(f"has more than {_MOST_KEYS} keys", self.at.column)
        self.expect_end("a comma or the end")
        return tuple(keys)

    def _key(self) -> OrderKey:
        descending = self._takes_sign("-")
        if not descending:
            self._takes_sign("+")
        column = self.at.column
        if self.at.word in TAG_WORDS or self.at.word == Builtin.PARENT:
            raise QuerySyntax(f"{self.at.word} has no order", column)
        return OrderKey(self._operand(), descending)

    # Words.

    def _next(self) -> Token:
        token = self.at
        self.at = next(self._words)
        return token

    def _count_costly(self) -> None:
        self._costs += 1
        if self._costs > _MOST_COSTLY:
            raise QuerySyntax(f"has more than {_MOST_COSTLY} patterns and relatives", self.at.column)

    def _takes(self, word: str) -> bool:
        if self.at.word != word:
            return False
        self._next()
        return True

    def _takes_sign(self, sign: str) -> bool:
        if self.at.kind is not Kind.SIGN or self.at.text != sign:
            return False
        self._next()
        return True

    def _expect(self, sign: str) -> None:
        if not self._takes_sign(sign):
            raise self._unexpected(f"{sign!r}")

    def _expect_null(self) -> None:
        if not self._takes("null"):
            raise self._unexpected("null")

    def expect_end(self, what: str) -> None:
        if self.at.kind is not Kind.END:
            raise self._unexpected(what)

    def _unexpected(self, wanted: str) -> QuerySyntax:
        found = "the end" if self.at.kind is Kind.END else repr(self.at.text)
        return QuerySyntax(f"expected {wanted}, found {found}", self.at.column)
