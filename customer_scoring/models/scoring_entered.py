from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL, format_datetime, html2plaintext

from ..engine import scale
from ..engine import statement as engine
from .scoring_statement import RATIOS, is_year_before

# How far back the year before the oldest statement that counts may end.
BEFORE = relativedelta(months=16)


class Fact(NamedTuple):
    """A value that was known of a customer, and the records that it comes from."""

    value: float
    model: str
    ids: tuple


class ScoringEntered(models.AbstractModel):
    """What was entered about customers, as of a date, for scores; and all of it, for a person who asks."""

    _name = 'scoring.entered'
    _description = "Entered Data"

    # -------------------------------------------------------------------------
    # For scores
    # -------------------------------------------------------------------------

    @api.model
    def _values(self, partner_ids, company, date):
        """Return what was known of some customers at the end of a day, in a constant number of statements.

        :returns: {metric code: {partner id: value}}, see `_facts`
        """
        return {
            code: {partner_id: fact.value for partner_id, fact in facts.items()}
            for code, facts in self._facts(partner_ids, company, date).items()
        }

    @api.model
    def _facts(self, partner_ids, company, date):
        """Return what was known of some customers at the end of a day, in a constant number of statements.

        Both the day of a fact and the day of its entry count. What is out of date
        then, is not known. For the system: whatever the user may read.

        :param partner_ids: ids of commercial partners
        :param company: any company; the data is its root's
        :returns: {metric code: {partner id: Fact}}; shares and growth in percent,
            outside factors as `factor:<code>`
        """
        ids, root = list(partner_ids), company.root_id
        if not ids:
            return {}
        result = self._statement_facts(ids, root, date)
        for facts in (
            self._factor_facts(ids, root, date),
            {
                'external_rating': self._rating_facts(ids, root, date),
                'questionnaire': self._questionnaire_facts(ids, root, date),
                'industry_risk': self._risk_facts('scoring.industry.risk', 'industry_id', ids, root, date),
                'country_risk': self._risk_facts('scoring.country.risk', 'country_id', ids, root, date),
            },
        ):
            result |= facts
        return {code: facts for code, facts in result.items() if facts}

    @api.model
    def _fact_sql(self, alias, ids, root, date):
        """Return the condition that a row is of these customers and was known on a day."""
        return SQL(
            "%s = ANY(%s) AND %s = %s AND %s",
            SQL.identifier(alias, 'partner_id'),
            ids,
            SQL.identifier(alias, 'company_id'),
            root.id,
            self.env['scoring.dated']._known_sql(alias, date),
        )

    @api.model
    def _statement_facts(self, ids, root, date):
        Statement = self.env['scoring.statement']
        Statement.flush_model()
        oldest = Statement._oldest_end(root, date)
        rows = self.env.execute_query_dict(
            SQL(
                """
                SELECT id, partner_id, period_end, consolidated IS TRUE AS consolidated, currency_id, months, revenue,
                       %(ratios)s
                  FROM scoring_statement statement
                 WHERE %(known)s AND period_end <= %(date)s AND period_end >= %(first)s
                 -- The customer's own before its group's, audited before not, the last entered.
              ORDER BY partner_id, period_end DESC, statement.consolidated IS TRUE, audited IS NOT TRUE,
                       known_from DESC, id DESC
                """,
                ratios=SQL(", ").join(map(SQL.identifier, RATIOS)),
                known=self._fact_sql('statement', ids, root, date),
                date=date,
                first=oldest - BEFORE if oldest else fields.Date.to_date('1900-01-01'),
            )
        )
        result = {code: {} for code in (*RATIOS, 'turnover_growth_statement')}
        by_partner = {}
        for row in rows:
            by_partner.setdefault(row['partner_id'], []).append(row)
        for partner_id, statements in by_partner.items():
            latest = statements[0]
            if oldest and latest['period_end'] < oldest:
                continue
            for code in RATIOS:
                if latest[code] is not None:
                    result[code][partner_id] = Fact(float(latest[code]), Statement._name, (latest['id'],))
            before = next(
                (
                    row
                    for row in statements
                    if is_year_before(row['period_end'], latest['period_end'])
                    and all(row[name] == latest[name] for name in ('consolidated', 'currency_id'))
                ),
                None,
            )
            growth = before and engine.growth(_a_year(latest), _a_year(before))
            if growth is not None:
                ids = (latest['id'], before['id'])
                result['turnover_growth_statement'][partner_id] = Fact(growth, Statement._name, ids)
        return result

    @api.model
    def _rating_facts(self, ids, root, date):
        """Return {partner id: Fact}: the mean of the providers' latest ratings, by their weights."""
        Rating = self.env['scoring.rating']
        Rating.flush_model()
        self.env['scoring.rating.provider'].flush_model(['weight'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT latest.partner_id, latest.id, latest.score, provider.weight
                  FROM (SELECT DISTINCT ON (partner_id, provider_id) partner_id, provider_id, id, score, last_day
                          FROM scoring_rating rating
                         WHERE %(known)s AND date <= %(date)s
                      ORDER BY partner_id, provider_id, date DESC, known_from DESC, id DESC) latest
                  JOIN scoring_rating_provider provider ON provider.id = latest.provider_id
                 WHERE latest.last_day IS NULL OR latest.last_day >= %(date)s
                """,
                known=self._fact_sql('rating', ids, root, date),
                date=date,
            )
        )
        ratings = {}
        for partner_id, rating_id, score, weight in rows:
            ratings.setdefault(partner_id, []).append((rating_id, float(score), float(weight)))
        facts = {
            partner_id: Fact(
                scale.weighted_mean([(score, weight) for _id, score, weight in each]),
                Rating._name,
                tuple(rating_id for rating_id, _score, weight in each if weight),
            )
            for partner_id, each in ratings.items()
        }
        return {partner_id: fact for partner_id, fact in facts.items() if fact.value is not None}

    @api.model
    def _factor_facts(self, ids, root, date):
        """Return {factor:<code>: {partner id: Fact}}, and the years in business from the date of the foundation."""
        Factor = self.env['scoring.factor']
        Factor.flush_model()
        self.env['scoring.factor.type'].flush_model(['code', 'kind', 'natural_forbidden'])
        self.env['res.partner'].flush_model(['is_company', 'parent_id'])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT type.code, latest.partner_id, latest.id, latest.value, latest.day
                  FROM (SELECT DISTINCT ON (partner_id, type_id) partner_id, type_id, id, value, day, last_day
                          FROM scoring_factor factor
                         WHERE %(known)s AND date <= %(date)s
                      ORDER BY partner_id, type_id, date DESC, known_from DESC, id DESC) latest
                  JOIN scoring_factor_type type ON type.id = latest.type_id
                  JOIN res_partner partner ON partner.id = latest.partner_id
                 WHERE (latest.last_day IS NULL OR latest.last_day >= %(date)s)
                   AND NOT (type.natural_forbidden AND partner.is_company IS NOT TRUE AND partner.parent_id IS NULL)
                """,
                known=self._fact_sql('factor', ids, root, date),
                date=date,
            )
        )
        result = {}
        for code, partner_id, factor_id, value, day in rows:
            if day is not None:
                # Founded after the day of the score: not in business yet.
                value = max((date - day).days, 0) / 365.25
            if value is not None:
                fact = Fact(float(value), Factor._name, (factor_id,))
                result.setdefault(f'factor:{code}', {})[partner_id] = fact
        if 'factor:founded' in result:
            result['years_in_business'] = result['factor:founded']
        return result

    @api.model
    def _questionnaire_facts(self, ids, root, date):
        Answer = self.env['scoring.answer']
        Answer.flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner_id, id, score
                  FROM (SELECT DISTINCT ON (partner_id) partner_id, id, score, last_day
                          FROM scoring_answer answer
                         WHERE %(known)s AND state = 'done' AND date <= %(date)s
                      ORDER BY partner_id, date DESC, id DESC) latest
                 WHERE last_day IS NULL OR last_day >= %(date)s
                """,
                known=self._fact_sql('answer', ids, root, date),
                date=date,
            )
        )
        return {
            partner_id: Fact(float(score), Answer._name, (answer_id,))
            for partner_id, answer_id, score in rows
            if score is not None
        }

    @api.model
    def _risk_facts(self, model, column, ids, root, date):
        """Return {partner id: Fact}: the risk 1–5 from a table by the partners' industry or country as it is now."""
        Risk = self.env[model]
        Risk.flush_model()
        self.env['res.partner'].flush_model([column])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.id, latest.id, latest.risk
                  FROM res_partner partner
                  JOIN (SELECT DISTINCT ON (%(column)s) %(column)s AS key, id, risk
                          FROM %(table)s entry
                         WHERE company_id = %(company)s AND date <= %(date)s AND %(known)s
                      ORDER BY %(column)s, date DESC, known_from DESC, id DESC) latest
                    ON latest.key = partner.%(column)s
                 WHERE partner.id = ANY(%(ids)s)
                """,
                column=SQL.identifier(column),
                table=SQL.identifier(Risk._table),
                company=root.id,
                date=date,
                known=self.env['scoring.dated']._known_sql('entry', date),
                ids=ids,
            )
        )
        return {partner_id: Fact(float(risk), model, (risk_id,)) for partner_id, risk_id, risk in rows}

    # -------------------------------------------------------------------------
    # For a person
    # -------------------------------------------------------------------------

    @api.model
    def _personal_data(self, partner, company):
        """Return all that is kept about a customer in a root company: [(title, [label], [[value]])].

        With former versions and what was withdrawn. Other add-ons add what they
        keep by extending `credit.account._personal_records`. The caller checks the
        rights.
        """
        facts = {
            'scoring.statement': ['period_end', 'months', 'currency_id', 'source', 'audited', 'consolidated',
                                  'date_received', *engine.LINES, *RATIOS, 'note'],
            'scoring.rating': ['provider_id', 'date', 'last_day', 'value', 'grade', 'score', 'import_id',
                               'note'],
            'scoring.factor': ['type_id', 'date', 'last_day', 'value_text', 'source', 'note'],
            'scoring.answer': ['questionnaire_id', 'date', 'last_day', 'score', 'note'],
        }  # fmt: skip
        common = ['purpose', 'legal_basis', 'user_id', 'known_from', 'known_until']
        sections = [self._personal_account(partner, company)]
        of_partner = [('partner_id', '=', partner.id), ('company_id', '=', company.id)]
        for model, names in facts.items():
            Model = self.env[model].with_context(active_test=False)
            sections.append(self._section(Model.search(of_partner, order='id'), [*names, *common]))
        answers = self.env['scoring.answer'].with_context(active_test=False).search(of_partner)
        sections.append(self._section(answers.line_ids, ['answer_id', 'question_id', 'option_id']))
        accounts = self.env['credit.account'].with_context(active_test=False).search(of_partner)
        return sections + [self._section(records, names) for records, names in accounts._personal_records()]

    @api.model
    def _personal_account(self, partner, company):
        names = ['name', 'ref', 'vat', 'email', 'phone', 'street', 'zip', 'city', 'country_id', 'industry_id']
        return self._section(partner, names)

    @api.model
    def _section(self, records, names):
        """Return (title, labels, rows) of some records' fields as text and numbers."""
        labels = records.fields_get(names, ['string', 'selection'])
        rows = []
        for record in records:
            row = []
            for name in names:
                value, field = record[name], record._fields[name]
                if field.type == 'selection':
                    value = dict(labels[name]['selection']).get(value, '')
                elif field.relational:
                    # The names of what is referred to, as the system knows them: the person may have them.
                    value = ', '.join(value.sudo().mapped('display_name'))
                elif field.type == 'datetime':
                    value = format_datetime(self.env, value) if value else ''
                elif field.type == 'html':
                    value = html2plaintext(value or '')
                elif field.type in ('date', 'datetime'):
                    value = str(value or '')
                elif value is False and field.type != 'boolean':
                    value = ''
                row.append(value)
            rows.append(row)
        return self.env['ir.model'].sudo()._get(records._name).name, [labels[name]['string'] for name in names], rows


def _a_year(row):
    return None if row['revenue'] is None else float(row['revenue']) * engine.YEAR / row['months']
