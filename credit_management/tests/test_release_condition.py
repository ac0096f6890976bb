from datetime import datetime, timedelta

from freezegun import freeze_time

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import BaseCase, tagged
from odoo.tools.date_utils import add as date_add

from ..engine.condition import Expected, Payment, allocate
from .common import CreditCommon

PROOF = b'cHJvb2Y='


@tagged('-at_install', 'post_install')
class TestAllocation(BaseCase):
    """Which payment keeps which condition."""

    def _expected(self, id_, amount, day=1, currency=1, company_amount=None):
        return Expected(id_, datetime(2026, 1, day), currency, amount, company_amount or amount)

    def _payment(self, amount, day=2, currency=1, company_amount=None):
        return Payment(datetime(2026, 1, day), currency, amount, company_amount or amount)

    def test_payment_counts_once_and_for_the_oldest_first(self):
        shares = allocate([self._expected(1, 100), self._expected(2, 100, 2)], [self._payment(150, 3)])
        self.assertEqual(shares[1], 1.0)
        self.assertAlmostEqual(shares[2], 0.5)

    def test_payment_before_the_decision_does_not_count(self):
        self.assertEqual(allocate([self._expected(1, 100, 5)], [self._payment(100, 4)]), {1: 0.0})

    def test_several_payments_add_up(self):
        shares = allocate([self._expected(1, 100)], [self._payment(33.33), self._payment(33.33), self._payment(33.34)])
        self.assertEqual(shares, {1: 1.0})

    def test_own_currency_counts_at_face_value_and_another_at_its_company_value(self):
        expected = [self._expected(1, 100, currency=2, company_amount=700)]
        self.assertEqual(allocate(expected, [self._payment(100, currency=2, company_amount=690)]), {1: 1.0})
        self.assertEqual(allocate(expected, [self._payment(350)]), {1: 0.5})

    def test_refund_keeps_nothing(self):
        self.assertEqual(allocate([self._expected(1, 100)], [self._payment(-100)]), {1: 0.0})

    def test_what_went_back_is_taken_off_the_latest_payment_before_it(self):
        expected = [self._expected(1, 100)]
        self.assertEqual(allocate(expected, [self._payment(100), self._payment(-100, 3)]), {1: 0.0})
        self.assertAlmostEqual(allocate(expected, [self._payment(100), self._payment(-40, 3)])[1], 0.6)
        came_again = [self._payment(100), self._payment(-100, 3), self._payment(100, 4)]
        self.assertEqual(allocate(expected, came_again), {1: 1.0})
        two = [self._payment(50), self._payment(30, 3), self._payment(-40, 4)]
        self.assertAlmostEqual(allocate(expected, two)[1], 0.4)

    def test_what_went_back_in_another_currency_counts_at_its_company_value(self):
        expected = [self._expected(1, 100, currency=2, company_amount=700)]
        payments = [self._payment(100, currency=2, company_amount=700), self._payment(-350, 3)]
        self.assertAlmostEqual(allocate(expected, payments)[1], 0.5)

    def test_payment_goes_to_what_it_was_paid_for_and_what_was_kept_before_open_ones(self):
        expected = [self._expected(1, 100), self._expected(2, 100, 2)]
        paid_for = Payment(datetime(2026, 1, 3), 1, 120, 120, paid_for=frozenset({2}))
        shares = allocate(expected, [paid_for])
        self.assertEqual(shares[2], 1.0)
        self.assertAlmostEqual(shares[1], 0.2)
        kept = Expected(2, datetime(2026, 1, 2), 1, 100, 100, kept=datetime(2026, 1, 4))
        self.assertEqual(allocate([expected[0], kept], [self._payment(100, 3)]), {1: 0.0, 2: 1.0})

    def test_what_comes_after_a_condition_was_kept_has_not_kept_it(self):
        kept = Expected(1, datetime(2026, 1, 1), 1, 100, 100, kept=datetime(2026, 1, 4))
        expected = [kept, self._expected(2, 100, 5)]
        self.assertEqual(allocate(expected, [self._payment(100, 6)]), {1: 0.0, 2: 1.0})
        # What was paid for it online has kept it before it was booked.
        paid_for = Payment(datetime(2026, 1, 6), 1, 100, 100, paid_for=frozenset({1}))
        self.assertEqual(allocate(expected, [paid_for]), {1: 1.0, 2: 0.0})


