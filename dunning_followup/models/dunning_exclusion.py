from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

# Of what is not due yet, these are told all the same; the others may have gone until then.
TOLD_BEFORE_DUE = ('insolvent', 'represented', 'do_not_remind', 'paused', 'disputed')


class DunningExclusion(models.AbstractModel):
    """What is not chased, and why."""

    _name = 'dunning.exclusion'
    _description = "What Is Not Chased"

    @api.model
    def _excluded(self, items, company, date):
        """Tell which of these items are not chased on a day, wholly or in part.

        The gravest reason that takes an item out counts; without one, the parts that are disputed or promised. Not
        told: what unallocated credits cover. A constant number of statements.

        :param items: account.move.line of customers
        :param company: any company of the tree
        :returns: {id: (code, text, amount in company currency, None for all of it)}; codes insolvent, represented,
            do_not_remind, paused, disputed, promised, item_floor, customer_floor
        """
        if not items.ids:
            return {}
        # Facts count whoever asks; the texts tell no more than the reason.
        root, facts = company.root_id.sudo(), items.sudo()._dunning_facts()
        facts = {line_id: fact for line_id, fact in facts.items() if fact['residual_company'] > 0}
        result = {}
        for fact in facts.values():
            fact['open'] = fact['residual_company']
        for reasons in (
            self._insolvent(facts, root),
            self._represented(facts, root),
            self._paused(facts, root, date),
            self._disputed(facts, root),
            self._promised(facts, root, date),
            self._below_floors(facts, root, date),
        ):
            for line_id, (code, text, amount) in reasons.items():
                if line_id in result and result[line_id][2] is None:
                    continue
                if amount is not None and line_id in result:
                    before = result[line_id]
                    whole = before[2] + amount
                    code, text, amount = before[0], f"{before[1]} {text}", whole
                    if root.currency_id.compare_amounts(whole, facts[line_id]['open']) >= 0:
                        amount = None
                result[line_id] = (code, text, amount)
        return result

    @api.model
    def _told(self, customers, company, date):
        """Return {item id: (customer id, document, reason in words)} of what a run of that day would not chase.

        Also of what can't be sent, for the channels of all steps that are left are refused.
        """
        # Facts count whoever asks.
        root = company.root_id.sudo()
        rows = self.env['dunning.item'].sudo()._rows(root, date, customers.ids)
        items = self.env['account.move.line'].sudo().browse(row['id'] for row in rows)
        reasons = self._excluded(items, root, date)
        refused = self._refused_channels(rows, root, date)
        moves = self.env['account.move'].sudo().browse({row['move_id'] for row in rows})
        names = {move.id: move.name or '' for move in moves}
        compare = root.currency_id.compare_amounts
        Run = self.env['dunning.run']
        told = {}
        for row in rows:
            code, text, _amount = Run._exclusion(row, reasons)
            late, part = row['days_overdue'] > 0, None
            if row['id'] in reasons and not row['in_notice']:
                part = reasons[row['id']][2]
            elif not code and row['id'] in refused:
                code, text = 'refused', refused[row['id']]
            elif not code and compare(row['remaining'], row['amount']) < 0:
                code, text, part = 'covered', Run._reason_label('covered'), row['amount'] - row['remaining']
            if code and (late or code in TOLD_BEFORE_DUE):
                sum_ = f" ({formatLang(self.env, part, currency_obj=root.currency_id)})" if part is not None else ""
                told[row['id']] = (row['partner_id'], names[row['move_id']], f"{text}{sum_}")
        return told

    @api.model
    def _told_of_all(self, customers, company, date):
        """Return {customer id: why nothing is sent to it}, whether it owes anything or not."""
        root = company.root_id.sudo()
        facts = {customer.id: {'partner_id': customer.id, 'move_id': 0} for customer in customers}
        result = {}
        for reasons in (
            self._insolvent(facts, root),
            self._represented(facts, root),
            self._paused(facts, root, date),
        ):
            for customer_id, (_code, text, _amount) in reasons.items():
                result.setdefault(customer_id, text)
        return result

    @api.model
    def _refused_channels(self, rows, root, date):
        """Return {item id: text} of those rows of `dunning.item` of which nothing comes, for all channels are refused.

        The text is about the step that would come next.
        """
        Item = self.env['dunning.item'].sudo()
        done = Item._nexts(rows, root, date)
        nexts = {
            id_: coming for id_, coming in Item._nexts(rows, root, date, pass_over=False).items() if id_ not in done
        }
        waiting = {row['id']: row for row in rows if row['id'] in nexts}
        plans = self.env['dunning.plan'].sudo().browse({row['plan_id'] for row in waiting.values()})
        refused = plans._refused_steps(root, list({row['partner_id'] for row in waiting.values()}))
        channels = {step.id: step.channel for step in plans.step_ids}
        labels = dict(plans.step_ids._fields['channel']._description_selection(self.env))
        return {
            id_: self.env._(
                "%(channel)s: %(reason)s",
                channel=labels[channels[nexts[id_][1].id]],
                reason=refused[row['partner_id']][nexts[id_][1].id],
            )
            for id_, row in waiting.items()
        }

    @api.model
    def _insolvent(self, facts, root):
        customers = self.env['res.partner'].browse({fact['partner_id'] for fact in facts.values()})
        dates = self.env['credit.account'].sudo()._insolvent(customers, root)
        return {
            line_id: (
                'insolvent',
                self.env._("Insolvent since %(date)s.", date=format_date(self.env, dates[fact['partner_id']])),
                None,
            )
            for line_id, fact in facts.items()
            if fact['partner_id'] in dates
        }

    @api.model
    def _represented(self, facts, root):
        customers = self.env['res.partner'].browse({fact['partner_id'] for fact in facts.values()})
        lawyers = self.env['credit.account'].sudo()._represented(customers, root)
        text = self.env._("Represented by a lawyer whose address is not known.")
        # Where there is a lawyer, reminders go there.
        return {
            line_id: ('represented', text, None)
            for line_id, fact in facts.items()
            if fact['partner_id'] in lawyers and not lawyers[fact['partner_id']]
        }

    @api.model
    def _paused(self, facts, root, date):
        Pause = self.env['dunning.pause'].sudo()
        customers = {fact['partner_id'] for fact in facts.values()}
        pauses = Pause.search(
            Pause._in_force_domain(date)
            & Domain('company_id', '=', root.id)
            & Domain('partner_id', 'in', list(customers))
        )
        # What was said about a reversed invoice holds for the one in its place.
        chains = self._chains(facts)
        by_move = defaultdict(Pause.browse)
        by_partner = defaultdict(Pause.browse)
        for pause in pauses:
            if pause.move_id:
                by_move[pause.move_id.id] |= pause
            else:
                by_partner[pause.partner_id.id] |= pause
        result = {}
        for line_id, fact in facts.items():
            mine = by_partner[fact['partner_id']] | by_move[fact['move_id']]
            for origin_id in chains.get(fact['move_id'], ()):
                mine |= by_move[origin_id]
            if mine:
                # The one that lasts longest.
                pause = max(mine, key=lambda pause: (pause.kind == 'never', pause.date_until or date))
                code = 'do_not_remind' if pause.kind == 'never' else 'paused'
                result[line_id] = (code, pause._text(), None)
        return result

    @api.model
    def _chains(self, facts):
        """Return {invoice id: ids of the invoices in whose place it is} of these items."""
        return self.env['account.move']._dunning_origin_ids({fact['move_id'] for fact in facts.values()})

    @api.model
    def _disputed(self, facts, root):
        result = {}
        open_disputes = self.env['dunning.dispute'].sudo()._shares(facts)
        for line_id, shares in open_disputes.items():
            fact = facts[line_id]
            disputed = float(sum(share.amount for share in shares if not share.date_to))
            if not disputed or not fact['residual']:
                continue
            # The share of the item in its currency, carried over at the rate of the booking.
            amount = root.currency_id.round(disputed * fact['open'] / fact['residual'])
            result[line_id] = self._partly('disputed', self.env._("Disputed."), amount, fact['open'], root)
        return result

    @api.model
    def _promised(self, facts, root, date):
        """Return what customers have promised to pay by a day to come: their oldest items up to the sum."""
        customers = list({fact['partner_id'] for fact in facts.values()})
        releases = (
            self.env['credit.release']
            .sudo()
            .search(
                [
                    ('debtor_id', 'in', customers),
                    ('company_id', 'in', root._credit_branch_ids()),
                    ('condition', 'in', ('promise', 'proof')),
                    ('condition_state', '=', 'open'),
                    ('condition_due', '>=', date),
                ],
                order='condition_due, id',
            )
        )
        if not releases:
            return {}
        items = defaultdict(list)
        for line_id, fact in facts.items():
            items[fact['partner_id']].append((line_id, fact['open']))
        result = {}
        for customer, mine in releases.grouped(lambda release: release.debtor_id.id).items():
            left = sum(
                release.currency_id._convert(
                    max(0.0, release.condition_amount - release.condition_received), root.currency_id, root, date
                )
                for release in mine
            )
            text = self.env._("Promised by %(date)s.", date=format_date(self.env, mine[-1].condition_due))
            for line_id, amount in items[customer]:
                share = min(left, amount)
                if root.currency_id.compare_amounts(share, 0.0) > 0:
                    result[line_id] = self._partly('promised', text, share, amount, root)
                    left -= share
        return result

    @api.model
    def _partly(self, code, text, amount, whole, root):
        """Return a reason for a part of an item, or for all of it."""
        return (code, text, None if root.currency_id.compare_amounts(amount, whole) >= 0 else amount)

    @api.model
    def _below_floors(self, facts, root, date):
        """Return the residues that are too small to be chased: of items, and of customers over what is due.

        What is not due yet is compared with all of these items. The floors are those of the customers' policies, as in
        all figures of credit management.
        """
        Account = self.env['credit.account'].sudo()
        Account._flush_accounts()
        customers = list({fact['partner_id'] for fact in facts.values()})
        floors = {
            partner_id: (percent, floor)
            for partner_id, percent, floor in self.env.execute_query(
                SQL(
                    """
                    SELECT partner_id, COALESCE(item_floor_percent, 1), COALESCE(customer_floor, 50)
                      FROM (%s) AS customer
                    """,
                    Account._customer_sql(root, date, SQL("SELECT unnest(%s) AS partner_id", customers)),
                )
            )
        }
        due, whole, result = defaultdict(float), defaultdict(float), {}
        for line_id, fact in facts.items():
            if fact['open'] > max(0, fact['balance']) * float(floors[fact['partner_id']][0]) / 100:
                whole[fact['partner_id']] += fact['open']
                if fact['date_due'] <= date:
                    due[fact['partner_id']] += fact['open']
            else:
                result[line_id] = ('item_floor', self.env._("Only a residue is left of it."), None)
        for line_id, fact in facts.items():
            floor = float(floors[fact['partner_id']][1])
            left = (due if fact['date_due'] <= date else whole)[fact['partner_id']]
            if line_id not in result and root.currency_id.compare_amounts(left, floor) <= 0:
                text = self.env._(
                    "All in all not more than %(floor)s, which is too little to be chased.",
                    floor=formatLang(self.env, floor, currency_obj=root.currency_id),
                )
                result[line_id] = ('customer_floor', text, None)
        return result
