from datetime import date, timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from .common_claims import DUE, ClaimsCommon


@tagged('post_install', '-at_install')
class TestClaimComputation(ClaimsCommon):
    """1 000 at a tenth of a percent a day is 1 a day, and 70 for the trouble."""

    def setUp(self):
        super().setUp()
        self.invoice = self._invoice(1000, due=DUE)
        self.item = self._items(self.invoice)

    def update(self, day, items=None):
        return self.Claim._update(items or self.item, day)

    def test_interest_and_compensation(self):
        self.update(DUE + timedelta(days=10))
        self.assertEqual(self.claims(self.invoice), [('interest', 10.0), ('compensation', 70.0)])

    def test_nothing_on_the_due_date(self):
        self.assertFalse(self.update(DUE))
        self.assertFalse(self.claims(self.invoice))

    def test_computing_twice_changes_nothing_and_later_goes_on(self):
        first = self.update(DUE + timedelta(days=10))
        self.assertEqual(self.update(DUE + timedelta(days=10)), first)
        self.assertEqual(self.update(DUE + timedelta(days=12)), first)
        self.assertEqual(self.claims(self.invoice), [('interest', 12.0), ('compensation', 70.0)])

    def test_golden_euro(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self.company.dunning_rate_table_id = self.env.ref('dunning_followup.rate_table_eu')
        invoice = self._invoice(10000, due=DUE, currency_id=euro.id)
        self._settle(invoice, 10000, date(2026, 8, 31))
        self.update(date(2026, 10, 1), self._items(invoice))
        self.assertEqual(self.claims(invoice), [('interest', 260.08), ('compensation', 40.0)])
        claim = self.Claim.search([('move_id', '=', invoice.id), ('kind', '=', 'interest')])
        self.assertEqual(claim.currency_id, euro)
        self.assertEqual([(part['days'], part['interest']) for part in claim.segments], [(30, 83.42), (62, 176.66)])
        self.assertEqual(claim.date_to, date(2026, 8, 31))

    def test_golden_yuan(self):
        yuan = self.setup_other_currency('CNY', rates=[('2020-01-01', 7.0)])
        self.company.dunning_rate_table_id = self.env.ref('dunning_followup.rate_table_cn')
        invoice = self._invoice(100000, due=DUE, currency_id=yuan.id)
        self.update(DUE + timedelta(days=45), self._items(invoice))
        self.assertEqual(self.claims(invoice), [('interest', 2250.0)])

    def test_compensation_of_another_currency_by_the_size_there(self):
        pound = self.setup_other_currency('GBP', rates=[('2020-01-01', 0.5)])
        self.company.dunning_rate_table_id = self.env.ref('dunning_followup.rate_table_uk')
        invoice = self._invoice(2000, due=DUE)  # GBP 1 000
        self.update(DUE + timedelta(days=5), self._items(invoice))
        claim = self.Claim.search([('move_id', '=', invoice.id), ('kind', '=', 'compensation')])
        self.assertEqual((claim.amount, claim.currency_id), (70.0, pound))

    def test_compensation_of_a_currency_that_is_not_used_is_in_company_currency(self):
        pound = self.setup_other_currency('GBP', rates=[('2020-01-01', 0.5)])
        pound.active = False
        self.company.dunning_rate_table_id = self.env.ref('dunning_followup.rate_table_uk')
        invoice = self._invoice(2000, due=DUE)
        self.update(DUE + timedelta(days=5), self._items(invoice))
        claim = self.Claim.search([('move_id', '=', invoice.id), ('kind', '=', 'compensation')])
        self.assertEqual((claim.amount, claim.currency_id), (140.0, self.currency))

    def test_payment_lowers_the_sum_and_the_claims_survive_it(self):
        self._settle(self.invoice, 600, DUE + timedelta(days=10))
        self._settle(self.invoice, 400, DUE + timedelta(days=20))
        self.update(DUE + timedelta(days=60))
        self.assertEqual(self.claims(self.invoice), [('interest', 14.0), ('compensation', 70.0)])
        self.assertEqual(self.Claim.search([('move_id', '=', self.invoice.id)]).mapped('state'), ['open', 'open'])

    def test_paid_in_time_owes_nothing(self):
        self._settle(self.invoice, 1000, DUE)
        self.assertFalse(self.update(DUE + timedelta(days=60)))

    def test_payment_that_is_entered_late_lowers_what_was_computed(self):
        self.update(DUE + timedelta(days=20))
        self._settle(self.invoice, 1000, DUE + timedelta(days=5))
        self.update(DUE + timedelta(days=30))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 5.0)])

    def test_credit_that_nobody_has_matched_stops_the_clock(self):
        self._pay(1000, date=DUE + timedelta(days=10))
        self.update(DUE + timedelta(days=30))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 10.0)])

    def test_reversed_invoice_owes_nothing_and_its_claims_are_void(self):
        self.update(DUE + timedelta(days=10))
        self._reverse(self.invoice, modify=True)
        self.assertEqual(self.invoice.payment_state, 'reversed')
        self.assertEqual(set(self.Claim.search([('move_id', '=', self.invoice.id)]).mapped('state')), {'void'})
        self.assertFalse(self.update(DUE + timedelta(days=20)))

    def test_disputed_part_costs_nothing_unless_the_company_says_so(self):
        self.env['dunning.dispute'].create(
            {'move_id': self.invoice.id, 'amount': 400, 'reason': "Broken", 'date_open': DUE + timedelta(days=11)}
        )
        self.update(DUE + timedelta(days=20))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 16.0)])
        self.company.dunning_interest_on_disputed = True
        self.update(DUE + timedelta(days=20))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 20.0)])

    def test_consumers_are_not_charged_what_is_for_businesses(self):
        person = self.env['res.partner'].create({'name': "Mr Wu"})
        invoice = self._invoice(1000, partner=person, due=DUE)
        self.table.customer_kind = 'business'
        self.assertFalse(self.update(DUE + timedelta(days=10), self._items(invoice)))
        with self.assertRaisesRegex(UserError, "for other customers"):
            self.company.dunning_rate_table_consumer_id = self.table
        person.dunning_customer_kind = 'business'
        self.assertTrue(self.update(DUE + timedelta(days=10), self._items(invoice)))

    def test_rates_that_are_used_are_not_deleted(self):
        self.company.dunning_rate_table_id = False
        spare = self.table.copy({'name': "Spare"})
        self.update(DUE + timedelta(days=10))
        spare.unlink()
        account = self._account(dunning_interest='own', dunning_rate_table_id=self.table.id)
        with self.assertRaisesRegex(UserError, "Archive them"):
            self.table.unlink()
        with self.assertRaisesRegex(UserError, "Choose the customer's rates"):
            account.dunning_rate_table_id = False

    def test_customer_with_rates_of_its_own_or_none(self):
        account = self._account(dunning_interest='none')
        self.assertFalse(self.update(DUE + timedelta(days=10)))
        own = self.table.copy({'name': "Double"})
        own.rate_ids.percent = 73
        own.compensation_ids.unlink()
        account.write({'dunning_interest': 'own', 'dunning_rate_table_id': own.id})
        self.update(DUE + timedelta(days=10))
        self.assertEqual(self.claims(self.invoice), [('interest', 20.0)])

    def test_invoice_in_a_branch_takes_the_rates_of_its_main_company(self):
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids += branch
        invoice = self._invoice(1000, due=DUE, company_id=branch.id)
        self.update(DUE + timedelta(days=10), self._items(invoice))
        claim = self.Claim.search([('move_id', '=', invoice.id), ('kind', '=', 'interest')])
        self.assertEqual((claim.amount, claim.company_id), (10.0, branch))

    def test_number_of_statements_does_not_grow_with_the_items(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(12)])
        items = self._items(*(self._invoice(1000, partner=partner, due=DUE) for partner in partners))
        day = DUE + timedelta(days=10)

        def statements(some):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.Claim._for_notice(some, self.company, day)
            return self.cr.sql_log_count - before

        statements(items[:1])
        self.assertLessEqual(statements(items), statements(items[:2]) + 2)

    def test_reminder_states_what_is_computed_and_what_survives(self):
        paid = self._invoice(1000, due=DUE - timedelta(days=30))
        self._settle(paid, 1000, DUE)
        self.update(DUE, self._items(paid))
        stated = self.Claim._for_notice(self.item, self.company, DUE + timedelta(days=10))[self.customer.id]
        self.assertEqual(
            sorted((entry['kind'], entry['amount']) for entry in stated),
            [('compensation', 70.0), ('compensation', 70.0), ('interest', 10.0), ('interest', 30.0)],
        )
        self.assertFalse(self.claims(self.invoice))
        self.assertTrue(any(self.invoice.name in entry['text'] for entry in stated))

    def test_fee_of_a_reminder_is_charged_once(self):
        fee = {
            'company_id': self.company.id,
            'partner_id': self.customer.id,
            'currency_id': self.currency.id,
            'amount': 5.0,
            'date': DUE,
            'res_model': 'account.move',
            'res_id': self.invoice.id,
            'move_line_id': self.item.id,
        }
        self.assertEqual(self.Claim._book_fees([fee, fee]).amount, 5.0)
        self.assertFalse(self.Claim._book_fees([fee]))


