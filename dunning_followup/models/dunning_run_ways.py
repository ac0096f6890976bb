from collections import defaultdict
from datetime import datetime, timedelta
from typing import NamedTuple

from odoo import api, fields, models

from ..engine import schedule
from ..engine.contact_window import strictest
from .dunning_step import FALLBACK_CHANNELS
from .res_partner_claims import OPT_OUTS

# What of people is looked at, and no more: a run is about many.
PERSON_FIELDS = (
    'commercial_partner_id', 'country_id', 'dunning_customer_kind', 'email', 'is_company', 'phone', 'tz', 'vat',
    *sorted(set(OPT_OUTS.values())),
)  # fmt: skip


class Way(NamedTuple):
    """How a message would reach a customer: through which channel, to whom, not before when; or why it can't."""

    channel: str
    contact_id: int
    moment: datetime | None = None
    reason: str | bool = False
    blocked: str = ''  # 'refused' for good, or 'unaddressed' until somebody completes the contact


class Message(NamedTuple):
    """What a customer would get: a Proposal of the engine, the Way it takes, and which steps were passed over."""

    partner_id: int
    plan_id: int
    proposal: schedule.Proposal
    way: Way
    passed: str


class DunningRun(models.Model):
    """How a run finds out, before anything is sent, what would reach whom; the contact rules are asked in sets."""

    _inherit = 'dunning.run'  # pylint: disable=consider-merging-classes-inherited

    def _propose(self, candidates, plans):
        """Return the Message of each customer to whom something is due.

        A step that can't be done with a customer is passed over: what is due without it is looked for. Only if there
        is nothing, the step is proposed with the reason why it is not done.

        :param candidates: {customer id: (plan id, [schedule.Item])}
        """
        steps = plans._engine_steps()
        starts = {plan.id: plan.start for plan in plans}
        passed, blocked, messages = defaultdict(dict), {}, []

        def proposed(partner_ids):
            for partner_id in partner_ids:
                plan_id, items = candidates[partner_id]
                without = frozenset(passed.get(partner_id, ()))
                yield (
                    partner_id,
                    schedule.propose(items, steps.get(plan_id, []), self.date, starts.get(plan_id, 'age'), without),
                )

        found = {partner_id: proposal for partner_id, proposal in proposed(candidates) if proposal}
        people, asked = self._people(list(found)), {}
        while found:
            ways = self._ways({partner_id: proposal.lead.id for partner_id, proposal in found.items()}, people, asked)
            again = []
            for partner_id, proposal in found.items():
                way = ways[partner_id]
                if not way.blocked:
                    messages.append((partner_id, proposal, way))
                    continue
                # What a person can mend is told before what nobody can.
                if partner_id not in blocked or (
                    way.blocked == 'unaddressed' and blocked[partner_id][1].blocked != 'unaddressed'
                ):
                    blocked[partner_id] = (proposal, way)
                passed[partner_id][proposal.lead.id] = way.reason
                again.append(partner_id)
            found = {}
            for partner_id, proposal in proposed(again):
                if proposal:
                    found[partner_id] = proposal
                else:
                    messages.append((partner_id, *blocked[partner_id]))
        return [
            Message(
                partner_id,
                candidates[partner_id][0],
                proposal,
                way,
                self._passed_text({id_: why for id_, why in passed[partner_id].items() if id_ != proposal.lead.id})
                if partner_id in passed
                else '',
            )
            for partner_id, proposal, way in sorted(messages, key=lambda message: message[0])
        ]

    def _passed_text(self, reasons):
        """Return in words which steps are passed over, and why.

        :param reasons: {step id: reason}
        """
        steps = self.env['dunning.step'].browse(reasons).sorted('days')
        channels = dict(steps._fields['channel']._description_selection(self.env))
        return "\n".join(
            self.env._(
                "%(step)s (%(channel)s): %(reason)s",
                step=step.name,
                channel=channels[step.channel],
                reason=reasons[step.id],
            )
            for step in steps
        )

    def _people(self, partner_ids):
        """Return ({(customer id, recipient of a step): contact id}, ids of the customers who have a lawyer)."""
        contacts = self.env['dunning.notice']._contacts(self.company_id, partner_ids)
        persons = self.env['res.partner'].browse({*partner_ids, *contacts.values()})
        persons.fetch(PERSON_FIELDS)
        return contacts, self.env['credit.account']._represented(persons.browse(partner_ids), self.company_id).keys()

    def _ways(self, leads, people, asked):
        """Return {customer id: Way} of the messages that these steps lead.

        :param leads: {customer id: step id}
        :param people: see `_people`
        :param asked: {channel: {contact id: answer of the contact rules}}, is added to
        """
        contacts, represented = people
        steps = {step.id: step for step in self.env['dunning.step'].browse(set(leads.values()))}
        Partner = self.env['res.partner']
        letters, recipients, channels, ways = {}, {}, {}, {}
        for partner_id, step_id in leads.items():
            step = steps[step_id]
            recipients[partner_id] = whom = [contacts[partner_id, role] for role in step._recipient_roles()]
            letters[partner_id] = step._may_become_letter()
            channel = step.channel
            if channel in FALLBACK_CHANNELS:
                reached = whom if channel == 'email' or partner_id in represented else [*whom, partner_id]
                kind = 'email' if channel == 'email' else 'phone'
                if not any(person[kind] for person in Partner.browse(reached)):
                    channel = 'letter' if letters[partner_id] else None
            channels[partner_id] = channel
        self._ask(channels, recipients, asked)
        answers = {
            partner_id: self._answer(channel, recipients[partner_id], asked)
            for partner_id, channel in channels.items()
            if channel
        }
        refused = {
            partner_id: 'letter'
            for partner_id, (_allowed, moment, reason) in answers.items()
            if reason and not moment and letters[partner_id] and channels[partner_id] != 'letter'
        }
        self._ask(refused, recipients, asked)
        for partner_id, channel in refused.items():
            answer = self._answer(channel, recipients[partner_id], asked)
            if answer[1] or not answer[2]:
                channels[partner_id], answers[partner_id] = channel, answer
        for partner_id, step_id in leads.items():
            contact_id = recipients[partner_id][0]
            if not channels[partner_id]:
                ways[partner_id] = Way(
                    steps[step_id].channel, contact_id, reason=self._no_address_text(), blocked='unaddressed'
                )
                continue
            allowed, moment, reason = answers[partner_id]
            blocked = 'refused' if not allowed and not moment else ''
            ways[partner_id] = Way(
                channels[partner_id], contact_id, None if allowed else moment, reason or False, blocked
            )
        return ways

    @api.model
    def _no_address_text(self):
        return self.env._("No address for this channel. Complete the contact, then send it again.")

    def _ask(self, channels, recipients, asked):
        """Ask the contact rules about the recipients of messages whom they were not asked about yet.

        :param channels: {customer id: channel, None: none}
        """
        persons = defaultdict(set)
        for partner_id, channel in channels.items():
            if channel:
                persons[channel].update(recipients[partner_id])
        for channel, ids in persons.items():
            known = asked.setdefault(channel, {})
            new = self.env['res.partner'].browse(sorted(ids - known.keys()))
            if new:
                known |= self.env['dunning.contact.rule']._gate(new, channel, self._moment(), self.company_id)

    def _answer(self, channel, persons, asked):
        """Return (allowed, next moment or None, reason) of a message to several persons."""
        return strictest([asked[channel][id_] for id_ in persons if id_ in asked[channel]])

    def _moment(self):
        """Return when this run would be sent: now, or at this time of its day."""
        days = (self.date - self.company_id._credit_today()).days
        return fields.Datetime.now() + timedelta(days=max(0, days))
