"""Who has an account on the practice forge."""

from __future__ import annotations

from isexplore.practice.seed import NEWCOMER, PersonSeed

PEOPLE: tuple[PersonSeed, ...] = (
    PersonSeed(username=NEWCOMER, name="Nia Newcomer"),
    PersonSeed(username="mara", name="Mara Okafor"),
    PersonSeed(username="tom", name="Tom Lindqvist"),
    PersonSeed(username="jo", name="Jo Ferreira"),
    PersonSeed(username="sofia", name="Sofia Brandt"),
    PersonSeed(username="yusuf", name="Yusuf Demir"),
    PersonSeed(username="priya", name="Priya Raman"),
    PersonSeed(username="diego", name="Diego Salas"),
    PersonSeed(username="hana", name="Hana Kobayashi"),
    PersonSeed(username="oskar", name="Oskar Nowak"),
    PersonSeed(username="ines", name="Inês Carvalho"),
    PersonSeed(username="kofi", name="Kofi Mensah"),
    PersonSeed(username="wei", name="Wei Zhang"),
    PersonSeed(username="lena", name="Lena Vogel"),
    PersonSeed(username="ravi", name="Ravi Shah"),
    PersonSeed(username="aoife", name="Aoife O'Brien"),
    PersonSeed(username="release-bot", name="Release bot", bot=True),
)
