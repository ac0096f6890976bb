from datetime import date

from odoo import Command
from odoo.tests import tagged

from odoo.addons.credit_management.tests.common import CreditCommon


@tagged('post_install', '-at_install')
class ClaimsCommon(CreditCommon):
    """A company that takes 36.5 % a year, a tenth of a percent a day, so that interest can be done in the head."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref('dunning_followup.group_collections_manager')
        cls.collector = cls._new_user('collector', 'dunning_followup.group_collections_collector')
        cls.head = cls._new_user('head_of_collections', 'dunning_followup.group_collections_manager')
        cls.Claim = cls.env['dunning.claim']
        cls.today = cls.company._credit_today()
        cls.table = cls.env['dunning.rate.table'].create(
            {
                'name': "A tenth of a percent a day",
                'rate_ids': [Command.create({'date_from': '2020-01-01', 'percent': 36.5})],
                'compensation_ids': [
                    Command.create(
                        {
                            'date_from': '2020-01-01',
                            'currency_id': cls.currency.id,
                            'amount_from': amount_from,
                            'amount': amount,
                        }
                    )
                    for amount_from, amount in ((0, 40), (1000, 70), (10000, 100))
                ],
            }
        )
        cls.company.dunning_rate_table_id = cls.table

    @classmethod
    def _items(cls, *moves):
        return (
            cls.env['account.move']
            .union(*moves)
            .line_ids.filtered(lambda line: line.account_type == 'asset_receivable')
        )

    @classmethod
    def _settle(cls, invoice, amount, day):
        """Pay an invoice, or a part of it, on a day."""
        wizard = cls.env['account.payment.register'].with_context(active_model='account.move', active_ids=invoice.ids)
        wizard.create({'payment_date': day, 'amount': amount})._create_payments()

    def claims(self, *moves, kind=None):
        """Return [(kind, amount)] of what is claimed for invoices."""
        claims = self.Claim.search([('move_id', 'in', [move.id for move in moves])])
        return [(claim.kind, claim.amount) for claim in claims.sorted('id') if kind is None or claim.kind == kind]

    def events(self, kind, account=None):
        """Return the texts of the credit file's events of a kind."""
        account = account or self.env['credit.account'].search([('partner_id', '=', self.customer.id)])
        events = self.env['credit.event'].search([('account_id', 'in', account.ids), ('kind', '=', kind)])
        return events.mapped('description')


DUE = date(2026, 5, 31)
