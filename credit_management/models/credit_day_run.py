import logging

from odoo import fields, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

_logger = logging.getLogger(__name__)


class CreditDayRun(models.AbstractModel):
    """One day of one company on which a job goes through its accounts: how far it is, and whether the day is whole.

    The model that inherits does the next piece in `_step` and tells in `_fail`
    whom a failure concerns.
    """

    _name = 'credit.day.run'
    _description = "Day of a Job"
    _order = 'date desc, company_id'
    _rec_name = 'date'

    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    date = fields.Date(required=True, readonly=True, help="Day in the company's calendar.")
    state = fields.Selection(
        [('todo', "To do"), ('done', "Done"), ('failed', "Failed"), ('incomplete', "Incomplete")],
        required=True,
        readonly=True,
        default='todo',
    )
    position = fields.Integer(readonly=True, help="Last account that was done: here an interrupted run goes on.")
    error = fields.Char(readonly=True)
    date_done = fields.Datetime(string="Done On", readonly=True)

    def _step(self):
        """Do the next piece of this run and tell whether the day is done."""
        raise NotImplementedError

    def _fail(self, error):
        """Note a failure; extend to tell someone, once until it is mended."""
        self.write({'state': 'failed', 'error': type(error).__name__})

    def _work(self):
        """Do these runs piece by piece, each committed; return False when the time of the scheduled action is over.

        Can be killed at any point and goes on where it was. Several workers
        share the runs: one is taken by one of them. A company that fails is
        reported and does not stop the others.
        """
        commit = self.env['ir.cron']._commit_progress
        left = len(self)
        commit(remaining=left)
        for run in self:
            done = False
            while not done:
                try:
                    if not (taken := run.try_lock_for_update()) or taken.state not in ('todo', 'failed'):
                        left -= 1
                        break  # another worker has it, or has done it
                    done = run._step()
                    # Else a conflict comes up with the commit, and the job ends there.
                    self.env.flush_all()
                except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
                    self.env.cr.rollback()
                    break  # stays to do, the job is called again at once
                except Exception as error:
                    # Whatever it is: the other companies go on, and someone is told.
                    self.env.cr.rollback()
                    _logger.exception("%s of company %s for %s failed", self._description, run.company_id.id, run.date)
                    run._fail(error)
                    done = True
                left -= done
                if not commit(1, remaining=left):
                    return False
        return True
