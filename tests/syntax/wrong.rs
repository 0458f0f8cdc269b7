//! Wrong texts, and what is said about each: place, code and sentence here, every word in `wrong.expected`.

use crate::{parse, snapshot};
use zhanggui::lang::diagnostic::render;

/// File, text, findings in the order of their places.
const WRONG: &[(&str, &str, &str)] = &[
    (
        "x.policy",
        "policy p decides d\nrule a when x && y then deny\n",
        "2:15 E0107 `&&` is no word of this language",
    ),
    ("x.policy", "policy p decides d\nlet a = 2026-02-30\n", "2:9 E0115 `2026-02-30` is not a date"),
    (
        "x.policy",
        "policy p decides d\nrule a then x add {b, c\nrule b then deny\n",
        "2:19 E0110 `{` is never closed",
    ),
    ("x.cases", "backgruond \"x\" a = 1\n", "1:1 E0105 `backgruond` begins no declaration"),
    (
        "x.cases",
        "case \"x\" given a: 3 expect b\n",
        "1:17 E0107 `:` comes before a type; here a value is set",
    ),
    ("x.cases", "case \"x\" given a = 1 expct allow\n", "1:22 E0105 `expct` does not fit here"),
    ("x.cases", "cases return at s1\n", "1:7 E0101 expected `for`, found `return`"),
    ("x.cases", "case \"x\" given a = 1\n", "1:6 E0132 this case expects nothing"),
    ("x.cases", "case \"x\" expect a is 3\n", "1:19 E0107 an expected value stands after `=`"),
    ("x.cases", "case x expect a\n", "1:6 E0101 expected a text in quotes, found `x`"),
    (
        "x.policy",
        "policy p decides d\nlet a = 2026年7月1日\n",
        "2:9 E0115 a date is not written with 年 and 月",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b, c: d) -> e: f\n | 1 | 2 | 3 |\n | 1 | 2 |\n",
        "4:2 E0130 this row has 2 cells, the table has 3 columns",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when 1 < x < 3 then deny\n",
        "2:19 E0121 comparisons do not chain",
    ),
    ("x.policy", "policy p decides d\nlet a = (b]\n", "2:11 E0111 `]` cannot close `(`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x, y then deny\n",
        "2:14 E0107 a comma does not join conditions",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n | != 3 | 3 |\n",
        "3:4 E0131 a cell cannot say what it is not",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a from 2026-01-01 before 2025-01-01 then deny\n",
        "2:31 E0126 this ends before it begins",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then item.x\n",
        "2:13 E0129 `item.x` says nothing about an output",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a for ech l in lines then deny\n",
        "2:12 E0105 `ech` does not fit here",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b, c: d) -> e: f\n | 1 |   | 3 |\n",
        "3:6 E0131 this cell is empty",
    ),
    ("x.policy", "policy p decides d\ntable t(a: b) -> e: f\n | | 3 |\n", "3:2 E0131 this cell is empty"),
    ("x.policy", "policy p decides d\nrule a when x = y then deny\n", "2:15 E0107 `=` does not compare"),
    ("x.policy", "policy p decides d\nrule a when x == y then deny\n", "2:15 E0107 `==` does not compare"),
    (
        "x.policy",
        "policy p decides d\nrule a then deny say zh \"a\\qb\"\n",
        "2:25 E0109 `\\q` means nothing in a text",
    ),
    ("x.policy", "policy p decides d\nlet a = b)\n", "2:10 E0111 `)` closes nothing"),
    ("x.policy", "policy p decides d\nlet a = 15 分\n", "2:12 E0113 `分` may be a cent or a point"),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d file counter.csv\n",
        "2:28 E0101 expected a text in quotes, found `counter`",
    ),
    ("x.policy", "policy p decides d\nlet a = foo(l for l in x)\n", "2:15 E0125 `foo` takes no `for`"),
    (
        "x.policy",
        "policy p decides d\nlet a = if x then y\n",
        "2:20 E0101 the line ends too early: expected `else`",
    ),
    (
        "x.policy",
        "hello world\nrule a then deny\n",
        "1:1 E0102 no declaration of this kind of file begins with `hello` / 2:1 E0124 this `rule` belongs to no policy",
    ),
    (
        "x.policy",
        "policy p decides d\nlet x = days from a\n",
        "2:20 E0101 the line ends too early: expected `to`",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b, c: d) -> e: f\n | 1 | 2 | 3 |\n | 1 | 2 | 3\n | 1 | 2 | 3 |\n",
        "4:13 E0101 the line ends too early: expected `,` or `|`",
    ),
    ("x.policy", "policy p decides d\n layer law\n layer law\n", "3:2 E0122 `layer` stands here twice"),
    ("x.policy", "policy p decides d\nlet a is 3\n", "2:7 E0107 `is` compares, it does not set"),
    (
        "x.policy",
        "policy p decides d\nlet then = 3\n",
        "2:5 E0106 `then` is a word of the language and cannot be a name here",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n | x or | 3 |\n",
        "3:9 E0101 expected a value, found `|`",
    ),
    (
        "x.policy",
        "policy p decides d\nlet a = b +\nlet c = d\n",
        "2:12 E0101 the line ends too early: expected a value",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when x and y or z then deny\n",
        "2:21 E0120 `and` and `or` stand together without brackets",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) c: d\n | 1 | 2 |\n",
        "2:15 E0101 expected `->`, found `c`",
    ),
    (
        "x.policy",
        "policy p\n layer law\nrule a then deny\n",
        "1:9 E0101 the line ends too early: expected `decides`",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n",
        "2:22 E0101 the line ends too early: expected `|`",
    ),
    ("x.policy", "rule a then deny\n", "1:1 E0124 this `rule` belongs to no policy"),
    (
        "x.policy",
        "policy p decides d\nrule a then deny say zh \"abc\nrule b then deny\n",
        "2:25 E0108 this text is not closed on its line",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then deny overrides b, c for d\n",
        "2:18 E0128 it is not clear what `for` belongs to",
    ),
    ("x.policy", "policy p decides d\nparam a = 3\n", "2:9 E0101 expected `:`, found `=`"),
    (
        "x.policy",
        "policy p decides d\nparam a: b = 3 CNY store may set\n",
        "2:33 E0101 the line ends too early: expected a value",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when (x and y then deny\nrule b then deny\n",
        "2:13 E0110 `(` is never closed",
    ),
    ("x.policy", "policy p decides d\nrule a then deny say zh 'x'\n", "2:25 E0107 `'` does not begin a text"),
    (
        "x.policy",
        "policy p decides d\nlet a = b rounded to\n",
        "2:21 E0101 the line ends too early: expected a number",
    ),
    (
        "x.policy",
        "policy p decides d\n rounding half\n",
        "2:15 E0101 the line ends too early: expected `even` or `up`",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then deny\nruel b then deny\nrule c then allow\n",
        "3:1 E0105 `ruel` begins no declaration",
    ),
    (
        "x.policy",
        "policy p decides d\nrule when x then deny\n",
        "2:6 E0106 `when` is a word of the language and cannot be a name here",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then deny\n b\n  then allow\n",
        "3:2 E0102 a line cannot begin with `b` here",
    ),
    ("x.policy", "policy p decides d\nrule a then deny;\n", "2:17 E0107 `;` means nothing here"),
    (
        "x.policy",
        "policy p decides d\nlet a = split(x, y for l in z)\n",
        "2:9 E0125 `split` is not written like this",
    ),
    (
        "x.policy",
        "policy p decides d\nlet a = 3\n+\nlet b = 4\n",
        "3:2 E0101 the line ends too early: expected a value",
    ),
    ("x.policy", "policy p decides d\nrule a\n  when x deny\n", "3:10 E0101 expected `then`, found `deny`"),
    (
        "x.policy",
        "policy p decides d\nlet a = 10,000 CNY\n",
        "2:9 E0118 a comma does not group the digits of a number",
    ),
    (
        "x.policy",
        "policy p decides d\nlet a = 2026-07-01T09:30\n",
        "2:9 E0116 `2026-07-01T09:30` is not a time",
    ),
    ("x.policy", "policy p decides d\n titel zh \"x\"\n layer law\n", "2:2 E0105 `titel` does not fit here"),
    (
        "x.policy",
        "policy p decides d\nrule a then deny,\nrule b then deny\n",
        "2:18 E0101 after a comma something must follow: expected a name",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then deny rule b then deny\n",
        "2:18 E0102 `rule` must begin a line",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when x >= 15 thne deny\n",
        "2:21 E0105 `thne` does not fit here",
    ),
    ("x.vocab", "decision a { b: max date better high }\n", "1:33 E0105 `high` does not fit here"),
    ("x.vocab", "calendar a { close 2026-01-01 }\n", "1:14 E0105 `close` does not fit here"),
    ("x.vocab", "entiti a { b: c }\n", "1:1 E0105 `entiti` begins no declaration"),
    ("x.vocab", "enum a b, c\n", "1:8 E0101 expected `ordered`, `:` or `{`, found `b`"),
    ("x.vocab", "enum a: b < c, d\n", "1:14 E0127 these values are ordered only in part"),
    ("x.vocab", "fact a: b from record\n", "1:16 E0105 `record` does not fit here"),
    ("x.vocab", "entity a { b: c d: e }\n", "1:17 E0101 expected `in`, `,` or `}`, found `d`"),
    ("x.vocab", "decision a given b { x: once money }\n", "1:25 E0105 `once` does not fit here"),
    ("x.vocab", "entity a { x money }\n", "1:14 E0101 expected `:`, found `money`"),
    ("x.vocab", "decision a {\n b: max date\n c max d\n}\n", "3:4 E0101 expected `each` or `:`, found `max`"),
    ("x.vocab", "vocabulary a\nrule x then y\n", "2:1 E0102 `rule` cannot stand in this kind of file"),
    ("x.vocab", "currency CNY 0.01\n", "1:14 E0101 expected `step`, found `0.01`"),
    (
        "x.vocab",
        "entity a {\n x: money\n unit_price\n paid: money\n}\n",
        "3:12 E0101 the line ends too early: expected `:`",
    ),
    (
        "x.policy",
        "policy p decides d\nlet a = sum(l.x where l.y)\n",
        "2:17 E0125 `where` needs a `for` before it",
    ),
    ("x.policy", "policy p decides d\nrule a\n  whne x\n  then deny\n", "3:3 E0105 `whne` does not fit here"),
    (
        "x.policy",
        "policy p decides d\nrule a when x 以内 then deny\n",
        "2:15 E0113 `以内` does not say whether the end belongs to it",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when x > 2000元以上 then deny\n",
        "2:21 E0113 `以上` does not say whether the end belongs to it",
    ),
    ("x.policy", "policy p decides d\nlet a = 85折\n", "2:9 E0119 `折` takes a number below ten"),
    ("x.policy", "policy p decides d\n applies x is y\n", "2:10 E0101 expected `when`, found `x`"),
    ("x.policy", "policy p decides d\nrule a then x at lest 3\n", "2:18 E0105 `lest` does not fit here"),
    (
        "x.policy",
        "policy p decides d\nrule a then x at 3\n",
        "2:18 E0101 expected `least` or `most`, found `3`",
    ),
    (
        "x.policy",
        "policy p decides d\nbinding rule a when x\n",
        "2:22 E0101 the line ends too early: expected `then`",
    ),
    ("x.vocab", "entity a {\n b: c\nentity d { e: f }\n", "1:10 E0110 `{` is never closed"),
    (
        "x.cases",
        "case \"x\" expect a by\n",
        "1:21 E0101 the line ends too early: expected a name or `default`",
    ),
    ("x.vocab", "calendar a every { open 2026-01-01 }\n", "1:18 E0101 expected `day`, found `{`"),
    (
        "x.policy",
        "policy p decides d\nlet a = f(b c)\n",
        "2:13 E0101 expected `by`, `for`, `,`, `:` or `)`, found `c`",
    ),
    ("x.policy", "policy p decides d\n规则 a 那么 拒绝\n", "2:1 E0102 a line cannot begin with `规则` here"),
    (
        "x.policy",
        "policy p decides d\nrule a § then deny\n",
        "2:10 E0101 expected a text in quotes or a clause `§…`, found `then`",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a §\"x then deny\n",
        "2:8 E0108 this text is not closed on its line",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then x = 3,, y = 4\n",
        "2:19 E0107 this comma separates nothing",
    ),
    ("x.policy", "policy p decides d\nlet a = ¥5\n", "2:9 E0107 `¥` is no unit of this language"),
    ("x.policy", "policy p decides d\nrule a 当 x 则 拒绝\n", "2:8 E0107 conditions begin with `when`"),
    ("x.policy", "policy p decides d\nlet a = b\n - c\n", "3:2 E0102 a line cannot begin with `-` here"),
    ("x.policy", "policy p decides d\ntable t(a: b) -> c: d\n || 2 |\n", "3:2 E0131 this cell is empty"),
    ("x.policy", "policy p decide d\n", "1:10 E0105 `decide` does not fit here"),
    ("x.policy", "policy p decides d\nlet a = $5\n", "2:9 E0107 `$` is no unit of this language"),
    ("x.vocab", "entity a { b:: c }\n", "1:14 E0101 expected a type, found `:`"),
    (
        "x.policy",
        "policy p decides d\nrule a for each l lines then deny\n",
        "2:19 E0101 expected `in`, found `lines`",
    ),
    ("x.vocab", "enum a: b c\n", "1:11 E0101 expected `,` or `<`, found `c`"),
    ("x.vocab", "enum a {}\n", "1:9 E0101 expected a name, found `}`"),
    (
        "x.cases",
        "case \"x\" given a = 1, expect b\n",
        "1:21 E0101 after this comma another part must follow, found `expect`",
    ),
    ("x.cases", "case \"x\" expect not a\n", "1:17 E0101 expected an output or a word, found `not`"),
    ("x.policy", "policy p decides d\n extend a.b\n", "2:2 E0105 `extend` does not fit here"),
    ("x.vocab", "fact a money\n", "1:8 E0101 expected `:`, found `money`"),
    (
        "x.cases",
        "case \"x\" for a on s1 expect b\n",
        "1:16 E0101 expected `at`, `expect`, `for`, `given`, `like` or `with`, found `on`",
    ),
    (
        "x.policy",
        "policy p decides d\n from yesterday\n",
        "2:7 E0101 expected a date like `2026-07-01`, found `yesterday`",
    ),
    ("x.cases", "case \"x\" given a expect b\n", "1:18 E0101 expected `=`, found `expect`"),
    ("x.vocab", "decision a giv b { c: one money else 0 }\n", "1:12 E0105 `giv` does not fit here"),
    ("x.policy", "policy p decides d\n governed receipt.date\n", "2:11 E0101 expected `by`, found `receipt`"),
    ("x.policy", "policy p decides d\nlet a = b,\nlet c = d\n", "2:10 E0107 this comma separates nothing"),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d uniqe\n | 1 | 2 |\n",
        "2:23 E0105 `uniqe` does not fit here",
    ),
    (
        "x.policy",
        "policy p decides d\nlet a = b + if c then d else e\n",
        "2:13 E0107 `if` needs brackets here",
    ),
    ("x.policy", "policy p decides d\nlet a = [1..]\n", "2:13 E0101 expected a value, found `]`"),
    ("x.policy", "policy p decides d\nlet a = [1...2]\n", "2:13 E0101 expected a value, found `.`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x is in {y} then deny\n",
        "2:15 E0107 `is in` is no word of this language",
    ),
    (
        "x.policy",
        "policy p decides d\ntable when(a: b) -> c: d\n | 1 | 2 |\n",
        "2:7 E0106 `when` is a word of the language and cannot be a name here",
    ),
    ("x.policy", "policy p decides d\n layer \"law\"\n", "2:8 E0101 expected a name, found `\"law\"`"),
    ("x.policy", "policy p decides d\nlet = 3\n", "2:4 E0101 after `let` a name must follow"),
    (
        "x.policy",
        "policy p decides d\nlet a = b c\n",
        "2:11 E0101 expected `+`, `and` or the like, or a clause `§…`, found `c`",
    ),
    ("x.cases", "case \"x\" like y expect z\n", "1:15 E0101 expected a text in quotes, found `y`"),
    ("x.vocab", "entity a { b: list c }\n", "1:20 E0101 expected `in`, `of`, `,` or `}`, found `c`"),
    ("x.policy", "policy p decides d\nlet a = [b c]\n", "2:12 E0101 expected `,`, `..` or `]`, found `c`"),
    ("x.cases", "case \"x\" expect needs\n", "1:22 E0101 the line ends too early: expected a name"),
    (
        "x.policy",
        "policy p decides d\nrule a when x <> y then deny\n",
        "2:15 E0107 `<>` is no word of this language",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when not not x then deny\n",
        "2:17 E0107 `not` needs brackets here",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a when x > 3 deny\n",
        "2:23 E0101 the line ends too early: expected `then`",
    ),
    ("x.vocab", "decision a given b { c: one money else }\n", "1:40 E0101 expected a value, found `}`"),
    ("x.vocab", "decision a { b: max }\n", "1:21 E0101 expected a type, found `}`"),
    (
        "x.policy",
        "policy p decides d\nrule a then allow overrides\n",
        "2:28 E0101 the line ends too early: expected a name",
    ),
    (
        "x.policy",
        "policy p decides d\nparam a: b = 3 from 2026-01-01 until 2027-01-01\n",
        "2:32 E0107 `until` is no word of this language",
    ),
    ("x.policy", "policy p decides d\nlet a = % 5\n", "2:9 E0101 expected a value, found `%`"),
    ("x.vocab", "fact a: b from plugin\n", "1:22 E0101 the line ends too early: expected a name"),
    ("x.vocab", "entity a { b: c? ? }\n", "1:18 E0101 expected `in`, `,` or `}`, found `?`"),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n | 1 | 2 | from 2026\n",
        "3:17 E0101 expected a date like `2026-07-01`, found `2026`",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n 1 | 2 |\n",
        "3:2 E0101 expected `|`, found `1`",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t(a: b) -> c: d\n | 1 | 2 | foo\n",
        "3:15 E0101 the line ends too early: expected `,` or `|`",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a\n",
        "2:7 E0101 the line ends too early: expected `when` or `then`",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then allow say \"x\"\n",
        "2:23 E0101 this text does not say its language",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then x = \n",
        "2:16 E0101 the line ends too early: expected a value",
    ),
    ("x.policy", "policy p decides d\nlet a = x in {b c}\n", "2:17 E0101 expected `,` or `}`, found `c`"),
    ("x.policy", "policy p decides d\n// comment\nlet a = b\n", "2:1 E0107 `/` does not begin a comment"),
    (
        "x.policy",
        "policy p decides d\nlet a = \"x\" \"y\"\n",
        "2:13 E0101 expected `+`, `and` or the like, or a clause `§…`, found `\"y\"`",
    ),
    (
        "x.policy",
        "policy p decides d\ntable t() -> c: d\n | 1 | 2 |\n",
        "2:9 E0101 expected a name, found `)`",
    ),
    ("x.vocab", "taxonomy a { b c }\n", "1:16 E0101 expected `,`, `{` or `}`, found `c`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x\n",
        "2:14 E0101 the line ends too early: expected `then`",
    ),
    ("x.policy", "policy p decides d\nrule a then deny then allow\n", "2:18 E0102 a rule has one `then`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x when y then allow\n",
        "2:15 E0101 expected `then`, found `when`",
    ),
    ("x.vocab", "unit step 1\n", "1:11 E0101 expected `step`, found `1`"),
    ("x.policy", "policy p decides d\n uses\n", "2:6 E0101 the line ends too early: expected a name"),
    ("x.vocab", "vocabulary a version x\n", "1:22 E0101 expected a number, found `x`"),
    ("x.policy", "policy p decides d\nrule a then allow when x\n", "2:19 E0102 `when` comes before `then`"),
    (
        "x.policy",
        "policy p decides d\nrule a then deny say zh\n",
        "2:24 E0101 the line ends too early: expected a text in quotes",
    ),
    ("x.policy", "policy p decides d\nrule a b when x then c\n", "2:6 E0101 a rule's name is one word"),
    ("x.policy", "policy p decides d\nrule price 3.6 when x then c\n", "2:12 E0101 a clause begins with `§`"),
    ("x.policy", "policy p decides d\nrule a unless x then c\n", "2:8 E0107 conditions begin with `when`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x in b, c then d\n",
        "2:19 E0107 several values stand in braces",
    ),
    ("x.policy", "policy p decides d\nlet a = b rounded floor\n", "2:19 E0101 `floor` is not a way to round"),
    ("x.policy", "policy p decides d\nlet a = 2026/7/1\n", "2:9 E0115 a date is not written with `/`"),
    (
        "x.policy",
        "policy p decides d\nrule a when x\n then c\n y = 3\n",
        "4:2 E0102 a line cannot begin with `y` here",
    ),
    (
        "x.policy",
        "policy p decides d\nrule a then b say zh \"c en \"d\"\n",
        "2:22 E0108 this text is not closed before the next one begins",
    ),
    ("x.cases", "case \"x\" given a = l(b = 3) expect c\n", "1:24 E0107 `=` does not give a field its value"),
];

#[test]
fn every_mistake_has_its_sentence() {
    let mut all = String::new();
    for (name, text, wanted) in WRONG {
        let (map, _, found) = parse(name, text);
        all.push_str(&render(&map, &found, false));
        let shown: Vec<String> = found
            .iter()
            .map(|it| {
                let at = map.start(it.span);
                format!("{}:{} {} {}", at.line, at.column, it.code, it.message)
            })
            .collect();
        assert_eq!(shown.join(" / "), *wanted, "{text}");
        for word in ["token", "EOI", "identifier", "kw_", "parse"] {
            assert!(!shown.join(" ").contains(word), "{word} in {shown:?}");
        }
    }
    snapshot::same("tests/syntax/wrong.expected", &all);
}
