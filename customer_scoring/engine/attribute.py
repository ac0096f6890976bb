"""Words by which an attribute of a person gives itself away that no score may rest on.

Gender, age, birth, origin, nationality, belief, health, family and the like: what the law on equal treatment and on
data protection keeps out of decisions about people. A list finds names, not meanings: it is a second fence behind the
decision of a credit manager that a factor is fit for natural persons.
"""

import re

# Whole words, also as parts of technical codes.
_WORDS = frozenset(
    """
    age ages aged born sex gender male female man woman men women pregnant pregnancy
    race racial ethnic ethnicity tribe caste origin ancestry
    nationality citizenship citizen foreigner immigrant migrant refugee
    religion religious belief faith church creed political politics
    health illness sick sickness disease disabled disability handicap genetic biometric
    marital married divorced widowed children family sexual criminal
    """.split()
)
# Beginnings of words.
_STEMS = ('birth', 'gender', 'ethnic', 'nationalit', 'religi', 'disab', 'pregnan')
# Chinese has no spaces between words.
_CHINESE = (
    '性别', '年龄', '岁数', '出生', '生日', '生辰', '男性', '女性', '民族', '种族', '籍贯', '户籍', '国籍',
    '移民', '宗教', '信仰', '政治', '党派', '工会', '健康', '疾病', '病史', '残疾', '残障', '怀孕', '婚姻',
    '婚否', '已婚', '未婚', '离异', '子女', '性取向', '基因', '血型', '生物特征', '犯罪',
)  # fmt: skip


def forbidden_word(*texts: str) -> str | None:
    """Return the first word in these names and codes that stands for a forbidden attribute, or None."""
    for text in filter(None, texts):
        for word in re.findall(r'[^\W\d_]+', text.lower()):
            if word in _WORDS or word.startswith(_STEMS):
                return word
        for word in _CHINESE:
            if word in text:
                return word
    return None
