from odoo import Command
from odoo.tests import tagged

from .common import CreditCommon


@tagged('post_install', '-at_install')
class TestSaleOrderAddons(CreditCommon):
    """Add-ons above ours that go on with their whole `self` after confirming."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._limit_policy()
        cls._account(limit=100)

    def _needs(self, model):
        if model not in self.env:
            self.skipTest(f"{model} is not installed")

    def test_held_order_gets_no_mail_of_its_quotation_template(self):
        self._needs('sale.order.template')
        mail = self.env['mail.template'].create(
            {
                'name': "Thanks",
                'model_id': self.env['ir.model']._get_id('sale.order'),
                'subject': "Thank you for {{ object.name }}",
                'body_html': "<p>Thank you</p>",
                'partner_to': '{{ object.partner_id.id }}',
            }
        )
        template = self.env['sale.order.template'].create({'name': "Standard", 'mail_template_id': mail.id})
        fits, exceeds = (self._order_of(amount, sale_order_template_id=template.id) for amount in (60, 70))

        (fits + exceeds).action_confirm()

        def thanked(order):
            return bool(order.message_ids.filtered(lambda message: "Thank you for" in (message.subject or '')))

        self.assertEqual((fits.state, exceeds.state), ('sale', 'draft'))
        self.assertEqual((thanked(fits), thanked(exceeds)), (True, False))

    def test_held_order_gets_no_loyalty_points(self):
        self._needs('loyalty.program')
        program = self.env['loyalty.program'].create(
            {
                'name': "Points",
                'program_type': 'loyalty',
                'trigger': 'auto',
                'applies_on': 'both',
                'rule_ids': [Command.create({'reward_point_mode': 'order', 'reward_point_amount': 10})],
                'reward_ids': [Command.create({'reward_type': 'discount', 'discount': 10, 'required_points': 9999})],
            }
        )
        card = self.env['loyalty.card'].create({'program_id': program.id, 'partner_id': self.customer.id, 'points': 0})
        fits, exceeds = self._order_of(60), self._order_of(70)
        for order in fits + exceeds:
            order._update_programs_and_rewards()

        (fits + exceeds).action_confirm()

        self.assertEqual((fits.state, exceeds.state), ('sale', 'draft'))
        self.assertEqual(card.points, 10)

    def test_order_whose_promotion_has_ended_is_held_at_its_full_price_and_gets_no_points(self):
        self._needs('loyalty.program')
        promotion = self.env['loyalty.program'].create(
            {
                'name': "20 % off",
                'program_type': 'promotion',
                'trigger': 'auto',
                'applies_on': 'current',
                'rule_ids': [Command.create({'reward_point_mode': 'order', 'reward_point_amount': 1})],
                'reward_ids': [Command.create({'reward_type': 'discount', 'discount': 20, 'required_points': 1})],
            }
        )
        order = self._order_of(120)
        order._update_programs_and_rewards()
        [coupon] = order._get_claimable_rewards()
        order._apply_program_reward(promotion.reward_ids, coupon)
        self.assertEqual(order.amount_total, 96)
        promotion.active = False

        order.with_context(send_email=True).action_confirm()

        self.assertEqual((order.state, order.credit_state), ('draft', 'on_hold'))
        self.assertEqual(order.credit_check_id.document_total_currency, 120)
        # The hold is told inside; the customer's mail would be a comment.
        self.assertFalse(
            order.message_ids.filtered(lambda message: message.subtype_id == self.env.ref('mail.mt_comment'))
        )
