import json

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.tools import SQL

from ..engine.verdict import evaluate

# Quotations per round: so many at once are checked with a constant number of statements.
BATCH = 500
# What a line keeps of what was found, with its type in SQL.
COLUMNS = {
    'partner_id': 'int',
    'account_id': 'int',
    'order_id': 'int',
    'policy_id': 'int',
    'rule_id': 'int',
    'kind': 'varchar',
    'outcome': 'varchar',
    'actual': 'numeric',
    'threshold': 'numeric',
    'account_status': 'varchar',
    'excess': 'numeric',
    'document_amount': 'numeric',
    'unlimited': 'boolean',
    'effective_limit': 'numeric',
    'exposure': 'numeric',
    'overdue_amount': 'numeric',
    'days_overdue': 'int',
    'counted_from': 'date',
    'overdue_left_out': 'numeric',
    'accepted_exposure': 'numeric',
    'accepted_until': 'date',
}


class CreditDryRun(models.TransientModel):
    """What would be held if everything were enforced now, looked up once and then listed.

    The quotations go through the check itself, without recording anything; each
    customer through the same engine, with an order of the smallest unit.
    """

    _name = 'credit.dry.run'
    _inherit = ['credit.dialog']
    _description = "What Would Be Held"

    company_id = fields.Many2one('res.company', required=True, readonly=True)
    policy_id = fields.Many2one('credit.policy', readonly=True)
    line_ids = fields.One2many('credit.dry.line', 'run_id', readonly=True)

    @api.model
    def action_open(self):
        """Show what all policies of the current company would hold; for credit managers."""
        return self._open(self.env.company.root_id)

    @api.model
    def _open(self, company, policy=None):
        """Look it up and return the action that lists it.

        :param policy: the one to look at, None for all of a company
        :raise AccessError: if the user is no credit manager
        """
        if not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers look at what would be held."))
        company.check_access('read')
        policy = policy or self.env['credit.policy']
        policy.check_access('read')
        run = self.create({'company_id': company.id, 'policy_id': policy.id})
        run._look_up()
        action = self.env['ir.actions.act_window']._for_xml_id('credit_management.credit_dry_line_action')
        title = policy.display_name or company.display_name
        return action | {
            'name': self.env._("Would Be Held: %(policy)s", policy=title),
            'domain': [('run_id', '=', run.id)],
        }

    def _look_up(self):
        """Make the lines."""
        self.ensure_one()
        company = self.company_id.sudo()
        choice = self._choice(company)
        vals_list = [*self._order_vals(company, choice), *self._customer_vals(company, choice)]
        # Thousands at once: one INSERT, in a fraction of the time of `create`.
        # Nobody has the right to make other lines.
        names = SQL(", ").join(SQL.identifier(name) for name in COLUMNS)
        self.env.execute_query(
            SQL(
                """
                INSERT INTO credit_dry_line
                       (create_uid, create_date, write_uid, write_date, run_id, company_id, what, user_id, %(names)s)
                SELECT %(uid)s, now() at time zone 'UTC', %(uid)s, now() at time zone 'UTC', %(run)s, %(company)s,
                       CASE WHEN found.order_id IS NULL THEN 'customer' ELSE 'order' END,
                       COALESCE(quotation.user_id, customer.user_id), %(found)s
                  FROM jsonb_to_recordset(%(rows)s::jsonb) AS found(%(types)s)
                  JOIN res_partner customer ON customer.id = found.partner_id
             LEFT JOIN sale_order quotation ON quotation.id = found.order_id
             RETURNING id
                """,
                names=names,
                found=SQL(", ").join(SQL.identifier('found', name) for name in COLUMNS),
                types=SQL(", ").join(SQL("%s " + type_, SQL.identifier(name)) for name, type_ in COLUMNS.items()),
                rows=json.dumps(vals_list, default=str),
                uid=self.env.uid,
                run=self.id,
                company=self.company_id.id,
            )
        )
        self.invalidate_recordset(['line_ids'])

    def _choice(self, company):
        """Return which policy is taken for a customer: the most specific one, whatever its mode.

        A policy that is nobody's yet is looked at as if it were the company's default.
        """
        policy = self.policy_id.sudo()
        used = not policy or company.credit_policy_id == policy or policy.segmented and policy.active
        used = used or self.env['credit.account'].sudo().search_count([('policy_id', '=', policy.id)], limit=1)
        return {'specific': True} if used else {'specific': True, 'default': policy.id}

    def _quotations(self, company):
        """Return the open quotations, which have not expired."""
        today = company._credit_today()
        return (
            self.env['sale.order']
            .sudo()
            .search(
                Domain('company_id', 'child_of', company.id)
                & Domain('state', 'in', ('draft', 'sent'))
                & (Domain('validity_date', '=', False) | Domain('validity_date', '>=', today)),
                order='id',
            )
        )

    def _order_vals(self, company, choice):
        """Yield the lines of the quotations that would be held if they were confirmed now."""
        Check = self.env['credit.check'].sudo()
        orders = self._quotations(company)
        for start in range(0, len(orders), BATCH):
            requests = [order._prepare_credit_request() for order in orders[start : start + BATCH]]
            results = Check._run(requests, company, 'order', record=False, together=False, full=True, choice=choice)
            for order, result in results.items():
                for profile, facts, decision in result['decisions']:
                    yield from self._line_vals(
                        profile, facts, decision, order_id=order.id, document_amount=facts.document_amount
                    )

    def _customer_vals(self, company, choice):
        """Yield the lines of the customers whose next order would be held, however small."""
        Check, Policy = self.env['credit.check'].sudo(), self.env['credit.policy'].sudo()
        policies = self.policy_id or Policy.search([('company_id', '=', company.id)])
        rules = {
            policy.id: policy.sudo()._engine_rules(policy.sudo().version, 'order', full=True) for policy in policies
        }
        graces = Check._graces([{'rules': group} for group in rules.values()])
        unit = company.currency_id.rounding
        figures = self.env['credit.account'].sudo()._figures(company, None, graces=graces, held=True, choice=choice)
        for row in figures.values():
            if row['policy_id'] not in rules:
                continue
            facts = Check._facts(
                row, graces, company, status=row['status'] or 'normal', document_total=unit, document_amount=unit
            )
            profile = {**row, 'figures': row}
            yield from self._line_vals(profile, facts, evaluate(facts, rules[row['policy_id']]), over=unit)

    def _line_vals(self, profile, facts, decision, over=0.0, **values):
        """Yield the values of one line per rule that holds.

        :param over: what of the excess is not there yet
        """
        if self.policy_id and profile['policy_id'] != self.policy_id.id:
            return
        row = profile['figures']
        for verdict in decision.stopping:
            yield {
                'partner_id': profile['partner_id'],
                'account_id': profile['account_id'],
                'policy_id': profile['policy_id'],
                'rule_id': verdict.rule.id or None,
                'kind': verdict.rule.kind,
                'outcome': verdict.outcome,
                'actual': verdict.actual,
                'threshold': verdict.threshold,
                'account_status': verdict.rule.account_status or None,
                'excess': max(0.0, verdict.excess - (over if verdict.rule.kind == 'utilisation' else 0.0)),
                'effective_limit': facts.effective_limit,
                'unlimited': facts.unlimited,
                'exposure': facts.exposure,
                'overdue_amount': row['overdue_amount'],
                'days_overdue': row['days_overdue'],
                'counted_from': facts.counted_from,
                'overdue_left_out': facts.overdue_left_out,
                'accepted_exposure': facts.accepted_exposure,
                'accepted_until': row['accepted_until'],
                **values,
            }
