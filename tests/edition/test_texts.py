"""The glossary's texts as HTML and as words."""

import pytest

from edition import texts

NAMES = {"relu": "ReLU", "xor-problem": "XOR problem", "dropout": "Dropout (regularizer)"}


def test_links_to_terms_are_relative_and_say_the_terms_name_or_other_words():
    assert texts.html_inline("See [[dropout]].", NAMES) == 'See <a href="dropout">dropout</a>.'
    assert texts.html_inline("[[relu|ReLU *units*]]", NAMES) == '<a href="relu">ReLU <em>units</em></a>'


def test_a_formula_may_stand_in_a_links_words():
    made = texts.html_inline("[[relu|the $x$ axis]]", NAMES)
    assert made.startswith('<a href="relu">the <') and "<mi>x</mi>" in made


def test_brackets_in_a_formula_are_no_link():
    assert "<a" not in texts.html_inline("$[[a]]$", NAMES)


def test_markdown_is_read():
    made = texts.html("One **two**.\n\n- `a`\n- b\n\n$$\nx=1\n$$\n", NAMES)
    assert "<strong>two</strong>" in made and "<li><code>a</code></li>" in made
    assert '<math display="block">' in made


def test_what_looks_like_html_is_text():
    assert "<script" not in texts.html("<script>alert(1)</script> <b onclick=x>", NAMES)


@pytest.mark.parametrize("slug", ['"><script>', "javascript:alert(1)//", "nothing"])
def test_a_link_to_nowhere_harms_nobody(slug):
    made = texts.html_inline(f"[[{slug}|x]]", NAMES)
    assert "<script" not in made


def test_the_words_alone():
    text = "A [[relu]] gives\n$\\max(0,x)$, *not* `-1`; see [[xor-problem|the problem]]."
    assert texts.plain(text, NAMES) == "A ReLU gives max(0,x), not -1; see the problem."
