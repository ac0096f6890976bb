from collections import defaultdict

from odoo import api, fields, models, tools
from odoo.exceptions import AccessError, ValidationError
from odoo.tools import SQL, formatLang

from .caches import drop_caches

ROLE_LABELS = [
    ('receivable', "Receivable"),
    ('other', "Other receivable: raises"),
    ('advance', "Advances from customers: reduce"),
    ('clearing', "Bills and cheques in clearing: raise"),
    ('ignored', "Does not count"),
]
ASSETS = {'asset_current', 'asset_non_current', 'asset_prepayments'}
LIABILITIES = {'liability_current', 'liability_non_current'}
# Which types of account can have a role; receivable is what the type says.
ROLE_TYPES = {
    'other': ASSETS,
    'advance': LIABILITIES,
    'clearing': ASSETS | {'asset_receivable'},
    'ignored': {'asset_receivable'},
}
# Codes of the charts of accounts that Odoo ships, by the start of the chart's name.
PRESETS = {
    'cn': {'clearing': ('1121',), 'other': ('1221',), 'advance': ('2203', '2204', '2205')},
    'de_skr03': {'clearing': ('1300', '1301', '1305'), 'advance': ('1710', '1719')},
    'de_skr04': {'clearing': ('1230', '1231', '1235'), 'advance': ('3250', '3280')},
    'fr': {'clearing': ('413',), 'advance': ('4191',)},
    'es': {'clearing': ('4310', '4311', '4312'), 'advance': ('438',)},
}


