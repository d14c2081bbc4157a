"""Answers as people and models write them: which of them are the wanted number, words, label or JSON.

A false right passes a gate, so what may be another answer is wrong.
"""

import pytest
from tunestack_training.answer_numbers import last_number
from tunestack_training.generation import Answer
from tunestack_training.right import score

# Of none of these anybody would say that it is 72.
NOT_72 = [
    '- 72', '– 72', 'minus 72', 'negative 72', '- $72', '负72', 'マイナス72', '72k', '72K', '72M', '$72M', '72bn',
    '72 million', '72 billion dollars', '72 dozen', '72万', '72억', '1, 72', '(1, 72)', '[1, 72]', '1 and 72',
    'x = 1 or x = 72', '70 - 72', '70 – 72', '70 to 72', 'between 70 and 72', '5到72', '72 \\pi', '72 π',
    '72pi', '72i', '3 + 72i', '72log', '70 / 72', '3 over 72', '1 : 72', '三分之72', '2 * 72', '2 × 72', '2 x 72',
    '2 + 72', '2 ^ 72', '< 72', '≥ 72', '≠ 72', '!= 72', '± 72', 'x \\leq 72', 'x \\neq 72', '不到72', '不是72',
    'x>72', '3/72', '2024-05-72', 'v72',
]  # fmt: skip
NOT_72 += ["1 of 72", "1 out of 72", "72 or more", "72 or so"]
IS_72 = [
    '$\\boxed{72}$', '$\\boxed{72}$.', 'The final answer is: $\\boxed{72}$.', '$$\\boxed{72}$$',
    '$\\boxed{72}$ km', '$72/day', '72/day', '72km/h', '72 km/h', '72 m²', '72m²', '72 m^2', '72 cm³',
    '72 cm3', '72 m2', '72 km2', '72 kg CO2', '72°C', '72℃', '\\$72', '$\\$72$', '\\boxed{\\$72}',
    '\\boxed{72\\text{ dollars}}', '<b>72</b>', '<answer>72</answer>', '72</s>', '<<24*3=72>>72', '“72”',
    '«72»', '答：72', '答:72', '=>72', '⇒72', 'x→72', '72—that is all', 'US$72', 'R$72,00', 'A$72', 'Rs.72',
    '₪72', '\ufeff72', '\u200e72', '72minutes', '٧٢', 'คำตอบคือ ๗๒', '共有72个。', 'it comes to 72.', '72%',
    '**72**', 'x=72', 'Answer:72', '72 apples!', '#### 72', '5*3=15\nso 72', '72\n', 'It is 72', '5 + 67 = 72',
    'first 5, then 72', 'The answer is 72 (in words: many)',
]  # fmt: skip
NOT_THE_LAST_DIGITS = [
    ('10²', 102), ('5²', 52), ('3³', 33), ('May 5, 2024', 2024), ('2024年5月1日', 1), ('2 hours 30 minutes', 30),
    ('2h 30min', 30), ('12点30分', 30), ('5 ft 3 in', 3), ('15, i.e. 5 × 3', 3), ('\\frac{3}{4}', 4),
    ('x^{2}', 2), ('\\sqrt{2}', 2), ('5-10', 10), ('½', 2),
]  # fmt: skip
WRITTEN_AS = [
    ('1{,}024', '1024'), ('1\\,024', '1024'), ('₹1,23,456', '123456'), ('١٬٢٣٤', '1234'), ('٣٫٥', '3.5'),
    ('1 000', '1000'), ('-.5', '-0.5'), ('−5', '-5'), ('-5°C', '-5'), ('It is -5.', '-5'), ('1_000', '1000'),
    ("1'000", '1000'),
]  # fmt: skip
OTHERS = [
    ('(0,1)', '[0,1]'), ('(1,2]', '[1,2)'), ('[0, 1)', '(0, 1)'), ('{1,2}', '[1,2]'),
    ('-\\frac{1}{2}', '\\frac{1}{2}'), ('-\\sqrt{2}', '\\sqrt{2}'), ('-∞', '∞'), ('-$5', '$5'), ('A', 'A-'),
    ('B-', 'B'), ('25元', '5元'), ('12月', '2月'), ('15.5元', '5元'), ('1,500元', '500元'), ('-5元', '5元'),
    ('2024年12月', '2024年1'), ('3.5%です', '5%です'), ('AB型', 'B型'), ('不是', '是'), ('不可以', '可以'), ('不正确', '正确'),
    ('ไม่ใช่', 'ใช่'), ('答案是A，而不是 B', 'B'), ('答案是A不是 B', 'B'), ('정답은 A이다. 오답은 B', 'B'), ('答えはAです。(B)', 'B'),
    ('A or B', 'B'), ('A and B', 'B'), ('both A and B', 'B'), ('vitamin C is A', 'C'),
    ('WHERE a AND (b OR c)', 'WHERE (a AND b) OR c'), ('x -= 1', 'x = 1'), ('x[::-1]', 'x[:-1]'),
    ('x[-1:]', 'x[-1]'), ('f(*args)', 'f(**args)'), ('~x', 'x'), ('../x', './x'), ('f(x)+1', 'f(x)'),
    ('SELECT COUNT()', 'SELECT COUNT(*)'), ('C++', 'C'), ('C#', 'C'), ('x == 1', 'x = 1'), ('12:30', '2:30'),
    ('1.25', '1.2'), ('$50', '$5'), ('5 %', '15 %'), ('x > 10', 'x > 1'),
]  # fmt: skip
HOLDS = [
    ('答案是B', 'B'), ('正确答案是B。', 'B'), ('故选B。', 'B'), ('答えはBです。', 'B'), ('정답은 B입니다.', 'B'),
    ('A is correct', 'A'), ('A is the answer', 'A'), ('Option A fits best', 'A'),
    ('The answer is A because it is…', 'A'), ('b', 'B'), ('b)', 'B'), ('(b) Paris', 'B'), ("'B'", 'B'),
    ('B) 12 m', 'B'), ('B) x = y', 'B'), ('B) hepatitis A', 'B'),
    ('B\n\nExplanation: Option A is wrong, C is too', 'B'), ('A resposta é B', 'B'),
    ('La respuesta es B y no otra', 'B'), ('The answer is (B).', 'B'), ('**B**', 'B'), ('5 %', '5%'),
    ('12:30pm', '12:30 pm'), ('3–5', '3-5'), ('3 - 5', '3-5'), ('WHERE a=1', 'WHERE a = 1'), ('x+1', 'x + 1'),
    ('[1, 2, 3]', '[1,2,3]'), ('(3,4)', '(3, 4)'), ('[0,1]', '[0, 1]'), ('x^2+1', 'x^2 + 1'),
    ('```sql\nSELECT *\nFROM users\n```', 'SELECT * FROM users'), ('It is c++.', 'C++'), ('costs €5.', '€5'),
    ('so -5', '-5'), ('the answer is −5.', '-5'), ('好的', '好的'), ('答案是5元。', '5元'), ('call f(x).', 'f(x)'),
    ('use `x != 1`', 'x != 1'), ('run `rm -rf`', 'rm -rf'), ('$\\frac{1}{2}$', '\\frac{1}{2}'),
    ('R&D!', 'R&D'), ('It costs $5, I think', '$5'), ('see a.b', 'a.b'), ('5 km', '5 km'),
]  # fmt: skip
OTHER_LABELS = [
    ('A-', 'A'), ('A−', 'A'), ('A*', 'A'), ('A', 'A-'), ('B-', 'B'), ('- 1', '1'), ('–1', '1'),
    ('not positive', 'positive'), ('positive or negative', 'positive'), ('C', 'C++'), ('BB-', 'BB'),
]  # fmt: skip
SAME_LABELS = [
    ('–1', '-1'), ('- 1', '-1'), ('Label: positive', 'positive'), ('Sentiment: positive', 'positive'),
    ('The sentiment is positive.', 'positive'), ('Refund Request', 'refund_request'),
    ('refund-request', 'refund_request'), ('Sci / Tech', 'Sci/Tech'), ('Positive.', 'positive'),
    ('> 50K', '>50K'), ('**positive**', 'positive'),
]  # fmt: skip
HOLDS += [("it takes long (5 km)", "5 km"), ("the answer is (5)", "5"), ("x is the unknown", "x"), ("so K.", "k")]
SAME_JSON = [
    ('<tool_call>\n{"name": "look", "arguments": {"of": 1}}\n</tool_call>', '{"arguments": {"of": 1}, "name": "look"}'),
    ("<tool_call>{}</tool_call><tool_call>[]</tool_call>", "[{}, []]"),
    ('```json\n{"a": 1}', '{"a": 1}'), ('{"a": 1}\n```', '{"a": 1}'),
    ('```json\n{"a": 1}```\n```python\nx = 1\n```', '{"a": 1}'),
    ('{"a": "<think>x</think>y"}', '{"a": "<think>x</think>y"}'), ('{"cafe\u0301": 1}', '{"café": 1}'),
]  # fmt: skip


