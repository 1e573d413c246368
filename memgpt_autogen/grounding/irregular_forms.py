"""Forms of one word whose stems differ, such as "hide" and "hid", for matching questions with answers."""

from __future__ import annotations

_GROUPS = """
job work profession
heavy weigh weighs weighed weight
cost costs price
begin begins began begun
bite bit bitten
blow blew blown
break broke broken
bring brought
build built
burn burnt burned
buy bought
catch caught
choose chose chosen
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feel felt
fight fought
fly flew flown
forget forgot forgotten
freeze froze frozen
grow grew grown
hear heard
hide hid hidden
hold held
lead led
learn learnt
leave left
lend lent
lose lost
meet met
pay paid
ride rode ridden
ring rang rung
rise rose risen
run ran
sell sold
send sent
shake shook shaken
shoot shot
sing sang sung
sink sank sunk
sleep slept
sow sows sown sowed
speak spoke spoken
spend spent
stand stood
steal stole stolen
strike struck
swim swam swum
teach taught
think thought
throw threw thrown
wear wore worn
win won
write wrote written
"""

_FORMS = {
    word: tuple(other for other in group.split() if other != word)
    for group in _GROUPS.strip().splitlines()
    for word in group.split()
}


def irregular_forms(word: str) -> tuple[str, ...]:
    """The other forms of a word that stemming does not find: ``hid`` for ``hide``."""
    return _FORMS.get(word, ())
