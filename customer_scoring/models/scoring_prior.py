from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.date_utils import add

# Of fewer customers an average is none.
CUSTOMERS = 10


class ScoringPrior(models.Model):
    """The average way of paying of a card's customers, from a day on: what thin files are drawn towards.

    Kept by day, so that a score of that day can be computed again.
    """

    _name = 'scoring.prior'
    _description = "Average of a Segment"
    _order = 'date desc, id desc'
    _rec_name = 'card_id'
    _log_access = False

    card_id = fields.Many2one('scoring.card', required=True, readonly=True, ondelete='cascade')
    company_id = fields.Many2one(related='card_id.company_id', store=True)
    date = fields.Date(required=True, readonly=True, help="From this day on.")
    value = fields.Float(required=True, readonly=True, digits=(16, 1), aggregator='avg')
    customer_count = fields.Integer(string="Customers", required=True, readonly=True)

    _card_date_unique = models.UniqueIndex('(card_id, date)', "A card has one average per day.")

    @api.model
    def _of(self, card, date):
        """Return the average that holds for a card at a date, the assumed one before the first."""
        prior = self.sudo().search([('card_id', '=', card.id), ('date', '<=', date)], order='date desc', limit=1)
        return prior.value if prior else card.prior

    @api.model
    def _note(self, card, date, values):
        """Keep the average of some customers' ways of paying for a card, from a day on."""
        if len(values) < CUSTOMERS:
            return
        vals = {'value': round(sum(values) / len(values), 1), 'customer_count': len(values)}
        if known := self.search([('card_id', '=', card.id), ('date', '=', date)]):
            known.write(vals)
        else:
            self.create({'card_id': card.id, 'date': date, **vals})

    @api.model
    def _estimate(self, card, date, sample):
        """Take the average of a sample of a card's customers, for its first run."""
        Scores = self.env['scoring.score'].sudo()
        partners = card._sample(sample)
        results = Scores._evaluate(partners, card.company_id, date, card=card)
        self._note(
            card,
            date,
            [
                result.behaviour
                for _card, result in results.values()
                if result.behaviour is not None and result.count >= max(1, card.little)
            ],
        )

    @api.model
    def _take(self, company, date):
        """Keep the averages of a company's active cards after a run, from the next day on."""
        self.env['scoring.score'].flush_model()
        for card in self.env['scoring.card'].search([('company_id', '=', company.id), ('state', '=', 'active')]):
            rows = self.env.execute_query(
                SQL(
                    """
                    SELECT score.behaviour
                      FROM credit_account account
                -- One after the other: in the first night the planner still takes the scores for none.
                CROSS JOIN LATERAL (SELECT * FROM scoring_score WHERE id = account.score_id OFFSET 0) AS score
                     WHERE account.company_id = %s AND account.active AND account.score_date = %s
                       AND score.card_id = %s AND score.behaviour IS NOT NULL AND score.invoice_count >= %s
                    """,
                    company.id,
                    date,
                    card.id,
                    max(1, card.little),
                )
            )
            self._note(card, add(date, days=1), [float(value) for [value] in rows])
