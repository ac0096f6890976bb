from datetime import timedelta

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user, tagged

from .common_claims import ClaimsCommon


@tagged('post_install', '-at_install')
class TestExclusion(ClaimsCommon):
    def setUp(self):
        super().setUp()
        self.old = self._invoice(1000, due=self.today - timedelta(days=40))
        self.new = self._invoice(500, due=self.today - timedelta(days=10))
        self.env['dunning.plan'].search([]).active = False
        self.plan = self.env['dunning.plan'].create(
            {
                'name': "Plan",
                'company_id': self.company.id,
                'step_ids': [
                    Command.create(
                        {'name': "First", 'days': 7, 'channel': 'email', 'subject': "Open", 'body': "<p>{{items}}</p>"}
                    )
                ],
            }
        )
        self.company.dunning_plan_id = self.plan

    def excluded(self, *moves, company=None, date=None):
        """Return {invoice: (code, amount)}."""
        items = self._items(*(moves or (self.old, self.new)))
        reasons = self.env['dunning.exclusion']._excluded(items, company or self.company, date or self.today)
        return {
            self.env['account.move.line'].browse(id_).move_id: (code, amount)
            for id_, (code, _text, amount) in reasons.items()
        }

    def pause(self, **values):
        vals = {'partner_id': self.customer.id, 'date_until': self.today + timedelta(days=7), 'reason': "In talks"}
        return self.env['dunning.pause'].with_user(self.collector).create({**vals, **values})

    def test_nothing_stands_against_it(self):
        self.assertEqual(self.excluded(), {})
        self.assertFalse(self.customer.dunning_not_chased)

    def test_paused_customer_until_the_day(self):
        pause = self.pause()
        self.assertEqual(self.excluded(), {self.old: ('paused', None), self.new: ('paused', None)})
        self.assertEqual(self.excluded(date=self.today + timedelta(days=8)), {})
        pause.action_end()
        self.assertEqual(self.excluded(), {})
        self.assertEqual((len(self.events('dunning_paused')), len(self.events('dunning_resumed'))), (1, 1))

    def test_paused_invoice_only(self):
        self.pause(move_id=self.new.id)
        self.assertEqual(self.excluded(), {self.new: ('paused', None)})
        self.assertFalse(self.old.dunning_not_chased)
        self.assertIn("In talks", self.new.dunning_not_chased)
        self.assertIn(self.new.name, self.customer.dunning_not_chased)

    def test_do_not_remind_has_no_end(self):
        self.pause(kind='never', date_until=False)
        self.assertEqual(
            self.excluded(self.old, date=self.today + timedelta(days=999)), {self.old: ('do_not_remind', None)}
        )

    def test_pause_that_is_over_or_has_no_day_is_refused(self):
        with self.assertRaisesRegex(UserError, "ended already"):
            self.pause(date_until=self.today - timedelta(days=1))
        with self.assertRaisesRegex(ValidationError, "not to its contact"):
            self.pause(partner_id=self.contact.id)

    def test_pause_stays_as_it_was_made(self):
        pause = self.pause()
        with self.assertRaisesRegex(AccessError, "stays"):
            pause.user_id = self.head
        with self.assertRaisesRegex(UserError, "kept"):
            pause.sudo().unlink()
        with self.assertRaises(AccessError):
            pause.with_user(self.sales_user).read(['reason'])
        pause.date_until = self.today + timedelta(days=30)
        self.assertEqual(len(self.events('dunning_paused')), 2)

    def test_disputed_part_only(self):
        dispute = (
            self.env['dunning.dispute']
            .with_user(self.collector)
            .create({'move_id': self.old.id, 'amount': 300, 'reason': "Broken"})
        )
        self.assertEqual(self.excluded(), {self.old: ('disputed', 300.0)})
        self.assertIn("300", self.old.dunning_not_chased)
        dialog = self.env['dunning.dispute.solving'].with_user(self.collector).browse(dispute.action_solve()['res_id'])
        with self.assertRaisesRegex(UserError, "State who was right"):
            dialog.action_solve()
        dialog.write({'outcome': 'both', 'solution': "A credit note for one box"})
        dialog.action_solve()
        self.assertEqual(self.excluded(), {})
        self.assertEqual(
            (dispute.state, dispute.date_solved, dispute.outcome, dispute.solution),
            ('solved', self.today, 'both', "A credit note for one box"),
        )
        self.assertEqual((len(self.events('dispute_opened')), len(self.events('dispute_solved'))), (1, 1))
        self.assertIn("Both in part", self.events('dispute_solved')[0])
        with self.assertRaisesRegex(UserError, "open any more"):
            dispute.action_solve()

    def test_disputed_whole_is_all(self):
        dispute = self.env['dunning.dispute'].create({'move_id': self.old.id, 'reason': "Never delivered"})
        self.assertEqual(dispute.amount, 1000.0)
        self.assertEqual(self.excluded(), {self.old: ('disputed', None)})

    def test_disputed_part_in_another_currency_is_told_in_company_currency(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 0.5)])
        invoice = self._invoice(1000, due=self.today - timedelta(days=9), currency_id=euro.id)
        self.env['dunning.dispute'].create({'move_id': invoice.id, 'amount': 300, 'reason': "Broken"})
        self.assertEqual(self.excluded(invoice), {invoice: ('disputed', 600.0)})

    def test_more_than_the_invoice_cannot_be_disputed(self):
        with self.assertRaisesRegex(ValidationError, "No more can be disputed"):
            self.env['dunning.dispute'].create({'move_id': self.old.id, 'amount': 1001, 'reason': "All"})

    def test_dispute_is_solved_with_its_button_only(self):
        dispute = self.env['dunning.dispute'].create({'move_id': self.old.id, 'reason': "All"})
        with self.assertRaises(AccessError):
            dispute.with_user(self.head).state = 'solved'

    def test_insolvent(self):
        account = self._account()
        action = account.with_user(self.collector).action_dunning_insolvency()
        wizard = self.env[action['res_model']].with_user(self.collector).with_context(**action['context'])
        wizard.create({'date': self.today, 'note': "Court, file 12"}).action_apply()
        self.assertEqual(self.excluded(), {self.old: ('insolvent', None), self.new: ('insolvent', None)})
        self.assertEqual(len(self.events('insolvent')), 1)
        with self.assertRaises(AccessError):
            account.with_user(self.manager).insolvency_date = False
        with self.assertRaises(AccessError):
            account.with_user(self.sales_user).action_dunning_insolvency()
        account._write_insolvency(False, '')
        self.assertEqual(self.excluded(), {})

    def test_insolvent_customer_stays_so_after_a_merge(self):
        twin = self.env['res.partner'].create({'name': "Hengda Trading (twin)", 'is_company': True})
        self._account()
        self._account(partner=twin)._write_insolvency(self.today, "Court, file 12")
        self.env['base.partner.merge.automatic.wizard'].create({})._merge(
            (self.customer + twin).ids, self.customer, extra_checks=False
        )
        self.assertEqual(self._account().insolvency_note, "Court, file 12")
        self.assertEqual(set(self.excluded().values()), {('insolvent', None)})

    def test_promise_covers_the_oldest_items_up_to_its_sum(self):
        self._limit_policy()
        self._account(limit=100)
        order = self._order_of(50, confirm=True).with_user(self.manager)
        dialog = {'decision': 'release', 'order_id': order.id, 'note': "They will pay", 'condition': 'promise'}
        terms = {'condition_amount': 1200, 'condition_due': self.today + timedelta(days=3)}
        self.env['credit.decision'].with_user(self.manager).create({**dialog, **terms}).action_apply()
        self.assertEqual(self.excluded(), {self.old: ('promised', None), self.new: ('promised', 200.0)})
        self.assertEqual(self.excluded(date=self.today + timedelta(days=4)), {})

    def test_residue_of_an_item(self):
        self._settle(self.old, 995, self.today)
        self.assertEqual(self.excluded(), {self.old: ('item_floor', None)})

    def test_small_customer(self):
        small = self.env['res.partner'].create({'name': "Small"})
        one = self._invoice(30, partner=small, due=self.today - timedelta(days=10))
        two = self._invoice(15, partner=small, due=self.today - timedelta(days=10))
        self.assertEqual(set(self.excluded(one, two).values()), {('customer_floor', None)})
        three = self._invoice(10, partner=small, due=self.today - timedelta(days=10))
        self.assertEqual(self.excluded(one, two, three), {})

    def test_small_invoice_of_a_large_debt_is_chased_and_says_so(self):
        small = self._invoice(30, due=self.today - timedelta(days=10))
        self.assertFalse(small.dunning_not_chased)

    def test_what_is_not_due_yet_does_not_make_a_trifle_worth_chasing(self):
        other = self.env['res.partner'].create({'name': "Other"})
        trifle = self._invoice(40, partner=other, due=self.today - timedelta(days=10))
        coming = self._invoice(1000, partner=other, due=self.today + timedelta(days=3))
        self.assertEqual(self.excluded(trifle, coming), {trifle: ('customer_floor', None)})

    def test_who_pauses_or_disputes_is_who_does_it(self):
        pause = self.pause(user_id=self.head.id, date_from=self.today - timedelta(days=99))
        self.assertEqual((pause.user_id, pause.date_from), (self.collector, self.today))
        dispute = (
            self.env['dunning.dispute']
            .with_user(self.collector)
            .create({'move_id': self.old.id, 'reason': "All", 'user_id': self.head.id, 'state': 'solved'})
        )
        self.assertEqual((dispute.user_id, dispute.state), (self.collector, 'open'))

    def test_floors_are_those_of_the_policy(self):
        self._limit_policy(customer_floor=2000)
        self.assertEqual({code for code, _amount in self.excluded().values()}, {'customer_floor'})

    def test_gravest_reason_is_told(self):
        self.pause()
        self.env['dunning.dispute'].create({'move_id': self.old.id, 'amount': 300, 'reason': "Broken"})
        self._account()._write_insolvency(self.today, '')
        self.assertEqual(self.excluded(self.old), {self.old: ('insolvent', None)})

    def test_pause_of_another_company_counts_there_only(self):
        other = self.env['res.company'].create({'name': "Other"})
        self.env['dunning.pause'].sudo().create(
            {
                'partner_id': self.customer.id,
                'company_id': other.id,
                'date_until': self.today + timedelta(days=7),
                'reason': "Elsewhere",
            }
        )
        self.assertEqual(self.excluded(), {})
        self.assertFalse(self.env['dunning.pause'].with_user(self.collector).search([('company_id', '=', other.id)]))

    def test_pause_of_a_branch_is_its_main_companys(self):
        branch = self._create_company(name="Branch", parent_id=self.company.id)
        self.env.user.company_ids += branch
        invoice = self._invoice(800, due=self.today - timedelta(days=10), company_id=branch.id)
        pause = self.env['dunning.pause'].create(
            {'move_id': invoice.id, 'date_until': self.today, 'reason': "In talks"}
        )
        self.assertEqual((pause.company_id, pause.partner_id), (self.company, self.customer))
        self.assertEqual(self.excluded(invoice, company=branch), {invoice: ('paused', None)})

    def told(self, partner=None, account=False):
        """Return what the box of a customer says, or that of its credit account."""
        self.env.invalidate_all()
        partner = partner or self.customer
        return str((self._account(partner) if account else partner).dunning_not_chased or '')

    def test_covered_by_credits_wholly_and_in_part_is_told(self):
        self._pay(1200)
        for account in (False, True):
            with self.subTest(account=account):
                told = self.told(account=account)
                self.assertIn(f"<b>{self.old.name}</b>: Covered by unallocated credits</li>", told)
                self.assertRegex(told, f"<b>{self.new.name}</b>: Covered by unallocated credits .*200")
        self.assertIn("Covered", self.old.dunning_not_chased)

    def test_no_follow_up_is_told(self):
        self._items(self.old).no_followup = True
        self.assertIn(f"<b>{self.old.name}</b>: Marked", self.told())
        self.assertNotIn(self.new.name, self.told())

    def test_customer_without_a_plan_is_told(self):
        self.company.dunning_plan_id = False
        self.assertEqual(self.told().count("No reminder plan applies"), 2)

    def test_refused_channel_is_told_unless_there_is_a_letter(self):
        self.customer.dunning_no_email = True
        self.assertEqual(self.told(), '')
        self.customer.dunning_no_letter = True
        self.assertEqual(self.told().count("E-mail: Does not want"), 2)
        self.customer.dunning_no_letter = False
        self.plan.step_ids.letter_fallback = False
        self.assertEqual(self.told(account=True).count("E-mail: Does not want"), 2)

    def test_item_in_another_notice_is_told(self):
        run = self.env['dunning.run'].with_user(self.collector).create({'company_id': self.company.id})
        run.action_simulate()
        run.action_send()
        self.assertIn("In another run", self.told())

    def test_pause_of_who_owes_nothing_overdue_is_told(self):
        other = self.env['res.partner'].create({'name': "Other", 'is_company': True})
        self.pause(partner_id=other.id)
        self.assertIn("<b>Everything</b>: Paused until", self.told(other))
        coming = self._invoice(800, partner=other, due=self.today + timedelta(days=9))
        self.assertIn(f"<b>{coming.name}</b>: Paused until", self.told(other))
        self.assertNotIn("Everything", self.told(other, account=True))

    def test_number_of_statements_does_not_grow_with_the_items(self):
        partners = self.env['res.partner'].create([{'name': f"C{n}", 'is_company': True} for n in range(12)])
        moves = [self._invoice(1000, partner=partner, due=self.today - timedelta(days=9)) for partner in partners]

        def statements(*some):
            items = self._items(*some)
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.env['dunning.exclusion']._excluded(items, self.company, self.today)
            return self.cr.sql_log_count - before

        statements(moves[0])
        self.assertEqual(statements(*moves), statements(*moves[:2]))

    def test_auditor_reads_and_changes_nothing(self):
        pause = self.pause()
        auditor = new_test_user(
            self.env,
            'auditor',
            groups='credit_management.group_credit_auditor',
            company_id=self.company.id,
            company_ids=[Command.set(self.company.ids)],
        )
        self.assertEqual(pause.with_user(auditor).reason, "In talks")
        with self.assertRaises(AccessError):
            pause.with_user(auditor).action_end()
