from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..engine.chain import Seal, heads_text, seal_hash

HEAD_PATTERN = r'^(\d{1,9}) (\d{1,9}) ([0-9a-f]{64})$'


class CreditSeal(models.Model):
    """Where the chains of a company's credit file ended one night.

    A chain that lost its tail is whole as such; only somebody who wrote down
    where it ended can tell. Each seal holds the heads that changed since the
    seal before and that seal's hash; the counter of the company holds the last
    seal's.
    """

    _name = 'credit.seal'
    _description = "Credit File Seal"
    _order = 'id desc'
    _rec_name = 'number'
    _log_access = False

    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='restrict')
    number = fields.Integer(required=True, readonly=True, aggregator=None, help="Counts the company's seals from 1.")
    date = fields.Datetime(required=True, readonly=True)
    heads = fields.Text(
        required=True,
        readonly=True,
        help="Account, number and hash of the last event of each account with events since the seal before.",
    )
    head_count = fields.Integer(
        string="Number of Accounts", compute='_compute_head_count', help="Accounts with events since the seal before."
    )
    previous_hash = fields.Char(
        string="Hash Before", required=True, readonly=True, help="Of the company's seal before."
    )
    hash = fields.Char(required=True, readonly=True, help="SHA-256 of the heads and the hash before.")

    _company_number_unique = models.UniqueIndex('(company_id, number)', "A seal has a number of its own.")

    def init(self):
        # EXTENDS base: what the ORM refuses, the database refuses below it as well
        super().init()
        self.env['credit.event']._lock_table(self._table)

    @api.depends('heads')
    def _compute_head_count(self):
        for seal in self:
            seal.head_count = seal.heads.count(';') + 1 if seal.heads else 0

    @api.depends('number')
    def _compute_display_name(self):
        for seal in self:
            seal.display_name = self.env._("Seal %(number)s", number=seal.number)

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit file writes itself; nothing can be added by hand."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("The credit file is kept as it is and can't be changed."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The credit file is kept as it is and can't be deleted."))

    # -------------------------------------------------------------------------
    # Sealing
    # -------------------------------------------------------------------------

    @api.model
    def _cron_seal(self):
        """Seal each company's credit file."""
        # What an archived company has on file is kept as well.
        companies = (
            self.env['res.company'].with_context(active_test=False).search([('parent_id', '=', False)], order='id')
        )
        self.env['credit.counter']._each_company(
            companies, self._seal, 'credit_management.mail_activity_type_seal_failed'
        )

    @api.model
    def _seal(self, company):
        """Seal the heads that changed since the last seal of a root company.

        :returns: the seal, none if nothing changed
        """
        heads = self.env.execute_query(
            SQL(
                """
                SELECT counter.account_id, counter.head_number, counter.head_hash
                  FROM credit_counter counter
                  JOIN credit_account account ON account.id = counter.account_id
             LEFT JOIN (SELECT DISTINCT ON (account_id) * FROM (%(sealed)s) AS every
                      ORDER BY account_id, seal DESC) AS sealed ON sealed.account_id = counter.account_id
                 WHERE account.company_id = %(company)s
                   AND counter.head_number > 0
                   AND (sealed.number, sealed.hash) IS DISTINCT FROM (counter.head_number, counter.head_hash::text)
              ORDER BY counter.account_id
                """,
                sealed=self._heads_sql(company),
                company=company.id,
            )
        )
        if not heads:
            return self.browse()
        Counters = self.env['credit.counter']
        head = Counters._advance('company_id', {company.id: 1})[company.id]
        now = datetime.now(timezone.utc).replace(tzinfo=None)
        seal = Seal(company.id, head.number + 1, now, heads_text(heads), head.hash, '')
        seal = seal._replace(hash=seal_hash(seal))
        [(id_,)] = self.env.execute_query(
            SQL(
                "INSERT INTO credit_seal (%s) VALUES %s RETURNING id",
                SQL(", ").join(map(SQL.identifier, Seal._fields)),
                tuple(seal),
            )
        )
        Counters._set_heads('company_id', {company.id: seal.hash})
        return self.browse(id_)

    # -------------------------------------------------------------------------
    # SQL
    # -------------------------------------------------------------------------

    @api.model
    def _rows_sql(self, company):
        """Return the SELECT of a root company's seals as `Seal`, in their order."""
        return SQL(
            "SELECT %s FROM credit_seal WHERE company_id = %s ORDER BY number, id",
            SQL(", ").join(map(SQL.identifier, Seal._fields)),
            company.id,
        )

    @api.model
    def _heads_sql(self, company, numbers=None, accounts=None):
        """Return the SELECT of sealed heads (account_id, number, hash, seal), in the order of account and number.

        If a number was sealed twice, the first seal comes last: it is the one that counts.

        :param numbers: those of the seals that count; None for all
        :param accounts: credit.account; None for all, also those that are no more
        """
        conditions = [SQL("seal.company_id = %s", company.id), SQL("head IS NOT NULL")]
        if numbers is not None:
            conditions.append(SQL("seal.number = ANY(%s)", sorted(numbers)))
        if accounts is not None:
            conditions.append(SQL("head[1]::int = ANY(%s)", accounts.ids))
        return SQL(
            """
            SELECT head[1]::int AS account_id, head[2]::int AS number, head[3] AS hash, seal.number AS seal
              FROM credit_seal seal
        CROSS JOIN LATERAL unnest(string_to_array(seal.heads, ';')) AS line
        CROSS JOIN LATERAL regexp_match(line, %s) AS head
             WHERE %s
          ORDER BY 1, 2, 4 DESC
            """,
            HEAD_PATTERN,
            SQL(" AND ").join(conditions),
        )
