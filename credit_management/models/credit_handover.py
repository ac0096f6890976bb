from collections import defaultdict

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL, format_date, format_list

# What a hand-over consists of: fixed once it is confirmed.
CONTENT_FIELDS = {
    'user_id', 'successor_id', 'date', 'move_customers', 'move_orders', 'move_controller', 'move_requests',
    'move_tasks', 'old_debts', 'line_ids', 'company_id',
}  # fmt: skip
# What only the flow itself writes.
FLOW_FIELDS = {
    'state', 'figures_date', 'open_by_currency', 'confirmed_by_id', 'confirmed_date', 'done_by_id', 'done_date',
}  # fmt: skip
# What decides which customers are concerned.
SCOPE_FIELDS = {'user_id', 'move_customers', 'move_orders', 'move_controller'}
ACTIVITY = 'credit_management.mail_activity_type_handover'
# What is asked of people about an order's credit; other activities of an order are none of ours.
ORDER_ACTIVITY = 'credit_management.mail_activity_type_held_order'
# Customers that a message names before it only counts.
NAMED = 10


class CreditHandover(models.Model):
    """One person's customers and credit duties in one company go to others, with signed balances.

    Of one company: what is signed for is owed to a legal entity.
    """

    _name = 'credit.handover'
    _inherit = ['credit.root.company', 'mail.thread', 'mail.activity.mixin']
    _description = "Credit Hand-Over"
    _order = 'date desc, id desc'
    # On a phone the menu of activities opens no cards unless told so.
    _systray_view = 'kanban'

    user_id = fields.Many2one(
        'res.users',
        string="Handed Over By",
        required=True,
        index=True,
        tracking=True,
        ondelete='restrict',
        domain="[('share', '=', False)]",
        context={'active_test': False},
        help="Whose customers and duties are handed over; also someone who is archived already.",
    )
    successor_id = fields.Many2one(
        'res.users',
        required=True,
        tracking=True,
        ondelete='restrict',
        domain="[('share', '=', False), ('id', '!=', user_id)]",
        help="Takes over whatever no other successor is chosen for in the list of customers.",
    )
    date = fields.Date(
        required=True,
        default=lambda self: self.env.company._credit_today(),
        tracking=True,
        help="A confirmed hand-over is carried out on this day by itself.",
    )
    state = fields.Selection(
        [('draft', "Draft"), ('confirmed', "Signed"), ('done', "Done"), ('cancelled', "Cancelled")],
        required=True,
        readonly=True,
        default='draft',
        copy=False,
        tracking=True,
        index=True,
    )
    reason = fields.Char(help="Why the customers change hands.")
    move_customers = fields.Boolean(
        string="Customers", default=True, help="The salesperson of the customers, which is the same in all companies."
    )
    move_orders = fields.Boolean(
        string="Open Quotations and Orders",
        default=True,
        help="The salesperson of quotations, and of orders that are not invoiced in full.",
    )
    move_controller = fields.Boolean(
        string="Credit Controller", default=True, help="Of the customers' credit accounts and of policies."
    )
    move_requests = fields.Boolean(
        string="Requests to Decide", default=True, help="What waits for this person's decision, as limits to approve."
    )
    move_tasks = fields.Boolean(
        string="Holds and Other Tasks", default=True, help="Activities on credit accounts, as orders on hold."
    )
    old_debts = fields.Selection(
        [('move', "Go to the successor"), ('stay', "Stay with the person")],
        required=True,
        default='move',
        tracking=True,
        help="Who answers for what is due before the day of the hand-over.",
    )
    line_ids = fields.One2many('credit.handover.line', 'handover_id', string="Customers Handed Over", copy=False)
    customer_count = fields.Integer(string="Number of Customers", compute='_compute_totals')
    open_item_total = fields.Monetary(string="Open Items", compute='_compute_totals')
    overdue_total = fields.Monetary(string="Overdue", compute='_compute_totals')
    exposure_total = fields.Monetary(string="Exposure", compute='_compute_totals')
    held_order_total = fields.Integer(string="Held Orders", compute='_compute_totals')
    policy_ids = fields.Many2many(
        'credit.policy', string="Policies", compute='_compute_policy_ids', help="Whose controller the person is."
    )
    figures_date = fields.Date(string="Balances Of", readonly=True, copy=False, help="Day of the balances shown.")
    open_by_currency = fields.Json(readonly=True, copy=False, help="{'amounts': [[id of the currency, open amount]]}")
    confirmed_by_id = fields.Many2one('res.users', readonly=True, copy=False)
    confirmed_date = fields.Datetime(string="Confirmed On", readonly=True, copy=False)
    done_by_id = fields.Many2one('res.users', string="Carried Out By", readonly=True, copy=False)
    done_date = fields.Datetime(string="Carried Out On", readonly=True, copy=False)

    # -------------------------------------------------------------------------
    # Computes
    # -------------------------------------------------------------------------

    @api.depends('user_id', 'successor_id', 'date')
    def _compute_display_name(self):
        for handover in self:
            handover.display_name = (
                f"{handover.user_id.name} → {handover.successor_id.name or ''} ({format_date(self.env, handover.date)})"
                if handover.user_id
                else ''  # the client then says "New"
            )

    @api.depends(
        'line_ids.open_item', 'line_ids.overdue_amount', 'line_ids.exposure', 'line_ids.held_order_count'
    )  # fmt: skip
    def _compute_totals(self):
        names = ('open_item', 'overdue_amount', 'exposure', 'held_order_count')
        sums = {
            handover.id: values
            for handover, *values in self.env['credit.handover.line']._read_group(
                [('handover_id', 'in', self.ids)], ['handover_id'], ['__count', *(f'{name}:sum' for name in names)]
            )
        }
        for handover in self:
            (
                handover.customer_count,
                handover.open_item_total,
                handover.overdue_total,
                handover.exposure_total,
                handover.held_order_total,
            ) = sums.get(handover._origin.id, (0, 0.0, 0.0, 0.0, 0))

    @api.depends('user_id', 'company_id')
    def _compute_policy_ids(self):
        policies = self.env['credit.policy'].search([('controller_id', 'in', self.user_id.ids)])
        for handover in self:
            handover.policy_ids = policies.filtered(
                lambda policy, handover=handover: (
                    policy.controller_id == handover.user_id._origin and policy.company_id == handover.company_id
                )
            )

    # -------------------------------------------------------------------------
    # Constraints
    # -------------------------------------------------------------------------

    @api.constrains('user_id', 'successor_id')
    def _check_successor(self):
        for handover in self:
            if handover.user_id == handover.successor_id:
                raise ValidationError(self.env._("Choose a successor other than %(user)s.", user=handover.user_id.name))

    # -------------------------------------------------------------------------
    # CRUD
    # -------------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            # Explicit, so that no default from a client's context gets in.
            vals.update(dict.fromkeys(FLOW_FIELDS, False), state='draft')
        handovers = super().create(vals_list)
        handovers.filtered(lambda handover: not handover.line_ids)._load_customers()
        return handovers

    def write(self, vals):
        if FLOW_FIELDS & vals.keys():
            raise AccessError(self.env._("A hand-over gets on by its buttons: confirm it, then carry it out."))
        if 'company_id' in vals and any(handover.company_id.id != vals['company_id'] for handover in self):
            raise UserError(
                self.env._("The balances of a hand-over are those of one company. Make another one for the other.")
            )
        if CONTENT_FIELDS & vals.keys() and any(handover.state != 'draft' for handover in self):
            raise UserError(
                self.env._("A confirmed hand-over can't be changed. Put it back to draft, and have it signed again.")
            )
        former = {handover: handover.successor_id for handover in self}
        result = super().write(vals)
        if 'successor_id' in vals:
            for handover, successor in former.items():
                handover.line_ids.filtered(lambda line, successor=successor: line.successor_id == successor).write(
                    {'successor_id': vals['successor_id']}
                )
        if SCOPE_FIELDS & vals.keys():
            self._load_customers()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_confirmed(self):
        if any(handover.state not in ('draft', 'cancelled') for handover in self):
            raise UserError(
                self.env._("A hand-over that was signed is kept. Cancel it if it is not to be carried out.")
            )

    def _write_flow(self, vals):
        """Write what `write` keeps clients from writing."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    # -------------------------------------------------------------------------
    # Customers and balances
    # -------------------------------------------------------------------------

    def _load_customers(self):
        """List the customers concerned anew; successors that were chosen stay, and so does nothing else."""
        for handover in self:
            chosen = {line.partner_id.id: line.successor_id.id for line in handover.line_ids}
            handover.line_ids.unlink()
            handover.line_ids._load(
                [
                    {
                        'handover_id': handover.id,
                        'successor_id': chosen.get(row['partner_id'], handover.successor_id.id),
                        **row,
                    }
                    for row in handover._find_customers()
                ]
            )
            handover._refresh_figures()

    def _find_customers(self):
        """Return the customers of the person in this company and why each is one, in one statement."""
        self.ensure_one()
        for model, names in {
            'credit.account': ['active', 'company_id', 'controller_id', 'partner_id'],
            'credit.debt.duty': ['company_id', 'partner_id', 'user_id'],
            'res.partner': ['active', 'commercial_partner_id', 'company_id', 'user_id'],
            'sale.order': ['company_id', 'invoice_status', 'partner_id', 'state', 'user_id'],
        }.items():
            self.env[model].flush_model(names)
        branches = list(self.company_id.sudo()._credit_branch_ids())
        values = {'user': self.user_id.id, 'company': self.company_id.id, 'branches': branches}
        reasons = [
            SQL("SELECT partner_id, 'is_debt_responsible' FROM credit_debt_duty"
                " WHERE user_id = %(user)s AND company_id = %(company)s", **values),
        ]  # fmt: skip
        if self.move_customers:
            reasons.append(
                SQL(
                    "SELECT commercial_partner_id, 'is_salesperson' FROM res_partner"
                    " WHERE user_id = %(user)s AND active AND (company_id IS NULL OR company_id = ANY(%(branches)s))",
                    **values,
                )
            )
        if self.move_controller:
            reasons.append(
                SQL(
                    "SELECT partner_id, 'is_controller' FROM credit_account"
                    " WHERE controller_id = %(user)s AND company_id = %(company)s AND active",
                    **values,
                )
            )
        if self.move_orders:
            reasons.append(
                SQL(
                    "SELECT customer.commercial_partner_id, 'has_order' FROM sale_order so"
                    " JOIN res_partner customer ON customer.id = so.partner_id"
                    " WHERE so.user_id = %(user)s AND so.company_id = ANY(%(branches)s)"
                    " AND (so.state IN ('draft', 'sent')"
                    "      OR so.state = 'sale' AND so.invoice_status IS DISTINCT FROM 'invoiced')",
                    **values,
                )
            )
        return self.env.execute_query_dict(
            SQL(
                """
                SELECT partner_id,
                       bool_or(reason = 'is_salesperson') AS is_salesperson,
                       bool_or(reason = 'is_controller') AS is_controller,
                       bool_or(reason = 'is_debt_responsible') AS is_debt_responsible,
                       bool_or(reason = 'has_order') AS has_order
                  FROM (%s) AS concerned(partner_id, reason)
              GROUP BY partner_id
              ORDER BY partner_id
                """,
                SQL(" UNION ALL ").join(reasons),
            )
        )

    def _refresh_figures(self):
        """Put today's figures of the credit accounts on the lines, in one reading and one UPDATE per hand-over."""
        Line = self.env['credit.handover.line']
        for handover in self:
            lines, company = handover.line_ids, handover.company_id
            figures = self.env['credit.account'].sudo()._figures(company, lines.partner_id.ids)
            account_ids = [row['account_id'] for row in figures.values() if row['account_id']]
            # Totals of orders that the manager need not be allowed to read.
            held = {
                account.id: count
                for account, count in self.env['sale.order']
                .sudo()
                ._read_group(
                    [('credit_state', '=', 'on_hold'), ('credit_account_id', 'in', account_ids)],
                    ['credit_account_id'],
                    ['__count'],
                )
            }
            rows = [figures[line.partner_id.id] for line in lines]
            Line.flush_model()
            self.env.execute_query(
                SQL(
                    """
                    UPDATE credit_handover_line line
                       SET open_item = given.open_item, overdue_amount = given.overdue,
                           days_overdue = given.days, unlimited = given.unlimited,
                           effective_limit = given.effective_limit, exposure = given.exposure,
                           held_order_count = given.held
                      FROM unnest(%s::int[], %s::numeric[], %s::numeric[], %s::int[], %s::bool[], %s::numeric[],
                                  %s::numeric[], %s::int[])
                           AS given(id, open_item, overdue, days, unlimited, effective_limit, exposure, held)
                     WHERE line.id = given.id
                 RETURNING line.id
                    """,
                    lines.ids,
                    *(
                        [row[name] for row in rows]
                        for name in (
                            'exposure_open_item',
                            'overdue_amount',
                            'days_overdue',
                            'unlimited',
                            'effective_limit',
                            'exposure',
                        )
                    ),
                    [held.get(row['account_id'], 0) for row in rows],
                )
            )
            Line.invalidate_model()
            handover.invalidate_recordset()
            amounts = [[currency.id, amount] for currency, amount in handover._open_by_currency()]
            handover._write_flow({'figures_date': company._credit_today(), 'open_by_currency': {'amounts': amounts}})

    def _currency_totals(self):
        """Return [(currency, open amount)] of the customers' open items, as they are signed for."""
        self.ensure_one()
        if self.state == 'draft' or not self.open_by_currency:
            # Customers may have been taken out since; or signed before these amounts were kept.
            return self._open_by_currency()
        Currency = self.env['res.currency']
        return [(Currency.browse(id_), amount) for id_, amount in self.open_by_currency['amounts']]

    def _open_by_currency(self):
        """Return [(currency, open amount)] of the customers' open items now, each in the currency it is owed in."""
        self.ensure_one()
        accounts = self.env['credit.ledger.account'].sudo()._item_account_ids(self.company_id)
        # Sums of the customers that the sheet lists anyway.
        return (
            self.env['account.move.line']
            .sudo()
            ._read_group(
                [
                    ('partner_id.commercial_partner_id', 'in', self.line_ids.partner_id.ids),
                    ('account_id', 'in', accounts),
                    ('parent_state', '=', 'posted'),
                    ('reconciled', '=', False),
                    ('company_id', 'in', self.company_id.sudo()._credit_branch_ids()),
                ],
                ['currency_id'],
                ['amount_residual_currency:sum'],
            )
        )

    # -------------------------------------------------------------------------
    # Flow
    # -------------------------------------------------------------------------

    def _check_manager(self):
        if not self.env.su and not self.env.user.has_group('credit_management.group_credit_manager'):
            raise AccessError(self.env._("Only credit managers hand over customers and credit duties."))
        self.check_access('write')

    def _check_state(self, *states):
        if wrong := self.filtered(lambda handover: handover.state not in states):
            raise UserError(
                self.env._(
                    "%(handover)s is %(state)s: this can't be done any more, or not yet.",
                    handover=wrong[0].display_name,
                    state=dict(self._fields['state']._description_selection(self.env))[wrong[0].state],
                )
            )

    def _check_successors(self):
        """Refuse successors who could not do what they take over."""
        for handover in self:
            # What waits for the person's decision need not be of customers of his.
            if not handover.line_ids and not handover.policy_ids and not handover.sudo()._pending_approvals():
                raise UserError(
                    self.env._(
                        "%(user)s has no customers in %(company)s to hand over. Load the customers again, or choose "
                        "another company.",
                        user=handover.user_id.name,
                        company=handover.company_id.name,
                    )
                )
            # Whoever hands over need not be allowed to see where others work.
            for user in (handover.line_ids.successor_id | handover.successor_id).sudo():
                if user == handover.user_id:
                    raise UserError(self.env._("%(user)s can't be the own successor.", user=user.name))
                if not user.active or handover.company_id not in user.company_ids.root_id:
                    raise UserError(
                        self.env._(
                            "%(user)s is archived or does not work in %(company)s. Choose another successor.",
                            user=user.name,
                            company=handover.company_id.name,
                        )
                    )

    def action_load_customers(self):
        """List the customers anew and read their balances; chosen successors stay."""
        self._check_manager()
        self._check_state('draft')
        self._load_customers()
        return True

    def action_confirm(self):
        """Confirm that the sheet is signed; the balances are taken once more and stay."""
        self._check_manager()
        self._check_state('draft')
        self._check_successors()
        self._refresh_figures()
        self._write_flow(
            {'state': 'confirmed', 'confirmed_by_id': self.env.uid, 'confirmed_date': fields.Datetime.now()}
        )
        return True

    def action_draft(self):
        """Take a confirmed hand-over back before it is carried out."""
        self._check_manager()
        self._check_state('confirmed', 'cancelled')
        self._write_flow({'state': 'draft', 'confirmed_by_id': False, 'confirmed_date': False})
        return True

    def action_cancel(self):
        """Cancel hand-overs that are not carried out; they stay in the list."""
        self._check_manager()
        self._check_state('draft', 'confirmed')
        self._write_flow({'state': 'cancelled'})
        return True

    def action_carry_out(self):
        """Carry out confirmed hand-overs at once, whatever their day.

        :raise AccessError: if the user is no credit manager
        :raise UserError: if one is not confirmed, or a successor can't take over
        """
        self._check_manager()
        self._check_state('confirmed')
        self._check_successors()
        for handover in self:
            # The rights to hand over were checked; customers, orders and others' tasks are moved by the system.
            handover.sudo()._carry_out()
        return True

    def action_print(self):
        """Print the sheet to be signed."""
        return self.env.ref('credit_management.credit_handover_report').report_action(self)

    def action_export(self):
        """Download the sheet as a workbook."""
        self.ensure_one()
        self.check_access('read')
        return {'type': 'ir.actions.act_url', 'url': f'/credit_management/handover/{self.id}', 'target': 'download'}

    @api.model
    def _cron_carry_out(self):
        """Carry out the confirmed hand-overs whose day has come."""
        self.env['credit.counter']._each_root_company(
            self._carry_out_due, 'credit_management.mail_activity_type_handover_failed'
        )

    @api.model
    def _carry_out_due(self, company):
        due = self.search(
            [('company_id', '=', company.id), ('state', '=', 'confirmed'), ('date', '<=', company._credit_today())]
        )
        for handover in due:
            try:
                handover._check_successors()
            except UserError as error:
                # One that can't be carried out does not stop the others; whoever confirmed it is told once.
                handover._tell_obstacle(error)
                continue
            handover._carry_out()

    def _tell_obstacle(self, error):
        self.ensure_one()
        if not self.activity_search(['mail.mail_activity_data_warning']):
            self.activity_schedule(
                'mail.mail_activity_data_warning',
                date_deadline=self.company_id._credit_today(),
                summary=str(error),
                user_id=self.confirmed_by_id.id,
            )

    # -------------------------------------------------------------------------
    # Carrying out
    # -------------------------------------------------------------------------

    def _carry_out(self):
        """Move what is handed over; one statement per kind and successor, not per customer."""
        self.ensure_one()
        # One mail at the end instead of one per record; what changed is logged on each of them below.
        handover = self.with_context(
            mail_auto_subscribe_no_notify=True, mail_notrack=True, mail_activity_quick_update=True
        )
        # Two who carry it out at once: the second runs again, and finds it done.
        handover._write_flow(
            {'state': 'done', 'done_by_id': self.env.uid, 'done_date': fields.Datetime.now()},
        )
        self.flush_recordset()
        successors = {line.partner_id: line.successor_id for line in handover.line_ids}
        roles = defaultdict(list)  # {account: what of it is handed over}
        counts = {'debts': handover._move_old_debts(successors, roles)}
        steps = {
            'customers': (handover.move_customers, handover._move_customers),
            'orders': (handover.move_orders, handover._move_orders),
            'controllers': (handover.move_controller, handover._move_controllers),
        }
        for name, (wanted, step) in steps.items():
            counts[name] = step(successors, roles) if wanted else 0
        requests, tasks = self._task_models()
        counts['requests'] = 0
        if handover.move_requests:
            counts['requests'] = handover._move_approvals(successors) + handover._move_tasks(requests, successors)
        counts['tasks'] = handover._move_tasks(tasks, successors) if handover.move_tasks else 0
        if handover.move_tasks:
            handover._move_alerts(successors)
        handover._record_events(successors, roles)
        self.message_post(body=self._summary(counts))
        self._tell_successors(successors)
        self._close_warnings()

    def _by_successor(self, records, successors, customer):
        """Return {successor: records}, by the function that gives a record's customer."""
        return records.grouped(lambda record: successors.get(customer(record), self.successor_id))

    def _log(self, records, text):
        """Note a change in the chatter of many records in one go.

        :param text: function of the successor of a record
        """
        if records:
            records._message_log_batch(bodies={record.id: text(record) for record in records})

    def _move_customers(self, successors, roles):
        customers = self.line_ids.partner_id.filtered(lambda partner: partner.user_id == self.user_id)
        # With their contacts, also archived ones: nothing is left to a person who has gone.
        contacts = (
            self.env['res.partner']
            .with_context(active_test=False)
            .search([('commercial_partner_id', 'in', self.line_ids.partner_id.ids), ('user_id', '=', self.user_id.id)])
        )
        for successor, group in self._by_successor(
            contacts, successors, lambda contact: contact.commercial_partner_id
        ).items():
            group.write({'user_id': successor.id})
        for account in self._accounts_of(customers):
            roles[account].append('salesperson')
        self._log(customers, lambda customer: self._log_text(self.env._("Salesperson"), successors[customer]))
        return len(customers)

    def _move_orders(self, successors, roles):
        orders = self.env['sale.order'].search(
            [
                ('user_id', '=', self.user_id.id),
                ('company_id', 'in', self.company_id._credit_branch_ids()),
                ('partner_id.commercial_partner_id', 'in', self.line_ids.partner_id.ids),
                '|',
                ('state', 'in', ('draft', 'sent')),
                '&',
                ('state', '=', 'sale'),
                ('invoice_status', '!=', 'invoiced'),
            ]
        )
        groups = self._by_successor(orders, successors, lambda order: order.partner_id.commercial_partner_id)
        for successor, group in groups.items():
            group.write({'user_id': successor.id})
            self._log(group, lambda _order, user=successor: self._log_text(self.env._("Salesperson"), user))
        return len(orders)

    def _move_controllers(self, successors, roles):
        accounts = self._accounts_of(self.line_ids.partner_id).filtered(
            lambda account: account.controller_id == self.user_id
        )
        for successor, group in self._by_successor(accounts, successors, lambda account: account.partner_id).items():
            group.write({'controller_id': successor.id})
        for account in accounts:
            roles[account].append('controller')
        self._log(
            accounts, lambda account: self._log_text(self.env._("Credit Controller"), account.controller_id)
        )  # fmt: skip
        policies = self.policy_ids
        policies.write({'controller_id': self.successor_id.id})
        self._log(policies, lambda policy: self._log_text(self.env._("Credit Controller"), policy.controller_id))
        return len(accounts) + len(policies)

    def _move_old_debts(self, successors, roles):
        """Settle who answers for what is due before the day: before the salesperson changes."""
        Duty = self.env['credit.debt.duty']
        accounts = self._accounts_of(self.line_ids.partner_id)
        if self.old_debts == 'move':
            mine = Duty.search([('account_id', 'in', accounts.ids), ('user_id', '=', self.user_id.id)])
            for successor, group in self._by_successor(mine, successors, lambda duty: duty.partner_id).items():
                group.write({'user_id': successor.id})
            for account in mine.account_id:
                roles[account].append('old_debts')
            return len(mine.account_id)
        if not self.move_customers:
            return 0
        owing = self.line_ids.filtered(
            lambda line: line.partner_id.user_id == self.user_id and line.currency_id.compare_amounts(line.open_item, 0)
        )
        accounts = self.env['credit.account']._for_partners(owing.partner_id, self.company_id)
        stated = Duty.search([('account_id', 'in', accounts.ids), ('date_before', '=', self.date)]).account_id
        Duty.create(
            [
                {
                    'account_id': account.id,
                    'user_id': self.user_id.id,
                    'date_before': self.date,
                    'handover_id': self.id,
                }
                for account in accounts - stated
            ]
        )
        return len(accounts - stated)

    @api.model
    def _task_models(self):
        """Return the models whose activities are requests to decide, and those whose activities are tasks."""
        models_ = [
            name
            for name, model in self.env.items()
            if name.startswith('credit.')
            and not model._abstract
            and not model._transient
            and {'activity_ids', 'company_id'} <= model._fields.keys()
        ]
        tasks = ['credit.account', 'credit.handover', 'credit.snapshot.run']
        return (
            [name for name in models_ if name not in tasks],
            [*(name for name in models_ if name in tasks), 'sale.order'],
        )

    @api.model
    def _tasks_of(self, users, names):
        """Return the activities of users on documents of these models; of orders those about their credit.

        :returns: {name: {document: activities}}
        """
        activities = self.env['mail.activity'].search(
            [
                ('user_id', 'in', users.ids),
                ('res_model', 'in', names),
                '|',
                ('res_model', '!=', 'sale.order'),
                ('activity_type_id', '=', self.env.ref(ORDER_ACTIVITY).id),
            ]
        )
        found = {}
        for name, of_model in activities.grouped('res_model').items():
            records = {record.id: record for record in self.env[name].browse(of_model.mapped('res_id')).exists()}
            found[name] = {
                records[res_id]: group for res_id, group in of_model.grouped('res_id').items() if res_id in records
            }
        return found

    def _pending_approvals(self):
        """Return the approvals in this company that the person is asked for."""
        if not self.move_requests:
            return self.env['credit.approval']
        return self.env['credit.approval'].search(
            [
                ('state', '=', 'pending'),
                ('user_id', '=', self.user_id.id),
                ('company_id', 'in', self.company_id._credit_branch_ids()),
            ]
        )

    def _move_approvals(self, successors):
        """Ask the successors what the person was asked, or, where the level does not let them, the next of it."""
        steps = self._pending_approvals()
        steps._ask('handover', successors={step: successors.get(step.partner_id, self.successor_id) for step in steps})
        return len(steps)

    def _move_tasks(self, names, successors):
        """Give the activities of some models to the successors; what they are about decides to whom."""
        count = 0
        for found in self._tasks_of(self.user_id, names).values():
            groups = defaultdict(self.env['mail.activity'].browse)
            for record, activities in found.items():
                if record.company_id.root_id == self.company_id:
                    groups[self._takes_over(record, successors)] += activities
            for user, group in groups.items():
                group.write({'user_id': user.id})
                count += len(group)
        return count

    def _move_alerts(self, successors):
        """Let the successors own the alerts that are not dealt with."""
        alerts = self.env['credit.alert'].search(
            [
                ('user_id', '=', self.user_id.id),
                ('company_id', '=', self.company_id.id),
                ('state', 'in', ('open', 'snoozed')),
            ]
        )
        for successor, group in self._by_successor(alerts, successors, lambda alert: alert.partner_id).items():
            group.write({'user_id': successor.id})

    def _takes_over(self, record, successors):
        """Return who takes over the task about a record: its customer's successor.

        What waits for an approval goes to whoever is asked for it now, see `_move_approvals`.
        """
        if 'approval_id' in record._fields and record.approval_id.user_id:
            return record.approval_id.user_id
        partner = record.partner_id if 'partner_id' in record._fields else self.env['res.partner']
        return successors.get(partner.commercial_partner_id, self.successor_id)

    def _accounts_of(self, partners):
        return self.env['credit.account'].search(
            [('company_id', '=', self.company_id.id), ('partner_id', 'in', partners.ids)]
        )

    def _record_events(self, successors, roles):
        self.env['credit.event']._record(
            [
                (
                    account,
                    'handed_over',
                    {
                        'handover_id': self.id,
                        'from_user_id': self.user_id.id,
                        'into_user_id': successors[account.partner_id].id,
                        'roles': names,
                        'old_debts': self.old_debts,
                        'date_from': self.date,
                    },
                )
                for account, names in roles.items()
            ]
        )

    # -------------------------------------------------------------------------
    # Who is told
    # -------------------------------------------------------------------------

    def _log_text(self, role, successor):
        return self.env._(
            "Handed over by %(user)s to %(successor)s: %(role)s",
            user=self.user_id.name,
            successor=successor.name,
            role=role,
        )

    def _summary(self, counts):
        labels = {
            'customers': self.env._("Customers"),
            'orders': self.env._("Open quotations and orders"),
            'controllers': self.env._("Controller of accounts and policies"),
            'requests': self.env._("Requests to decide"),
            'tasks': self.env._("Holds and other tasks"),
            'debts': self.env._("Old debts that stay")
            if self.old_debts == 'stay'
            else self.env._("Old debts that move"),
        }
        rows = [Markup("<li>%s: %s</li>") % (label, counts[name]) for name, label in labels.items() if counts[name]]
        head = self.env._("Carried out on the balances of %(date)s.", date=format_date(self.env, self.figures_date))
        return Markup("%s<ul>%s</ul>") % (head, Markup().join(rows)) if rows else head

    def _tell_successors(self, successors):
        """Send each successor one message that names the customers; none of them need be able to open this."""
        customers = defaultdict(self.env['res.partner'].browse)
        for customer, successor in successors.items():
            customers[successor] += customer
        for successor, group in customers.items():
            reader = self.with_context(lang=successor.lang or self.env.lang)
            names = format_list(reader.env, group[:NAMED].mapped('display_name'))
            more = len(group) - NAMED
            self.env['mail.thread'].message_notify(
                partner_ids=successor.partner_id.ids,
                subject=reader.env._("Customers handed over to you by %(user)s", user=self.user_id.name),
                body=reader.env._("%(customers)s and %(count)s more.", customers=names, count=more)
                if more > 0
                else names,
            )

    # -------------------------------------------------------------------------
    # Those who leave
    # -------------------------------------------------------------------------

    @api.model
    def _duties(self, users):
        """Return {(user, root company): {duty: number}} of what users have to do with credit; sets in SQL.

        The duties are: customers (with an exposure, as salesperson), accounts and policies (as
        controller), tasks (activities, as requests to decide and orders on hold), debts.
        """
        found = defaultdict(dict)
        Account = self.env['credit.account'].sudo()
        Partner = self.env['res.partner'].sudo()
        customers = Partner.search([('user_id', 'in', users.ids)])
        partners = customers.filtered(lambda partner: partner == partner.commercial_partner_id).grouped('user_id')
        for company in self.env['res.company'].sudo().search([('parent_id', '=', False)]) if partners else ():
            figures = Account._figures(company, Partner.union(*partners.values()).ids)
            for user, mine in partners.items():
                owing = [
                    partner
                    for partner in mine
                    if company.currency_id.compare_amounts(figures[partner.id]['exposure'], 0)
                ]
                if owing:
                    found[user, company]['customers'] = len(owing)
        for name, model, domain, field in (
            ('accounts', 'credit.account', [('active', '=', True)], 'controller_id'),
            ('policies', 'credit.policy', [('active', '=', True)], 'controller_id'),
            ('debts', 'credit.debt.duty', [], 'user_id'),
        ):
            for company, user, count in (
                self.env[model]
                .sudo()
                ._read_group([*domain, (field, 'in', users.ids)], ['company_id', field], ['__count'])
            ):
                found[user, company][name] = count
        requests, tasks = self._task_models()
        for of_model in self.sudo()._tasks_of(users, requests + tasks).values():
            for record, activities in of_model.items():
                for activity in activities:
                    duties = found[activity.user_id, record.company_id.root_id]
                    duties['tasks'] = duties.get('tasks', 0) + 1
        # Of documents whose activity is elsewhere, as on the order.
        for step in (
            self.env['credit.approval']
            .sudo()
            .search(
                [('state', '=', 'pending'), ('user_id', 'in', users.ids), ('res_model', 'not in', requests + tasks)]
            )
        ):
            duties = found[step.user_id, step.company_id.root_id]
            duties['tasks'] = duties.get('tasks', 0) + 1
        return dict(found)

    @api.model
    def _duty_texts(self, duties):
        """Return duties in words, as `_duties` has them of one user and company."""
        labels = {
            'customers': self.env._("Customers with an exposure"),
            'accounts': self.env._("Credit accounts controlled"),
            'policies': self.env._("Policies controlled"),
            'tasks': self.env._("Requests, holds and other tasks"),
            'debts': self.env._("Customers with old debts"),
        }
        return " · ".join(f"{label}: {duties[name]}" for name, label in labels.items() if duties.get(name))

    @api.model
    def _keep_tasks(self, users):
        """Give what users have to do about credit to a credit manager: core deletes the activities of who is archived.

        Called with sudo, by whoever archives users.
        """
        requests, tasks = self._task_models()
        groups = defaultdict(self.env['mail.activity'].browse)
        for found in self._tasks_of(users, requests + tasks).values():
            for record, activities in found.items():
                groups[record.company_id.root_id] |= activities
        for company, activities in groups.items():
            if manager := (company._credit_managers() - users)[:1]:
                # He finds them in his list: no mail for each.
                activities.with_context(mail_activity_quick_update=True).write({'user_id': manager.id})

    @api.model
    def _warn_of_duties(self, users):
        """Tell a credit manager of each company that archived users have duties to be handed over."""
        for (user, company), duties in self._duties(users).items():
            contact = user.partner_id
            if contact.activity_search(
                [ACTIVITY], additional_domain=[('user_id', 'in', company._credit_managers().ids)]
            ):
                continue
            for manager in (company._credit_managers() - users)[:1]:
                reader = self.with_context(lang=manager.lang or self.env.lang)
                contact.activity_schedule(
                    ACTIVITY,
                    date_deadline=company._credit_today(),
                    user_id=manager.id,
                    summary=reader.env._("Hand over the credit duties of %(user)s", user=user.name),
                    note=reader.env._(
                        "%(user)s was archived. In %(company)s: %(duties)s. Go to Credit, Hand-Overs.",
                        user=user.name,
                        company=company.name,
                        duties=reader._duty_texts(duties),
                    ),
                )

    def _close_warnings(self):
        """Close what the archiving has asked for, once nothing is left to be handed over."""
        if not any(user == self.user_id for user, _company in self._duties(self.user_id)):
            self.user_id.partner_id.activity_feedback([ACTIVITY], feedback=self.display_name)