class CreditLedgerAccount(models.Model):
    """An account that counts in the exposure though it is no receivable, or doesn't though it is one.

    Accounts of the type Receivable count without being named here.
    """

    _name = 'credit.ledger.account'
    _inherit = ['credit.root.company']
    _description = "Ledger Account in the Exposure"
    _order = 'company_id, role, id'
    _rec_name = 'account_id'

    account_id = fields.Many2one(
        'account.account',
        string="Ledger Account",
        required=True,
        index=True,
        check_company=True,
        ondelete='cascade',
    )
    account_type = fields.Selection(related='account_id.account_type')
    reconcile = fields.Boolean(related='account_id.reconcile', string="By Item")
    role = fields.Selection(
        [item for item in ROLE_LABELS if item[0] != 'receivable'],
        required=True,
        help="Other receivable: what customers owe beside invoices, as deposits paid for them.\n"
        "Advances from customers: what they paid before there was an invoice.\n"
        "Bills and cheques in clearing: paid by a bill, note or cheque whose money has not come yet.\n"
        "Does not count: a receivable account that is no customer credit, as that of the point of sale.",
    )
    balance = fields.Monetary(compute='_compute_balance', help="Posted balance with a customer, in company currency.")
    balance_unassigned = fields.Monetary(
        string="Without Customer",
        compute='_compute_balance',
        help="Posted balance of entries without a partner. It is nobody's exposure.",
    )
    explanation = fields.Char(compute='_compute_explanation')
    warning = fields.Char(compute='_compute_explanation')

    _account_company_unique = models.Constraint(
        'UNIQUE (account_id, company_id)', "This account is in the list already."
    )

    @api.depends('account_id', 'company_id')
    def _compute_balance(self):
        lines = self.env['account.move.line'].sudo()
        lines.flush_model(['account_id', 'balance', 'company_id', 'parent_state', 'partner_id'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT counting.id, COALESCE(SUM(aml.balance) FILTER (WHERE aml.partner_id IS NOT NULL), 0),
                       COALESCE(SUM(aml.balance) FILTER (WHERE aml.partner_id IS NULL), 0)
                  FROM credit_ledger_account counting
                  JOIN res_company root ON root.id = counting.company_id
                  JOIN res_company branch ON branch.parent_path LIKE root.parent_path || '%%'
                  JOIN account_move_line aml ON aml.account_id = counting.account_id
                       AND aml.company_id = branch.id AND aml.parent_state = 'posted'
                 WHERE counting.id = ANY(%s)
              GROUP BY counting.id
                """,
                self.ids,
            )
        )
        sums = {line_id: (with_partner, without) for line_id, with_partner, without in rows}
        for counting in self:
            counting.balance, counting.balance_unassigned = sums.get(counting._origin.id, (0.0, 0.0))

    @api.depends('role', 'account_id.reconcile', 'account_id.active', 'balance', 'balance_unassigned')
    @api.depends_context('lang')
    def _compute_explanation(self):
        for counting in self:
            counting.explanation = counting._explain()
            counting.warning = ' '.join(counting._warnings())

    def _explain(self):
        """Return in words what this line does."""
        by_item = self.account_id.reconcile
        if self.role == 'ignored':
            return self.env._("What customers owe on this account is left out of their exposure.")
        if self.role == 'clearing':
            if by_item:
                return self.env._("Open entries count as in clearing until they are matched.")
            return self.env._("Each customer's balance on this account counts as in clearing.")
        if self.role == 'advance':
            if by_item:
                return self.env._(
                    "Open entries reduce the exposure; down payments of confirmed orders come off the order instead."
                )
            return self.env._(
                "Each customer's balance reduces the exposure; down payments of confirmed orders come off the order "
                "instead."
            )
        if self.role == 'other':
            if by_item:
                return self.env._("Open entries raise the exposure and can be overdue.")
            return self.env._("Each customer's balance raises the exposure; without items it is never overdue.")
        return ''

    def _warnings(self):
        """Return in words what looks wrong about this line."""
        currency = self.currency_id
        if self.role and self.account_id and currency and not currency.is_zero(self.balance_unassigned):
            yield self.env._(
                "%(amount)s on this account has no customer and counts nowhere: enter the partner on these entries.",
                amount=formatLang(self.env, self.balance_unassigned, currency_obj=currency),
            )
        if self.role == 'advance' and currency and currency.compare_amounts(self.balance, 0.0) > 0:
            yield self.env._(
                "Customers' advances are a debit of %(amount)s in sum: more was taken off than was ever paid in. "
                "Look for invoices that were matched with advances twice.",
                amount=formatLang(self.env, self.balance, currency_obj=currency),
            )
        if self.role == 'clearing' and currency and currency.compare_amounts(self.balance, 0.0) < 0:
            yield self.env._(
                "Bills in clearing are a credit of %(amount)s in sum: more was cleared than was ever handed in.",
                amount=formatLang(self.env, -self.balance, currency_obj=currency),
            )
        if self.account_id and not self.account_id.active:
            yield self.env._("The account is archived; what is on it still counts.")

    @api.constrains('account_id', 'role')
    def _check_role(self):
        for counting in self:
            account = counting.account_id.with_company(counting.company_id)
            if account.account_type in ROLE_TYPES[counting.role]:
                continue
            name = account.display_name
            if account.account_type == 'asset_receivable':
                raise ValidationError(
                    self.env._(
                        "%(account)s is a receivable account: what is owed on it counts already, and what was paid "
                        "too much reduces it. Only bills in clearing, or what is not to count, are named here.",
                        account=name,
                    )
                )
            if counting.role == 'ignored':
                raise ValidationError(
                    self.env._("%(account)s is no receivable account, so it does not count anyway.", account=name)
                )
            if counting.role == 'advance':
                raise ValidationError(
                    self.env._(
                        "%(account)s can't hold advances from customers: they are owed to the customer, so choose a "
                        "liability account that is neither payable nor a credit card.",
                        account=name,
                    )
                )
            raise ValidationError(
                self.env._(
                    "%(account)s can't raise a customer's exposure: choose an account of current or non-current "
                    "assets. Bank and cash accounts hold money that has come already.",
                    account=name,
                )
            )

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        counting = super().create(vals_list)
        counting._changed()
        return counting

    def write(self, vals):
        companies = self.company_id
        result = super().write(vals)
        self._changed(companies)
        return result

    def unlink(self):
        companies = self.company_id
        result = super().unlink()
        self._changed(companies)
        return result

    def _changed(self, companies=None):
        """Make checks under way see the accounts as they are now."""
        drop_caches(self.env)
        companies = self.company_id | (companies or self.env['res.company'])
        self.env['credit.policy'].sudo().search([('company_id', 'in', companies.ids)])._tighten()

    # -------------------------------------------------------------------------
    # What counts
    # -------------------------------------------------------------------------

    @api.model
    @tools.ormcache('company_id')
    def _roles(self, company_id):
        """Return the accounts that count in a company tree.

        :param company_id: id of the root company
        :returns: {(role, by_item): ids of account.account}; by_item tells
            whether its entries are matched, else the balance counts
        """
        self.flush_model(['account_id', 'company_id', 'role'])
        self.env['account.account'].flush_model(['account_type', 'company_ids', 'reconcile'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT account.id, COALESCE(counting.role, 'receivable'), account.reconcile IS TRUE
                  FROM account_account account
             LEFT JOIN credit_ledger_account counting
                    ON counting.account_id = account.id AND counting.company_id = %(company)s
                 WHERE (account.account_type = 'asset_receivable' OR counting.id IS NOT NULL)
                   AND COALESCE(counting.role, '') <> 'ignored'
                   AND EXISTS (
                       SELECT 1
                         FROM account_account_res_company_rel rel
                         JOIN res_company company ON company.id = rel.res_company_id
                        WHERE rel.account_account_id = account.id AND company.parent_path LIKE %(tree)s)
              ORDER BY account.id
                """,
                company=company_id,
                tree=f'{company_id}/%',
            )
        )
        roles = defaultdict(list)
        for account_id, role, by_item in rows:
            roles[role, by_item].append(account_id)
        return dict(roles)

    @api.model
    def _item_account_ids(self, company, roles=('receivable', 'advance', 'other')):
        """Return the ids of the accounts of these roles whose entries count one by one."""
        counting = self._roles(company.id)
        return [account_id for role in roles for account_id in counting.get((role, True), ())]

    # -------------------------------------------------------------------------
    # Presets
    # -------------------------------------------------------------------------

    def action_suggest(self):
        """Add what the chart of accounts of the current company has, and what is not in the list yet.

        :raise AccessError: if the user is no credit manager
        """
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers choose the accounts that count."))
        root = self.env.company.root_id
        added = self._suggest(root)
        message = (
            self.env._("Added: %(accounts)s.", accounts=', '.join(added.with_company(root).mapped('display_name')))
            if added
            else self.env._("The chart of accounts of %(company)s suggests nothing more.", company=root.name)
        )
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {
                'type': 'success' if added else 'info',
                'message': message,
                'next': {'type': 'ir.actions.client', 'tag': 'soft_reload'},
            },
        }

    @api.model
    def _suggest(self, companies):
        """Add what the charts of some root companies have; accounts already in the list stay as they are."""
        vals_list = []
        for company in companies:
            chart = company.chart_template or ''
            codes = {
                code.rstrip('0'): role
                for start, preset in PRESETS.items()
                if chart == start or chart.startswith(f'{start}_')
                for role, preset_codes in preset.items()
                for code in preset_codes
            }
            if not codes:
                continue
            known = self.search([('company_id', '=', company.id)]).account_id
            accounts = self.env['account.account'].with_company(company)
            for account in accounts.search([('company_ids', 'in', company.id)]) - known:
                # Charts are padded with zeros to the company's length of codes.
                role = codes.get((account.code or '').rstrip('0'))
                if role and account.account_type in ROLE_TYPES[role]:
                    vals_list.append({'company_id': company.id, 'account_id': account.id, 'role': role})
        return self.create(vals_list)
