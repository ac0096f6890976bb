from odoo import api, fields, models


class CreditEvent(models.Model):
    """What the credit file says of scores."""

    _inherit = 'credit.event'  # pylint: disable=consider-merging-classes-inherited

    # Never rewritten when the add-on goes: the credit file is kept as it is.
    kind = fields.Selection(
        selection_add=[
            ('scored', "Score has another grade"),
            ('grade_overridden', "Grade overridden"),
            ('override_ended', "Override of the grade ended"),
        ],
        ondelete={
            'scored': lambda events: None,
            'grade_overridden': lambda events: None,
            'override_ended': lambda events: None,
        },
    )

    @api.model
    def _references(self, payload):
        # EXTENDS credit_management
        references = super()._references(payload)
        for key, model in (
            ('card_id', 'scoring.card'),
            ('grade_before_id', 'credit.grade'),
            ('grade_id', 'credit.grade'),
            ('override_id', 'scoring.override'),
        ):
            if isinstance(payload.get(key), int) and payload[key]:
                references[key] = (model, payload[key])
        return references

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
