from odoo import api, fields, models
from odoo.tools import SQL


class DunningProgress(models.Model):
    """Where an open item is on the time line of its reminders: the last step that it got."""

    _name = 'dunning.progress'
    _description = "Reminder Progress"
    _order = 'date_step desc, id desc'
    _rec_name = 'step_id'

    move_line_id = fields.Many2one('account.move.line', string="Item", required=True, index=True, ondelete='cascade')
    move_id = fields.Many2one(related='move_line_id.move_id', string="Invoice")
    partner_id = fields.Many2one(related='move_line_id.partner_id', string="Customer")
    company_id = fields.Many2one(related='move_line_id.company_id', store=True)
    plan_id = fields.Many2one('dunning.plan', required=True, index=True, ondelete='restrict')
    step_id = fields.Many2one('dunning.step', required=True, index=True, ondelete='restrict')
    days = fields.Integer(
        string="Position", required=True, help="Days relative to the due date of the step when it was sent."
    )
    date_step = fields.Date(string="Sent On", required=True)
    next_date = fields.Date(string="Next On", help="When the next step comes, if nothing is paid until then.")
    notice_id = fields.Many2one('dunning.notice', index='btree_not_null', ondelete='set null')

    _move_line_unique = models.UniqueIndex('(move_line_id)', "An item has one place on the time line.")

    @api.model
    def _advance(self, rows):
        """Move items forward; one that is further already stays there.

        :param rows: list of (move_line_id, company_id, plan_id, step_id, days, date_step, next_date, notice_id)
        """
        if not rows:
            return
        # Of two places of one item the further one: a statement can't move a row twice.
        rows = list({row[0]: row for row in sorted(rows, key=lambda row: (row[4], row[5]))}.values())
        self.env.execute_query(
            SQL(
                """
                INSERT INTO dunning_progress AS progress
                       (move_line_id, company_id, plan_id, step_id, days, date_step, next_date, notice_id,
                        create_uid, create_date, write_uid, write_date)
                SELECT new.*, %(uid)s, now() AT TIME ZONE 'UTC', %(uid)s, now() AT TIME ZONE 'UTC'
                  FROM unnest(%(line)s, %(company)s, %(plan)s, %(step)s, %(days)s, %(date)s::date[],
                              %(next)s::date[], %(notice)s) AS new
                ON CONFLICT (move_line_id) DO UPDATE
                   SET plan_id = EXCLUDED.plan_id, step_id = EXCLUDED.step_id, days = EXCLUDED.days,
                       date_step = EXCLUDED.date_step, next_date = EXCLUDED.next_date,
                       notice_id = EXCLUDED.notice_id, write_uid = EXCLUDED.write_uid,
                       write_date = EXCLUDED.write_date
                 WHERE progress.date_step <= EXCLUDED.date_step
                   AND (progress.days < EXCLUDED.days OR progress.notice_id = EXCLUDED.notice_id)
             RETURNING id
                """,
                uid=self.env.uid,
                **dict(
                    zip(
                        ('line', 'company', 'plan', 'step', 'days', 'date', 'next', 'notice'),
                        map(list, zip(*rows, strict=True)),
                        strict=True,
                    )
                ),
            )
        )
        self.invalidate_model()
