from datetime import date

from odoo.tests import freeze_time

from odoo.addons.credit_management.tests.common import CreditCommon

# A statement that adds up: Z″ = 6.56 × 0.2 + 3.26 × 0.2 + 6.72 × 0.1 + 1.05 × 400 ÷ 600 = 3.336.
FIGURES = {
    'current_assets': 500_000,
    'non_current_assets': 500_000,
    'total_assets': 1_000_000,
    'current_liabilities': 300_000,
    'non_current_liabilities': 300_000,
    'total_liabilities': 600_000,
    'retained_earnings': 200_000,
    'equity': 400_000,
    'revenue': 2_000_000,
    'ebit': 100_000,
    'net_profit': 50_000,
}


class EnteredCommon(CreditCommon):
    """Customers about whom something is entered, and a provider."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.auditor = cls._new_user('credit_auditor', 'credit_management.group_credit_auditor')
        cls.Statement = cls.env['scoring.statement'].with_user(cls.analyst)
        cls.Rating = cls.env['scoring.rating'].with_user(cls.analyst)
        cls.Factor = cls.env['scoring.factor'].with_user(cls.analyst)
        cls.agency = cls.env['scoring.rating.provider'].create({'name': "Agency", 'worst': 600, 'best': 100})
        cls.other_customer = cls.env['res.partner'].create(
            {'name': "Foreign Trade", 'is_company': True, 'user_id': cls.manager.id, 'ref': "F1"}
        )
        cls.person = cls.env['res.partner'].create({'name': "Mr Natural", 'user_id': cls.sales_user.id})

    @classmethod
    def _statement(cls, partner=None, end=date(2025, 12, 31), **values):
        return cls.Statement.create(
            {
                'partner_id': (partner or cls.customer).id,
                'period_end': end,
                'currency_id': cls.currency.id,
                **FIGURES,
                **values,
            }
        )

    @classmethod
    def _rating(cls, value, partner=None, day=date(2026, 1, 10), **values):
        return cls.Rating.create(
            {
                'partner_id': (partner or cls.customer).id,
                'provider_id': cls.agency.id,
                'value': value,
                'date': day,
                **values,
            }
        )

    def values(self, day, *partners, company=None):
        """Return {metric code: {partner id: value}} as of a day."""
        partners = partners or (self.customer,)
        return self.env['scoring.entered']._values([p.id for p in partners], company or self.company, day)

    def events(self, kind, partner=None):
        account = self._account(partner)
        return self.env['credit.event'].sudo().search([('account_id', '=', account.id), ('kind', '=', kind)])


__all__ = ['FIGURES', 'EnteredCommon', 'freeze_time']
