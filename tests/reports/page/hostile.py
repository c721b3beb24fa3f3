"""Names that a page has to survive."""

NAMES = (
    "<script>alert(1)</script>",
    "</style></title><img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='",
    "$\\frac{a}{b}$ and $ alone",
    "{{ 7 * 7 }} {% for x in y %}",
    "javascript:alert(1)//]]>-->",
    "bell\x07 escape\x1b[31m nul\x00",
    "x" * 400,
    "Ω 漢字 \u202e right to left",
)
