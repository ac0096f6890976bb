from contextlib import nullcontext
from datetime import timedelta

from odoo import Command
from odoo.tests import HttpCase

from odoo.addons.credit_management.tests.common import CreditCommon


class DunningCommon(CreditCommon):
    """A company with a plan of three steps, a customer with an address, people of collections."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.user.group_ids += cls.env.ref('dunning_followup.group_collections_manager')
        cls.collector = cls._new_user('collector', 'dunning_followup.group_collections_collector')
        cls.collections_manager = cls._new_user('collections_manager', 'dunning_followup.group_collections_manager')
        cls.company.email = 'accounts@seller.example'
        cls.today = cls.company._credit_today()
        cls.customer.email = 'pay@hengda.example'
        # Collectors choose from the start on: nothing of the presets is in the way.
        cls.env['dunning.plan'].search([]).active = False
        cls.plan = cls._plan((7, 'email'), (21, 'email'), (40, 'letter'))
        cls.first, cls.second, cls.third = cls.plan.step_ids.sorted('days')
        cls.company.dunning_plan_id = cls.plan

    @classmethod
    def _plan(cls, *steps, company=None, **values):
        """Make a plan of steps (days, channel[, values])."""
        return cls.env['dunning.plan'].create(
            {
                'name': "Test plan",
                'company_id': (company or cls.company).id,
                'step_ids': [Command.create(cls._step_vals(*step)) for step in steps],
                **values,
            }
        )

    @classmethod
    def _step_vals(cls, days, channel, values=None):
        return {
            'name': f"Step {days}",
            'days': days,
            'channel': channel,
            'subject': "Open: {{numbers}}",
            'body': "<p>Dear {{contact}}, {{total}} open.</p><p>{{items}}</p>",
            'short_text': "{{customer}} owes {{total}}",
            'minimum_days': 5,
            **(values or {}),
        }

    @classmethod
    def _overdue(cls, amount, days, partner=None, **values):
        """Make an invoice that has been overdue for so many days."""
        return cls._invoice(amount, partner=partner, due=cls.today - timedelta(days=days), **values)

    @classmethod
    def _item(cls, invoice):
        """Return the receivable journal item of an invoice."""
        return invoice.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')

    @classmethod
    def _match(cls, invoice, payment):
        """Match a payment with an invoice."""
        lines = payment.move_id.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')
        (cls._item(invoice) + lines).reconcile()

    @classmethod
    def _run(cls, user=None, **values):
        """Make and simulate a run."""
        run = cls.env['dunning.run'].with_user(user or cls.collector).create({'company_id': cls.company.id, **values})
        run.action_simulate()
        return run

    def _notice(self, run, partner=None):
        # Mails are the system's; who may do what is tested with users of their own.
        return run.sudo().notice_ids.filtered(lambda notice: notice.partner_id == (partner or self.customer))

    def _work(self):
        """Run the jobs of notices once."""
        # A test of pages is in that mode already.
        with nullcontext() if isinstance(self, HttpCase) else self.enter_registry_test_mode():
            for name in ('send', 'render', 'book'):
                self.env.ref(f'dunning_followup.ir_cron_{name}').method_direct_trigger()
        self.env.invalidate_all()

    def _send(self, run):
        """Release a run and run the jobs."""
        run.action_send()
        self._work()
        return run

    def _mails_go_out(self, notices):
        """Let the mail queue deliver."""
        notices.mail_mail_id._postprocess_sent_message(success_pids=[], success_emails=['x@example.com'])
        self._work()
