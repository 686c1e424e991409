"""Mode tags: the labels that stand out for an image, as a tagger for training data gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from clipnb.errors import counted
from clipnb.interrogate.modes.base import Mode, PromptCandidate, fitting
from clipnb.interrogate.prompt import Phrase
from clipnb.interrogate.result import Tag
from clipnb.prompts.tag_line import with_underscores

if TYPE_CHECKING:
    from clipnb.interrogate.image_query import ImageQuery

_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)


class TagsMode(Mode):
    """The labels of each table whose score reaches the table's threshold, best first.

    A label's score is its cosine's distance from the mean of the image's cosines with the whole built-in list of its
    table, in standard deviations. So a threshold means the same for every image, whatever an encoder's cosines are,
    and for short lists of a user's own. An image that no label describes has no tags.

    It was chosen by measurement, with `lite` and 361 stamps of Tux Paint whose description has a word of `objects`. At
    the threshold that gives two tags an image, the share of tags that mean what is shown was .49 by this score, .47 by
    the cosine less its mean, .43 by the cosine alone or by its distance from what the label has with other images, and
    .33 by a softmax. Of scikit-image's photographs, coffee, cat, rocket and motorcycle have right tags, those that no
    label describes (astronaut, coins, clock, moon, Hubble's deep field) have none, and grass has a wrong one. The
    thresholds of mediums and movements, which `lite` does not know, are not measured.
    """

    name = "tags"
    summary = "the labels that stand out, by a threshold for each table: tags for training data"
    takes_caption = False
    takes_opening = True
    settings = ("tag_thresholds", "tag_form")

    def propose(self, query: ImageQuery, caption: str, max_flavors: int) -> PromptCandidate:
        del caption
        tags: dict[str, Tag] = {}
        for table, least in query.settings.tag_thresholds.items():
            mean, deviation = query.spread(table)
            for one in query.best(table, max_flavors):
                score = (one.similarity - mean) / deviation
                text = tag_of(one.label, query.settings.tag_form)
                if score >= least and (text not in tags or tags[text].score < score):
                    tags[text] = Tag(text, score, one.similarity, table)
        found = sorted(tags.values(), key=lambda tag: tag.score, reverse=True)[:max_flavors]
        kept = fitting(query, [*query.opening(""), *(Phrase(tag.text, tag.table) for tag in found)])
        asked = {table: least for table, least in query.settings.tag_thresholds.items() if table in query.ranked}
        chosen = ", ".join(f"{len(query.table(table)):,} {table} from {least:g}" for table, least in asked.items())
        note = f"{counted(len(found), 'tag')}, chosen from {chosen} standard deviations above the picture's mean"
        return PromptCandidate(kept.phrases, kept.dropped, notes=(note,), tags=tuple(found))


def tag_of(label: str, form: str = "plain") -> str:
    r"""Return a label as a tag: without its article; in danbooru's form in lower case with `_` and escaped brackets.

    >>> tag_of("a cup of coffee"), tag_of("the Moon (full)", "danbooru")
    ('cup of coffee', 'moon_\\(full\\)')
    """
    text = _ARTICLE.sub("", label, count=1) if _ARTICLE.match(label) else label
    return re.sub(r"[()]", r"\\\g<0>", with_underscores(text.lower())) if form == "danbooru" else text