@pytest.mark.parametrize("said", NOT_72)
def test_what_may_be_another_number_is_not_it(said: str) -> None:
    assert last_number(said) != 72


@pytest.mark.parametrize(("said", "digits"), NOT_THE_LAST_DIGITS)
def test_digits_at_the_end_are_no_number_by_themselves(said: str, digits: int) -> None:
    assert last_number(said) != digits


@pytest.mark.parametrize("said", IS_72)
def test_a_number_is_found_in_what_stands_around_it(said: str) -> None:
    assert last_number(said) == 72


@pytest.mark.parametrize(("said", "number"), WRITTEN_AS)
def test_numbers_are_read_as_they_are_written(said: str, number: str) -> None:
    assert str(last_number(said)) == number


@pytest.mark.parametrize(
    ("how", "said", "wanted", "right"),
    [
        *[("contains", *pair, 0) for pair in OTHERS],
        *[("contains", *pair, 1) for pair in HOLDS],
        *[("label", *pair, 0) for pair in OTHER_LABELS],
        *[("label", *pair, 1) for pair in SAME_LABELS],
        *[("json", *pair, 1) for pair in SAME_JSON],
    ],
)
def test_signs_and_what_is_before_and_behind_tell(how: str, said: str, wanted: str, right: int) -> None:
    assert score(Answer(said, ended=True), wanted, how) == right
