"""Statements that make the objects of a snapshot, one function a kind.

    render       which function writes what, and what none of them writes
    tables       tables with their columns, and what hangs on them
    programs     views, routines, types, operators and the rest
    words        names, signatures and lists as SQL has them

Names are quoted always. Types, expressions, queries and bodies are the server's own words
and stand as they are: whoever runs them does so where nothing can be lost.
"""

from monitor.core.render.render import RENDERED, Surroundings, list_unrendered, render, survey

__all__ = ["RENDERED", "Surroundings", "list_unrendered", "render", "survey"]
