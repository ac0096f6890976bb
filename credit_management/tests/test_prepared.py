from unittest.mock import patch

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.credit_management import prepared

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestPrepared(CreditCommon):
    def setUp(self):
        super().setUp()
        self.startPatcher(patch.object(prepared, '_pooled', False))

    def _names(self):
        return {name for [name] in self.env.execute_query(SQL("SELECT name FROM pg_prepared_statements"))}

    def test_planned_statement_gives_what_the_plain_one_gives(self):
        self._account(limit=1000)
        self._invoice(300)
        self._order_of(200, confirm=True)
        planned = self.figures(graces=(0, 30))
        with patch.object(prepared, 'FEW', 0):
            plain = self.figures(graces=(0, 30))
        self.assertEqual(planned['exposure'], 500)
        self.assertEqual(planned, plain)

    def test_second_customer_uses_the_plan_of_the_first(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self.figures()
        names = self._names()
        self._invoice(70, partner=other)
        self.assertEqual(self.figures(other)['exposure'], 70)
        self.assertEqual(self._names(), names)

    def test_values_of_each_type_arrive(self):
        query = SQL(
            "SELECT %s AS number, %s AS text, %s AS numbers, %s AS texts, %s AS none, 10 %% 3 AS modulo",
            1.25, "it's 100%", [1, 2], ["a", "b"], None,
        )  # fmt: skip
        [row] = prepared.execute_dict(self.env, query)
        self.assertEqual(float(row.pop('number')), 1.25)
        self.assertEqual(row, {'text': "it's 100%", 'numbers': [1, 2], 'texts': ["a", "b"], 'none': None, 'modulo': 1})

    def test_pooled_connection_is_noticed_and_the_request_run_again(self):
        self.figures()
        self.env.execute_query(SQL("SELECT 1"))
        for name in self._names():
            if name.startswith('credit_'):
                self.env.cr.execute(SQL("DEALLOCATE %s", SQL.identifier(name)))
        with self.assertRaises(ConcurrencyError), mute_logger('odoo.sql_db'), self.env.cr.savepoint():
            self.figures()
        self.env.cr._cnx.credit_prepared.clear()
        self.assertEqual(self.figures()['exposure'], 0)
        self.assertFalse({name for name in self._names() if name.startswith('credit_')})
