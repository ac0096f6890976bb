from odoo import models

# {model: (what leads to its account, *what is told of its records)}
PERSONAL = {
    'credit.application': (
        'account_id', 'name', 'submitted_date', 'kind', 'amount', 'currency_id', 'reason', 'visit_date', 'visit_note',
        'guarantor', 'registration_code', 'state', 'decided_amount', 'decided_date', 'decision_note',
    ),
    'credit.limit': (
        'account_id', 'kind', 'limit_kind', 'amount', 'currency_id', 'date_from', 'date_to', 'state', 'reason',
    ),
    'credit.check': (
        'account_id', 'date', 'document_name', 'document_total', 'currency_id', 'outcome', 'shadow', 'status',
        'grade_id', 'limit_kind', 'effective_limit', 'exposure', 'overdue_amount', 'days_overdue', 'excess', 'reason',
        'user_id',
    ),
    'credit.check.line': ('check_id.account_id', 'check_id', 'kind', 'verdict', 'message'),
    'credit.release': (
        'account_id', 'document_name', 'amount', 'currency_id', 'state', 'requested_by_id', 'requested_date',
        'request_note', 'decided_by_id', 'decided_date', 'decision_note',
    ),
    'credit.alert': ('account_id', 'date', 'kind', 'state', 'note', 'date_end'),
    'credit.event': ('account_id', 'date', 'kind', 'description', 'user_name'),
}  # fmt: skip


class CreditAccount(models.Model):
    """What is kept about the customer of an account, for a person who asks."""

    _inherit = 'credit.account'  # pylint: disable=consider-merging-classes-inherited

    def _personal_records(self):
        """Return what is kept about the customer of these accounts, all of it: [(records, [names of fields])].

        An add-on that keeps more about customers extends this. As the system, because it is the person's whatever
        the user may read; the caller checks the rights.

        :returns: one pair for each model, the records in the order in which they were made
        """
        accounts = self.sudo()
        return [
            (accounts.env[model].search([(link, 'in', self.ids)], order='id'), list(names))
            for model, (link, *names) in PERSONAL.items()
        ]