@tagged('post_install', '-at_install')
class TestReleaseCondition(CreditCommon):
    """A release lets an order go on under conditions, which look after themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy(increase_tolerance=0)
        cls.account = cls._account(limit=100)
        cls._invoice(100)
        cls.today = cls.company._credit_today()
        cls.order = cls._order_of(60)
        cls.order.with_user(cls.sales_user).action_confirm()

    def _release(self, order=None, user=None, **values):
        """Release through the dialog, as a manager does."""
        order = (order or self.order).with_user(user or self.manager)
        dialog = (
            self.env['credit.decision']
            .with_user(user or self.manager)
            .create({'decision': 'release', 'order_id': order.id, 'note': "they always pay", **values})
        )
        dialog.action_apply()
        return order.sudo().credit_release_id

    def _look(self, days=0):
        """Have the job look at everything, some days later."""
        # Not before what is paid in this transaction.
        with freeze_time(datetime.now() + timedelta(days=days)):
            self.env['credit.recheck'].sudo()._mark_all()
            with self.enter_registry_test_mode():
                self.env.ref('credit_management.ir_cron_recheck').method_direct_trigger()

    def _messages(self, order=None):
        return ' '.join((order or self.order).message_ids.mapped('body'))

    # ----------------------------------------------------------------- promise

    def test_promise_confirms_at_once_and_is_kept_by_the_payment(self):
        release = self._release(condition='promise', condition_amount=60)
        self.assertEqual((self.order.state, self.order.credit_state), ('sale', 'released'))
        self.assertEqual((release.condition_state, release.condition_due), ('open', date_add(self.today, days=7)))
        self._pay(40)
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('open', 40))
        self._pay(20)
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('kept', 60))
        self.assertIn("has come", self._messages())
        self.assertEqual(self.env['credit.event'].search([], limit=1).kind, 'condition_kept')

    def _entry(self, journal, debit, credit, amount=60):
        """Book an entry of two lines about the customer."""
        move = self.env['account.move'].create(
            {
                'journal_id': self.company_data[f'default_journal_{journal}'].id,
                'line_ids': [
                    Command.create(
                        {'account_id': account.id, 'partner_id': self.customer.id, 'debit': left, 'credit': right}
                    )
                    for account, left, right in ((debit, amount, 0), (credit, 0, amount))
                ],
            }
        )
        move.action_post()
        return move

    def _receivable(self, moves):
        return moves.line_ids.filtered(lambda line: line.account_id.account_type == 'asset_receivable')

    def test_reversed_payment_keeps_no_promise(self):
        release = self._release(condition='promise', condition_amount=60)
        self._pay(60).move_id._reverse_moves(cancel=True)
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('open', 0))
        self._look(8)
        self.assertEqual(release.condition_state, 'broken')

    def test_payment_that_a_separate_entry_takes_back_keeps_no_promise(self):
        release = self._release(condition='promise', condition_amount=60)
        receivable = self.customer.property_account_receivable_id
        for journal in ('misc', 'bank'):
            payment = self._pay(60)
            bank = (payment.move_id.line_ids - self._receivable(payment.move_id)).account_id
            back = self._entry(journal, receivable, bank)
            self._receivable(payment.move_id + back).reconcile()
            self._look()
            self.assertEqual((release.condition_state, release.condition_received), ('open', 0), journal)
        self._pay(60)
        self._look()
        self.assertEqual(release.condition_state, 'kept')

    def test_money_paid_back_and_matched_with_nothing_counts_against_the_promise(self):
        release = self._release(condition='promise', condition_amount=60)
        self._pay(60)
        self._pay(20, payment_type='outbound')
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('open', 40))

    def test_payment_matched_with_an_invoice_or_a_debt_of_another_kind_keeps_the_promise(self):
        release = self._release(condition='promise', condition_amount=60)
        receivable = self.customer.property_account_receivable_id
        debt = self._entry('misc', receivable, self.company_data['default_account_revenue'])
        self._receivable(self._pay(60).move_id + debt).reconcile()
        self._look()
        self.assertEqual(release.condition_state, 'kept')

    def test_broken_promise_stops_what_is_not_delivered_and_tells_who_decided_and_who_sells(self):
        release = self._release(condition='promise', condition_amount=60)
        self._look(7)
        self.assertEqual(release.condition_state, 'open')
        self._look(8)
        self.assertEqual(release.condition_state, 'broken')
        self.assertEqual((self.order.state, self.order.credit_state), ('sale', 'on_hold'))
        asked = self.order.activity_search(['credit_management.mail_activity_type_held_order'])
        self.assertEqual(asked.user_id, self.manager + self.sales_user)
        panel = self.order.with_user(self.sales_user).credit_panel
        self.assertEqual(panel['level'], 'danger')
        self.assertIn("they always pay", panel['reasons'][0]['message'])
        self.assertIn("60.00", panel['ways'][0])
        self.assertEqual(self.env['credit.event'].search([], limit=1).kind, 'condition_broken')
        self._look(9)
        self.assertEqual(self._messages().count("has not come"), 1)

    def test_money_that_comes_late_lets_a_stopped_order_go_on(self):
        release = self._release(condition='promise', condition_amount=60)
        self._look(8)
        self._pay(60)
        self._look(9)
        self.assertEqual((release.condition_state, self.order.credit_state), ('kept', 'released'))

    def test_stopped_order_is_released_again_but_not_rejected(self):
        first = self._release(condition='promise', condition_amount=60)
        self._look(8)
        order = self.order.with_user(self.manager)
        self.assertEqual((order.credit_can_release, order.credit_can_decide), (True, False))
        with self.assertRaisesRegex(UserError, "can't be rejected"):
            order._credit_reject("no")
        second = self._release()
        self.assertEqual(self.order.credit_state, 'released')
        self.assertEqual((first.condition_state, second.amount), ('void', 60))
        self.assertNotEqual(first, second)

    def _director_from(self, amount):
        self.company.credit_policy_id.approval_level_ids = [
            Command.create({'name': "Manager", 'sequence': 1, 'user_ids': [Command.set(self.manager.ids)]}),
            Command.create(
                {
                    'name': "Director",
                    'sequence': 2,
                    'amount_from': amount,
                    'user_ids': [Command.set(self.other_manager.ids)],
                }
            ),
        ]

    def test_stopped_order_that_has_grown_is_released_again_by_the_levels_of_its_present_total(self):
        self._release(condition='promise', condition_amount=60)
        self._director_from(500)
        self._look(8)
        self.order.sudo().order_line.price_unit = 500

        release = self._release()
        self.assertEqual((release.amount, release.approval_level_name), (500, "Director"))
        self.assertEqual(self.order.credit_state, 'on_hold')
        self._release(user=self.other_manager)
        self.assertEqual(self.order.credit_state, 'released')

    def test_stopped_order_that_grows_while_it_is_asked_about_is_asked_about_anew(self):
        self._release(condition='promise', condition_amount=60)
        self._director_from(500)
        self._look(8)
        self.order.with_user(self.sales_user)._credit_request_release("please")
        asked = self.order.credit_release_id
        self.order.sudo().order_line.price_unit = 500

        self.assertEqual(asked.amount, 500)
        open_steps = asked.approval_ids.filtered(lambda step: step.state in ('pending', 'waiting'))
        self.assertEqual(open_steps.sorted('sequence').mapped('level_name'), ["Manager", "Director"])

    def test_total_in_another_currency_is_weighed_in_that_of_the_company(self):
        euro = self.setup_other_currency('EUR', rates=[('2020-01-01', 2.0)])
        pricelist = self.env['product.pricelist'].create({'name': "Euro", 'currency_id': euro.id})
        self.order = self._order_of(60, pricelist_id=pricelist.id)
        self.order.with_user(self.sales_user).action_confirm()
        self._release(condition='promise', condition_amount=60)
        self._director_from(500)
        self._look(8)
        # 998 of it are 499, below the director.
        self.order.sudo().order_line.price_unit = 998
        self.assertEqual(self._release().state, 'released')

    def test_delivered_order_is_not_stopped_but_the_broken_promise_is_told(self):
        self._release(condition='promise', condition_amount=60)
        self.order.order_line.qty_delivered = 1
        self._look(8)
        self.assertEqual(self.order.credit_state, 'released')
        self.assertIn("has not come", self._messages())

    def test_broken_promise_is_a_strike(self):
        self.company.credit_policy_id.write({'blacklist_count': 1, 'blacklist_days': 30})
        self._release(condition='promise', condition_amount=60)
        self._look(8)
        self.assertEqual((self.account.status, self.account.blacklist_code), ('blacklisted', 'strikes'))

    def test_cancelled_order_waits_for_nothing(self):
        release = self._release(condition='promise', condition_amount=60)
        self.order._action_cancel()
        self.assertEqual(release.condition_state, 'void')

    # ------------------------------------------------- money that goes back

    def _kept(self, **values):
        """Release against money that comes, and return the release and the payment."""
        release = self._release(**{'condition': 'promise', 'condition_amount': 60, **values})
        payment = self._pay(release.condition_amount)
        self._look()
        self.assertEqual(release.condition_state, 'kept')
        return release, payment

    def _kinds(self):
        return self.env['credit.event'].search([('account_id', '=', self.account.id)]).mapped('kind')

    def test_promise_whose_payment_is_reversed_later_is_open_again(self):
        release, payment = self._kept()
        payment.move_id._reverse_moves(cancel=True)
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('open', 0))
        self.assertEqual(self.order.credit_state, 'released')
        self.assertIn("gone back", self._messages())
        self.assertEqual(self._kinds()[0], 'condition_reopened')
        self._look(8)
        self.assertEqual((release.condition_state, self.order.credit_state), ('broken', 'on_hold'))
        self._pay(60)
        self._look(9)
        self.assertEqual((release.condition_state, self.order.credit_state), ('kept', 'released'))

    def test_promise_whose_payment_goes_back_when_its_time_is_over_is_broken(self):
        self.company.credit_policy_id.write({'blacklist_count': 1, 'blacklist_days': 30})
        release, payment = self._kept()
        self._look(8)
        self.assertEqual(release.condition_state, 'kept')
        payment.move_id._reverse_moves(cancel=True)
        self._look(9)
        self.assertEqual((release.condition_state, self.order.credit_state), ('broken', 'on_hold'))
        # It was kept at first: the return counts, not the promise.
        self.assertEqual(self.account.status, 'normal')

    def test_deposit_that_goes_back_stops_the_goods_at_once(self):
        release, payment = self._kept(condition='deposit', condition_amount=30)
        self.assertEqual(self.order.state, 'sale')
        payment.move_id._reverse_moves(cancel=True)
        self._look()
        self.assertEqual((release.condition_state, self.order.credit_state), ('broken', 'on_hold'))
        asked = self.order.activity_search(['credit_management.mail_activity_type_held_order'])
        self.assertIn(self.manager, asked.user_id)

    def test_payment_that_the_bank_rejects_has_not_come_and_is_looked_at_at_once(self):
        release, payment = self._kept()
        self.env['credit.recheck'].search([]).unlink()
        payment.action_reject()
        self.assertTrue(self.env['credit.recheck'].search([('account_id', '=', self.account.id)]))
        self._look()
        self.assertEqual(release.condition_state, 'open')

    def test_payment_that_is_being_corrected_is_still_there_until_it_is_cancelled(self):
        release, payment = self._kept()
        payment.action_draft()
        self._look()
        self.assertEqual(release.condition_state, 'kept')
        payment.action_cancel()
        self._look()
        self.assertEqual(release.condition_state, 'open')

    def test_money_paid_back_and_not_matched_for_a_day_opens_the_promise_again(self):
        release, _payment = self._kept()
        self._pay(20, payment_type='outbound')
        self._look()
        self.assertEqual(release.condition_state, 'kept')
        self._look(2)
        self.assertEqual((release.condition_state, release.condition_received), ('open', 40))

    def test_what_goes_back_after_two_months_is_no_condition_any_more(self):
        release, payment = self._kept()
        payment.move_id._reverse_moves(cancel=True)
        self._look(62)
        self.assertEqual((release.condition_state, self.order.credit_state), ('kept', 'released'))

    def test_other_promises_stay_kept(self):
        first, payment = self._kept()
        other = self._order_of(50)
        other.with_user(self.sales_user).action_confirm()
        second = self._release(other, condition='promise', condition_amount=50)
        later = self._pay(50).move_id.line_ids
        self.env.cr.execute(
            "UPDATE account_move_line SET create_date = %s WHERE id = ANY(%s)",
            [first.condition_date + timedelta(minutes=5), later.ids],
        )
        self._look(1)
        self.assertEqual(second.condition_state, 'kept')
        payment.move_id._reverse_moves(cancel=True)
        self._look(2)
        self.assertEqual((first.condition_state, first.condition_received), ('open', 0))
        self.assertEqual((second.condition_state, second.condition_received), ('kept', 50))

    def test_raise_takes_a_kept_promise_along(self):
        first, payment = self._kept()
        self._decide_raise('raise', self.sales_user, raise_amount=170)
        self._decide_raise('approve_raise', self.other_manager)
        release = self.order.credit_release_id
        self.assertEqual((first.condition_state, release.condition_state), ('void', 'kept'))
        payment.move_id._reverse_moves(cancel=True)
        self._look(8)
        self.assertEqual((release.condition_state, self.order.credit_state), ('broken', 'on_hold'))

    def test_cancelled_order_minds_no_return(self):
        release, payment = self._kept()
        self.order._action_cancel()
        payment.move_id._reverse_moves(cancel=True)
        self._look()
        self.assertEqual(release.condition_state, 'kept')

    # ------------------------------------------------- accounts of the ledger

    def _ledger_account(self, role, account_type):
        account = self.env['account.account'].create({'name': role, 'code': '220399', 'account_type': account_type})
        self.env['credit.ledger.account'].create({'account_id': account.id, 'role': role})
        return account

    def test_deposit_booked_as_an_advance_has_come_until_it_is_paid_back(self):
        advance = self._ledger_account('advance', 'liability_current')
        bank = self.company_data['default_journal_bank'].default_account_id
        release = self._release(condition='deposit', condition_amount=30)
        self._entry('bank', bank, advance, 30)
        self._look()
        self.assertEqual((release.condition_state, self.order.state), ('kept', 'sale'))
        # Used up by the invoice: nothing goes back.
        self._entry('misc', advance, self.customer.property_account_receivable_id, 30)
        self._look(2)
        self.assertEqual(release.condition_state, 'kept')
        self._entry('bank', advance, bank, 30)
        self._look(3)
        self.assertEqual((release.condition_state, release.condition_received), ('broken', 0))

    def test_bill_keeps_a_promise_when_it_is_cleared(self):
        clearing = self._ledger_account('clearing', 'asset_current')
        bank = self.company_data['default_journal_bank'].default_account_id
        release = self._release(condition='promise', condition_amount=60)
        self._entry('bank', clearing, self.customer.property_account_receivable_id)
        self._look()
        self.assertEqual((release.condition_state, release.condition_received), ('open', 0))
        self._entry('bank', bank, clearing)
        self._look()
        self.assertEqual(release.condition_state, 'kept')

    # ------------------------------------------------------------------- proof

    def test_proof_of_payment_needs_the_slip_which_is_kept(self):
        with self.assertRaisesRegex(UserError, "Attach the proof"):
            self._release(condition='proof', condition_amount=60)
        release = self._release(condition='proof', condition_amount=60, proof=PROOF, proof_name="slip.pdf")
        self.assertEqual((self.order.state, release.proof), ('sale', PROOF))

    # ----------------------------------------------------------------- deposit

    def test_order_waits_for_its_deposit_and_passes_by_itself(self):
        release = self._release(condition='deposit', condition_amount=30)
        self.assertEqual((self.order.state, self.order.credit_state), ('draft', 'awaiting_payment'))
        self.assertIn("30.00", self.order.credit_panel['title'])
        self._pay(20)
        self._look()
        self.assertEqual(self.order.credit_state, 'awaiting_payment')
        self._pay(10)
        self._look()
        self.assertEqual((self.order.state, self.order.credit_state), ('sale', 'released'))
        self.assertEqual(release.condition_state, 'kept')

    def test_waiting_order_that_is_confirmed_again_goes_on_waiting_unless_it_has_grown(self):
        self._release(condition='deposit', condition_amount=30)
        self.order.with_user(self.sales_user).action_confirm()
        self.assertEqual((self.order.state, self.order.credit_state), ('draft', 'awaiting_payment'))
        release = self.order.credit_release_id
        self.order.order_line.price_unit = 90
        self.order.with_user(self.sales_user).action_confirm()
        self.assertEqual(self.order.credit_state, 'on_hold')
        self.assertEqual(release.condition_state, 'void')

    def test_what_was_paid_online_before_the_decision_is_no_deposit(self):
        transaction = self.env['payment.transaction'].create(
            {
                'provider_id': self.env['payment.provider'].create({'name': "Card"}).id,
                'payment_method_id': self.env['payment.method'].create({'name': "Card", 'code': 'card_test'}).id,
                'reference': 'paid before',
                'amount': 30,
                'currency_id': self.order.currency_id.id,
                'partner_id': self.customer.id,
                'sale_order_ids': [Command.set(self.order.ids)],
                'state': 'done',
            }
        )
        release = self._release(condition='deposit', condition_amount=30)
        before = date_add(release.condition_since, hours=-1)
        self.env.cr.execute("UPDATE payment_transaction SET create_date = %s WHERE id = %s", [before, transaction.id])
        transaction.invalidate_recordset(['create_date'])
        self._look()
        self.assertEqual((self.order.credit_state, release.condition_received), ('awaiting_payment', 0))
        transaction.copy(
            {'reference': 'begun afterwards', 'state': 'done', 'sale_order_ids': [Command.set(self.order.ids)]}
        )
        self._look()
        self.assertEqual((release.condition_state, self.order.state), ('kept', 'sale'))

    def test_deposit_that_does_not_come_puts_the_order_back_on_hold(self):
        release = self._release(condition='deposit', condition_amount=30)
        self._look(8)
        self.assertEqual((self.order.state, self.order.credit_state), ('draft', 'on_hold'))
        self.assertEqual(release.condition_state, 'broken')

    def test_release_that_ends_before_the_deposit_comes_is_broken(self):
        release = self._release(condition='deposit', condition_amount=30, valid_until=date_add(self.today, days=2))
        self._look(3)
        self.assertEqual((self.order.credit_state, release.condition_state), ('on_hold', 'broken'))

    def test_order_that_waits_for_a_deposit_is_released_without_it_or_rejected_but_not_requested_again(self):
        first = self._release(condition='deposit', condition_amount=30)
        with self.assertRaisesRegex(UserError, "waits for its deposit"):
            self.order.with_user(self.sales_user)._credit_request_release("please")
        order = self.order.with_user(self.manager)
        self.assertTrue(order.credit_can_release and order.credit_can_decide)
        second = self._release(condition='deposit', condition_amount=20)
        self.assertEqual((first.condition_state, second.condition_state), ('void', 'open'))
        self._release()
        self.assertEqual((self.order.state, second.condition_state), ('sale', 'void'))
        other = self._order_of(50)
        other.with_user(self.sales_user).action_confirm()
        waiting = self._release(other, condition='deposit', condition_amount=30)
        other.with_user(self.manager)._credit_reject("no")
        self.assertEqual((other.credit_state, waiting.condition_state), ('rejected', 'void'))

    def test_one_payment_keeps_one_of_two_deposits(self):
        other = self._order_of(50)
        other.with_user(self.sales_user).action_confirm()
        self._release(condition='deposit', condition_amount=30)
        self._release(other, condition='deposit', condition_amount=30)
        self._pay(30)
        self._look()
        self.assertEqual((self.order.credit_state, other.credit_state), ('released', 'awaiting_payment'))
        self._pay(30)
        self._look()
        self.assertEqual(other.credit_state, 'released')

    def test_payment_online_for_one_order_is_no_deposit_of_another(self):
        other = self._order_of(50)
        other.with_user(self.sales_user).action_confirm()
        self._release(condition='deposit', condition_amount=30)
        self._release(other, condition='deposit', condition_amount=30)
        self.env['payment.transaction'].create(
            {
                'provider_id': self.env['payment.provider'].create({'name': "Card"}).id,
                'payment_method_id': self.env['payment.method'].create({'name': "Card", 'code': 'card_test'}).id,
                'reference': 'paid for the other',
                'amount': 30,
                'currency_id': other.currency_id.id,
                'partner_id': self.customer.id,
                'sale_order_ids': [Command.set(other.ids)],
                'state': 'done',
                'payment_id': self._pay(30).id,
            }
        )
        self._look()
        self.assertEqual((self.order.credit_state, other.credit_state), ('awaiting_payment', 'released'))

    def test_deposit_in_another_currency_counts_at_its_face_value(self):
        euro = self.setup_other_currency('EUR')
        pricelist = self.env['product.pricelist'].create({'name': "EUR", 'currency_id': euro.id})
        order = self._order_of(60, pricelist_id=pricelist.id)
        order.with_user(self.sales_user).action_confirm()
        release = self._release(order, condition='deposit', condition_amount=30)
        self.assertEqual(release.currency_id, euro)
        self._pay(30, currency_id=euro.id)
        self._look()
        self.assertEqual(release.condition_state, 'kept')

    # ------------------------------------------------------- margin, validity

    def test_order_may_grow_by_the_margin_and_no_further(self):
        self._release(margin=10)
        line = self.order.with_user(self.sales_user).order_line
        line.price_unit = 66
        self.assertEqual(self.order.credit_checked_total, 66)
        with self.assertRaisesRegex(UserError, "can't be raised"):
            line.price_unit = 67

    def test_margin_ends_with_the_release(self):
        self._release(margin=10, valid_until=self.today)
        line = self.order.with_user(self.sales_user).order_line
        with freeze_time(date_add(self.today, days=2)), self.assertRaisesRegex(UserError, "can't be raised"):
            line.price_unit = 66

    def test_conditions_that_make_no_sense_are_refused(self):
        for text, values in (
            ("amount", {'condition': 'promise', 'condition_amount': 0}),
            ("until when", {'condition': 'promise', 'condition_due': date_add(self.today, days=-1)}),
            ("negative", {'margin': -1}),
            ("ended already", {'valid_until': date_add(self.today, days=-1)}),
        ):
            with self.subTest(text), self.assertRaisesRegex(UserError, text):
                self._release(**values)

    def test_salesperson_can_not_release_on_conditions(self):
        with self.assertRaises(AccessError):
            self._release(user=self.sales_user, condition='promise', condition_amount=1)

    # ------------------------------------------------------------------- raise

    def _confirmed(self):
        self._pay(100)
        self.order.with_user(self.sales_user).action_confirm()
        self.assertEqual(self.order.state, 'sale')
        return self.order.with_user(self.sales_user)

    def _decide_raise(self, decision, user=None, **values):
        dialog = (
            self.env['credit.decision']
            .with_user(user or self.manager)
            .create({'decision': decision, 'order_id': self.order.id, 'note': "big tender", **values})
        )
        dialog.action_apply()

    def test_approved_raise_lets_the_order_be_raised_up_to_it(self):
        order = self._confirmed()
        self._decide_raise('raise', self.sales_user, raise_amount=150)
        self.assertFalse(order.credit_can_ask_raise)
        asked = order.sudo().credit_raise_id
        self.assertRecordValues(asked, [{'state': 'requested', 'amount': 150, 'purpose': 'raise'}])
        # With the order as it would be 150, not 60 more or less.
        self.assertEqual((asked.check_id.exposure + asked.check_id.document_amount, asked.check_id.excess), (150, 50))
        with self.assertRaisesRegex(UserError, "can't be raised"):
            order.order_line.price_unit = 150
        self._decide_raise('approve_raise')
        order.order_line.price_unit = 150
        self.assertEqual((order.amount_total, order.credit_state), (150, 'released'))
        with self.assertRaisesRegex(UserError, "can't be raised"):
            order.order_line.price_unit = 151

    def test_what_is_invoiced_already_counts_once_in_a_raise(self):
        order = self._confirmed()
        self.order._create_invoices().action_post()
        self._decide_raise('raise', self.sales_user, raise_amount=150)
        self.assertEqual(order.sudo().credit_raise_id.check_id.excess, 50)

    def test_raise_keeps_the_promise_that_the_order_was_released_against(self):
        first = self._release(condition='promise', condition_amount=60, recheck_delivery=True)
        self._decide_raise('raise', self.sales_user, raise_amount=70)
        self._decide_raise('approve_raise', self.other_manager)
        release = self.order.credit_release_id
        self.assertEqual((first.condition_state, release.amount), ('void', 70))
        self.assertRecordValues(
            release,
            [
                {
                    'condition': 'promise',
                    'condition_amount': 60,
                    'condition_due': first.condition_due,
                    'condition_state': 'open',
                    'recheck_delivery': True,
                }
            ],
        )
        self._look(8)
        self.assertEqual((release.condition_state, self.order.credit_state), ('broken', 'on_hold'))

    def test_raise_is_no_way_round_a_broken_promise(self):
        self._release(condition='promise', condition_amount=60)
        self._decide_raise('raise', self.sales_user, raise_amount=70)
        self._look(8)
        with self.assertRaisesRegex(UserError, "held again"):
            self._decide_raise('approve_raise', self.other_manager)
        self.assertEqual(self.order.credit_state, 'on_hold')
        self._decide_raise('refuse_raise', self.other_manager)
        self.assertFalse(self.order.credit_raise_id)

    def test_refused_raise_changes_nothing_and_its_salesperson_is_told(self):
        order = self._confirmed()
        self._decide_raise('raise', self.sales_user, raise_amount=150)
        self._decide_raise('refuse_raise')
        self.assertEqual((order.credit_state, order.credit_can_ask_raise), ('passed', True))
        self.assertIn("refused", self._messages())

    def test_raise_that_needs_no_release_is_not_asked_for(self):
        self._confirmed()
        with self.assertRaisesRegex(UserError, "no release is needed"):
            self._decide_raise('raise', self.sales_user, raise_amount=100)
        with self.assertRaisesRegex(UserError, "already"):
            self._decide_raise('raise', self.sales_user, raise_amount=60)

    def test_raise_is_decided_by_another_manager(self):
        self._confirmed()
        with self.assertRaises(AccessError):
            self._decide_raise('raise', self.analyst, raise_amount=150)
        self._decide_raise('raise', self.sales_user, raise_amount=150)
        with self.assertRaises(AccessError):
            self._decide_raise('approve_raise', self.sales_user)
        self.order.sudo().credit_raise_id.requested_by_id = self.manager
        with self.assertRaisesRegex(AccessError, "is your own"):
            self._decide_raise('approve_raise')
