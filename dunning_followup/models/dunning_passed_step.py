from itertools import groupby

from odoo import api, fields, models
from odoo.tools import SQL

from ..engine import schedule
from .dunning_notice import _left


class DunningPassedStep(models.Model):
    """A step that a customer refuses for its channel: what it brings in the house holds all the same.

    From its day on there is no more credit, and a manager knows, as if it had been sent. It takes effect when a run is
    released, once, and stays, also if the customer allows the channel again. The item's place on the time line is the
    same: what can be sent to it is sent.
    """

    _name = 'dunning.passed.step'
    _description = "Reminder Step Passed Over"
    _order = 'date desc, id desc'
    _rec_name = 'step_id'

    move_line_id = fields.Many2one('account.move.line', string="Item", required=True, ondelete='cascade')
    company_id = fields.Many2one(related='move_line_id.company_id', store=True)
    step_id = fields.Many2one('dunning.step', required=True, index=True, ondelete='restrict')
    date = fields.Date(required=True, help="Since when what the step brings in the house holds.")

    _item_step_unique = models.UniqueIndex('(move_line_id, step_id)', "A step is passed over once.")

    @api.model
    def _take_effect(self, run):
        """Let the steps hold that customers of a run which is being released get today and refuse.

        Customers whom a person has taken out of the run are left alone.
        """
        company, plans = run.company_id, run._plans()
        steps = plans.step_ids.filtered(lambda step: step.no_more_credit or step.escalate)
        domain = ['|', ('refused', '=', True), '&', ('state', '=', 'draft'), ('passed_over', '!=', False)]
        partner_ids = steps and self.env['dunning.notice'].search([('run_id', '=', run.id), *domain]).partner_id.ids
        if not partner_ids:
            return
        today = company._credit_today()
        rows = self.env['dunning.item']._rows(company, today, partner_ids)
        reasons = self.env['dunning.exclusion']._excluded(
            self.env['account.move.line'].browse(row['id'] for row in rows), company, today
        )
        refused = plans._refused_steps(company, partner_ids)
        engine_steps, starts = plans._engine_steps(), {plan.id: plan.start for plan in plans}
        left, customer_of, passed = {}, {}, []
        # pylint: disable=bad-builtin-groupby; the rows are in the order of their customers.
        for partner_id, mine in groupby(rows, key=lambda row: row['partner_id']):
            items, plan_id = [], None
            for row in mine:
                plan_id, customer_of[row['id']] = row['plan_id'], partner_id
                left[row['id']], _currency_part = _left(row, reasons, company)
                stopped = company.currency_id.compare_amounts(left[row['id']], 0.0) <= 0 or row['in_notice']
                progress = row['step_id'] and schedule.Progress(row['step_id'], row['step_days'], row['date_step'])
                items.append(schedule.Item(row['id'], row['date_due'] or today, progress or None, stopped))
            if plan_id in engine_steps and partner_id in refused:
                found = schedule.refused_steps(
                    items, engine_steps[plan_id], today, starts[plan_id], refused[partner_id].keys()
                )
                passed += [(item_id, step.id) for item_id, step in found if step.id in steps.ids]
        new = self._insert([(*pair, today) for pair in passed])
        self._tell(company, steps, [(customer_of[item_id], step_id, left[item_id]) for item_id, step_id in new])

    @api.model
    def _insert(self, rows):
        """Note steps that are passed over; return (item id, step id) of those that were not noted before.

        :param rows: list of (item id, step id, date)
        """
        if not rows:
            return []
        items, steps, dates = map(list, zip(*rows, strict=True))
        new = self.env.execute_query(
            SQL(
                """
                INSERT INTO dunning_passed_step
                       (move_line_id, company_id, step_id, date, create_uid, create_date, write_uid, write_date)
                SELECT line.id, line.company_id, new.step_id, new.date,
                       %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(items)s, %(steps)s, %(dates)s::date[]) AS new (line_id, step_id, date)
                  JOIN account_move_line line ON line.id = new.line_id
                ON CONFLICT (move_line_id, step_id) DO NOTHING
             RETURNING move_line_id, step_id
                """,
                uid=self.env.uid,
                items=items,
                steps=steps,
                dates=dates,
            )
        )
        self.invalidate_model()
        return new

    @api.model
    def _tell(self, company, steps, passed):
        """Note in the credit files what holds from now on, and give a manager an activity where a step escalates.

        :param passed: list of (customer id, step id, amount of an item)
        """
        sums = {}
        for partner_id, step_id, amount in passed:
            count, total = sums.get((partner_id, step_id), (0, 0.0))
            sums[partner_id, step_id] = (count + 1, total + amount)
        partners = self.env['res.partner'].browse({partner_id for partner_id, _step_id in sums})
        accounts = self.env['credit.account']._for_partners(partners, company).grouped(lambda one: one.partner_id.id)
        entries, furthest = [], {}
        for (partner_id, step_id), (count, total) in sums.items():
            step, amount = steps.browse(step_id), company.currency_id.round(total)
            payload = {
                'dunning_step_id': step_id,
                'channel': step.channel,
                'amount': amount,
                'currency_id': company.currency_id.id,
                'items': count,
                'no_more_credit': step.no_more_credit,
                'escalate': step.escalate,
            }
            entries.append((accounts[partner_id], 'dunning_passed_over', payload))
            if step.escalate and step.days >= furthest.get(partner_id, (step, 0.0))[0].days:
                furthest[partner_id] = (step, amount)
        self.env['credit.event']._record(entries)
        self.env['mail.activity'].with_context(mail_activity_quick_update=True).create(
            [
                accounts[partner_id]._prepare_escalation(step, amount, refused=True)
                for partner_id, (step, amount) in furthest.items()
            ]
        )
