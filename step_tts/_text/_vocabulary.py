"""English and Chinese words that tell whether a full stop ends a sentence.

Only lists. They name what is frequent; a rule that needed a rare word would be a guess.
"""

from __future__ import annotations

__all__ = [
    "BEFORE_NAMES",
    "BEFORE_NUMBERS",
    "EITHER",
    "EXCLAIMED_NAMES",
    "OPENING_WORDS",
    "PRONOUNS",
    "SAID",
    "SPEAKING",
]

BEFORE_NAMES = frozenset(
    """
    adm al approx asst attn capt cf cmdr col cpl dept dir dr drs e.g eg esp est fr gen gov hon i.e
    ie inst lt maj messrs mlle mme mr mrs ms msgr mt pres prof pvt rep reps rev sen sens sgt supt
    tel univ v viz vs
    """.split()
)
"""Abbreviations that never end a sentence: something always follows."""

BEFORE_NUMBERS = frozenset(
    "app art arts ch chap chs col cols eq eqs fig figs l ll ln n nn no nos nr op p par para "
    "pp pt sec secs sect tab vers vol vols".split()
)
"""Abbreviations before a number; without one, several of them are words."""

EITHER = frozenset(
    """
    ave bldg blvd bros cent co corp ctr div ed eds etc ext ft govt hr hrs hwy in inc jr kg km lb lbs
    llc ltd min mins mo mos oz pkwy pl plc pop qtr rd ret sq sr ssp st sts tbsp temp tsp wk yd yds
    yr yrs ph.d
    jan feb apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri
    """.split()
) - {"in", "ed", "pop", "min", "temp", "pl", "cent"}
"""Abbreviations that may also end a sentence; the next word decides."""

OPENING_WORDS = frozenset(
    """
    a after all also although am an and another any are as at because before both but by can could
    did do does don't during each even every everyone few for from had has have he he's her here
    his how however i i'd i'll i'm i've if in is it it's its later let let's many maybe meanwhile
    most my next no nobody not nothing now of on once one only or our perhaps please several
    she she's should since so some such that that's the their then there there's these they
    they're this those though three to today tomorrow two under until was we we're were what when
    where whether which while who why will with would yes yet you you're your
    """.split()
)
"""Words that begin a sentence if they are capitalised after a full stop."""

PRONOUNS = OPENING_WORDS - {"i"}
"""Words that, capitalised after a closing quote, are not the name of a speaker."""

SAID = (
    "added|admitted|agreed|announced|answered|argued|asked|barked|began|begged|bellowed|called|"
    "commented|continued|cried|declared|demanded|exclaimed|explained|gasped|groaned|"
    "growled|grumbled|grunted|hissed|howled|inquired|insisted|interrupted|joked|laughed|mumbled|"
    "murmured|muttered|observed|ordered|pleaded|promised|protested|remarked|repeated|"
    "replied|responded|returned|roared|said|says|screamed|shouted|shrieked|sighed|snapped|sobbed|"
    "stammered|suggested|thought|told|urged|warned|whispered|wondered|"
    "yelled"
)

SPEAKING = (
    "[说説說问問喊叫嚷答骂罵吼叹嘆劝勸咕] 低声 低聲 表示 指出 强调 強調 补充 補充 解释 解釋 透露 "
    "回应 回應 吩咐 提醒 命令 哀求 插嘴 插话 插話 心想 笑着 笑著 "
    "(?<![知难難味街报報轨軌通管])道(?!路)"
).replace(" ", "|")
"""A pattern: a speaker's verb, in simplified and traditional characters."""

EXCLAIMED_NAMES = frozenset({"yahoo", "jeopardy"})
"""Names that carry an exclamation mark of their own."""
