"""Forms of one word whose stems differ, such as ``go`` and ``went``: a search for one finds the others."""

from __future__ import annotations

_GROUPS = """
job work profession
heavy weigh weighs weighed weight
cost costs price
begin begins began begun
bite bit bitten
become became
blow blew blown
break broke broken
bring brought
build built
burn burnt burned
buy bought
catch caught
child children
choose chose chosen
come came
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feel felt
fight fought
find found
fly flew flown
foot feet
forget forgot forgotten
freeze froze frozen
give gave given
go goes went gone
grow grew grown
hear heard
hide hid hidden
hold held
keep kept
know knew known
lead led
learn learnt
leave left
lend lent
lose lost
make made
man men
meet met
mouse mice
pay paid
person people
ride rode ridden
ring rang rung
rise rose risen
run ran
say said
see saw seen
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
take took taken
teach taught
tell told
think thought
throw threw thrown
tooth teeth
wear wore worn
win won
woman women
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
