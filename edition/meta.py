"""What programs read of a page: previews of links, search engines."""

import json
from dataclasses import dataclass, field
from typing import Any

from edition import NAME, stills, texts
from glossary import Glossary, Lesson, Term


@dataclass(frozen=True)
class Meta:
    """One page, for the head of its HTML. canonical and image are full addresses, "" where there is none."""

    title: str
    og_title: str
    description: str
    canonical: str = ""
    image: str = ""
    kind: str = "website"
    data: dict[str, Any] = field(default_factory=dict)  # schema.org

    @property
    def json(self) -> str:
        """The data for a <script>: nothing in it can end the element or begin a comment."""
        text = json.dumps(self.data, ensure_ascii=False)
        for sign in "<>&\u2028\u2029":
            text = text.replace(sign, f"\\u{ord(sign):04x}")
        return text


def of_term(glossary: Glossary, term: Term, at: str, differs: str = "") -> Meta:
    """at: the public address of the app, "" if it is not known. differs: the knobs that the link turns, in words."""
    description = texts.plain(term.lead, names(glossary))
    canonical = f"{at}/{term.slug}" if at else ""
    picture = stills.address(term.slug, "preview.jpg")
    data = {
        "@context": "https://schema.org",
        "@type": "DefinedTerm",
        "name": term.name,
        "termCode": term.slug,
        "description": description,
        "inDefinedTermSet": {"@type": "DefinedTermSet", "name": NAME} | ({"url": f"{at}/"} if at else {}),
    }
    data |= {"alternateName": term.aliases} if term.aliases else {}
    data |= {"url": canonical} if canonical else {}
    title = f"{term.name} · {differs}" if differs else term.name
    return Meta(
        title=f"{term.name} · {NAME}",
        og_title=title,
        description=description,
        canonical=canonical,
        image=f"{at}/{picture}" if at and picture else "",
        kind="article",
        data=data,
    )


def of_lesson(glossary: Glossary, lesson: Lesson, at: str) -> Meta:
    return Meta(
        title=f"{lesson.title} · {NAME}",
        og_title=lesson.title,
        description=texts.plain(lesson.sentence, names(glossary)),
        canonical=f"{at}/{lesson.url}" if at else "",
    )


def of_home(glossary: Glossary, at: str) -> Meta:
    return Meta(title=NAME, og_title=NAME, description=sentence(glossary), canonical=f"{at}/" if at else "")


def sentence(glossary: Glossary) -> str:
    """What the glossary is, in a sentence."""
    return (
        f"{len(glossary.terms)} terms of a deep-learning course in {len(glossary.lessons)} lessons, "
        "with playgrounds in which the thing itself runs in front of you."
    )


def names(glossary: Glossary) -> dict[str, str]:
    return {term.slug: term.name for term in glossary.terms}
