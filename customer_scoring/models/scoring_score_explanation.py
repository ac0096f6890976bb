from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import format_date, formatLang

from ..engine.history import WINDOW_MONTHS
from ..engine.metric import ENTERED, METRICS
from ..engine.wording import SENTENCES, WITHHELD
from .scoring_score import READERS

# What others say of a person may rest on anything.
FROM_OTHERS = {'country_risk', 'external_rating', 'questionnaire', 'years_in_business'}
# Below this nothing is seen of a figure with one decimal.
SMALL = 0.05


class ScoringScore(models.Model):
    """A score in words for the customer whom it is about: what was looked at, where it comes from, who decides."""

    _inherit = 'scoring.score'  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _check_may_explain(self):
        if not self.env.su and not self.env.user.has_groups(READERS):
            raise AccessError(
                self.env._("Only credit analysts, credit managers and auditors print explanations. Ask one of them.")
            )

    def action_print_explanation(self):
        """Print what explains these scores to their customers, each in its language.

        :raise AccessError: if the user is neither credit analyst, manager nor auditor
        """
        self._check_may_explain()
        self.check_access('read')
        return self.env.ref('customer_scoring.scoring_explanation_report').report_action(self, config=False)

    def _note_explained(self):
        """Note in the credit files that these scores were explained in print."""

        def note(env):
            scores = self.with_env(env).sudo()
            env['credit.event']._record(
                [
                    (
                        score.account_id,
                        'explained',
                        {'score_id': score.id, 'card_id': score.card_id.id, 'date_to': str(score.date)},
                    )
                    for score in scores
                ]
            )

        if self.env.cr.readonly:
            # A report that is asked for by its address is made in a transaction that only reads.
            with self.env.registry.cursor() as cr:
                note(self.env(cr=cr))
        else:
            note(self.env)

    # -------------------------------------------------------------------------
    # What is printed
    # -------------------------------------------------------------------------

    def _explanation_lang(self):
        """Return the language of the customer; of the company, or else the user's, where that is not installed."""
        self.ensure_one()
        installed = {code for code, _name in self.env['res.lang'].get_installed()}
        # In which language a company writes is no secret.
        wanted = (self.partner_id.lang, self.company_id.sudo().partner_id.lang, self.env.lang)
        return next((code for code in wanted if code in installed), 'en_US')

    def _explanation(self):
        """Return what explains this score to its customer, in the language of the context.

        :returns: dict of texts and rows for the report
        """
        self.ensure_one()
        lines = self.line_ids.sorted(lambda line: (-line.lost, line.id))
        behaviour, stake = lines.filtered(lambda line: not line.stake), lines.filtered('stake')
        drawn = self.score - sum(behaviour.mapped('share'))
        card, facts = self.card_id, self._explained_facts()
        return {
            'printed': format_date(self.env, self.company_id.sudo()._credit_today()),
            'score': self._points(self.score),
            'grade': _grade_name(self.grade_id),
            'of_100': self.env._("%(score)s of 100", score=self._points(self.score)),
            'day': self._explained_day(),
            'card': self.env._("%(card)s, version %(version)s", card=card.name, version=card.version),
            'bands': self._explained_bands(),
            'rows': self._explained_rows(behaviour, facts),
            'drawn': self._points(drawn) if abs(drawn) >= SMALL else '',
            'stake_rows': self._explained_rows(stake, facts),
            'stake': self._points(self.stake) if self.stake is not False else '',
            'sources': self._explained_sources(behaviour | stake, facts),
            'decision': self._explained_decision(),
            'person': self.account_id.natural_person,
            'attributes': self.account_id.natural_person
            and all(line.metric in METRICS and line.metric not in FROM_OTHERS for line in lines),
            'rest': self.rest_text,
            'little': self.little,
        }

    def _points(self, value):
        return formatLang(self.env, value, digits=1)

    def _explained_day(self):
        """Return the day of the score, and the later one on which the customer was scored the same."""
        account, day = self.account_id, format_date(self.env, self.date)
        if account.score_id == self and account.score_date and account.score_date > self.date:
            last = format_date(self.env, account.score_date)
            return self.env._("%(day)s, unchanged on %(last)s", day=day, last=last)
        return day

    def _explained_bands(self):
        return ' · '.join(
            self.env._("%(grade)s from %(score)s", grade=_grade_name(band.grade_id), score=self._points(band.minimum))
            for band in self.card_id.band_ids.sorted('minimum', reverse=True)
        )

    def _explained_rows(self, lines, facts):
        """Return the characteristics as rows: what was looked at, found, given, and what would make it better."""
        return [
            {
                'label': line.characteristic_id._label(),
                'sentence': self._explained_sentence(line, facts),
                'range': self._explained_range(line),
                'points': self._explained_points(line),
                'step': line.step_text or '',
            }
            for line in lines
        ]

    def _explained_sentence(self, line, facts):
        metric = METRICS.get(line.metric)
        if line.value is False:
            if metric and metric.by_invoice:
                return self.env._("Not known yet; the average of comparable customers stands in for it.")
            return self.env._("Not known.")
        if line.metric in SENTENCES:
            number = line._number(line.value, '')
            return self.env._(SENTENCES[line.metric](line.value_text, number))
        fact = facts.get(line.metric, ())[:1]
        return (fact and fact._name == 'scoring.factor' and fact.value_text) or line.value_text

    def _explained_range(self, line):
        if line.value is False or not line.bin_id or line.metric in WITHHELD:
            return ''
        unit = '' if line.bin_id.label else line.characteristic_id.unit
        return self.env._("In the range: %(range)s", range=f'{line.bin_id.range_text} {unit}'.strip())

    def _explained_points(self, line):
        if not line.most:
            return self.env._("not counted")
        return self.env._("%(points)s of %(most)s", points=self._points(line.share), most=self._points(line.most))

    # -------------------------------------------------------------------------
    # Where it comes from
    # -------------------------------------------------------------------------

    def _explained_facts(self):
        """Return {metric code: records} of what was entered and known on the day of the score."""
        # What the score rests on is told to its customer, whatever of it who prints the letter may read.
        facts = self.env['scoring.entered'].sudo()._facts(self.partner_id.ids, self.company_id, self.date)
        return {
            code: self.env[fact.model].sudo().browse(fact.ids)
            for code, found in facts.items()
            for fact in found.values()
        }

    def _explained_sources(self, lines, facts):
        """Return what the score rests on as rows: what, from where, of when, why, and what allows it."""
        rows, seen = [], set()
        company = self.company_id.sudo()
        purpose = self.env['scoring.rating']._default_purpose()
        bases = dict(self.env['scoring.rating']._fields['legal_basis']._description_selection(self.env))
        if any(METRICS[line.metric].source != ENTERED for line in lines if line.metric in METRICS):
            rows.append(
                {
                    'what': self.env._(
                        "Your invoices and payments of the last %(months)s months, open items, and what is noted about "
                        "orders and payments",
                        months=WINDOW_MONTHS,
                    ),
                    'origin': self.env._("Our own books"),
                    'day': format_date(self.env, self.date),
                    'entered': '',
                    'purpose': purpose,
                    'basis': bases[company.scoring_legal_basis],
                }
            )
        for line in lines:
            if line.value is False:
                continue
            for fact in facts.get(line.metric, ()):
                if (fact._name, fact.id) in seen:
                    continue
                seen.add((fact._name, fact.id))
                basis = 'legal_basis' in fact._fields and fact.legal_basis or company.scoring_legal_basis
                rows.append(
                    {
                        **self._explained_origin(fact),
                        'entered': format_date(self.env, fact.known_from),
                        'purpose': self._explained_purpose(fact) or purpose,
                        'basis': bases[basis],
                    }
                )
        return rows

    def _explained_origin(self, fact):
        """Return what a fact is, where it comes from, and its day."""
        staff = self.env._("Our staff")
        day = fact.period_end if fact._name == 'scoring.statement' else fact.date
        match fact._name:
            case 'scoring.statement':
                sources = dict(fact._fields['source']._description_selection(self.env))
                what, origin = self.env._("Financial statement"), sources[fact.source]
            case 'scoring.rating':
                what, origin = self.env._("External rating"), fact.provider_id.name
            case 'scoring.answer':
                what, origin = fact.questionnaire_id.name, staff
            case 'scoring.factor':
                what, origin = fact.type_id.name, fact.source or staff
            case 'scoring.industry.risk':
                what, origin = self.env._("Risk of the industry: %(name)s", name=fact.industry_id.name), fact.source
            case _:
                what, origin = self.env._("Risk of the country: %(name)s", name=fact.country_id.name), fact.source
        return {'what': what, 'origin': origin or staff, 'day': format_date(self.env, day)}

    def _explained_purpose(self, fact):
        """Return a fact's purpose; the one that was proposed in the language of the reader."""
        purpose = 'purpose' in fact._fields and fact.purpose
        langs = [code for code, _name in self.env['res.lang'].get_installed()]
        proposed = {fact.with_context(lang=code)._default_purpose() for code in langs} if purpose else ()
        return fact._default_purpose() if purpose in proposed else purpose

    # -------------------------------------------------------------------------
    # Who decides
    # -------------------------------------------------------------------------

    def _explained_decision(self):
        """Return who decided about the customer's grade as it is now, as sentences."""
        account = self.account_id
        grade = _grade_name(account.grade_id)
        override = self.env['scoring.override']._in_force(account)
        if override:
            return self.env._(
                "%(person)s decided on %(day)s that your grade is %(grade)s until %(until)s, and not that of the "
                "score. The reason: %(reason)s",
                # Names are no secret from whom they decide about.
                person=override.user_id.name,
                day=format_date(self.env, override.date),
                grade=_grade_name(override.grade_id),
                until=format_date(self.env, override.date_until),
                reason=override.reason,
            )
        if not grade:
            return self.env._("Nobody has decided about your grade yet.")
        same = account.grade_id == account.sudo().score_id.grade_id
        if same and not self.advisory and account.sudo().score_card_id.grade_mode == 'write':
            return self.env._(
                "Your grade with us is %(grade)s. It was taken over from the score; our staff can decide otherwise.",
                grade=grade,
            )
        event = self.env['credit.event'].search([('account_id', '=', account.id), ('kind', '=', 'grade')], limit=1)
        if not event or event.user_id.id == SUPERUSER_ID:
            return self.env._("Your grade with us is %(grade)s, as our staff decided.", grade=grade)
        return self.env._(
            "Your grade with us is %(grade)s. %(person)s decided so on %(day)s.",
            grade=grade,
            person=event.user_name,
            day=format_date(self.env, fields.Datetime.context_timestamp(event, event.date).date()),
        )


def _grade_name(grade):
    """Return the name of a grade in the language of its context, which the cache of `display_name` does not know."""
    return ' · '.join(filter(None, (grade.code, grade.name)))
