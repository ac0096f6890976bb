from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

MANAGER = 'credit_management.group_credit_manager'
CELL = 32767
FACTS = {
    'statement_count': 'scoring.statement',
    'rating_count': 'scoring.rating',
    'factor_count': 'scoring.factor',
    'answer_count': 'scoring.answer',
}


class CreditAccount(models.Model):
    """What was entered about an account's customer."""

    _inherit = 'credit.account'

    statement_count = fields.Integer(string="Statements", compute='_compute_entered_counts')
    rating_count = fields.Integer(string="Ratings", compute='_compute_entered_counts')
    factor_count = fields.Integer(string="Outside Factors", compute='_compute_entered_counts')
    answer_count = fields.Integer(string="Questionnaires", compute='_compute_entered_counts')
    natural_person = fields.Boolean(
        compute='_compute_natural_person', help="No company, nor anybody's contact: scores only advise."
    )

    @api.depends('partner_id', 'company_id')
    @api.depends_context('uid')
    def _compute_entered_counts(self):
        for name, model in FACTS.items():
            Model = self.env[model]
            counts = {}
            if Model.has_access('read'):
                groups = Model._read_group(
                    [('partner_id', 'in', self.partner_id.ids), ('company_id', 'in', self.company_id.ids)],
                    ['partner_id', 'company_id'],
                    ['__count'],
                )
                counts = {(partner, company): count for partner, company, count in groups}
            for account in self:
                account[name] = counts.get((account.partner_id, account.company_id), 0)

    @api.depends('partner_id.is_company', 'partner_id.parent_id')
    def _compute_natural_person(self):
        for account in self:
            account.natural_person = bool(account.partner_id) and account.partner_id._scoring_natural_person()

    def _open_facts(self, xmlid):
        self.ensure_one()
        self.check_access('read')
        action = self.env['ir.actions.act_window']._for_xml_id(xmlid)
        return action | {
            'domain': [('partner_id', '=', self.partner_id.id), ('company_id', '=', self.company_id.id)],
            'context': {'default_partner_id': self.partner_id.id, 'default_company_id': self.company_id.id},
        }

    def action_view_statements(self):
        """Open the financial statements of this customer."""
        return self._open_facts('customer_scoring.scoring_statement_action')

    def action_view_ratings(self):
        """Open the external ratings of this customer."""
        return self._open_facts('customer_scoring.scoring_rating_action')

    def action_view_factors(self):
        """Open the outside factors of this customer."""
        return self._open_facts('customer_scoring.scoring_factor_action')

    def action_view_answers(self):
        """Open the questionnaires that were answered for this customer."""
        return self._open_facts('customer_scoring.scoring_answer_action')

    # -------------------------------------------------------------------------
    # Personal data
    # -------------------------------------------------------------------------

    def action_export_personal_data(self):
        """Download all that is kept about this natural person.

        :raise AccessError: if the user is no credit manager
        """
        self.ensure_one()
        self._check_personal_data()
        return {
            'type': 'ir.actions.act_url',
            'url': f'/customer_scoring/person/{self.id}',
            'target': 'download',
        }

    def _personal_records(self):
        # EXTENDS credit_management: scores, what follows from them, and what an early warning has found
        kept = super()._personal_records()
        next(names for records, names in kept if records._name == 'credit.alert').append('detail')
        computed = {
            'scoring.score': ['date', 'card_id', 'score', 'grade_id', 'invoice_count', 'rest_text', 'reason'],
            'scoring.score.line': ['date', 'characteristic_id', 'value_text', 'share', 'most', 'step_text'],
            'scoring.override': ['date', 'grade_id', 'reason', 'date_until', 'user_id'],
            'scoring.recommendation': ['date', 'amount', 'present_amount', 'overdue_amount', 'verdict'],
        }
        return kept + [
            (self.env[model].sudo().search([('account_id', 'in', self.ids)], order='id'), names)
            for model, names in computed.items()
        ]

    def _check_personal_data(self):
        if not self.env.user.has_group(MANAGER):
            raise AccessError(self.env._("Only credit managers export what is kept about a person."))
        self.check_access('read')
        if not self.natural_person:
            raise UserError(self.env._("%(customer)s is no natural person.", customer=self.partner_id.display_name))

    def _write_personal_data(self, target):
        """Write what is kept about this person as a workbook into an open binary file, and note it in the credit file.

        :raise AccessError: if the user is no credit manager
        """
        import xlsxwriter

        self.ensure_one()
        self._check_personal_data()
        sections = self.env['scoring.entered']._personal_data(self.partner_id, self.company_id)
        with xlsxwriter.Workbook(target, {'constant_memory': True}) as book:
            bold = book.add_format({'bold': True})
            for number, (title, labels, rows) in enumerate(sections, 1):
                # A sheet's name has up to 31 characters and some it can't have.
                name = ''.join(' ' if sign in "[]:*?/\\'" else sign for sign in title)
                sheet = book.add_worksheet(f'{number} {name}'[:31])
                sheet.set_column(0, len(labels), 18)
                for place, label in enumerate(labels):
                    sheet.write_string(0, place, label, bold)
                for line, row in enumerate(rows, 1):
                    for place, value in enumerate(row):
                        if isinstance(value, bool) or not isinstance(value, (int, float)):
                            # Text never becomes a formula; a cell has room for so much.
                            sheet.write_string(line, place, str(value)[:CELL])
                        else:
                            sheet.write_number(line, place, value)
        self.env['credit.event']._record([(self, 'personal_data', {'partner_id': self.partner_id.id})])

    # -------------------------------------------------------------------------
    # Merge
    # -------------------------------------------------------------------------

    def _follow_merge(self, destination, customer):
        # EXTENDS credit_management
        if customer != destination:
            self.env.flush_all()
            for model in (*FACTS.values(), 'scoring.recommendation'):
                self.env.execute_query(
                    SQL(
                        "UPDATE %s SET partner_id = %s WHERE partner_id = %s RETURNING id",
                        SQL.identifier(self.env[model]._table),
                        customer.id,
                        destination.id,
                    )
                )
        return super()._follow_merge(destination, customer)
