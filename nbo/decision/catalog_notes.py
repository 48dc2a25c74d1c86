"""The mistakes found while a catalogue is read, each with its file, line and column."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from nbo.errors import Problem, WorkspaceError

MOST_PROBLEMS = 1_000
"""Reading ends with so many mistakes: a file in another form than a catalogue's has 100,000, and
looking for all of them takes seconds that nobody's next correction needs."""


class Notes:
    """The mistakes found, and what is allowed but probably not meant.

    Attributes:
        files: Paths as the user knows them, in the order they are read.
        problems: Mistakes, in the order of reading.
        warnings: What loads all the same.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self.files = tuple(files)
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._told: set[Problem] = set()

    def add(self, node: yaml.Node | None, message: str, column: int = 0, line: int = 0) -> None:
        """Note a mistake at a node, or at an exact place within it (1-based).

        Raises:
            WorkspaceError: It is one more than `MOST_PROBLEMS`; holds those, and says so.
        """
        problem = self._problem(node, message, column, line)
        if len(self.problems) >= MOST_PROBLEMS and problem not in self._told:
            told = f"and more: reading ended after {MOST_PROBLEMS:,} mistakes; mend these first"
            raise WorkspaceError([*self.ordered(self.problems), Problem(problem.file, 0, 0, told)])
        self._put(self.problems, problem)

    def warn(self, node: yaml.Node | None, message: str) -> None:
        """Note what is allowed at a node and probably not meant."""
        self._put(self.warnings, self._problem(node, message))

    def ordered(self, problems: Sequence[Problem]) -> list[Problem]:
        """Put problems into the order of the files."""
        rank = {file: number for number, file in enumerate(self.files)}
        return sorted(problems, key=lambda p: (rank.get(p.file, -1), p.line, p.column))

    def _problem(
        self, node: yaml.Node | None, message: str, column: int = 0, line: int = 0
    ) -> Problem:
        if node is None:
            return Problem(self.files[0], line, column, message)
        mark = node.start_mark
        return Problem(mark.name, line or mark.line + 1, column or mark.column + 1, message)

    def _put(self, problems: list[Problem], problem: Problem) -> None:
        if problem not in self._told:
            self._told.add(problem)
            problems.append(problem)
