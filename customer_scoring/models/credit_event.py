from odoo import api, fields, models

KIND_LABELS = [
    ('statement_entered', "Financial statement entered"),
    ('statement_changed', "Financial statement changed"),
    ('statement_withdrawn', "Financial statement withdrawn"),
    ('rating_entered', "External rating entered"),
    ('rating_changed', "External rating changed"),
    ('rating_withdrawn', "External rating withdrawn"),
    ('factor_entered', "Outside factor entered"),
    ('factor_changed', "Outside factor changed"),
    ('factor_withdrawn', "Outside factor withdrawn"),
    ('questionnaire_answered', "Questionnaire answered"),
    ('answer_withdrawn', "Answers withdrawn"),
    ('personal_data', "Personal data exported"),
    ('scored', "Score has another grade"),
    ('grade_overridden', "Grade overridden"),
    ('override_ended', "Override of the grade ended"),
    ('explained', "Explanation of the score printed"),
]
REFERENCES = {
    'statement_id': 'scoring.statement',
    'rating_id': 'scoring.rating',
    'provider_id': 'scoring.rating.provider',
    'factor_id': 'scoring.factor',
    'type_id': 'scoring.factor.type',
    'answer_id': 'scoring.answer',
    'questionnaire_id': 'scoring.questionnaire',
    'card_id': 'scoring.card',
    'grade_before_id': 'credit.grade',
    'grade_id': 'credit.grade',
    'override_id': 'scoring.override',
}
FACTS = ('statement_id', 'rating_id', 'factor_id', 'answer_id')


def _keep(events):
    """Leave the events as they are when the add-on goes: no row of the credit file is ever written."""


class CreditEvent(models.Model):
    """What the credit file says of entered data and scores."""

    _inherit = 'credit.event'

    kind = fields.Selection(selection_add=KIND_LABELS, ondelete=dict.fromkeys(dict(KIND_LABELS), _keep))

    @api.model
    def _reference_models(self):
        # EXTENDS credit_management
        return {**super()._reference_models(), **REFERENCES}

    def _document_reference(self, payload):
        # EXTENDS credit_management
        references = self._references(payload)
        return next((references[key] for key in FACTS if key in references), None) or super()._document_reference(
            payload
        )

    def _describe_statement(self, payload, references):
        labels = self.env['scoring.statement'].fields_get(['revenue', 'equity', 'total_assets', 'altman_z'], ['string'])
        parts = [self._day(payload, 'date_to')]
        parts += [
            f'{labels[name]["string"]} {self._money(payload, f"{name}_amount")}'
            for name in ('revenue', 'equity', 'total_assets')
            if f'{name}_amount' in payload
        ]
        if isinstance(payload.get('altman_z'), (int, float)):
            parts.append(f'{labels["altman_z"]["string"]} {payload["altman_z"]:.2f}')
        return ' · '.join(filter(None, parts))

    _describe_statement_entered = _describe_statement
    _describe_statement_changed = _describe_statement
    _describe_statement_withdrawn = _describe_statement

    def _describe_rating(self, payload, references):
        return self.env._(
            "%(provider)s, as of %(day)s: %(rating)s of 100",
            provider=references.get('provider_id', ''),
            day=self._day(payload, 'date_from'),
            rating=_rounded(payload.get('rating')),
        )

    _describe_rating_entered = _describe_rating
    _describe_rating_changed = _describe_rating
    _describe_rating_withdrawn = _describe_rating

    def _describe_factor(self, payload, references):
        return self.env._(
            "%(factor)s, as of %(day)s: %(value)s",
            factor=references.get('type_id', ''),
            day=self._day(payload, 'date_from'),
            value=self._day(payload, 'date_to') if 'date_to' in payload else _rounded(payload.get('value')),
        )

    _describe_factor_entered = _describe_factor
    _describe_factor_changed = _describe_factor
    _describe_factor_withdrawn = _describe_factor

    def _describe_answer(self, payload, references):
        return self.env._(
            "%(questionnaire)s: %(score)s of 100",
            questionnaire=references.get('questionnaire_id', ''),
            score=_rounded(payload.get('score')),
        )

    _describe_questionnaire_answered = _describe_answer
    _describe_answer_withdrawn = _describe_answer

    def _describe_scored(self, payload, references):
        return self.env._(
            "Score %(score)s: %(before)s → %(after)s (%(card)s)",
            score=payload.get('score', ''),
            before=references.get('grade_before_id', '–'),
            after=references.get('grade_id', '–'),
            card=references.get('card_id', ''),
        )

    def _describe_grade_overridden(self, payload, references):
        return self.env._(
            "%(before)s by the score, %(after)s by decision until %(end)s",
            before=references.get('grade_before_id', '–'),
            after=references.get('grade_id', '–'),
            end=self._day(payload, 'date_to'),
        )

    def _describe_override_ended(self, payload, references):
        return references.get('override_id', '')

    def _describe_explained(self, payload, references):
        return self.env._(
            "Score as of %(day)s (%(card)s)",
            day=self._day(payload, 'date_to'),
            card=references.get('card_id', ''),
        )


def _rounded(value):
    return f"{round(value, 2):g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else ''