@tagged('post_install', '-at_install')
class TestClaimDecisions(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.invoice = self._invoice(1000, due=DUE)
        self.item = self._items(self.invoice)
        self.Claim._update(self.item, DUE + timedelta(days=10))
        self.interest = self.Claim.search([('move_id', '=', self.invoice.id), ('kind', '=', 'interest')])

    def waive(self, claims, user=None, **values):
        action = claims.with_user(user or self.head).action_waive()
        wizard = self.env[action['res_model']].with_user(user or self.head).with_context(**action['context'])
        wizard.create({'reason': "Goodwill", **values}).action_apply()

    def test_manager_waives_with_a_reason_that_is_in_the_credit_file(self):
        self.waive(self.interest)
        self.assertEqual((self.interest.state, self.interest.reason), ('waived', "Goodwill"))
        self.assertEqual(self.interest.waived_by_id, self.head)
        [text] = self.events('claim_waived')
        self.assertIn(self.invoice.name, text)
        self.assertIn("Goodwill", text)

    def test_collector_may_not_waive(self):
        with self.assertRaisesRegex(AccessError, "Only managers of collections"):
            self.interest.with_user(self.collector).action_waive()
        with self.assertRaisesRegex(AccessError, "Only managers of collections"):
            self.interest.with_user(self.collector).action_reinstate()
        with self.assertRaises(AccessError):
            self.interest.with_user(self.head).write({'waived': True})

    def test_waiver_without_a_reason_is_refused(self):
        with self.assertRaisesRegex(UserError, "State a reason"):
            self.waive(self.interest, reason="  ")

    def test_what_is_waived_for_good_accrues_no_more(self):
        self.waive(self.interest)
        self.Claim._update(self.item, DUE + timedelta(days=20))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 10.0)])
        self.assertEqual(self.interest.state, 'waived')

    def test_what_is_waived_up_to_a_day_accrues_from_the_next(self):
        self.waive(self.interest, for_good=False)
        self.Claim._update(self.item, DUE + timedelta(days=25))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 10.0), ('interest', 15.0)])

    def test_reinstated_claim_is_owed_and_goes_on(self):
        self.waive(self.interest)
        self.reinstate(self.interest)
        self.assertEqual((self.interest.state, self.interest.reason), ('open', False))
        [text] = self.events('claim_reinstated')
        self.assertIn("Waived by mistake", text)
        self.Claim._update(self.item, DUE + timedelta(days=20))
        self.assertEqual(self.interest.amount, 20.0)

    def reinstate(self, claims, reason="Waived by mistake"):
        action = claims.with_user(self.head).action_reinstate()
        wizard = self.env[action['res_model']].with_user(self.head).with_context(**action['context'])
        wizard.create({'reason': reason}).action_apply()

    def test_reinstating_needs_a_reason_and_something_waived(self):
        with self.assertRaisesRegex(UserError, "None of these claims is waived"):
            self.interest.with_user(self.head).action_reinstate()
        self.waive(self.interest)
        with self.assertRaisesRegex(UserError, "State a reason"):
            self.reinstate(self.interest, reason=" ")
        self.assertEqual(self.interest.state, 'waived')

    def test_waivers_and_reinstatements_stay_with_the_claim(self):
        self.waive(self.interest)
        self.reinstate(self.interest)
        self.waive(self.interest, reason="Final")
        self.assertRecordValues(
            self.interest.decision_ids.sorted('id'),
            [
                {'kind': 'waived', 'reason': "Goodwill", 'user_id': self.head.id, 'date': self.today},
                {'kind': 'reinstated', 'reason': "Waived by mistake", 'user_id': self.head.id, 'date': self.today},
                {'kind': 'waived', 'reason': "Final", 'user_id': self.head.id, 'date': self.today},
            ],
        )
        with self.assertRaises(AccessError):
            self.interest.decision_ids[0].with_user(self.head).reason = "Other"

    def test_waiver_from_before_decisions_were_kept_is_not_lost(self):
        day = self.today - timedelta(days=3)
        self.interest.sudo().write({'waived': True, 'reason': "Old", 'waived_by_id': self.head.id, 'waived_on': day})
        self.reinstate(self.interest)
        self.assertEqual(self.interest.decision_ids.sorted('id').mapped('reason'), ["Old", "Waived by mistake"])
        self.assertEqual(self.interest.decision_ids.sorted('id')[0].date, day)

    def invoice_claims(self, claims):
        action = claims.with_user(self.collector).action_invoice()
        wizard = self.env[action['res_model']].with_user(self.collector).with_context(**action['context'])
        action = wizard.create({}).action_apply()
        return self.env['account.move'].browse(action.get('res_id') or action['domain'][0][2])

    def test_claims_become_an_invoice_without_taxes(self):
        claims = self.Claim.search([('move_id', '=', self.invoice.id)])
        invoice = self.invoice_claims(claims)
        self.assertEqual((invoice.amount_total, invoice.amount_tax, invoice.state), (80.0, 0.0, 'draft'))
        self.assertEqual(
            invoice.invoice_line_ids.product_id,
            self.env.ref('dunning_followup.product_late_interest')
            + self.env.ref('dunning_followup.product_late_compensation'),
        )
        self.assertEqual(set(claims.mapped('state')), {'invoiced'})
        self.assertEqual(len(self.events('claim_invoiced')), 2)

    def test_product_account_and_tax_of_the_company(self):
        account = self.company_data['default_account_revenue'].copy({'code': '499999'})
        tax = self.company_data['default_tax_sale']
        product = self.env['product.product'].create({'name': "Own interest", 'type': 'service'})
        self.company.write(
            {
                'dunning_claim_account_id': account.id,
                'dunning_claim_tax_ids': [Command.set(tax.ids)],
                'dunning_product_interest_id': product.id,
            }
        )
        line = self.invoice_claims(self.interest).invoice_line_ids
        self.assertEqual((line.account_id, line.tax_ids, line.product_id), (account, tax, product))

    def test_paid_claim_and_reversed_invoice_of_claims(self):
        invoice = self.invoice_claims(self.interest)
        invoice.action_post()
        self._settle(invoice, 10, self.today)
        self.assertEqual(self.interest.state, 'paid')
        with self.assertRaisesRegex(UserError, "None of these claims is open"):
            self.interest.action_invoice()

    def test_cancelled_invoice_opens_the_claim_again(self):
        invoice = self.invoice_claims(self.interest)
        invoice.button_cancel()
        self.assertEqual(self.interest.state, 'open')

    def test_after_the_invoice_interest_goes_on_from_the_next_day(self):
        self.invoice_claims(self.interest)
        self.Claim._update(self.item, DUE + timedelta(days=30))
        self.assertEqual(self.claims(self.invoice, kind='interest'), [('interest', 10.0), ('interest', 20.0)])

    def test_no_interest_on_interest(self):
        invoice = self.invoice_claims(self.interest)
        invoice.write({'invoice_date': DUE, 'invoice_payment_term_id': False, 'invoice_date_due': DUE})
        invoice.action_post()
        self.assertFalse(self.Claim._update(self._items(invoice), DUE + timedelta(days=30)))

    def test_who_may_make_no_invoices_makes_none_of_claims(self):
        user = new_test_user(self.env, 'only_sales', groups='sales_team.group_sale_salesman')
        with self.assertRaises(AccessError):
            self.interest.with_user(user).action_invoice()

    def test_other_company_does_not_see_the_claims(self):
        other = self.setup_other_company()['company']
        user = new_test_user(
            self.env,
            'abroad',
            groups='dunning_followup.group_collections_manager',
            company_id=other.id,
            company_ids=[Command.set(other.ids)],
        )
        self.assertFalse(self.Claim.with_user(user).search([('id', '=', self.interest.id)]))

    def test_wizard_computes_for_all_up_to_today(self):
        wizard = self.env['dunning.claim.computation'].with_user(self.collector).create({})
        action = wizard.action_compute()
        self.assertIn(self.interest.id, action['domain'][0][2])
        self.assertEqual(self.interest.amount, float((self.today - DUE).days))
        wizard.date = self.today + timedelta(days=1)
        with self.assertRaisesRegex(UserError, "days to come"):
            wizard.action_compute()

    def compute(self, **values):
        """Compute as a collector does; return the action that shows the claims."""
        return self.env['dunning.claim.computation'].with_user(self.collector).create(values).action_compute()

    def test_wizard_claims_what_was_paid_late_before_anything_was_computed(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self.company.dunning_rate_table_id = self.env.ref('dunning_followup.rate_table_eu')
        invoice = self._invoice(10000, due=DUE, currency_id=euro.id)
        self._settle(invoice, 10000, date(2026, 8, 31))
        self.assertEqual(invoice.amount_residual, 0.0)

        action = self.compute(paid_from=date(2026, 8, 31))

        self.assertEqual(self.claims(invoice), [('interest', 260.08), ('compensation', 40.0)])
        self.assertLessEqual(set(self.Claim.search([('move_id', '=', invoice.id)]).ids), set(action['domain'][0][2]))
        self.compute(paid_from=date(2026, 8, 31))
        self.assertEqual(self.claims(invoice), [('interest', 260.08), ('compensation', 40.0)])

    def test_wizard_looks_at_what_was_paid_late_in_the_last_year(self):
        recent, old, in_time, unwanted = (
            self._invoice(1000, due=self.today - timedelta(days=days)) for days in (40, 500, 40, 40)
        )
        other = self._invoice(1000, partner=self.env['res.partner'].create({'name': "O", 'is_company': True}))
        for invoice, days in ((recent, 30), (old, 400), (in_time, 40)):
            self._settle(invoice, 1000, self.today - timedelta(days=days))
        self._reverse(unwanted)

        self.compute()

        self.assertEqual(self.claims(recent), [('interest', 10.0), ('compensation', 70.0)])
        self.assertFalse(self.claims(old, in_time, unwanted, other))
        wizard = self.env['dunning.claim.computation'].new({'paid_from': False})
        self.assertNotIn(self._items(old), wizard._items(self.company, self.customer, self.today))
        late = wizard._items(self.company, self.customer, self.today, self.today - timedelta(days=450))
        self.assertLessEqual(self._items(recent, old), late)
        self.assertFalse(late & self._items(in_time))

    def test_wizard_tells_days_without_a_rate(self):
        self.table.rate_ids.date_from = DUE + timedelta(days=4)

        action = self.compute(date=DUE + timedelta(days=13))

        self.assertEqual((action['tag'], action['params']['type']), ('display_notification', 'warning'))
        self.assertIn("no rate for 06/01/2026 – 06/03/2026", action['params']['message'])
        self.assertIn(self.interest.id, action['params']['next']['domain'][0][2])
        self.assertEqual(self.interest.amount, 10.0)
        self.assertIn("06/01/2026 – 06/03/2026", self.interest.unrated)
        self.table.rate_ids.date_from = DUE
        self.assertNotIn('params', self.compute(date=DUE + timedelta(days=13)))
        self.assertFalse(self.interest.unrated)

    def test_wizard_says_that_there_are_no_rates_at_all(self):
        self.interest.search([]).sudo().unlink()
        self.table.rate_ids.unlink()
        self.table.compensation_ids.unlink()
        with self.assertRaisesRegex(UserError, "no rate for"):
            self.compute(date=DUE + timedelta(days=13))
        self.assertFalse(self.claims(self.invoice))

    def test_settings_warn_where_there_is_no_rate_for_today(self):
        settings = self.env['res.config.settings'].create({})
        self.assertFalse(settings.dunning_rate_warning)
        self.table.rate_ids.date_from = self.today + timedelta(days=1)
        self.assertIn(self.table.name, self.env['res.config.settings'].create({}).dunning_rate_warning)
        self.company.dunning_rate_table_id = False
        self.assertFalse(self.env['res.config.settings'].create({}).dunning_rate_warning)

    def test_wizard_says_what_is_missing(self):
        self.company.dunning_rate_table_id = False
        self.interest.search([]).sudo().unlink()
        wizard = self.env['dunning.claim.computation'].create({})
        with self.assertRaisesRegex(UserError, "no rates are chosen"):
            wizard.action_compute()

    def test_annex_shows_each_part_of_the_calculation(self):
        html = (
            self.env['ir.actions.report']
            ._render_qweb_html('dunning_followup.report_dunning_claim_annex', self.interest.ids)[0]
            .decode()
        )
        self.assertIn(self.invoice.name, html)
        self.assertIn('36.5', html)
        self.assertIn('Simple interest', html)
        self.assertNotIn('The rate of the first day', html)
