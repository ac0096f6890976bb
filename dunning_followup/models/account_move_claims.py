from collections import defaultdict
from datetime import date
from itertools import product

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, frozendict

from .account_move import STAFF
from .res_partner_claims import COLLECTION_GROUPS, reasons_list


class AccountMove(models.Model):
    """An invoice as a claim: tax invoice numbers, the invoice that it replaces, its due date, why it is not chased."""

    _inherit = 'account.move'  # pylint: disable=consider-merging-classes-inherited

    dunning_origin_id = fields.Many2one(
        'account.move',
        string="Replaces",
        index='btree_not_null',
        copy=False,
        readonly=True,
        help="The reversed invoice in whose place this one is: its due date and reminders go on with this one.",
    )
    dunning_tax_number_ids = fields.One2many(
        'dunning.tax.invoice.number', 'move_id', string="Tax Invoices", groups=COLLECTION_GROUPS, copy=False
    )
    dunning_due_change_ids = fields.One2many(
        'dunning.due.change', 'move_id', string="Changed Due Dates", groups=COLLECTION_GROUPS, copy=False
    )
    dunning_not_chased = fields.Html(
        string="Why Not Chased",
        compute='_compute_dunning_not_chased',
        compute_sudo=True,
        sanitize=False,
        groups=COLLECTION_GROUPS,
    )
    dunning_limitation_date = fields.Date(
        string="Barred After",
        compute='_compute_dunning_limitation_date',
        compute_sudo=True,
        groups=COLLECTION_GROUPS,
        help="Last day on which the claim can be brought to court: of several instalments, the first.",
    )
    dunning_claim_ids = fields.One2many(
        'dunning.claim', 'move_id', string="Interest and Fees", groups=COLLECTION_GROUPS, copy=False
    )
    dunning_dues = fields.Json(
        string="Due When Last Posted", copy=False, readonly=True, groups=STAFF, help="While it is reset to draft."
    )
    dunning_due_differs = fields.Boolean(compute='_compute_dunning_due_differs', compute_sudo=True, groups=STAFF)
    dunning_due_reason = fields.Char(
        string="Why Due on Another Day",
        copy=False,
        groups=STAFF,
        help="The customer was told another due date. Is kept with the invoice when it is posted again.",
    )

    def _dunning_items(self):
        """Return the open items of these customer invoices."""
        return self.line_ids.filtered(
            lambda line: (
                line.account_type == 'asset_receivable'
                and line.parent_state == 'posted'
                and line.amount_residual > 0
                and not line.reconciled
            )
        )

    @api.depends('line_ids.amount_residual', 'state')
    @api.depends_context('lang')
    def _compute_dunning_not_chased(self):
        sales = self.filtered(lambda move: move.state == 'posted' and move.is_sale_document(include_receipts=True))
        for company, moves in sales._origin.grouped('company_id').items():
            items = moves._dunning_items()
            today = company.root_id._credit_today()
            # Floors and promises are about all that the customers owe, not about these invoices.
            told = self.env['dunning.exclusion']._told(items.partner_id.commercial_partner_id, company, today)
            by_move = items.grouped('move_id')
            for move in moves:
                mine = by_move.get(move, items.browse())
                move.dunning_not_chased = reasons_list([told[line.id][1:] for line in mine if line.id in told])
        (self - sales).dunning_not_chased = False

    @api.depends('line_ids.date_maturity', 'line_ids.amount_residual', 'state')
    def _compute_dunning_limitation_date(self):
        sales = self.filtered(lambda move: move.state == 'posted' and move.is_sale_document(include_receipts=True))
        items = sales._origin._dunning_items()
        ends = self.env['dunning.limitation.rule']._ends(items)
        by_move = items.grouped('move_id')
        for move in self:
            mine = [ends[line.id][0] for line in by_move.get(move._origin, ()) if line.id in ends]
            move.dunning_limitation_date = min(mine, default=False)

    # -------------------------------------------------------------------------
    # Tax invoices
    # -------------------------------------------------------------------------

    def _tax_invoice_numbers(self):
        """Return the numbers of the tax invoices of one invoice, those of the Chinese localisation included."""
        self.ensure_one()
        # Letters show them, whoever prints.
        move = self.sudo()
        numbers = move.dunning_tax_number_ids.mapped('number')
        own = move['fapiao'] if 'fapiao' in move._fields else False
        return [own, *numbers] if own and own not in numbers else numbers

    def _dunning_name(self):
        """Return the invoice's number as reminders state it, with those of its tax invoices."""
        self.ensure_one()
        numbers = self._tax_invoice_numbers()
        return f'{self.name} ({", ".join(numbers)})' if numbers else self.name or ''

    # -------------------------------------------------------------------------
    # Invoices in place of others
    # -------------------------------------------------------------------------

    def _post(self, soft=True):
        # EXTENDS account: the reminders of the reversed invoice go on with the one in its place
        posted = super()._post(soft)
        # On behalf of the system, whoever posts: they say what the customer was told.
        posted.sudo().filtered('dunning_dues')._keep_due_changes()
        posted.filtered('dunning_origin_id')._take_over_reminders()
        return posted

    def _take_over_reminders(self):
        """Put the items of these invoices where those of the invoices that they replace were on the time line."""
        # Progress is the system's.
        Progress = self.env['dunning.progress'].sudo()
        chains = self._dunning_origins()
        origins = self.browse().union(*chains.values())
        reached = Progress.search([('move_line_id.move_id', 'in', origins.ids)]).grouped('move_id')
        open_items, rows = self._dunning_items(), []
        for move in self:
            origin = next((origin for origin in chains[move.id] if origin in reached), None)
            if origin is None:
                continue
            furthest = max(reached[origin], key=lambda progress: (progress.days, progress.date_step))
            of_item = reached[origin].grouped('move_line_id')
            before, items = origin.sudo()._dunning_instalments(), move._dunning_instalments()
            for index, item in enumerate(items):
                # Each instalment where it was; other instalments than there were go on with the furthest.
                progress = of_item.get(before[index]) if len(before) == len(items) else furthest
                if progress and item in open_items:
                    rows.append(
                        (
                            item.id,
                            item.company_id.id,
                            progress.plan_id.id,
                            progress.step_id.id,
                            progress.days,
                            progress.date_step,
                            progress.next_date or None,
                            progress.notice_id.id or None,
                        )
                    )
        Progress._advance(rows)
        self._take_over_passed_steps(chains, open_items)

    def _take_over_passed_steps(self, chains, open_items):
        """Let the steps hold that were passed over with the invoices that these replace, see `dunning.passed.step`."""
        Passed = self.env['dunning.passed.step'].sudo()
        origins = self.browse().union(*chains.values())
        passed = Passed.search([('move_line_id.move_id', 'in', origins.ids)]).grouped('move_line_id')
        rows = []
        for move in self if passed else ():
            items = move._dunning_instalments()
            for origin in chains[move.id]:
                before = origin.sudo()._dunning_instalments()
                # Each instalment as it was; of other instalments than there were, each has all.
                pairs = zip(items, before, strict=True) if len(before) == len(items) else product(items, before)
                rows += [
                    (item.id, step.step_id.id, step.date)
                    for item, old in pairs
                    if item in open_items
                    for step in passed.get(old, ())
                ]
        Passed._insert(rows)

    def _dunning_instalments(self):
        """Return the items of this invoice that are to be paid, paid ones too, in the order in which they are due."""
        self.ensure_one()
        items = self.line_ids.filtered(lambda line: line.account_type == 'asset_receivable')
        return items.sorted(lambda line: (line.date_maturity or line.date or self.date, line.id))

    def _compute_needed_terms(self):
        # EXTENDS account: instalments stay due when those of the reversed invoice were. Without `depends`: with it,
        # uninstalling takes core's inherited fields. An invoice has its origin from the beginning.
        super()._compute_needed_terms()
        for move in self:
            origin = move.sudo().dunning_origin_id
            if not origin or not move.needed_terms or move.invoice_payment_term_id != origin.invoice_payment_term_id:
                continue
            dues = [item.date_maturity or origin.date for item in origin._dunning_instalments()]
            keys = sorted(move.needed_terms, key=lambda key: key['date_maturity'] or date.min)
            if len(keys) != len(dues):
                continue
            needed = {}
            for key, due in zip(keys, dues, strict=True):
                values, key = move.needed_terms[key], frozendict({**key, 'date_maturity': due})
                if key in needed:
                    amounts = {name: needed[key][name] + values[name] for name in ('balance', 'amount_currency')}
                    values = {**values, **amounts}
                needed[key] = values
            move.needed_terms = needed

    def _dunning_origins(self):
        """Return {invoice id: the chain of invoices in whose place it is, the nearest first}, in one statement."""
        found = self._dunning_origin_ids(self.ids)
        return {move.id: self.browse(found.get(move.id, ())) for move in self}

    @api.model
    def _dunning_origin_ids(self, move_ids):
        """Return {invoice id: ids of its chain, the nearest first} of those that are in the place of others."""
        self.flush_model(['dunning_origin_id'])
        chains = defaultdict(list)
        for id_, origin_id in self.env.execute_query(
            SQL(
                """
                WITH RECURSIVE chain AS (
                    SELECT id, dunning_origin_id AS origin_id, 1 AS link, ARRAY[id] AS seen
                      FROM account_move WHERE id = ANY(%s) AND dunning_origin_id IS NOT NULL
                     UNION ALL
                    SELECT chain.id, move.dunning_origin_id, chain.link + 1, chain.seen || move.id
                      FROM chain JOIN account_move move ON move.id = chain.origin_id
                     WHERE move.dunning_origin_id IS NOT NULL AND move.id != ALL(chain.seen)
                )
                SELECT id, origin_id FROM chain ORDER BY id, link
                """,
                list(move_ids),
            )
        ):
            chains[id_].append(origin_id)
        return chains

    # -------------------------------------------------------------------------
    # Due dates
    # -------------------------------------------------------------------------

    def write(self, vals):
        # EXTENDS account: the due date of a posted invoice is what the customer was told
        if vals.get('invoice_date_due') and not self.env.su:
            self._check_due_reason(fields.Date.to_date(vals['invoice_date_due']))
        if vals.get('state') == 'draft':
            told = self.filtered(
                lambda move: move.state == 'posted' and move.move_type in ('out_invoice', 'out_receipt')
            )
            for move in told.sudo():
                move.dunning_dues = move._dunning_dues()
        return super().write(vals)

    def _dunning_dues(self):
        """Return the days on which the items of this invoice are due, as texts and in order."""
        items = self._dunning_instalments()
        return [fields.Date.to_string(line.date_maturity or line.date or self.date) for line in items]

    @api.depends('state', 'dunning_dues', 'invoice_date_due', 'invoice_payment_term_id', 'line_ids.date_maturity')
    def _compute_dunning_due_differs(self):
        for move in self:
            told = move.state == 'draft' and move.dunning_dues
            if not told:
                move.dunning_due_differs = False
            elif not move.invoice_payment_term_id:
                move.dunning_due_differs = told != [fields.Date.to_string(move.invoice_date_due)]
            else:
                # The items follow a changed term only when the invoice is saved.
                changed = move._origin and move.invoice_date_due != move._origin.invoice_date_due
                move.dunning_due_differs = bool(changed) or told != move._dunning_dues()

    def _keep_due_changes(self):
        """Note what has become of the due dates of these invoices, which were posted again."""
        unstated = self.env._("Reset to draft and posted again; no reason was stated.")
        vals_list = []
        for move in self:
            told, due = move.dunning_dues, move._dunning_dues()
            if len(told) != len(due):
                told, due = ([days[0], days[-1]] if days else [] for days in (told, due))
            changes = {(before, after) for before, after in zip(told, due, strict=False) if before != after}
            vals_list += [
                {
                    'move_id': move.id,
                    'date_before': before,
                    'date_after': after,
                    'reason': (move.dunning_due_reason or '').strip() or unstated,
                    'user_id': self.env.uid,
                }
                for before, after in sorted(changes)
            ]
        self.env['dunning.due.change'].create(vals_list)
        self.write({'dunning_dues': False, 'dunning_due_reason': False})

    def _check_due_reason(self, day):
        moves = self.filtered(
            lambda move: (
                move.state == 'posted'
                and move.move_type in ('out_invoice', 'out_receipt')
                and move.invoice_date_due
                and move.invoice_date_due != day
            )
        )
        if moves:
            (moves - self.env['dunning.due.change']._stated(moves, day))._refuse_unstated_due()

    def _refuse_unstated_due(self):
        """Refuse that a user changes the due date of these posted invoices past the dialog.

        :raise UserError: if there is any
        """
        if self and not self.env.su:
            raise UserError(
                self.env._(
                    "%(invoice)s is posted: the customer was told when it is due. Use Change Due Date, which asks for "
                    "the reason and keeps it.",
                    invoice=self[0].name,
                )
            )

    def action_dunning_change_due(self):
        """Open the dialog that changes the due date of a posted invoice.

        :raise UserError: if it is no open invoice of a customer
        :raise AccessError: if the user may not change invoices
        """
        self.ensure_one()
        self.check_access('write')
        if self.state != 'posted' or self.move_type not in ('out_invoice', 'out_receipt') or not self._dunning_items():
            raise UserError(self.env._("Only of posted invoices that are still open the due date is changed this way."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Change Due Date"),
            'res_model': 'dunning.due.date',
            'views': [(False, 'form')],
            'target': 'new',
            'context': {'default_move_id': self.id},
        }

    # -------------------------------------------------------------------------
    # Actions
    # -------------------------------------------------------------------------

    def action_dunning_pause(self):
        """Open the dialog that pauses reminders of this invoice.

        :raise AccessError: if the user is no collector
        """
        self.ensure_one()
        return self.env['dunning.pause']._dialog(move=self)

    def action_dunning_dispute(self):
        """Open the dialog that notes what the customer disputes.

        :raise AccessError: if the user is no collector
        """
        self.ensure_one()
        self.env['dunning.dispute'].check_access('create')
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Dispute"),
            'res_model': 'dunning.dispute',
            'views': [(self.env.ref('dunning_followup.dunning_dispute_view_form_dialog').id, 'form')],
            'target': 'new',
            'context': {'default_move_id': self.id},
        }

    def action_dunning_restart(self):
        """Open the dialog that notes what restarts the limitation period of these invoices.

        :raise AccessError: if the user is no collector
        :raise UserError: if they are not of one customer
        """
        self.env['dunning.limitation.event'].check_access('create')
        if len(self.commercial_partner_id) != 1 or len(self.company_id.root_id) != 1:
            raise UserError(self.env._("Choose invoices of one customer and company."))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Restart of Limitation"),
            'res_model': 'dunning.limitation.event',
            'views': [(self.env.ref('dunning_followup.dunning_limitation_event_view_form_dialog').id, 'form')],
            'target': 'new',
            'context': {
                'default_partner_id': self.commercial_partner_id.id,
                'default_company_id': self.company_id.root_id.id,
                'default_move_ids': [fields.Command.set(self.ids)],
            },
        }
