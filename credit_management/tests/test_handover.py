import io
import json
from datetime import timedelta
from unittest.mock import patch

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class HandoverCommon(CreditCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy()
        cls.today = cls.company._credit_today()
        cls.successor = cls._new_user('successor', 'sales_team.group_sale_salesman')
        cls.second = cls._new_user('second', 'sales_team.group_sale_salesman')
        cls.north = cls.env['res.partner'].create(
            {'name': "North", 'is_company': True, 'user_id': cls.sales_user.id, 'ref': "=1+1"}
        )
        cls.account = cls._account(limit=1000.0, controller_id=cls.sales_user.id)

    def _handover(self, user=None, **values):
        return (
            self.env['credit.handover']
            .with_user(user or self.manager)
            .create({'user_id': self.sales_user.id, 'successor_id': self.successor.id, 'date': self.today, **values})
        )

    def _carry_out(self, handover):
        handover.action_confirm()
        handover.action_carry_out()
        self.env.invalidate_all()

    def _line(self, handover, partner):
        return handover.line_ids.filtered(lambda line: line.partner_id == partner)


@tagged('post_install', '-at_install')
class TestHandover(HandoverCommon):
    """One person's customers and credit duties go to others."""

    def test_new_one_has_no_name_before_its_person_is_chosen(self):
        self.assertEqual(self.env['credit.handover'].new({'date': self.today}).display_name, '')

    def test_customers_are_listed_with_why_and_their_balances(self):
        self._invoice(300.0, due=self.today - timedelta(days=40))
        self._order_of(900.0, confirm=True)

        handover = self._handover()

        line = self._line(handover, self.customer)
        self.assertEqual(handover.line_ids.partner_id, self.customer + self.north)
        self.assertEqual((line.is_salesperson, line.is_controller, line.has_order), (True, True, True))
        self.assertEqual((line.open_item, line.overdue_amount, line.exposure), (300.0, 300.0, 300.0))
        self.assertEqual((line.effective_limit, line.held_order_count), (1000.0, 1))
        account = self.account
        self.assertEqual(
            (line.open_item, line.overdue_amount, line.days_overdue, line.exposure, line.held_order_count),
            (
                account.exposure_open_item,
                account.overdue_amount,
                account.days_overdue,
                account.exposure,
                account.held_order_count,
            ),
        )
        self.assertEqual((handover.customer_count, handover.open_item_total), (2, 300.0))

    def test_split_by_customer_moves_each_to_its_successor(self):
        contact = self.env['res.partner'].create(
            {'name': "Mr Wu", 'parent_id': self.north.id, 'user_id': self.sales_user.id, 'active': False}
        )
        quotation = self._order_of(10.0, partner=self.north)
        handover = self._handover()
        self._line(handover, self.north).successor_id = self.second

        self._carry_out(handover)

        self.assertEqual((self.customer.user_id, self.north.user_id), (self.successor, self.second))
        self.assertEqual((contact.user_id, quotation.user_id), (self.second, self.second))
        self.assertEqual(self.account.controller_id, self.successor)
        self.assertEqual((handover.state, handover.done_by_id), ('done', self.manager))
        self.assertIn("Second", self.north.message_ids[:1].body)

    def test_what_is_not_chosen_stays(self):
        quotation = self._order_of(10.0)
        handover = self._handover(move_customers=False, move_orders=False)

        self._carry_out(handover)

        self.assertEqual((self.customer.user_id, quotation.user_id), (self.sales_user, self.sales_user))
        self.assertEqual(self.account.controller_id, self.successor)
        self.assertEqual(handover.line_ids.partner_id, self.customer)

    def test_customer_taken_out_of_the_list_stays(self):
        handover = self._handover()
        self._line(handover, self.north).unlink()

        self._carry_out(handover)

        self.assertEqual(self.north.user_id, self.sales_user)

    def test_order_invoiced_in_full_keeps_its_salesperson(self):
        order = self._order_of(100.0, confirm=True)
        order._create_invoices().action_post()

        self._carry_out(self._handover())

        self.assertEqual(order.user_id, self.sales_user)

    def test_policies_and_open_tasks_go_over(self):
        policy = self.company.credit_policy_id
        policy.controller_id = self.sales_user
        held = self._order_of(2000.0)
        held.action_confirm()
        activity = self.account.activity_ids
        self.assertEqual(activity.user_id, self.sales_user)
        self._invoice(900.0)
        self.env['credit.alert'].sudo()._update_company(self.company)
        alert = self.account.alert_ids
        self.assertEqual(alert.user_id, self.sales_user)

        self._carry_out(self._handover())

        self.assertEqual((policy.controller_id, activity.user_id), (self.successor, self.successor))
        self.assertEqual(alert.user_id, self.successor)

    def test_limit_waits_for_a_manager_who_did_not_ask_for_it(self):
        self.account.controller_id = self.manager
        limit = (
            self.env['credit.limit']
            .with_user(self.other_manager)
            .create({'account_id': self.account.id, 'amount': 5000.0})
        )
        limit.action_submit()
        self.assertEqual(limit.activity_ids.user_id, self.manager)
        deputy = self._new_user('deputy', 'credit_management.group_credit_manager')

        self._carry_out(self._handover(self.other_manager, user_id=self.manager.id))

        self.assertEqual(self.account.controller_id, self.successor)
        self.assertEqual(limit.activity_ids.user_id, deputy)
        self.assertEqual(limit.requested_by_id, self.other_manager)

    def _asked_limit(self, level_users, **values):
        """Return a limit that the first of a level's users is asked about."""
        self.company.credit_policy_id.approval_level_ids = [
            Command.create({'name': "Board", 'user_ids': [Command.set(level_users.ids)]})
        ]
        limit = (
            self.env['credit.limit']
            .with_user(self.other_manager)
            .create({'account_id': self.account.id, 'amount': 5000.0, **values})
        )
        limit.action_submit()
        return limit

    def _leaves(self, user, successor):
        self._carry_out(self._handover(self.other_manager, user_id=user.id, successor_id=successor.id))

    def test_approval_goes_to_the_successor_if_the_level_lets_him(self):
        first, other, heir = (
            self._new_user(login, 'credit_management.group_credit_analyst') for login in ('first', 'other', 'heir')
        )
        limit = self._asked_limit(first + other + heir)
        leaving = limit.approval_user_id
        successor = (first + other + heir - leaving)[-1]
        self.assertEqual(limit.activity_ids.user_id, leaving)

        self._leaves(leaving, successor)

        self.assertEqual((limit.approval_user_id, limit.activity_ids.user_id), (successor, successor))
        self.assertEqual(limit.approval_id.story[-1]['cause'], 'handover')
        self.assertIn("handed over", limit.approval_id.story_text)

    def test_approval_goes_to_the_next_of_the_level_where_the_successor_is_not_of_it(self):
        first, other = (self._new_user(login, 'credit_management.group_credit_analyst') for login in ('first', 'other'))
        limit = self._asked_limit(first + other)
        leaving = limit.approval_user_id

        self._leaves(leaving, self.successor)

        self.assertEqual(limit.approval_user_id, first + other - leaving)
        self.assertEqual(limit.activity_ids.user_id, first + other - leaving)

    def test_who_did_not_answer_once_is_asked_again_rather_than_who_leaves(self):
        first, other = (self._new_user(login, 'credit_management.group_credit_analyst') for login in ('first', 'other'))
        limit = self._asked_limit(first + other)
        silent = limit.approval_user_id
        limit.sudo().approval_id._ask('deadline')
        managers = self.company._credit_managers()
        while limit.sudo().approval_id.user_id not in managers[-1:] and not limit.approval_id.exhausted:
            limit.sudo().approval_id._ask('deadline')
        leaving = limit.approval_user_id

        self._leaves(leaving, self.successor)

        self.assertEqual(limit.approval_user_id, silent)

    def test_release_of_an_order_is_asked_of_the_successor_and_counts_as_a_duty(self):
        first, heir = (self._new_user(login, 'credit_management.group_credit_analyst') for login in ('first', 'heir'))
        self.company.credit_policy_id.approval_level_ids = [
            Command.create({'name': "Board", 'user_ids': [Command.set((first + heir).ids)]})
        ]
        order = self._order_of(2000.0)
        order.with_user(self.sales_user).action_confirm()
        order.with_user(self.sales_user)._credit_request_release("Please")
        release = self.env['credit.release'].search([('res_id', '=', order.id)])
        leaving = release.approval_user_id
        successor = first + heir - leaving
        self.assertEqual(self.env['credit.handover']._duties(leaving)[leaving, self.company]['tasks'], 1)

        self._leaves(leaving, successor)

        self.assertEqual(release.approval_user_id, successor)
        kind = 'credit_management.mail_activity_type_release'
        self.assertEqual(order.activity_search([kind]).user_id, successor)
        self.assertFalse(self.env['credit.handover']._duties(leaving))

    def test_signed_balances_by_currency_stay(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        self._invoice(300.0)
        handover = self._handover()
        handover.action_confirm()
        self._invoice(50.0, currency_id=euro.id)
        self._invoice(100.0)

        self.assertEqual(handover._currency_totals(), [(self.currency, 300.0)])
        handover.action_draft()
        handover.action_load_customers()
        self.assertEqual(dict(handover._currency_totals()), {self.currency: 400.0, euro: 50.0})

    def test_what_is_asked_about_orders_on_hold_goes_over(self):
        order = self._order_of(2000.0)
        order.action_confirm()
        order._credit_ask(self.sales_user, "Ready to be confirmed", "confirm it")

        self._carry_out(self._handover())

        kind = 'credit_management.mail_activity_type_held_order'
        self.assertEqual(order.activity_search([kind]).user_id, self.successor)
        self.assertEqual(order.user_id, self.successor)

    def test_approvals_that_are_not_to_move_stay(self):
        first, other = (self._new_user(login, 'credit_management.group_credit_analyst') for login in ('first', 'other'))
        limit = self._asked_limit(first + other)
        leaving = limit.approval_user_id
        self.company.credit_policy_id.controller_id = leaving

        handover = self._handover(
            self.other_manager, user_id=leaving.id, successor_id=self.successor.id, move_requests=False
        )
        self._carry_out(handover)

        self.assertEqual(limit.approval_user_id, leaving)

    def test_credit_file_and_chatter_say_what_went_over(self):
        handover = self._handover()

        self._carry_out(handover)

        event = self.env['credit.event'].search([('account_id', '=', self.account.id), ('kind', '=', 'handed_over')])
        payload = json.loads(event.payload)
        self.assertEqual((payload['handover_id'], payload['roles']), (handover.id, ['salesperson', 'controller']))
        self.assertEqual((payload['from_user_id'], payload['into_user_id']), (self.sales_user.id, self.successor.id))
        self.assertIn("Salesperson", event.description)
        self.assertFalse(self.env['credit.event']._verify_chain(self.account, self.company).findings)
        told = self.env['mail.message'].sudo().search([('partner_ids', '=', self.successor.partner_id.id)], limit=1)
        self.assertIn(self.customer.name, told.body)

    def test_job_carries_out_on_its_day_and_one_that_fails_stops_no_other(self):
        due = self._handover()
        due.action_confirm()
        early = self._handover(date=self.today + timedelta(days=1))
        early.action_confirm()
        blocked = self._handover(user_id=self.analyst.id, successor_id=self.second.id)
        self._account(self.north, controller_id=self.analyst.id)
        blocked.action_load_customers()
        blocked.action_confirm()
        self.second.active = False

        self.env['credit.handover'].sudo()._carry_out_due(self.company)
        self.env['credit.handover'].sudo()._carry_out_due(self.company)

        self.assertEqual((due.state, early.state, blocked.state), ('done', 'confirmed', 'confirmed'))
        self.assertEqual(blocked.activity_ids.user_id, self.manager)
        self.assertEqual(len(blocked.activity_ids), 1)

    def test_only_managers_hand_over(self):
        handover = self._handover()
        with self.assertRaises(AccessError):
            self._handover(self.analyst)
        for user in (self.analyst, self.sales_user):
            for action in ('action_confirm', 'action_carry_out', 'action_load_customers', 'action_cancel'):
                with self.assertRaises(AccessError):
                    getattr(handover.with_user(user), action)()
        with self.assertRaises(AccessError):
            handover.with_user(self.sales_user).read(['date'])
        self.assertEqual(handover.with_user(self.analyst).customer_count, 2)

    def test_balances_and_state_are_not_written_by_clients(self):
        handover = self._handover()
        with self.assertRaises(AccessError):
            handover.line_ids[:1].write({'exposure': 1.0})
        with self.assertRaises(AccessError):
            handover.write({'state': 'done'})
        with self.assertRaises(UserError):
            handover.action_carry_out()
        handover.action_confirm()
        with self.assertRaises(UserError):
            handover.line_ids[:1].successor_id = self.second
        with self.assertRaises(UserError):
            handover.date = self.today
        with self.assertRaises(UserError):
            handover.unlink()
        with self.assertRaises(ValidationError):
            self._handover(successor_id=self.sales_user.id)

    def test_customer_of_another_company_is_not_named(self):
        other = self.setup_other_company()['company']
        stranger = self.env['res.partner'].create(
            {'name': "Elsewhere", 'company_id': other.id, 'user_id': self.sales_user.id}
        )
        handover = self._handover()
        with self.assertRaises(AccessError):
            self.env['credit.handover.line'].with_user(self.manager).create(
                {'handover_id': handover.id, 'partner_id': stranger.id, 'successor_id': handover.successor_id.id}
            )

    def test_successor_is_active_and_works_in_the_company(self):
        handover = self._handover()
        other = self.env['res.company'].create({'name': "Other company"})
        self.successor.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        with self.assertRaisesRegex(UserError, "does not work in"):
            handover.action_confirm()

    def test_other_company_keeps_its_controller_and_orders(self):
        other = self.env['res.company'].create({'name': "Other company"})
        self.env.user.company_ids += other
        foreign = self._account(company=other)
        foreign.sudo().controller_id = self.sales_user
        handover = self._handover()

        self._carry_out(handover)

        self.assertEqual(foreign.controller_id, self.sales_user)
        self.assertEqual(self.customer.user_id, self.successor)
        alien = self._new_user('alien', 'credit_management.group_credit_manager')
        alien.write({'company_ids': [Command.set(other.ids)], 'company_id': other.id})
        self.assertFalse(self.env['credit.handover'].with_user(alien).search([]))
        self.assertFalse(self.env['credit.handover.line'].with_user(alien).search([]))

    def test_old_debts_stay_with_the_person(self):
        old = self._invoice(300.0, due=self.today - timedelta(days=10))
        new = self._invoice(50.0, due=self.today + timedelta(days=10))
        handover = self._handover(old_debts='stay')

        self._carry_out(handover)

        self.assertEqual(self.account.debt_responsible_id, self.sales_user)
        self.assertEqual(self.account.debt_duty_ids.amount, 300.0)
        self.assertEqual(self._receivable(old).credit_responsible_id, self.sales_user)
        self.assertEqual(self._receivable(new).credit_responsible_id, self.successor)
        self.assertIn(self.account, self.Account.search([('debt_responsible_id', '=', self.sales_user.id)]))
        self._pay(400.0)
        self.env.invalidate_all()
        self._match(self.account)
        self.assertFalse(self.account.debt_responsible_id)

    def test_chain_of_hand_overs_names_the_person_of_each_time(self):
        items = [self._invoice(100.0, due=self.today + timedelta(days=days)) for days in (-10, 5, 20)]
        self._carry_out(self._handover(old_debts='stay'))
        later = self._handover(
            user_id=self.successor.id,
            successor_id=self.second.id,
            old_debts='stay',
            date=self.today + timedelta(days=10),
        )
        self._carry_out(later)

        self.assertEqual(
            [self._receivable(item).credit_responsible_id for item in items],
            [self.sales_user, self.successor, self.second],
        )
        self.assertEqual(self.account.debt_duty_ids.mapped('amount'), [100.0, 100.0])
        # The first one leaves for good: the old debts go on.
        self._carry_out(self._handover(successor_id=self.second.id))
        self.assertEqual(self._receivable(items[0]).credit_responsible_id, self.second)

    def test_old_debts_and_alerts_follow_a_merge(self):
        source = self._account(self.north, limit=100.0)
        self._invoice(300.0, partner=self.north, due=self.today - timedelta(days=10))
        self.env['credit.alert'].sudo()._update_company(self.company)
        alert = source.alert_ids.filtered('crossing')
        duty = self.env['credit.debt.duty'].create(
            {'account_id': source.id, 'user_id': self.analyst.id, 'date_before': self.today}
        )

        wizard = self.env['base.partner.merge.automatic.wizard']
        wizard._merge((self.north + self.customer).ids, self.customer)
        self.env.invalidate_all()

        self.assertEqual((duty.account_id, duty.partner_id, duty.amount), (self.account, self.customer, 300.0))
        self.assertEqual(self.account.debt_responsible_id, self.analyst)
        self.assertEqual(set(alert.mapped('crossing')), {False})

    def _receivable(self, move):
        return move.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')

    def _match(self, account):
        account.with_user(self.env.user).action_match()
        self.env.invalidate_all()

    def test_number_of_statements_does_not_follow_the_number_of_customers(self):
        def count(number):
            for place in range(number):
                partner = self.env['res.partner'].create(
                    {'name': f"C{number}-{place}", 'is_company': True, 'user_id': self.second.id}
                )
                self._account(partner, controller_id=self.second.id)
            handover = self._handover(self.env.user, user_id=self.second.id)
            handover.action_confirm()
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            handover.action_carry_out()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)  # fills the caches

        few, many = count(2), count(12)

        self.assertLess(many - few, 10, f"{few} statements for 2 customers, {many} for 12")

    # The sheet has the balances of the accounts, as PDF and as workbook.

    def _sheet(self, handover):
        from openpyxl import load_workbook

        target = io.BytesIO()
        handover._write_sheet(target)
        return [list(row) for row in load_workbook(target, data_only=True).active.iter_rows(values_only=True)]

    def test_workbook_opens_and_its_totals_are_those_of_the_accounts(self):
        self._account(self.north)
        self._invoice(300.0, due=self.today - timedelta(days=40))
        self._invoice(120.55, partner=self.north)
        handover = self._handover()

        rows = self._sheet(handover)

        heading = next(row for row in rows if row[0] == "Customer")
        columns = {label: place for place, label in enumerate(heading)}
        by_customer = {row[0]: row for row in rows}
        accounts = self.account + self._account(self.north)
        total = by_customer["Total"]
        for label, name in (
            ("Open Items", 'exposure_open_item'),
            ("Overdue", 'overdue_amount'),
            ("Exposure", 'exposure'),
            ("Held Orders", 'held_order_count'),
        ):
            self.assertAlmostEqual(total[columns[label]], sum(accounts.mapped(name)), 2, label)
            for account in accounts:
                self.assertAlmostEqual(by_customer[account.display_name][columns[label]], account[name], 2, label)
        # Text is text, whatever it looks like.
        self.assertEqual(by_customer["North"][columns["Reference"]], "=1+1")

    def test_sheet_names_what_is_owed_in_each_currency(self):
        euro = self.env.ref('base.EUR') if self.currency != self.env.ref('base.EUR') else self.env.ref('base.CHF')
        euro.active = True
        self.env['res.currency.rate'].search([('currency_id', '=', euro.id)]).unlink()
        self.env['res.currency.rate'].create({'currency_id': euro.id, 'name': '2020-01-01', 'rate': 0.5})
        self._invoice(100.0, currency_id=euro.id)
        self._invoice(70.0)
        handover = self._handover()

        self.assertEqual(dict(handover._currency_totals()), {euro: 100.0, self.currency: 70.0})
        self.assertEqual(handover.open_item_total, 270.0)
        rows = {row[0]: row for row in self._sheet(handover)}
        self.assertEqual(rows[euro.name][1], 100.0)

    def test_sheet_is_printed_with_signature_lines(self):
        self._invoice(300.0)
        handover = self._handover()
        report = self.env['ir.actions.report'].with_user(self.manager)

        html, _kind = report._render_qweb_html('credit_management.report_credit_handover', handover.ids)

        for text in (self.customer.name, self.sales_user.name, "300.00", "Taken over by", "Credit manager"):
            self.assertIn(text, html.decode())

    def test_salesperson_gets_no_sheet(self):
        with self.assertRaises(AccessError):
            self._handover().with_user(self.sales_user)._write_sheet(io.BytesIO())


@tagged('post_install', '-at_install')
class TestArchivedUser(HandoverCommon):
    """Whoever archives a user with credit duties learns of them; the archiving is never stopped."""

    def _warnings(self):
        kind = self.env.ref('credit_management.mail_activity_type_handover')
        return self.sales_user.partner_id.activity_ids.filtered(lambda activity: activity.activity_type_id == kind)

    def test_dialog_names_the_duties_and_leads_to_the_hand_over(self):
        self._invoice(300.0)
        admin = self._new_user('useradmin', 'base.group_erp_manager')

        action = self.sales_user.with_user(admin).action_archive()

        self.assertFalse(self.sales_user.active)
        notice = self.env[action['res_model']].with_user(admin).browse(action['res_id'])
        self.assertIn("Customers with an exposure: 1", notice.text)
        self.assertIn("Credit accounts controlled: 1", notice.text)
        opened = notice.action_hand_over()
        self.assertEqual(opened['context'], {'default_user_id': self.sales_user.id})
        with self.assertRaises(AccessError):
            notice.with_user(self.analyst).read(['text'])

    def test_what_the_user_had_to_do_goes_to_a_manager(self):
        order = self._order_of(2000.0)
        order.action_confirm()
        [asked] = self.account.activity_ids
        self.assertEqual(asked.user_id, self.sales_user)
        order._credit_ask(self.sales_user, "Ready to be confirmed", "confirm it")
        private = order.activity_schedule('mail.mail_activity_data_call', user_id=self.sales_user.id)
        admin = self._new_user('useradmin', 'base.group_erp_manager')

        action = self.sales_user.with_user(admin).action_archive()

        manager = self.company._credit_managers()[:1]
        self.assertEqual(asked.exists().user_id, manager)
        kind = 'credit_management.mail_activity_type_held_order'
        self.assertEqual(order.activity_search([kind]).user_id, manager)
        self.assertFalse(private.exists())
        notice = self.env[action['res_model']].with_user(admin).browse(action['res_id'])
        self.assertIn("Requests, holds and other tasks: 2", notice.text)

    def test_user_without_duties_is_archived_as_ever(self):
        bystander = self._new_user('bystander', 'base.group_user')

        with patch.object(type(self.env['credit.duty.notice']), 'create') as create:
            self.assertNotIsInstance(bystander.action_archive(), dict)

        create.assert_not_called()
        self.assertFalse(bystander.active)
        self.assertFalse(bystander.partner_id.activity_ids)

    def test_program_that_archives_has_a_manager_told_once(self):
        self.sales_user.write({'active': False})
        self.sales_user.write({'active': True})
        self.sales_user.write({'active': False})

        self.assertEqual(len(self._warnings()), 1)
        self.assertIn(self._warnings().user_id, self.company._credit_managers())

    def test_archived_user_is_handed_over_and_the_warning_closes(self):
        self._invoice(300.0)
        self.sales_user.active = False
        self.assertTrue(self._warnings())

        self._carry_out(self._handover())

        self.assertEqual(self.customer.user_id, self.successor)
        self.assertFalse(self._warnings())
