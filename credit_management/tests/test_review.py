from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestForgedValues(CreditCommon):
    """What a client may send over RPC that no form of ours does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A company in which the people of the base class do not work.
        cls.foreign = cls.env['res.company'].create({'name': "Foreign", 'currency_id': cls.currency.id})
        cls.env.user.company_ids += cls.foreign

    def test_wizard_names_no_limit_to_sales(self):
        limit = self._limit(self._account(), 12345)
        Decision = self.env['credit.decision'].with_user(self.sales_user)
        with self.assertRaises(AccessError):
            Decision.create({'decision': 'reject_limit', 'limit_id': limit.id})
        shown = Decision.with_context(default_limit_id=limit.id).onchange({}, [], {'decision': {}, 'order_id': {}})
        self.assertNotIn('12,345', str(shown))
        with self.assertRaises(AccessError):
            Decision.with_context(default_limit_id=limit.id).onchange(
                {}, [], {'limit_id': {'fields': {'display_name': {}}}}
            )
