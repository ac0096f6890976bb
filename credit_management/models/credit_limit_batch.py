from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date, formatLang

from .credit_limit import DECIDED

# What an imported row may leave empty.
OPTIONAL_FIELDS = ('currency_id', 'date_from', 'kind', 'limit_kind')
# By what a customer is found in an imported row: the first that is somebody's wins.
CUSTOMER_FIELDS = ('ref', 'vat', 'company_registry', 'name')


class CreditLimit(models.Model):
    """Many limits at once: batches, imports, and what decides on several."""

    _name = 'credit.limit'
    _inherit = ['credit.limit', 'credit.import.rows']

    batch = fields.Char(
        readonly=True,
        copy=False,
        index='btree_not_null',
        help="Limits that were proposed together.",
    )
    customer = fields.Char(
        string="Customer Reference or Name",
        compute='_compute_customer',
        inverse='_inverse_customer',
        help="For imports: reference, tax ID, company ID or name of the customer. A credit account is opened where "
        "there is none.",
    )

    # -------------------------------------------------------------------------
    # Import
    # -------------------------------------------------------------------------

    @api.depends('partner_id')
    def _compute_customer(self):
        for limit in self:
            limit.customer = limit.partner_id.ref or limit.partner_id.name

    def _inverse_customer(self):
        accounts = self._accounts_of_customers(self.mapped('customer'))
        for limit in self:
            limit.account_id = accounts[limit.customer]

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS credit_management: an imported row names its customer, not a credit account
        self.check_access('create')
        accounts = self._accounts_of_customers([vals['customer'] for vals in vals_list if vals.get('customer')])
        # Copies: the import tries the same rows once more, after undoing what was made for them.
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            if customer := vals.pop('customer', None):
                account = accounts[customer]
                for name in OPTIONAL_FIELDS:
                    if not vals.get(name, True):
                        del vals[name]
                amount = vals.get('amount')
                if vals.get('limit_kind') != 'unlimited' and (amount is None or amount is False):
                    # An empty cell is no decision; 0 is one.
                    raise ValidationError(
                        self.env._(
                            "State the limit of “%(text)s”: an amount, with 0 for no credit at all, or “Unlimited”.",
                            text=customer,
                        )
                    )
                vals.setdefault('currency_id', account.currency_id.id)
                vals['account_id'] = account.id
            # Only the change of many makes batches; explicit, so that no default from a client's context gets in.
            vals['batch'] = False
        return super().create(vals_list)

    def write(self, vals):
        if 'batch' in vals:
            raise AccessError(self.env._("Which limits were proposed together can't be changed."))
        return super().write(vals)

    @api.model
    def _accounts_of_customers(self, texts):
        """Return {text: credit account in the current company} of customers named by a reference, code or name.

        :raise ValidationError: if a text names no customer, or several
        """
        texts = {text: text.strip() for text in texts if text}
        if not texts:
            return {}
        wanted = list(texts.values())
        # With the user's rights: nobody finds customers that he may not read.
        partners = self.env['res.partner'].search(
            Domain.OR(Domain(name, 'in', wanted) for name in CUSTOMER_FIELDS)
            # Those of another company can't owe this one.
            & Domain('company_id', 'in', [False, *self.env.company.sudo().root_id._credit_branch_ids()])
        )
        found = {name: defaultdict(self.env['res.partner'].browse) for name in CUSTOMER_FIELDS}
        for partner in partners:
            for name in CUSTOMER_FIELDS:
                if partner[name]:
                    found[name][partner[name]] |= partner.commercial_partner_id
        customers = {}
        for text, value in texts.items():
            customers[text] = next(
                (found[name][value] for name in CUSTOMER_FIELDS if value in found[name]), self.env['res.partner']
            )
            if not customers[text]:
                raise ValidationError(
                    self.env._("No customer has “%(text)s” as reference, tax ID, company ID or name.", text=value)
                )
            if len(customers[text]) > 1:
                raise ValidationError(
                    self.env._(
                        "“%(text)s” are %(count)s customers. Name the one that is meant by its reference or tax ID.",
                        text=value,
                        count=len(customers[text]),
                    )
                )
        accounts = self.env['credit.account']._for_partners(
            self.env['res.partner'].union(*customers.values()), self.env.company
        )
        by_partner = {account.partner_id: account.with_env(self.env) for account in accounts}
        return {text: by_partner[partner] for text, partner in customers.items()}

    @api.model
    def get_import_templates(self):
        """Return the file that the import dialog offers to begin with."""
        return [
            {
                'label': self.env._("Import Template for Credit Limits"),
                'template': '/credit_management/static/xls/credit_limit.xlsx',
            }
        ]

    # -------------------------------------------------------------------------
    # Several at once
    # -------------------------------------------------------------------------

    @api.model
    def _propose_batch(self, vals_list):
        """Make and submit proposals as one batch; what is wrong with one stops no other.

        :param vals_list: as for `create`
        :returns: (batch, limits, [(values, reason)] of those that could not be)
        """
        if not vals_list:
            return '', self.browse(), []
        # The number of a batch is everybody's who may propose.
        batch = self.env['ir.sequence'].sudo().next_by_code('credit.limit.batch')
        limits, refused = self.browse(), []
        # All at once; if that is refused, each on its own.
        parts = [vals_list] if len(vals_list) > 1 else []
        parts += [[vals] for vals in vals_list]
        for part in parts:
            try:
                with self.env.cr.savepoint():
                    made = self.create([dict(vals) for vals in part])
                    made._write_batch(batch)
                    made.action_submit()
            except (AccessError, UserError) as error:
                if len(part) == 1:
                    refused.append((part[0], str(error)))
                continue
            limits += made
            if len(part) == len(vals_list):
                break
        return batch, limits, refused

    def _write_batch(self, batch):
        """Write what `write` keeps clients from writing."""
        super().write({'batch': batch})  # pylint: disable=super-method-mismatch

    def _approval_notify(self):
        # EXTENDS credit_management: whoever is asked about limits of a batch gets one activity, on the first of them
        batched = self.filtered('batch')
        super(CreditLimit, self - batched)._approval_notify()
        batched._notify_batches()

    def _approval_close_activity(self, feedback=None, withdrawn=False):
        # EXTENDS credit_management: the activity of a batch moves on to the next that is not decided
        result = super()._approval_close_activity(feedback, withdrawn)
        self._notify_batches()
        return result

    def _notify_batches(self):
        """Give whoever is asked about limits of these batches one activity each, and take back the others."""
        batches = {limit.batch for limit in self if limit.batch}
        if not batches:
            return
        # Also of limits that whoever decides on one of them need not write.
        pending = self.sudo().search([('batch', 'in', list(batches)), ('state', '=', self._approval_state)], order='id')
        for (batch, user), limits in pending.grouped(lambda limit: (limit.batch, limit.approval_user_id)).items():
            if not user:
                continue
            first, rest = limits[:1], limits[1:]
            super(CreditLimit, first)._approval_notify()  # pylint: disable=super-method-mismatch
            if rest:
                rest.activity_unlink([self._approval_activity])
                reader = first.with_context(lang=user.lang or self.env.lang)
                first.activity_search([self._approval_activity]).summary = reader.env._(
                    "Batch %(batch)s: %(count)s limits", batch=batch, count=len(limits)
                )

    def action_submit_selected(self):
        """Submit the drafts among these limits; what is wrong with one stops no other.

        :returns: a notification that says how many were submitted, and why others were not
        :raise UserError: if none of them is a draft
        """
        drafts = self.filtered(lambda limit: limit.state == 'draft')
        if not drafts:
            raise UserError(self.env._("None of the selected limits is a draft."))
        return drafts._do_selected('action_submit', self.env._("Limits submitted: %(count)s."))

    def action_approve_selected(self):
        """Approve the submitted limits among these; what is wrong with one stops no other.

        :returns: a notification that says how many were approved, and why others were not
        :raise UserError: if none of them waits for approval
        """
        submitted = self.filtered(lambda limit: limit.state == 'submitted')
        if not submitted:
            raise UserError(self.env._("None of the selected limits waits for approval."))
        return submitted._do_selected('action_approve', self.env._("Limits approved: %(count)s."))

    def _do_selected(self, action, done):
        """Run an action on all of these limits; if that is refused, on each."""
        refused = []
        # All at once; if that is refused, each on its own.
        for part in [self, *self] if len(self) > 1 else [self]:
            try:
                with self.env.cr.savepoint():
                    getattr(part, action)()
            except (AccessError, UserError) as error:
                if len(self) == 1:
                    raise
                if len(part) == 1:
                    refused.append((part, str(error)))
                continue
            if part == self:
                break
        return self._batch_notification(
            done % {'count': len(self) - len(refused)},
            [(limit.partner_id.display_name, reason) for limit, reason in refused],
        )

    @api.model
    def _batch_notification(self, message, refused, then=None):
        """Return the action that says what was done, and to whom not and why.

        :param refused: [(name of the customer, reason)]
        :param then: the action that follows; default: the list is read anew
        """
        lines = [
            self.env._("%(customer)s: %(reason)s", customer=customer, reason=reason) for customer, reason in refused
        ]
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'message': '\n'.join([message, *lines]),
                'type': 'warning' if refused else 'success',
                'sticky': bool(refused),
                'next': then or {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    # -------------------------------------------------------------------------
    # In words
    # -------------------------------------------------------------------------

    def _amount_text(self):
        """Return the limit without its customer."""
        self.ensure_one()
        if self.limit_kind == 'unlimited':
            return self.env._("Unlimited")
        return formatLang(self.env, self.amount, currency_obj=self.currency_id)

    def _period_text(self):
        """Return from when to when the limit is in force."""
        self.ensure_one()
        values = {
            'start': format_date(self.env, self.date_from),
            'end': format_date(self.env, self.date_to),
            'until': format_date(self.env, self.date_until),
        }
        if not self.date_until:
            return self.env._("from %(start)s", **values)
        if self.date_until > self.date_to:
            return self.env._("%(start)s to %(end)s, in force until %(until)s", **values)
        return self.env._("%(start)s to %(until)s", **values)

    def _people_text(self):
        """Return who asked for the limit and who decided."""
        self.ensure_one()
        names = {'asked': self.sudo().requested_by_id.name, 'decided': self.sudo().decided_by_id.name}
        if self.state not in DECIDED or not self.decided_by_id:
            return self.env._("Asked for by %(asked)s", **names)
        return self.env._("Asked for by %(asked)s, approved by %(decided)s", **names)
