from odoo import fields, models


class CreditEvent(models.Model):
    """What the credit file says of printed explanations."""

    _inherit = 'credit.event'  # pylint: disable=consider-merging-classes-inherited

    # Never rewritten when the add-on goes: the credit file is kept as it is.
    kind = fields.Selection(
        selection_add=[('explained', "Explanation of the score printed")],
        ondelete={'explained': lambda events: None},
    )

    def _describe_explained(self, payload, references):
        return self.env._(
            "Score as of %(day)s (%(card)s)",
            day=self._day(payload, 'date_to'),
            card=references.get('card_id', ''),
        )
