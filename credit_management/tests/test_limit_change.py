from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import file_open
from odoo.tools.date_utils import add as date_add

from .common import CreditCommon
from .test_limit_expiry import LimitCommon


@tagged('post_install', '-at_install')
class TestLimitChange(LimitCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customers = cls.env['res.partner'].create(
            [{'name': f"Customer {name}", 'is_company': True} for name in ("A", "B", "C", "D")]
        )
        cls.a, cls.b, cls.c, cls.d = (cls._account(partner) for partner in cls.customers)
        cls.accounts = cls.a + cls.b + cls.c + cls.d
        cls._limit(cls.a, 12300)
        cls.euro = cls.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        cls._limit(cls.b, 40000, currency_id=cls.euro.id)
        cls._limit(cls.c, 0, limit_kind='unlimited')

    def _open(self, purpose='change', accounts=None, user=None, **values):
        accounts = (accounts or self.accounts).with_user(user or self.analyst)
        action = accounts.action_change_limits() if purpose == 'change' else accounts.action_renew_limits()
        change = accounts.env['credit.limit.change'].browse(action['res_id'])
        change.write({'reason': "yearly", **values})
        return change

    def _after(self, change):
        return change.line_ids.mapped('amount_after')

    def test_preview_shows_each_in_the_currency_of_the_limit(self):
        change = self._open(method='percent', percent=10)
        self.assertEqual(change.line_ids.account_id, self.a + self.b)
        self.assertEqual(change.line_ids.mapped('amount_before'), [12300, 40000])
        self.assertEqual(
            (self._after(change), change.line_ids.currency_id), ([13530, 44000], self.currency + self.euro)
        )
        change.write({'method': 'add', 'amount': 1000})
        self.assertEqual(self._after(change), [13300, 42000])  # 1 000 are 2 000 in euro
        change.write({'method': 'set', 'amount': 5000})
        self.assertEqual(self._after(change), [5000, 10000])
        change.write({'method': 'add', 'amount': -20000})
        self.assertEqual(self._after(change), [0, 0])

    def test_nothing_is_lowered_below_nothing(self):
        change = self._open(method='percent', percent=-100)
        with self.assertRaisesRegex(ValidationError, "more than 100"):
            change.percent = -100.01

    def test_rounding(self):
        change = self._open(method='percent', percent=10)  # 13 530 and 44 000
        for rounding, expected in (('nearest', [14000, 44000]), ('up', [14000, 44000]), ('down', [13000, 44000])):
            change.rounding = rounding
            self.assertEqual(self._after(change), expected, rounding)

    def test_unlimited_and_undecided_are_named_and_left_out(self):
        change = self._open()
        self.assertEqual(change.left_out, "Unlimited: Customer C. No limit decided: Customer D.")
        with self.assertRaisesRegex(UserError, "None of the selected"):
            (self.c + self.d).action_change_limits()

    def test_submits_one_batch_that_another_manager_approves_as_a_whole(self):
        change = self._open(method='percent', percent=10, user=self.manager)
        action = change.action_apply()
        limits = self.env['credit.limit'].search([('batch', '!=', False), ('account_id', 'in', self.accounts.ids)])
        self.assertEqual(limits.mapped('state'), ['submitted'] * 2)
        self.assertEqual(len(set(limits.mapped('batch'))), 1)
        self.assertEqual(action['params']['next']['domain'], [('batch', '=', limits[0].batch)])
        result = limits.with_user(self.manager).action_approve_selected()
        self.assertEqual((result['params']['type'], limits.mapped('state')), ('warning', ['submitted'] * 2))
        result = limits.with_user(self.other_manager).action_approve_selected()
        self.assertEqual((result['params']['type'], limits.mapped('state')), ('success', ['approved'] * 2))
        self.assertEqual([account.limit_amount for account in (self.a, self.b)], [13530, 22000])

    def _activities(self, limits):
        return limits.activity_search(['credit_management.mail_activity_type_limit'])

    def test_approver_gets_one_activity_for_a_batch_that_moves_on_with_what_is_left(self):
        policy = self._limit_policy()
        policy.approval_level_ids = [Command.create({'name': "Board", 'user_ids': [Command.set(self.manager.ids)]})]
        self._limit(self.d, 500)
        self._open(method='percent', percent=10).action_apply()
        limits = self.env['credit.limit'].search([('batch', '!=', False)], order='id')
        self.assertEqual(limits.approval_user_id, self.manager)

        activity = self._activities(limits)
        self.assertEqual((len(activity), activity.res_id), (1, limits[0].id))
        self.assertIn(f"{limits[0].batch}: 3 limits", activity.summary)
        limits[0].with_user(self.manager).action_approve()
        activity = self._activities(limits)
        self.assertEqual((len(activity), activity.res_id), (1, limits[1].id))
        self.assertIn("2 limits", activity.summary)
        limits[1].with_user(self.analyst).action_draft()
        activity = self._activities(limits)
        self.assertEqual((activity.res_id, activity.summary), (limits[2].id, limits[2].display_name))
        limits[2].with_user(self.manager)._reject("no")
        self.assertFalse(self._activities(limits))

    def test_batch_follows_an_absence_with_one_activity(self):
        policy = self._limit_policy()
        policy.approval_level_ids = [Command.create({'name': "Board", 'user_ids': [Command.set(self.manager.ids)]})]
        self._open(method='percent', percent=10).action_apply()
        limits = self.env['credit.limit'].search([('batch', '!=', False)])
        today = self.company._credit_today()
        self.env['credit.absence'].create(
            {
                'user_id': self.manager.id,
                'substitute_id': self.other_manager.id,
                'date_from': today,
                'date_to': today,
            }
        )

        self.assertEqual(limits.approval_user_id, self.other_manager)
        activity = self._activities(limits)
        self.assertEqual((len(activity), activity.user_id), (1, self.other_manager))

    def test_excluded_lines_are_not_proposed(self):
        change = self._open(method='percent', percent=10)
        change.line_ids[0].included = False
        change.action_apply()
        self.assertEqual(self.env['credit.limit'].search([('batch', '!=', False)]).account_id, self.b)

    def test_wrong_one_is_named_and_the_others_go_on(self):
        change = self._open(method='percent', percent=10)
        self.env['res.currency.rate'].search([('currency_id', '=', self.euro.id)]).unlink()
        result = change.action_apply()
        self.assertIn("Customer B: There is no exchange rate of EUR", result['params']['message'])
        self.assertEqual(self.env['credit.limit'].search([('batch', '!=', False)]).account_id, self.a)

    def test_temporary_change_needs_an_end(self):
        change = self._open(kind='temporary')
        with self.assertRaisesRegex(UserError, "last day"):
            change.action_apply()

    def test_only_analysts_change_limits(self):
        with self.assertRaises(AccessError):
            self.a.with_user(self.sales_user).action_change_limits()
        change = self._open()
        with self.assertRaises(AccessError):
            change.with_user(self.manager).read(['reason'])

    def test_batch_can_not_be_written_by_clients(self):
        limit = self.env['credit.limit'].with_user(self.analyst).create({'account_id': self.a.id, 'batch': "LB/1"})
        self.assertFalse(limit.batch)
        with self.assertRaises(AccessError):
            limit.batch = "LB/1"

    def test_statements_of_the_preview_do_not_grow_with_the_customers(self):
        def count(accounts):
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            change = self._open(accounts=accounts, method='percent', percent=5)
            change.line_ids.mapped('amount_after')
            return self.cr.sql_log_count - before

        partners = self.env['res.partner'].create([{'name': f"More {n}", 'is_company': True} for n in range(20)])
        more = self._account(partners)
        limits = self.env['credit.limit'].create([{'account_id': account.id, 'amount': 100} for account in more])
        limits.sudo().action_submit()
        limits.sudo().action_approve()
        count(self.a)
        self.assertLessEqual(count(more), count(self.a) + 6)


@tagged('post_install', '-at_install')
class TestLimitRenewal(LimitCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.limit = cls._limit(cls.account, 500, date_to=date_add(cls.today, days=60))

    def _renewable(self):
        self.account.invalidate_recordset(['limit_to_renew'])
        found = self.Account.search([('limit_to_renew', '=', True)])
        self.assertEqual(self.account.limit_to_renew, self.account in found)
        return self.account in found

    def _renew(self, user=None, **values):
        action = self.account.with_user(user or self.analyst).action_renew_limits()
        change = self.env['credit.limit.change'].with_user(user or self.analyst).browse(action['res_id'])
        change.write({'reason': "pays on time", **values})
        change.action_apply()
        return self.env['credit.limit'].search([('account_id', '=', self.account.id)], order='id desc', limit=1)

    def test_is_on_the_list_from_60_days_before_its_end_until_the_end_of_the_grace(self):
        for days, expected in ((-1, False), (0, True), (60, True), (90, True), (91, False)):
            with freeze_time(self._day(days)):
                self.assertEqual(self._renewable(), expected, days)

    def test_follows_the_present_limit_without_a_gap(self):
        renewal = self._renew(date_to=self._day(400))
        self.assertEqual(
            (renewal.amount, renewal.state, renewal.date_from, renewal.date_to),
            (500, 'submitted', self._day(61), self._day(400)),
        )
        self.assertFalse(self._renewable())
        renewal.with_user(self.manager).action_approve()
        self.assertEqual((self.limit.date_until, self.limit.superseded_by_id), (self._day(60), renewal))
        self.assertFalse(self._renewable())

    def test_expired_one_is_renewed_from_today(self):
        with freeze_time(self._day(70)):
            renewal = self._renew(method='percent', percent=10, date_to=False)
        self.assertEqual((renewal.date_from, renewal.amount, renewal.date_to), (self._day(70), 550, False))

    def test_unlimited_one_stays_unlimited(self):
        self._limit(self.account, 0, limit_kind='unlimited', date_to=self._day(30))
        self.assertEqual(self._renew(method='percent', percent=10).limit_kind, 'unlimited')

    def test_nothing_to_renew_is_said(self):
        self._limit(self.account, 500)
        with self.assertRaisesRegex(UserError, "ends within 60 days"):
            self.account.action_renew_limits()


@tagged('post_install', '-at_install')
class TestLimitImport(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.customer.write({'ref': "C-1", 'company_registry': "913100"})
        cls.other = cls.env['res.partner'].create({'name': "Yuanda", 'is_company': True})
        cls.euro = cls.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])

    FIELDS = ('customer', 'kind', 'limit_kind', 'amount', 'currency_id', 'date_from', 'date_to', 'reason')

    def _import(self, *rows, user=None, dryrun=False, **options):
        text = '\n'.join(','.join(row) for row in [self.FIELDS, *rows])
        wizard = (
            self.env['base_import.import']
            .with_user(user or self.analyst)
            .create({'res_model': 'credit.limit', 'file': text.encode(), 'file_type': 'text/csv', 'file_name': 'x.csv'})
        )
        options = {'has_headers': True, 'quoting': '"', 'separator': ',', 'date_format': '%Y-%m-%d', **options}
        return wizard.execute_import(list(self.FIELDS), list(self.FIELDS), options, dryrun=dryrun)

    def test_drafts_are_made_with_the_accounts_that_lack(self):
        result = self._import(
            ("C-1", "Base", "Amount", "1000", "EUR", "2027-01-01", "2027-12-31", "good"),
            ("913100", "Temporary", "Amount", "2000", "", "2027-02-01", "2027-02-20", "season"),
            ("Yuanda", "", "Unlimited", "", "", "", "", ""),
        )
        self.assertFalse(result['messages'])
        limits = self.env['credit.limit'].browse(result['ids'])
        self.assertEqual(limits.mapped('state'), ['draft'] * 3)
        self.assertEqual(limits.mapped('partner_id'), self.customer + self.other)
        self.assertEqual(limits.mapped('kind'), ['base', 'temporary', 'base'])
        self.assertEqual([limit.currency_id for limit in limits], [self.euro, self.currency, self.currency])
        self.assertEqual(limits[2].date_from, self.company._credit_today())
        limits.with_user(self.analyst).action_submit_selected()
        self.assertEqual(limits.mapped('state'), ['submitted'] * 3)

    def test_wrong_row_is_named_with_its_line_and_nothing_is_imported(self):
        good = ("C-1", "Base", "Amount", "1000", "EUR", "2027-01-01", "2027-12-31", "good")
        for wrong, message in (
            (("Nobody", *good[1:]), "No customer has “Nobody”"),
            ((*good[:1], "Temporary", *good[2:6], "", "no end"), "last day of the temporary limit"),
            ((*good[:5], "2027-05-01", "2027-01-01", "ends first"), "before it starts"),
            ((*good[:4], "XYZ", *good[5:]), "XYZ"),
        ):
            result = self._import(good, wrong)
            self.assertFalse(result['ids'], message)
            [error] = result['messages']
            self.assertEqual(error['record'], 3, error)
            self.assertIn(message, error['message'])
            self.assertFalse(self.env['credit.limit'].search([('partner_id', '=', self.customer.id)]))
            self.assertFalse(self.Account.search([('partner_id', '=', self.customer.id)]))

    def test_each_of_several_wrong_rows_is_named_with_its_line(self):
        good = ("C-1", "Base", "Amount", "1000", "", "2027-01-01", "", "good")
        rows = [
            good,
            ("Nobody", *good[1:]),
            good,
            ("Somebody", *good[1:]),
            ("Yuanda", "Temporary", *good[2:]),
            ("Yuanda", *good[1:5], "2027-05-01", "2027-01-01", "ends first"),
            ("Yuanda", *good[1:4], "XYZ", *good[5:]),
            good,
        ]
        result = self._import(*rows)

        self.assertFalse(result['ids'])
        # As the dialog names them: the headings are line 1.
        named = {item['record']: item['message'] for item in result['messages']}
        self.assertEqual((len(result['messages']), sorted(named)), (5, [3, 5, 6, 7, 8]), result['messages'])
        self.assertIn("No customer has “Nobody”", named[3])
        self.assertIn("No customer has “Somebody”", named[5])
        self.assertIn("last day of the temporary limit", named[6])
        self.assertIn("before it starts", named[7])
        self.assertIn("XYZ", named[8])
        self.assertFalse(self.env['credit.limit'].search([('partner_id', '=', self.customer.id)]))
        self.assertFalse(self.Account.search([('partner_id', 'in', (self.customer + self.other).ids)]))

    def test_same_error_in_many_rows_names_all_their_lines(self):
        good = ("C-1", "Base", "Amount", "1000", "", "2027-01-01", "", "good")
        result = self._import(good, *[("Nobody", *good[1:])] * 12, good)

        self.assertFalse(result['ids'])
        self.assertEqual([item['record'] for item in result['messages']], list(range(3, 15)))
        for item in result['messages']:
            self.assertIn("(lines 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)", item['message'])

    def test_rows_are_imported_together_or_not_at_all_whatever_the_batch(self):
        good = ("C-1", "Base", "Amount", "1000", "", "2027-01-01", "", "good")
        result = self._import(good, good, ("Nobody", *good[1:]), limit=2)

        self.assertEqual([item['record'] for item in result['messages']], [4])
        self.assertFalse(self.env['credit.limit'].search([('partner_id', '=', self.customer.id)]))

    def test_name_of_two_customers_is_refused(self):
        self.other.name = self.customer.name
        result = self._import((self.customer.name, "Base", "Amount", "1", "", "", "", ""))
        self.assertIn("are 2 customers", result['messages'][0]['message'])

    def test_testing_an_import_leaves_nothing(self):
        result = self._import(("C-1", "Base", "Amount", "1000", "", "", "", ""), dryrun=True)
        self.assertFalse(result['messages'])
        self.assertFalse(self.Account.search([('partner_id', '=', self.customer.id)]))

    def test_customer_of_another_company_is_not_found(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        self.other.company_id = other
        result = self._import(("Yuanda", "Base", "Amount", "1", "", "", "", ""))
        self.assertIn("No customer has “Yuanda”", result['messages'][0]['message'])

    def test_customer_of_another_company_that_one_works_in_is_not_found_either(self):
        other = self.setup_other_company(name="Elsewhere")['company']
        self.analyst.company_ids += other
        self.other.company_id = other
        result = self._import(("Yuanda", "Base", "Amount", "1", "", "", "", ""))
        self.assertIn("No customer has “Yuanda”", result['messages'][0]['message'])

    def test_empty_amount_is_no_decision_and_0_is_one(self):
        result = self._import(
            ("C-1", "Base", "Amount", "", "", "", "", ""), ("Yuanda", "Base", "Amount", "0", "", "", "", "")
        )
        self.assertFalse(result['ids'])
        [error] = result['messages']
        self.assertEqual(error['record'], 2)
        self.assertIn("State the limit of “C-1”", error['message'])
        result = self._import(("Yuanda", "Base", "Amount", "0", "", "", "", ""))
        self.assertEqual(self.env['credit.limit'].browse(result['ids']).mapped('amount'), [0])

    def test_who_may_not_propose_imports_nothing_and_opens_no_account(self):
        result = self._import(("C-1", "Base", "Amount", "1", "", "", "", ""), user=self.sales_user)
        self.assertFalse(result['ids'])
        self.assertFalse(self.Account.search([('partner_id', '=', self.customer.id)]))

    def test_template_has_the_fields_of_an_import(self):
        [template] = self.env['credit.limit'].get_import_templates()
        with file_open(template['template'].lstrip('/'), 'rb') as file:
            wizard = self.env['base_import.import'].create(
                {
                    'res_model': 'credit.limit',
                    'file': file.read(),
                    'file_type': 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
                    'file_name': 'credit_limit.xlsx',
                }
            )
        preview = wizard.parse_preview({'has_headers': True})
        self.assertEqual([preview['matches'][place][0] for place in range(8)], list(self.FIELDS))
