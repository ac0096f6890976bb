import json
from contextlib import closing
from unittest.mock import patch

from odoo import Command, fields, models
from odoo.modules import module
from odoo.modules.registry import Registry
from odoo.tests import tagged
from odoo.tests.common import get_db_name

from odoo.addons.base.tests.common import BaseCommon
from odoo.addons.sale.tests.common import TestSaleCommon

STAGE = 'credit_management.test_stage'


@tagged('post_install', '-at_install')
class CreditCommon(TestSaleCommon):
    """A company with a policy, a customer, and short ways to make trade.

    Amounts are round and without taxes unless a test asks for them, so that
    the expected figures can be done in the head.

    What is made here and in the classes below (a company with its chart of
    accounts, users, products) takes ten times as long as most tests. A database
    in which `keep_stage` has made it already is taken as it is.
    """

    @classmethod
    def setUpClass(cls):
        if kept := cls._kept_stage():
            super(BaseCommon, cls).setUpClass()
            uid, context, values = kept
            cls.env = cls.env(user=uid, context=context)
            for name, value in values.items():
                setattr(cls, name, cls._thaw(value))
        else:
            super().setUpClass()
            cls._make_stage()

    @classmethod
    def keep_stage(cls):
        """Make what all classes begin with and commit it, for databases that are copied from this one."""
        super(BaseCommon, cls).setUpClass()  # pylint: disable=super-method-mismatch
        cls.doClassCleanups()
        bare = set(vars(cls))
        # Core makes companies of tests with a warehouse.
        with patch.object(module, 'current_test', True):
            cls.setUpClass()
        values = {name: cls._freeze(value) for name, value in vars(cls).items() if name not in bare}
        # Histories of trade make a company and accountants of the same names.
        for user in cls.env.user + cls.simple_accountman:
            user.login = f'stage_{user.login}'
        cls.company.name = "Credit Test Company"
        stage = json.dumps([cls.env.uid, dict(cls.env.context), values])
        cls.env['ir.config_parameter'].sudo().set_param(STAGE, stage)
        cls.commit_patcher.stop()
        cls.cr.commit()
        cls.commit_patcher.start()
        cls.doClassCleanups()

    @classmethod
    def _kept_stage(cls):
        with closing(Registry(get_db_name()).cursor()) as cr:
            cr.execute("SELECT value FROM ir_config_parameter WHERE key = %s", [STAGE])
            row = cr.fetchone()
        return row and json.loads(row[0])

    @classmethod
    def _freeze(cls, value):
        if isinstance(value, models.BaseModel):
            return {'model': value._name, 'ids': value.ids}
        if isinstance(value, dict):
            return {'items': {key: cls._freeze(item) for key, item in value.items()}}
        if value is None or isinstance(value, (bool, int, float, str)):
            return {'value': value}
        raise TypeError(f"{value!r} can't be kept.")

    @classmethod
    def _thaw(cls, frozen):
        if 'model' in frozen:
            return cls.env[frozen['model']].browse(frozen['ids'])
        if 'items' in frozen:
            return {key: cls._thaw(item) for key, item in frozen['items'].items()}
        return frozen['value']

    @classmethod
    def _make_stage(cls):
        # The accountant of the base class plays everybody's part but that of
        # the people below.
        cls.env.user.group_ids += (
            cls.env.ref('credit_management.group_credit_manager')
            + cls.env.ref('sales_team.group_sale_manager')
            + cls.env.ref('base.group_system')
        )
        cls.company = cls.env.company
        cls.currency = cls.company.currency_id
        cls.Account = cls.env['credit.account']
        cls.sales_user = cls._new_user('credit_sales', 'sales_team.group_sale_salesman')
        cls.analyst = cls._new_user('credit_analyst', 'credit_management.group_credit_analyst')
        cls.manager = cls._new_user('credit_manager', 'credit_management.group_credit_manager')
        cls.other_manager = cls._new_user('credit_manager_2', 'credit_management.group_credit_manager')
        cls.customer = cls.env['res.partner'].create(
            {'name': "Hengda Trading", 'is_company': True, 'user_id': cls.sales_user.id}
        )
        cls.contact = cls.env['res.partner'].create({'name': "Ms Lin", 'parent_id': cls.customer.id})
        # Invoiced on ordered quantities: an order can be invoiced at once.
        cls.product = cls.env['product.product'].create(
            {
                'name': "Consulting",
                'type': 'service',
                'list_price': 100.0,
                'invoice_policy': 'order',
                'taxes_id': [Command.clear()],
            }
        )
        cls.product_delivery = cls.env['product.product'].create(
            {
                'name': "Goods",
                'type': 'service',
                'list_price': 100.0,
                'invoice_policy': 'delivery',
                'taxes_id': [Command.clear()],
            }
        )

    @classmethod
    def _new_user(cls, login, groups):
        # Without the test's accountant rights; with the test's company.
        user = (
            cls.env['res.users']
            .with_context(no_reset_password=True)
            .create(
                {
                    'name': login.replace('_', ' ').title(),
                    'login': login,
                    'email': f'{login}@example.com',
                    'company_id': cls.env.company.id,
                    'company_ids': [Command.set(cls.env.company.ids)],
                    'group_ids': [Command.set(cls.env.ref(groups).ids)],
                }
            )
        )
        return user

    @classmethod
    def _policy(cls, *rules, company=None, mode='enforcing', default=True, **values):
        """Make a policy of rules (kind, outcome, values) and the company's default."""
        company = company or cls.company
        policy = cls.env['credit.policy'].create(
            {
                'name': "Test policy",
                'company_id': company.id,
                'mode': mode,
                'rule_ids': [
                    Command.create({'kind': kind, 'outcome': outcome, **rule}) for kind, outcome, rule in rules
                ],
                **values,
            }
        )
        if default:
            company.credit_policy_id = policy
        return policy

    @classmethod
    def _limit_policy(cls, **values):
        """Make the policy that holds what exceeds the limit."""
        return cls._policy(('utilisation', 'hold', {'threshold': 100.0}), **values)

    @classmethod
    def _account(cls, partner=None, limit=None, company=None, **values):
        """Return the account of a customer, with an approved base limit if given."""
        account = cls.Account._for_partners(partner or cls.customer, company or cls.company)
        if values:
            account.write(values)
        if limit is not None:
            cls._limit(account, limit)
        return account

    @classmethod
    def _limit(cls, account, amount, **values):
        """Propose as analyst, approve as the system."""
        limit = cls.env['credit.limit'].create(
            {'account_id': account.id, 'amount': amount, 'currency_id': account.currency_id.id, **values}
        )
        limit.sudo().action_submit()
        limit.sudo().action_approve()
        return limit

    @classmethod
    def _order(cls, *lines, partner=None, confirm=False, **values):
        """Make a quotation of lines (product, quantity, price[, further values]), 100 if none are given."""
        lines = lines or ((cls.product, 1, 100.0),)
        order = cls.env['sale.order'].create(
            {
                'partner_id': (partner or cls.customer).id,
                'user_id': cls.sales_user.id,
                'order_line': [
                    Command.create(
                        {
                            'product_id': line[0].id,
                            'product_uom_qty': line[1],
                            'price_unit': line[2],
                            'tax_ids': [Command.clear()],
                            **(line[3] if len(line) > 3 else {}),
                        }
                    )
                    for line in lines
                ],
                **values,
            }
        )
        if confirm:
            order.action_confirm()
        return order

    @classmethod
    def _order_of(cls, amount, **values):
        return cls._order((cls.product, 1, amount), **values)

    @classmethod
    def _invoice(cls, amount, partner=None, due=None, post=True, **values):
        """Make a customer invoice that is due on a date, today if none is given."""
        due = due or fields.Date.context_today(cls.env.user)
        move = cls.env['account.move'].create(
            {
                'move_type': 'out_invoice',
                'partner_id': (partner or cls.customer).id,
                'invoice_date': due,
                'invoice_date_due': due,
                'invoice_payment_term_id': False,
                'invoice_line_ids': [
                    Command.create(
                        {
                            'product_id': cls.product.id,
                            'quantity': 1,
                            'price_unit': amount,
                            'tax_ids': [Command.clear()],
                        }
                    )
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    @classmethod
    def _pay(cls, amount, partner=None, **values):
        """Book a customer payment on account, not matched with any invoice."""
        payment = cls.env['account.payment'].create(
            {
                'payment_type': 'inbound',
                'partner_type': 'customer',
                'partner_id': (partner or cls.customer).id,
                'amount': amount,
                'journal_id': cls.company_data['default_journal_bank'].id,
                **values,
            }
        )
        payment.action_post()
        return payment

    @classmethod
    def _reverse(cls, invoice, modify=False, post=True):
        """Reverse an invoice in full; with `modify`, return the new draft that replaces it."""
        wizard = (
            cls.env['account.move.reversal']
            .with_context(active_model='account.move', active_ids=invoice.ids)
            .create({'reason': "test", 'journal_id': invoice.journal_id.id})
        )
        action = wizard.modify_moves() if modify else wizard.refund_moves()
        move = cls.env['account.move'].browse(action['res_id'])
        if post and not modify:
            move.action_post()
        return move

    def figures(self, partner=None, company=None, **values):
        """Return the figures of a customer as the database has them now."""
        partner = partner or self.customer
        company = company or self.company
        return self.Account.sudo()._figures(company.root_id, partner.ids, **values)[partner.id]

    def assertExposure(self, expected=None, partner=None, company=None, **categories):
        """Check the categories of a customer's exposure; those not named are 0."""
        row = self.figures(partner, company)
        actual = {
            name: row[f'exposure_{name}']
            for name in ('open_item', 'in_clearing', 'draft_invoice', 'delivered', 'ordered')
        }
        wanted = dict.fromkeys(actual, 0.0) | categories
        self.assertEqual(
            {name: round(value, 2) for name, value in actual.items()},
            {name: round(value, 2) for name, value in wanted.items()},
        )
        total = sum(wanted.values()) if expected is None else expected
        self.assertAlmostEqual(row['exposure'], total, 2)
        # Other SQL: that for all customers at once.
        everybody = self.Account.sudo()._figures((company or self.company).root_id, None)
        self.assertEqual(everybody.get((partner or self.customer).id, row), row)
