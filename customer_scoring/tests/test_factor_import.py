import json
from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from .common_entered import EnteredCommon


class FactorCommon(EnteredCommon):
    """Outside factors of each kind, and a customer who is known by a reference."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.ref = "C-1"
        cls.flow, cls.court = cls.env['scoring.factor.type'].create(
            [
                {'name': "Bank flow", 'code': 'bank_flow', 'unit': "%"},
                {'name': "Court list", 'code': 'court_list', 'kind': 'bool', 'higher_is_better': False},
            ]
        )

    def kept(self):
        return self.env['scoring.factor'].sudo().search([('type_id', 'in', (self.flow + self.court).ids)], order='id')


@tagged('post_install', '-at_install')
class TestFactorOverTheApi(FactorCommon, HttpCase):
    def call(self, user, method, **body):
        tomorrow = fields.Datetime.now() + timedelta(days=1)
        key = self.env['res.users.apikeys'].with_user(user)._generate('rpc', 'test', tomorrow)
        response = self.url_open(
            f'/json/2/scoring.factor/{method}',
            data=json.dumps(body),
            headers={'Content-Type': 'application/json', 'Authorization': f'bearer {key}'},
        )
        return response.status_code, response.json()

    def vals(self, **values):
        return {'customer': "C-1", 'type_id': self.flow.id, 'date': '2026-01-01', 'number': 12.5, **values}

    def test_program_enters_values_which_scores_count(self):
        status, ids = self.call(
            self.analyst,
            'create',
            vals_list=[self.vals(source="Bank"), self.vals(type_id=self.court.id, yes=True, number=False)],
        )

        self.assertEqual((status, ids), (200, self.kept().ids))
        flow = self.kept()[0]
        self.assertEqual((flow.partner_id, flow.value, flow.source), (self.customer, 12.5, "Bank"))
        # Who entered it, when and why is kept as if a person had.
        self.assertEqual((flow.user_id, flow.known_from), (self.analyst, self.company._credit_today()))
        self.assertEqual((flow.purpose, flow.legal_basis), ("Decision about credit", 'interest'))
        values = self.values(self.company._credit_today())
        found = [values[f'factor:{code}'] for code in ('bank_flow', 'court_list')]
        self.assertEqual(found, [{self.customer.id: 12.5}, {self.customer.id: 1}])
        self.assertEqual(len(self.events('factor_entered')), 2)

    def test_program_changes_and_withdraws_and_the_former_value_stays(self):
        _status, [factor_id] = self.call(self.analyst, 'create', vals_list=[self.vals()])
        self.assertEqual(self.call(self.analyst, 'write', ids=[factor_id], vals={'number': 20})[0], 200)
        self.assertEqual(self.call(self.analyst, 'action_withdraw', ids=[factor_id])[0], 200)
        factor = self.env['scoring.factor'].browse(factor_id)
        self.assertEqual((factor.active, factor.value), (False, 20))
        kinds = ('factor_entered', 'factor_changed', 'factor_withdrawn')
        self.assertEqual([len(self.events(kind)) for kind in kinds], [1, 1, 1])

    @mute_logger('odoo.http')
    def test_what_is_wrong_is_refused_and_nothing_is_entered(self):
        for wrong, message in (
            ({'customer': "Nobody"}, "No customer has “Nobody”"),
            ({'number': False}, "State the value of Bank flow"),
            ({'date': '2999-01-01'}, "day to come"),
        ):
            status, answer = self.call(self.analyst, 'create', vals_list=[self.vals(), self.vals(**wrong)])
            self.assertEqual(status, 422)
            self.assertIn(message, answer['message'])
        self.assertFalse(self.kept())

    @mute_logger('odoo.http')
    def test_program_invents_no_flow(self):
        # Since when it was known, and by whom, follows from the call.
        status, [factor_id] = self.call(
            self.analyst, 'create', vals_list=[self.vals(known_from='2020-01-01', user_id=self.manager.id, value=99)]
        )
        factor = self.env['scoring.factor'].browse(factor_id)
        self.assertEqual((status, factor.user_id, factor.value), (200, self.analyst, 12.5))
        self.assertEqual(factor.known_from, self.company._credit_today())
        status, _answer = self.call(self.analyst, 'write', ids=[factor_id], vals={'known_from': '2020-01-01'})
        self.assertEqual(status, 403)

    @mute_logger('odoo.http', 'odoo.addons.base.models.ir_model')
    def test_salespeople_and_auditors_enter_nothing(self):
        for user in (self.sales_user, self.auditor):
            status, _answer = self.call(user, 'create', vals_list=[self.vals(partner_id=self.customer.id)])
            self.assertEqual(status, 403)
        self.assertFalse(self.kept())
        self.Factor.create({'partner_id': self.customer.id, 'type_id': self.flow.id, 'number': 1})
        self.assertEqual(self.call(self.sales_user, 'search_read', domain=[], fields=['value'])[0], 403)
        self.assertEqual(self.call(self.auditor, 'search_read', domain=[], fields=['value'])[0], 200)


@tagged('post_install', '-at_install')
class TestFactorImport(FactorCommon):
    FIELDS = ('customer', 'type_id', 'date', 'number', 'yes', 'source')
    GOOD = ("C-1", "Bank flow", "2026-01-01", "12.5", "", "Bank")

    def load(self, *rows, user=None):
        text = '\n'.join(','.join(row) for row in [self.FIELDS, *rows])
        wizard = (
            self.env['base_import.import']
            .with_user(user or self.analyst)
            .create(
                {'res_model': 'scoring.factor', 'file': text.encode(), 'file_type': 'text/csv', 'file_name': 'x.csv'}
            )
        )
        options = {
            'has_headers': True, 'quoting': '"', 'separator': ',', 'date_format': '%Y-%m-%d',
            'float_thousand_separator': '', 'float_decimal_separator': '.',
        }  # fmt: skip
        return wizard.execute_import(list(self.FIELDS), list(self.FIELDS), options)

    def test_rows_of_a_file_are_entered(self):
        result = self.load(self.GOOD, ("Foreign Trade", "Court list", "2026-01-02", "", "True", ""))

        self.assertFalse(result['messages'])
        flow, court = self.env['scoring.factor'].browse(result['ids'])
        self.assertEqual((flow.partner_id, flow.value, flow.source), (self.customer, 12.5, "Bank"))
        self.assertEqual((court.partner_id, court.value), (self.other_customer, 1))

    def test_wrong_row_is_named_with_its_line_and_nothing_is_imported(self):
        for wrong, message in (
            (("Nobody", *self.GOOD[1:]), "No customer has “Nobody”"),
            (("C-1", "No such factor", *self.GOOD[2:]), "No such factor"),
            ((*self.GOOD[:2], "2999-01-01", *self.GOOD[3:]), "day to come"),
            ((*self.GOOD[:3], "", "", ""), "State the value of Bank flow"),
        ):
            result = self.load(self.GOOD, self.GOOD, wrong, self.GOOD)
            self.assertFalse(result['ids'], message)
            # As the dialog names it: the headings are line 1.
            [error] = result['messages']
            self.assertEqual(error['record'], 4, error)
            self.assertIn(message, error['message'])
            self.assertFalse(self.kept(), message)
            self.assertFalse(self.events('factor_entered'))

    def test_each_of_several_wrong_rows_is_named(self):
        result = self.load(self.GOOD, ("Nobody", *self.GOOD[1:]), self.GOOD, ("Somebody", *self.GOOD[1:]))

        self.assertEqual([item['record'] for item in result['messages']], [3, 5])
        self.assertFalse(self.kept())

    def test_salespeople_import_nothing(self):
        with self.assertRaises(AccessError):
            self.load(self.GOOD, user=self.sales_user)
        self.assertFalse(self.kept())
