from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.credit_management.models.credit_snapshot import KnownFloat

from ..engine import score as engine

# Customers in one pass over the ledger.
BATCH = 1000
READERS = 'credit_management.group_credit_analyst,credit_management.group_credit_auditor'
REASONS = 3


class ScoringScore(models.Model):
    """A customer's score as it was computed on a day, with all that explains it.

    Append only. A day on which nothing changed writes no row: the score of a day
    is the last one up to it.
    """

    _name = 'scoring.score'
    _inherit = ['scoring.kept']
    _description = "Score"
    _order = 'date desc, id desc'
    _log_access = False

    account_id = fields.Many2one('credit.account', required=True, readonly=True, index=True, ondelete='cascade')
    partner_id = fields.Many2one(related='account_id.partner_id', string="Customer")
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True, ondelete='cascade')
    date = fields.Date(required=True, readonly=True, index=True, help="The day as of which the figures are.")
    card_id = fields.Many2one('scoring.card', string="Scorecard", required=True, readonly=True, ondelete='restrict')
    score = fields.Float(
        required=True, readonly=True, digits=(16, 1), aggregator='avg', help="From 0, the worst, to 100, the best."
    )
    grade_id = fields.Many2one(
        'credit.grade', string="Grade of the Score", readonly=True, ondelete='restrict', index='btree_not_null'
    )
    grade_color = fields.Integer(related='grade_id.color', string="Grade Color")
    change = fields.Float(
        readonly=True, digits=(16, 1), aggregator='avg', help="Compared with the score before; 0 for the first."
    )
    grade_before_id = fields.Many2one('credit.grade', readonly=True, ondelete='restrict')
    invoice_count = fields.Integer(
        string="Invoices",
        readonly=True,
        aggregator='avg',
        help="Instalments of invoices of the last 24 months that were paid or are past due: what the score rests on.",
    )
    little = fields.Boolean(string="Little History", readonly=True, help="It rests on few invoices.")
    behaviour = KnownFloat(
        string="Own Way of Paying",
        readonly=True,
        digits=(16, 1),
        aggregator='avg',
        help="What the customer's own invoices give, 0 to 100. With few of them the score lies between this and the "
        "average of the segment.",
    )
    prior = fields.Float(
        string="Average of the Segment",
        readonly=True,
        digits=(16, 1),
        aggregator='avg',
        help="Way of paying, 0 to 100.",
    )
    drawn = fields.Float(
        string="Drawn Towards the Segment",
        readonly=True,
        digits=(16, 1),
        aggregator='avg',
        help="By so many points the score differs from the sum of its characteristics.",
    )
    stake = KnownFloat(
        string="Stake Score",
        readonly=True,
        digits=(16, 1),
        aggregator='avg',
        help="From the characteristics about the amount at stake, 0 (much at stake) to 100. No part of the score.",
    )
    advisory = fields.Boolean(
        string="Natural Person",
        readonly=True,
        help="Advice only: somebody has to decide about the grade of a natural person.",
    )
    user_id = fields.Many2one('res.users', string="Computed By", readonly=True, ondelete='set null')
    digest = fields.Char(readonly=True, help="What has to differ for another row to be written.")
    line_ids = fields.One2many('scoring.score.line', 'score_id', string="Why This Grade?", readonly=True)
    has_behaviour = fields.Boolean(compute='_compute_texts')
    has_stake = fields.Boolean(compute='_compute_texts')
    rest_text = fields.Char(string="Rests On", compute='_compute_texts')
    reason = fields.Text(string="Main Reasons", compute='_compute_texts')

    _account_date_index = models.Index('(account_id, date DESC, id DESC)')

    # -------------------------------------------------------------------------
    # In words
    # -------------------------------------------------------------------------

    @api.depends('account_id', 'date')
    def _compute_display_name(self):
        for score in self:
            score.display_name = f'{score.account_id.display_name} {fields.Date.to_string(score.date)}'

    @api.depends('invoice_count', 'little', 'behaviour', 'line_ids', 'stake')
    @api.depends_context('lang')
    def _compute_texts(self):
        for score in self:
            # A view can't tell 0 from what is not known.
            score.has_behaviour, score.has_stake = score.behaviour is not False, score.stake is not False
            pull = score.card_id.pull
            own = score.invoice_count / (score.invoice_count + pull) if score.invoice_count + pull else 1.0
            own = own if score.has_behaviour else 0.0
            score.rest_text = self.env._(
                "Invoices: %(count)s. Own history %(own)s %%, average of the segment %(rest)s %%",
                count=score.invoice_count,
                own=round(100 * own),
                rest=100 - round(100 * own),
            )
            worst = score.line_ids.filtered(lambda line: not line.stake and line.lost > 0.05).sorted(
                'lost', reverse=True
            )
            score.reason = '\n'.join(
                self.env._(
                    "%(name)s: %(value)s (−%(lost)s)",
                    name=line.display_name,
                    value=line.value_text,
                    lost=f'{line.lost:.1f}',
                )
                for line in worst[:REASONS]
            )

    # -------------------------------------------------------------------------
    # Computing
    # -------------------------------------------------------------------------

    @api.model
    def _entered_values(self, partner_ids, company, date):
        """Return {metric: {partner id: value}} of what was entered about customers and known at a date."""
        return self.env['scoring.entered'].sudo()._values(partner_ids, company, date)

    @api.model
    def _evaluate(self, partners, company, date, card=None):
        """Score customers as of a date without storing anything.

        Works with sudo: what it reads is more than most users may.

        :param partners: commercial partners
        :param company: the root company
        :param card: the card to use; None for the one of each customer's segment that was in force on the day
        :returns: {partner id: (scoring.card, the engine's Result)}, of those of whom anything is known
        """
        self = self.sudo()
        groups = {card: partners} if card else self.env['scoring.card']._cards_of(partners, company, date)
        results = {}
        for used, chosen in groups.items():
            frozen, prior = used.sudo()._to_engine(), self.env['scoring.prior']._of(used, date)
            codes = {item.metric.code for item in frozen.characteristics}
            customers = self._ledger_customers(chosen.ids, company, date, codes)
            for code, values in self._entered_values(chosen.ids, company, date).items():
                for partner_id, value in values.items():
                    customers[partner_id].others[code] = value
            for partner_id, customer in customers.items():
                if result := engine.evaluate(frozen, customer, prior):
                    results[partner_id] = (used, result)
        return results

    @api.model
    def _compute_for(self, accounts, date=None):
        """Score accounts of one company for its today and store what is new, then write the grades that follow.

        :param date: the company's today, if the caller knows it already
        :returns: the number of accounts that have a score
        """
        company = accounts.company_id
        company.ensure_one()
        date = date or company._credit_today()
        accounts = accounts.sudo().filtered('active')
        scored = 0
        for start in range(0, len(accounts), BATCH):
            batch = accounts[start : start + BATCH]
            results = self._evaluate(batch.partner_id, company, date)
            by_account = {
                account: results[account.partner_id.id] for account in batch if account.partner_id.id in results
            }
            self.sudo()._store(company, date, by_account)
            scored += len(by_account)
        return scored

    @api.model
    def _digest(self, card, result):
        lines = ','.join(f'{line.characteristic.id}:{line.points}' for line in result.lines)
        return f'{card.id}|{result.score}|{result.grade_id}|{result.count}|{result.stake}|{lines}'

    @api.model
    def _store(self, company, date, results):
        """Write the scores that differ from the last ones, and note on all accounts that they were scored.

        :param results: {credit.account: (scoring.card, the engine's Result)}
        """
        if not results:
            return
        self.env['credit.account'].flush_model(['grade_id', 'score', 'score_advisory', 'score_date', 'score_id'])
        last = {
            row['account_id']: row
            for row in self.env.execute_query_dict(
                SQL(
                    """
                    -- One after the other: of a table that was empty when the planner last looked, as in the first
                    -- night, it would join all rows with all.
                    SELECT account.id AS account_id, score.digest, score.score, score.grade_id, score.date
                      FROM credit_account account
                CROSS JOIN LATERAL (SELECT * FROM scoring_score WHERE id = account.score_id OFFSET 0) AS score
                     WHERE account.id = ANY(%s)
                    """,
                    [account.id for account in results],
                )
            )
        }
        changed = {
            account: found
            for account, found in results.items()
            if account.id not in last or last[account.id]['digest'] != self._digest(*found)
        }
        ids = self._insert(company, date, changed, last) if changed else {}
        # On the account by SQL: it is no change of what was decided about the customer.
        self.env.execute_query(
            SQL(
                """
                UPDATE credit_account
                   SET score_id = COALESCE(new.score_id, credit_account.score_id), score = new.score,
                       score_date = %(date)s, score_advisory = new.advisory
                  FROM unnest(%(accounts)s::int[], %(scores)s::int[], %(values)s::numeric[], %(advisory)s::bool[])
                       AS new(account_id, score_id, score, advisory)
                 WHERE credit_account.id = new.account_id
             RETURNING credit_account.id
                """,
                date=date,
                accounts=[account.id for account in results],
                scores=[ids.get(account.id) for account in results],
                values=[result.score for _card, result in results.values()],
                advisory=[not account.partner_id.is_company for account in results],
            )
        )
        # With what is computed from them.
        self.env['credit.account'].union(*results).invalidate_recordset()
        self._note_grades(changed, ids, last)
        self._write_grades(results, last)

    @api.model
    def _insert(self, company, date, results, last):
        """Insert scores and their lines, in two statements, and return {account id: score id}."""
        rows = []
        for account, (card, result) in results.items():
            before = last.get(account.id)
            rows.append(
                (
                    account.id,
                    company.id,
                    date,
                    card.id,
                    result.score,
                    result.grade_id or None,
                    round(result.score - float(before['score']), 1) if before else 0.0,
                    before and before['grade_id'],
                    result.count,
                    result.little,
                    None if result.behaviour is None else round(result.behaviour, 1),
                    result.prior,
                    round(result.drawn, 1),
                    result.stake,
                    not account.partner_id.is_company,
                    self.env.uid,
                    self._digest(card, result),
                )
            )
        columns = (
            ('account_id', 'int'), ('company_id', 'int'), ('date', 'date'), ('card_id', 'int'), ('score', 'numeric'),
            ('grade_id', 'int'), ('change', 'numeric'), ('grade_before_id', 'int'), ('invoice_count', 'int'),
            ('little', 'bool'), ('behaviour', 'numeric'), ('prior', 'numeric'), ('drawn', 'numeric'),
            ('stake', 'numeric'), ('advisory', 'bool'), ('user_id', 'int'), ('digest', 'varchar'),
        )  # fmt: skip
        ids = {row[1]: row[0] for row in self._insert_rows(self._table, columns, rows, "id, account_id")}
        lines = [
            line for account, (_card, result) in results.items() for line in self._line_rows(ids[account.id], result)
        ]
        self._insert_rows(
            'scoring_score_line',
            (
                ('score_id', 'int'), ('company_id', 'int'), ('characteristic_id', 'int'), ('metric', 'varchar'),
                ('stake', 'bool'), ('value', 'numeric'), ('bin_id', 'int'), ('points', 'numeric'),
                ('share', 'numeric'), ('most', 'numeric'), ('lost', 'numeric'), ('step_kind', 'varchar'),
                ('step_bin_id', 'int'), ('step_bound', 'numeric'), ('step_number', 'numeric'), ('step_gain', 'numeric'),
                ('step_score', 'numeric'), ('step_grade_id', 'int'),
            ),
            [(line[0], company.id, *line[1:]) for line in lines],
            "id",
        )  # fmt: skip
        self.invalidate_model()
        self.env['scoring.score.line'].invalidate_model()
        return ids

    @api.model
    def _insert_rows(self, table, columns, rows, returning):
        if not rows:
            return []
        return self.env.execute_query(
            SQL(
                "INSERT INTO %(table)s (%(names)s) SELECT * FROM unnest(%(arrays)s) RETURNING %(returning)s",
                table=SQL.identifier(table),
                names=SQL(", ").join(SQL.identifier(name) for name, _type in columns),
                arrays=SQL(", ").join(
                    SQL("%s::%s", _array(values), SQL(f"{type_}[]"))
                    for (_name, type_), values in zip(columns, zip(*rows, strict=True), strict=True)
                ),
                returning=SQL(returning),
            )
        )

    @api.model
    def _line_rows(self, score_id, result):
        """Yield the rows of a score's lines, without the company."""
        for line in result.lines:
            step, item = line.step, line.characteristic
            yield (
                score_id,
                item.id,
                item.metric.code,
                item.metric.stake,
                None if line.value is None else round(line.value, 4),
                line.bin.id if line.bin else None,
                line.points,
                round(line.share, 2),
                round(line.most, 2),
                round(line.lost, 2),
                *(
                    (step.kind, step.bin.id, step.bound, step.number, step.gain, step.score, step.grade_id or None)
                    if step
                    else (None,) * 7
                ),
            )

    # -------------------------------------------------------------------------
    # Grades
    # -------------------------------------------------------------------------

    @api.model
    def _note_grades(self, results, ids, last):
        """Note in the credit files whose score has another grade than before."""
        self.env['credit.event']._record(
            [
                (
                    account,
                    'scored',
                    {
                        'score_id': ids[account.id],
                        'card_id': card.id,
                        'score': result.score,
                        'grade_before_id': (last.get(account.id) or {}).get('grade_id') or None,
                        'grade_id': result.grade_id or None,
                    },
                )
                for account, (card, result) in results.items()
                if result.grade_id != ((last.get(account.id) or {}).get('grade_id') or 0)
            ]
        )

    @api.model
    def _write_grades(self, results, last):
        """Write the grades of the scores on the accounts, where a card is to and nobody has decided otherwise.

        A grade is written when the grade of the score changes, or where there is
        none yet: one that was chosen by hand stays until then. Never that of a
        natural person.
        """
        overridden = self.env['scoring.override']._in_force(self.env['credit.account'].union(*results)).account_id
        accounts_of = {}
        for account, (card, result) in results.items():
            grade_id, before = result.grade_id, (last.get(account.id) or {}).get('grade_id')
            if (
                card.grade_mode == 'write'
                and grade_id
                and account.grade_id.id != grade_id
                and account.partner_id.is_company
                and account not in overridden
                and (not account.grade_id or (before and before != grade_id))
            ):
                accounts_of.setdefault((grade_id, card.write_terms), []).append(account.id)
        for (grade_id, write_terms), account_ids in accounts_of.items():
            # Thousands at a time in the first night; the credit file has each of them.
            accounts = self.env['credit.account'].browse(account_ids).with_context(tracking_disable=True)
            accounts.write({'grade_id': grade_id})
            if write_terms:
                # Where price lists are not in use, nobody would see what was written.
                pricelists = self.env['res.groups']._is_feature_enabled('product.group_product_pricelist')
                accounts._write_terms_of_grade(pricelist=pricelists)

    # -------------------------------------------------------------------------
    # As of a date
    # -------------------------------------------------------------------------

    @api.model
    def _as_of(self, accounts, date):
        """Return {account: the score that it had on a day}, of those that had one; in one statement."""
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT ON (account_id) account_id, id
                  FROM scoring_score
                 WHERE account_id = ANY(%s) AND date <= %s
              ORDER BY account_id, date DESC, id DESC
                """,
                accounts.ids,
                date,
            )
        )
        return {accounts.browse(account_id): self.browse(score_id) for account_id, score_id in rows}

    def action_apply_grade(self):
        """Ask about the grade of this score for the account, with what it implies; for analysts and managers.

        :raise AccessError: if the user may not write the account
        :raise UserError: if it is the account's grade already
        """
        self.ensure_one()
        self.check_access('read')
        account = self.account_id
        if not self.grade_id or self.grade_id == account.grade_id:
            raise UserError(self.env._("The account has this grade already."))
        action = account.action_change_grade()
        self.env['credit.grade.change'].browse(action['res_id']).write(
            {
                'grade_id': self.grade_id.id,
                'reason': self.env._("Score %(score)s of %(date)s", score=self.score, date=self.date),
            }
        )
        return action

    def action_view_account(self):
        """Open the credit account of this score."""
        self.ensure_one()
        return self.account_id.get_formview_action()


def _array(values):
    """Return values as PostgreSQL writes an array: it reads that much faster than an expression of all of them."""

    def element(value):
        if isinstance(value, str):
            return '"%s"' % value.replace('\\', r'\\').replace('"', r'\"')
        return 'NULL' if value is None else str(value)

    return '{%s}' % ','.join(map(element, values))
