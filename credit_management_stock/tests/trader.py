"""A small world of companies and customers, and trade in it through Odoo's own buttons, step by step."""

from collections import Counter, defaultdict
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from inspect import Parameter, signature

import freezegun

from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import tagged

from odoo.addons.account.tests.common import AccountTestInvoicingCommon

from .oracle import CATEGORIES, GRACES, Oracle

# Patterns that are known to come out wrong and wait for a change: random histories leave them out, named tests have
# them. To be empty.
KNOWN = set()

START = datetime(2026, 3, 2, 10)
CENT = 0.01
# The figures that are amounts of one customer, in company currency.
AMOUNTS = (
    *(f'exposure_{category}' for category in CATEGORIES),
    'exposure',
    'unallocated_credit',
    'overdue_booked',
    'overdue_amount',
)


class Step:
    """One press of a button: what is done, and to which document. Its text can be pasted into a test."""

    def __init__(self, name, **values):
        """Remember what is to be done; documents are numbered by age, counting on from the first after the last."""
        self.name = name
        self.values = values

    def __repr__(self):
        """Return the call that makes this step."""
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.values.items())})"


(
    sell,
    confirm,
    deliver,
    serve,
    give_back,
    bill,
    bill_all,
    invoice,
    free_credit,
    edit_draft,
    post,
    credit,
    pay,
    prepay,
    match,
    unmatch,
    redraft,
    cancel,
    drop_payment,
    book,
    unbook,
    transfer,
    settle,
    floors,
    cancel_order,
    reopen_order,
    lock,
    unlock,
    change_order,
    extend_order,
    readdress,
    days,
    rate,
) = (
    partial(Step, name)
    for name in (
        'sell',
        'confirm',
        'deliver',
        'serve',
        'give_back',
        'bill',
        'bill_all',
        'invoice',
        'free_credit',
        'edit_draft',
        'post',
        'credit',
        'pay',
        'prepay',
        'match',
        'unmatch',
        'redraft',
        'cancel',
        'drop_payment',
        'book',
        'unbook',
        'transfer',
        'settle',
        'floors',
        'cancel_order',
        'reopen_order',
        'lock',
        'unlock',
        'change_order',
        'extend_order',
        'readdress',
        'days',
        'rate',
    )
)


class Impossible(Exception):
    """There is no document to which the step could be done."""


class Mismatch(AssertionError):
    """The figures after a step are not what the documents say."""

    def __init__(self, differences, done):
        """Keep the history that led to it."""
        self.steps = list(done)
        # By which two failures are told apart: the figure, without the amounts.
        self.kind = differences[0].split(' of ')[0].split(':')[0].split(' on ')[0]
        steps = ''.join(f"    {step},\n" for step in done)
        super().__init__('\n'.join(differences) + f"\nafter\nself.play(\n{steps})")


class Effect(defaultdict):
    """What a step says it does to the exposure: {(root company, customer): amount}, with a tolerance."""

    def __init__(self, units=0):
        """Make an effect of nothing, true within so many smallest units."""
        super().__init__(float)
        self.units = units


@tagged('post_install', '-at_install')
class Trader(AccountTestInvoicingCommon):
    """Plays a history of steps and looks at the figures after each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        freezegun.configure(extend_ignore_list=['hypothesis'])  # whose clock shall go on
        freezer = freezegun.freeze_time(START)
        cls.clock = freezer.start()
        cls.addClassCleanup(freezer.stop)
        cls.env.user.group_ids += cls.env.ref('sales_team.group_sale_manager')
        cls.steps_done, cls.steps_refused = Counter(), Counter()
        cls.seen = Counter()  # how often a figure was not 0 when it was compared
        cls._set_up_companies()
        cls._set_up_taxes()
        cls._set_up_customers()
        cls._set_up_products()
        cls._set_up_terms()
        cls._set_up_accounts()
        cls._set_up_policies()
        cls.env.flush_all()

    @classmethod
    def _set_up_companies(cls):
        main = cls.env.company
        abroad = cls.setup_other_company(name="Abroad", currency_id=cls.env.ref('base.EUR').id)['company']
        branch = cls.env['res.company'].create({'name': "Branch", 'parent_id': main.id})
        cls.env.user.company_ids += branch
        cls.env.cr.precommit.run()  # loads the branch's accounts
        cls.companies = {'main': main, 'branch': branch, 'abroad': abroad}
        cls.roots = main + abroad
        cls.currencies = {
            code: cls.env.ref(f'base.{code}') for code in (main.currency_id.name, abroad.currency_id.name, 'JPY')
        }
        cls.home = {main: main.currency_id.name, branch: main.currency_id.name, abroad: abroad.currency_id.name}
        cls.pricelists = {}
        for code, currency in cls.currencies.items():
            currency.active = True
            cls.pricelists[code] = cls.env['product.pricelist'].create(
                {'name': code, 'currency_id': currency.id, 'company_id': False}
            )
        cls.env['res.currency.rate'].search([('currency_id', 'in', [c.id for c in cls.currencies.values()])]).unlink()
        for company, rates in ((main, {'EUR': 0.8, 'JPY': 125.0}), (abroad, {'USD': 1.25, 'JPY': 150.0})):
            for code, value in rates.items():
                cls._rate(company, code, value, '2026-01-01')
        # The branch picks before it delivers.
        cls.env['stock.warehouse'].search([('company_id', '=', branch.id)]).delivery_steps = 'pick_ship'

    @classmethod
    def _rate(cls, company, code, value, date):
        # One rate for each day, as the currency's form has it.
        Rate = cls.env['res.currency.rate']
        currency = cls.currencies[code]
        found = Rate.search([('company_id', '=', company.id), ('currency_id', '=', currency.id), ('name', '=', date)])
        if found:
            found.rate = value
        else:
            Rate.create({'company_id': company.id, 'currency_id': currency.id, 'name': date, 'rate': value})

    @classmethod
    def _set_up_taxes(cls):
        cls.taxes = {}
        for root in cls.roots:
            root.tax_exigibility = True
            due, transition = cls.env['account.account'].create(
                [
                    {
                        'name': name,
                        'code': code,
                        'account_type': 'liability_current',
                        'reconcile': reconcile,
                        'company_ids': [Command.set(root.ids)],
                    }
                    for name, code, reconcile in (
                        ("Tax due", 'TAX', False),
                        ("Tax due on payment", 'TAXDUE', True),
                    )
                ]
            )
            for name, amount, values in (
                ('t15', 15.0, {}),
                ('t15_on_base', 15.0, {}),  # without an account of its own
                ('t20_included', 20.0, {'price_include_override': 'tax_included'}),
                (
                    't7_on_payment',
                    7.0,
                    {'tax_exigibility': 'on_payment', 'cash_basis_transition_account_id': transition.id},
                ),
            ):
                tax = cls.env['account.tax'].with_company(root)
                cls.taxes[root, name] = tax.create(
                    {
                        'name': name,
                        'amount': amount,
                        'type_tax_use': 'sale',
                        'company_id': root.id,
                        'country_id': root.account_fiscal_country_id.id,
                        'tax_group_id': root.account_sale_tax_id.tax_group_id.id,
                        **values,
                    }
                )
                tax = cls.taxes[root, name]
                lines = tax.invoice_repartition_line_ids + tax.refund_repartition_line_ids
                if name != 't15_on_base':
                    lines.filtered(lambda line: line.repartition_type == 'tax').account_id = due
            cls.taxes[root, 'none'] = cls.env['account.tax']

    @classmethod
    def _set_up_customers(cls):
        Partner = cls.env['res.partner']
        hengda = Partner.create({'name': "Hengda", 'is_company': True})
        contact = Partner.create({'name': "Ms Lin", 'parent_id': hengda.id, 'type': 'invoice'})
        # A company of its own, though it hangs below another.
        subsidiary = Partner.create({'name': "Hengda Tools", 'parent_id': hengda.id, 'is_company': True})
        person = Partner.create({'name': "Mr Wu"})
        cls.partners = {'hengda': hengda, 'contact': contact, 'subsidiary': subsidiary, 'person': person}
        cls.customers = hengda + subsidiary + person

    @classmethod
    def _set_up_products(cls):
        cls.products = {}
        for name, kind, policy in (
            ('goods', 'consu', 'delivery'),
            ('goods_ordered', 'consu', 'order'),
            ('work', 'service', 'delivery'),
            ('service', 'service', 'order'),
        ):
            cls.products[name] = cls.env['product.product'].create(
                {'name': name, 'type': kind, 'invoice_policy': policy, 'list_price': 100.0, 'taxes_id': False}
            )

    @classmethod
    def _set_up_terms(cls):
        Term = cls.env['account.payment.term']

        def line(percent, after):
            return Command.create({'value': 'percent', 'value_amount': percent, 'nb_days': after})

        cls.terms = {
            'now': Term,
            'net30': Term.create({'name': "30 days", 'line_ids': [line(100, 30)]}),
            'instalments': Term.create({'name': "30 %, 70 %", 'line_ids': [line(30, 0), line(70, 30)]}),
        }
        for mode in ('included', 'excluded', 'mixed'):
            cls.terms[f'discount_{mode}'] = Term.create(
                {
                    'name': f"2 % in 10 days, {mode}",
                    'early_discount': True,
                    'discount_percentage': 2,
                    'discount_days': 10,
                    'early_pay_discount_computation': mode,
                    'line_ids': [line(100, 30)],
                }
            )

    @classmethod
    def _set_up_accounts(cls):
        cls.accounts = {}
        for root in cls.roots:
            for number, (name, account_type, by_item, role) in enumerate(
                (
                    ('advances', 'liability_current', False, 'advance'),
                    ('advance_items', 'liability_current', True, 'advance'),
                    ('bills', 'asset_current', False, 'clearing'),
                    ('bill_items', 'asset_current', True, 'clearing'),
                    ('bill_receivables', 'asset_receivable', True, 'clearing'),
                    ('deposits', 'asset_current', False, 'other'),
                    ('deposit_items', 'asset_current', True, 'other'),
                    ('till', 'asset_receivable', True, 'ignored'),
                    ('money', 'asset_current', False, None),
                )
            ):
                account = cls.env['account.account'].with_company(root)
                cls.accounts[root, name] = account.create(
                    {
                        'name': name,
                        'code': f'9900{number}',
                        'account_type': account_type,
                        'reconcile': by_item,
                        'company_ids': [Command.set(root.ids)],
                    }
                )
                if role:
                    cls.env['credit.ledger.account'].sudo().create(
                        {'account_id': cls.accounts[root, name].id, 'company_id': root.id, 'role': role}
                    )
        # Down payments are income in the branch, as Odoo has it where nothing is chosen.
        for name, account in (('main', 'advances'), ('abroad', 'advance_items')):
            company = cls.companies[name]
            company.downpayment_account_id = cls.accounts[company, account]

    @classmethod
    def _set_up_policies(cls):
        # Abroad there is none. They only record, and nothing is so large: nobody is to be stopped here.
        rule = Command.create({'kind': 'order_amount', 'outcome': 'warn', 'threshold': 1e9})
        main, person, subsidiary = cls.companies['main'], cls.partners['person'], cls.partners['subsidiary']
        tag = cls.env['res.partner.category'].create({'name': "Tools"})
        subsidiary.category_id = tag
        Policy = cls.env['credit.policy'].sudo()
        cls.policies = {
            name: Policy.create(
                {
                    'name': name,
                    'company_id': main.id,
                    'item_floor_percent': item,
                    'customer_floor': customer,
                    'rule_ids': [rule],
                    **values,
                }
            )
            for name, item, customer, values in (
                ('default', 5.0, 20.0, {}),
                ('segment', 40.0, 100.0, {'tag_ids': [Command.set(tag.ids)]}),
                ('own', 0.0, 0.0, {}),
            )
        }
        main.credit_policy_id = cls.policies['default']
        cls.env['credit.account']._for_partners(person, main).sudo().policy_id = cls.policies['own']

    # -------------------------------------------------------------------------
    # Playing
    # -------------------------------------------------------------------------

    def play(self, *steps):
        """Play a history, comparing after each step; leave nothing behind. Each step must be possible."""
        self._play(steps)

    def play_what_goes(self, steps):
        """Play steps as they come, passing over what cannot be done or Odoo refuses; return what went wrong.

        What went wrong is the text of the failure with the fewest steps that
        lead to it, ready to be pasted into a test, or None.
        """
        problem = self._problem(steps)  # an iterator, of which each step is asked for when the last is done
        if problem is None:
            return None
        for number in reversed(range(len(problem.steps))):
            fewer = problem.steps[:number] + problem.steps[number + 1 :]
            problem = self._problem(fewer, like=problem) or problem
        for number, step in enumerate(problem.steps):
            parameters = signature(getattr(self, f'_do_{step.name}')).parameters
            for name in step.values:
                if parameters[name].default is Parameter.empty:
                    continue
                simpler = [*problem.steps]
                simpler[number] = Step(step.name, **{key: step.values[key] for key in step.values if key != name})
                problem = self._problem(simpler, like=problem) or problem
                step = problem.steps[number]
        return problem

    def _problem(self, steps, like=None):
        try:
            self._play(steps, lenient=True)
        except Mismatch as problem:
            return problem if like is None or like.kind == problem.kind else None
        return None

    def _play(self, steps, lenient=False):
        done = []
        self.clock.move_to(START)
        self.rates_moved = False
        self.known = KNOWN if lenient else ()
        try:
            with closing(self.env.cr.savepoint()):
                before = self._totals()
                for step in steps:
                    try:
                        with self.env.cr.savepoint():
                            effect = getattr(self, f'_do_{step.name}')(**step.values)
                    except (Impossible, UserError, RedirectWarning) as reason:
                        if not lenient:
                            raise AssertionError(f"{step} cannot be done: {reason!r}") from reason
                        if not isinstance(reason, Impossible):
                            self.steps_refused[step.name] += 1
                        continue
                    self.steps_done[step.name] += 1
                    done.append(step)
                    after, differences = self._compare()
                    differences += self._compare_effect(effect, before, after)
                    if differences:
                        raise Mismatch(differences, done)
                    before = after
        finally:
            # Rates are cached in the registry.
            self.env.registry.clear_cache()

    def _totals(self):
        return {
            (root, customer): figures.exposure
            for root in self.roots
            for customer, figures in Oracle(self.env, root, self._today()).figures().items()
        }

    def _today(self):
        return self.clock().date()

    def _compare(self):
        """Compare what the database says with the documents; return {(root, customer): exposure} and differences."""
        # Before anything is flushed: the statement has to see to that itself.
        Account = self.env['credit.account'].sudo()
        actual = {root: Account._figures(root, self.customers.ids, graces=GRACES) for root in self.roots}
        rows = defaultdict(float)
        groups = (
            self.env['credit.exposure']
            .sudo()
            .with_context(allowed_company_ids=[company.id for company in self.companies.values()])
            ._read_group(
                [('partner_id', 'in', self.customers.ids)], ['company_id', 'partner_id', 'category'], ['amount:sum']
            )
        )
        for company, partner, category, amount in groups:
            rows[company.root_id, partner, category] += amount
        self.env.flush_all()
        self.env.invalidate_all()
        differences, totals = [], {}
        for root in self.roots:
            oracle = Oracle(self.env, root, self._today()).figures()
            for customer in self.customers:
                expected, row = oracle[customer], actual[root][customer.id]
                totals[root, customer] = expected.exposure
                where = f"{customer.name} in {root.name}"
                for name in AMOUNTS:
                    if name in ('exposure_delivered', 'exposure_ordered') and expected.stopped_at_zero:
                        continue
                    wanted = getattr(expected, name.removeprefix('exposure_'))
                    of_lines = name in ('exposure', 'exposure_draft_invoice', 'exposure_delivered', 'exposure_ordered')
                    self._differ(differences, f"{name} of {where}", row[name], wanted, expected.rows if of_lines else 1)
                    self.seen[name] += abs(wanted) > CENT
                for grace, wanted in expected.overdue_after.items():
                    self._differ(differences, f"overdue_{grace} of {where}", row[f'overdue_{grace}'], wanted)
                    self.seen[f'overdue_{grace}'] += wanted > CENT
                for name, wanted in (
                    ('days_overdue', expected.days_overdue),
                    ('oldest_due_date', expected.oldest_due),
                ):
                    if row[name] != wanted:
                        differences.append(f"{name} of {where}: {row[name]}, expected {wanted}")
                for role in ('receivable', 'advance', 'other'):
                    wanted = expected.ledger[role]
                    self._differ(differences, f"ledger_{role} of {where}", row[f'ledger_{role}'], wanted)
                    self.seen[f'ledger_{role}'] += abs(wanted) > CENT
                for category in CATEGORIES:
                    figure = row[f'exposure_{category}']
                    self._differ(differences, f"rows of {category} of {where}", rows[root, customer, category], figure)
                self._differ(differences, f"trial balance of {where}", row['ledger_receivable'], expected.trial_balance)
        return totals, differences

    def _differ(self, differences, what, actual, expected, roundings=1):
        # Half a cent for each line that was rounded.
        if abs(actual - expected) > roundings * CENT / 2 + 1e-5:
            differences.append(f"{what}: {actual:.2f}, expected {expected:.4f}")

    def _compare_effect(self, effect, before, after):
        """Return where a step changed a customer's exposure by another amount than it says, if it says something."""
        differences = []
        for key in before.keys() | after.keys() if effect is not None else ():
            change = after.get(key, 0.0) - before.get(key, 0.0)
            root, customer = key
            if abs(change - effect[key]) > effect.units * CENT + 1e-5:
                differences.append(
                    f"effect on {customer.name} in {root.name}: {change:.4f}, the step says {effect[key]:.4f}"
                )
        return differences

    # -------------------------------------------------------------------------
    # Finding documents
    # -------------------------------------------------------------------------

    def possible(self):
        """Return the names of the steps for which there is a document now."""
        order, line, move, item = 'sale.order', 'sale.order.line', 'account.move', 'account.move.line'
        sold, posted = ('state', '=', 'sale'), [('state', '=', 'posted'), ('move_type', '=', 'out_invoice')]
        owed = [*posted, ('payment_state', 'in', ('not_paid', 'partial'))]
        done_to = (
            ({'confirm'}, order, [('state', '=', 'draft')]),
            ({'reopen_order'}, order, [('state', '=', 'cancel')]),
            ({'down_payment', 'cancel_order', 'lock', 'change_order', 'extend_order', 'readdress'}, order, [sold]),
            ({'unlock'}, order, [sold, ('locked', '=', True)]),
            ({'bill', 'bill_all'}, order, [sold, ('invoice_status', '=', 'to invoice')]),
            ({'serve'}, line, [sold, ('product_id.type', '=', 'service')]),
            ({'deliver'}, 'stock.picking', [('state', 'not in', ('draft', 'done', 'cancel'))]),
            ({'give_back'}, 'stock.picking', [('state', '=', 'done'), ('location_dest_id.usage', '=', 'customer')]),
            (
                {'edit_draft', 'post', 'cancel'},
                move,
                [('state', '=', 'draft'), ('move_type', 'in', ('out_invoice', 'out_refund'))],
            ),
            ({'credit', 'redraft'}, move, posted),
            ({'pay', 'transfer'}, move, owed),
            ({'match'}, item, self._open_lines(-1)),
            ({'unmatch'}, move, [*posted, ('payment_state', '!=', 'not_paid')]),
            ({'drop_payment'}, 'account.payment', [('state', 'in', ('in_process', 'paid'))]),
            ({'unbook'}, move, self._booked()),
            ({'settle'}, item, self._settled_later(-1)),
        )
        of_ours = [('company_id', 'in', [company.id for company in self.companies.values()])]
        names = {'sell', 'invoice', 'free_credit', 'prepay', 'book', 'floors', 'days', 'rate'}
        for steps, model, domain in done_to:
            if self.env[model].sudo().search_count([*of_ours, *domain], limit=1):
                names |= steps
        return names

    def _choose(self, records, number):
        if not records:
            raise Impossible
        return records[number % len(records)]

    def _find(self, model, domain, number):
        own = [('company_id', 'in', [company.id for company in self.companies.values()])]
        record = self._choose(self.env[model].sudo().search(own + domain, order='id'), number)
        return self._as_user(record, record.company_id)

    def _as_user(self, record, company):
        """Return a record as the user has it, active in the document's company."""
        tree = company + (company.parent_id or company.browse())
        return record.sudo(False).with_context(allowed_company_ids=tree.ids)

    def _order(self, number, state='sale'):
        return self._find('sale.order', [('state', '=', state)], number)

    def _order_line(self, number, domain=()):
        base = [('state', '=', 'sale'), ('display_type', '=', False), ('is_downpayment', '=', False)]
        return self._find('sale.order.line', [*base, *domain], number)

    def _move(self, number, state, types=('out_invoice',), domain=()):
        return self._find('account.move', [('move_type', 'in', types), ('state', '=', state), *domain], number)

    def _key(self, company, partner):
        return company.root_id, partner.commercial_partner_id

    def _home_amount(self, company, amount, currency):
        return currency._convert(amount, company.currency_id, company.root_id, self._today(), round=False)

    def _units(self, company, currency, lines):
        """Return how many cents of the company so many smallest units of a currency may come to."""
        unit = self._home_amount(company, currency.rounding, currency)
        return lines * max(1.0, unit / CENT)

    # -------------------------------------------------------------------------
    # Orders
    # -------------------------------------------------------------------------

    def _line_vals(self, company, product, quantity, price, discount=0, tax='none', unit=None):
        vals = {
            'product_id': self.products[product].id,
            'product_uom_qty': quantity,
            'price_unit': price,
            'discount': discount,
            'tax_ids': [Command.set(self.taxes[company.root_id, tax].ids)],
        }
        if unit == 'dozen':
            vals['product_uom_id'] = self.env.ref('uom.product_uom_dozen').id
        return vals

    def _do_sell(
        self, lines, company='main', customer='hengda', invoice_to=None, currency=None, term='now', confirmed=True
    ):
        """Make a quotation of lines (product, quantity, price[, discount, tax, unit]) and confirm it."""
        company = self.companies[company]
        currency = currency or self.home[company]
        order = self._as_user(self.env['sale.order'], company).create(
            {
                'company_id': company.id,
                'partner_id': self.partners[customer].id,
                'partner_invoice_id': self.partners[invoice_to or customer].id,
                'pricelist_id': self.pricelists[currency].id,
                'payment_term_id': self.terms[term].id,
                'order_line': [Command.create(self._line_vals(company, *line)) for line in lines],
            }
        )
        if confirmed:
            return self._confirm(order)
        return Effect()

    def _confirm(self, order):
        fresh = not order.picking_ids
        order.action_confirm()
        effect = Effect(self._units(order.company_id, order.currency_id, len(order.order_line)))
        # Not the order's own total: with an early payment discount that lowers the
        # tax, that is less than its lines come to.
        amount = self._home_amount(order.company_id, sum(order.order_line.mapped('price_total')), order.currency_id)
        effect[self._key(order.company_id, order.partner_invoice_id)] = max(0.0, amount)
        untouched = fresh and not order.invoice_ids and all(line.product_uom_qty > 0 for line in order.order_line)
        return effect if untouched and not any(order.order_line.mapped('qty_delivered')) else None

    def _do_confirm(self, order):
        return self._confirm(self._order(order, 'draft'))

    def _do_lock(self, order):
        self._order(order).action_lock()
        return Effect()

    def _do_unlock(self, order):
        self._order(order).action_unlock()
        return Effect()

    def _do_cancel_order(self, order):
        order = self._order(order)
        if order.locked:
            order.action_unlock()
        untouched = not order.invoice_ids
        effect = Effect()
        figures = Oracle(self.env, order.company_id.root_id, self._today()).figures()
        key = self._key(order.company_id, order.partner_invoice_id)
        effect[key] = -figures[key[1]].orders[order.sudo()]
        order.action_cancel()
        return effect if untouched else None

    def _do_reopen_order(self, order):
        order = self._order(order, 'cancel')
        order.action_draft()
        return self._confirm(order)

    def _do_change_order(self, line, quantity=None, price=None, discount=None):
        line = self._order_line(line)
        vals = {'product_uom_qty': quantity, 'price_unit': price, 'discount': discount}
        line.order_id.write({'order_line': [Command.update(line.id, {k: v for k, v in vals.items() if v is not None})]})

    def _do_extend_order(self, order, line):
        order = self._order(order)
        if order.locked:
            raise Impossible
        order.write({'order_line': [Command.create(self._line_vals(order.company_id, *line))]})

    def _do_readdress(self, order, invoice_to):
        self._order(order).partner_invoice_id = self.partners[invoice_to]

    # -------------------------------------------------------------------------
    # Deliveries
    # -------------------------------------------------------------------------

    def _do_deliver(self, picking, percent=100, backorder=True):
        """Process an open transfer, outgoing or not, in part or with more than was asked for."""
        picking = self._find('stock.picking', [('state', 'not in', ('draft', 'done', 'cancel'))], picking)
        moves = picking.move_ids.filtered(lambda move: move.state not in ('done', 'cancel'))
        for move in moves:
            move.quantity = move.product_uom.round(move.product_uom_qty * percent / 100)
            move.picked = True
        # Odoo rounds what is delivered to hundredths of the order's unit, which are
        # more than cents where that unit is not the one of the transfer.
        rounded = 0.0
        for line in moves.sale_line_id.sudo():
            if line.product_uom_id != line.product_id.uom_id and line.product_uom_qty:
                price = line.price_total / line.product_uom_qty
                rounded += abs(self._home_amount(line.company_id, price * 0.01, line.currency_id)) / CENT
        self._validate(picking, backorder)
        if percent <= 100 and (backorder or percent == 100) and picking.picking_type_code != 'incoming':
            return Effect(rounded)
        return None

    def _validate(self, picking, backorder=True):
        action = picking.button_validate()
        if isinstance(action, dict) and action.get('res_model') == 'stock.backorder.confirmation':
            wizard = self.env[action['res_model']].with_context(**action['context']).create({})
            wizard.process() if backorder else wizard.process_cancel_backorder()

    def _do_serve(self, line, quantity):
        """Type the delivered quantity of a service; nothing is added up to what was ordered."""
        line = self._order_line(line, [('product_id.type', '=', 'service')])
        usual = max(line.qty_delivered, quantity) <= line.product_uom_qty
        line.order_id.write({'order_line': [Command.update(line.id, {'qty_delivered': quantity})]})
        return Effect() if usual else None

    def _do_give_back(self, picking, percent=100, refund=True, receive=True, exchange=False):
        """Take goods back through the return wizard; with `refund` the order's quantity follows."""
        domain = [('state', '=', 'done'), ('location_dest_id.usage', '=', 'customer')]
        picking = self._find('stock.picking', domain, picking)
        wizard = (
            self.env['stock.return.picking']
            .with_context(**picking.env.context, active_model='stock.picking', active_id=picking.id)
            .create({})
        )
        for line in wizard.product_return_moves:
            line.quantity = line.uom_id.round(line.move_quantity * percent / 100)
            line.to_refund = refund
        action = wizard.action_create_exchanges() if exchange else wizard.action_create_returns()
        if receive:
            self._validate(self._as_user(self.env['stock.picking'].browse(action['res_id']), picking.company_id))
        return Effect() if not exchange and (not receive or not refund) else None

    # -------------------------------------------------------------------------
    # Invoices
    # -------------------------------------------------------------------------

    def _do_bill(self, order, method='delivered', amount=0.0, deduct=True, then_post=False):
        """Invoice an order through the wizard: regularly, or a down payment."""
        order = self._order(order)
        effect = self._effect_of_billing(order, method)
        known = order.invoice_ids
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(**order.env.context, active_model='sale.order', active_ids=order.ids)
            .create(
                {
                    'advance_payment_method': method,
                    'deduct_down_payments': deduct,
                    **({'amount': amount} if method == 'percentage' else {}),
                    **({'fixed_amount': amount} if method == 'fixed' else {}),
                }
            )
        )
        wizard.create_invoices()
        moves = order.invoice_ids - known
        if 'credit note of an order in draft' in self.known and 'out_refund' in moves.mapped('move_type'):
            raise Impossible
        if then_post:
            moves.action_post()
        # A draft may come out as a credit note, which counts nowhere as a draft.
        if moves.move_type != 'out_invoice' or moves.amount_total < 0:
            return None
        return effect if self._plain(order) else None

    def _effect_of_billing(self, order, method):
        """Return no effect if the invoice only says what the order says."""
        # This discount lowers the tax on the invoice, which the order's lines don't know.
        if not self._plain(order) or order.payment_term_id == self.terms['discount_mixed']:
            return None
        lines = order.order_line.filtered(lambda line: not line.display_type and not line.is_downpayment)
        oracle = Oracle(self.env, order.company_id.root_id, self._today())
        for line in lines.sudo() if method == 'delivered' else ():
            total, invoiced = oracle._total_quantity(line), oracle._invoiced_quantity(line)
            if line.qty_to_invoice < 0 or max(0.0, invoiced) + line.qty_to_invoice > total + 1e-6:
                return None
            if line.product_uom_qty <= 0 or abs(invoiced - line.qty_invoiced) > 1e-6:
                return None
        return Effect(self._units(order.company_id, order.currency_id, 1 + len(order.order_line)))

    def _plain(self, order):
        """Tell whether an order's sum is what its lines come to, not stopped at zero by rebates or down payments."""
        oracle = Oracle(self.env, order.company_id.root_id, self._today())
        order = order.sudo()
        values, down_payment = [], oracle._down_payments_signed(order)
        if down_payment < -CENT / 2:
            return False
        for line in order.order_line:
            if not line.display_type and not line.is_downpayment:
                price, delivered, ordered = oracle._line(line)
                values.append(self._home_amount(order.company_id, price * (delivered + ordered), order.currency_id))
        return sum(values) - down_payment >= -CENT / 2

    def _do_bill_all(self, order):
        """Invoice all open orders of an order's customer at once; Odoo makes one invoice of them."""
        order = self._order(order)
        orders = self._as_user(
            order.search(
                [
                    ('state', '=', 'sale'),
                    ('company_id', '=', order.company_id.id),
                    ('partner_id', '=', order.partner_id.id),
                    ('invoice_status', '=', 'to invoice'),
                ],
                order='id',
            ),
            order.company_id,
        )
        if not orders:
            raise Impossible
        wizard = (
            self.env['sale.advance.payment.inv']
            .with_context(**order.env.context, active_model='sale.order', active_ids=orders.ids)
            .create({'advance_payment_method': 'delivered'})
        )
        known = orders.invoice_ids
        wizard.create_invoices()
        if 'credit note of an order in draft' in self.known and 'out_refund' in (orders.invoice_ids - known).mapped(
            'move_type'
        ):
            raise Impossible

    def _invoice_vals(self, company, customer, amount, quantity, currency, term, tax, ago):
        company = self.companies[company]
        return {
            'company_id': company.id,
            'partner_id': self.partners[customer].id,
            'currency_id': self.currencies[currency or self.home[company]].id,
            'invoice_payment_term_id': self.terms[term].id,
            'invoice_date': self._today() - timedelta(days=ago),
            'invoice_line_ids': [
                Command.create(
                    {
                        'product_id': self.products['service'].id,
                        'quantity': quantity,
                        'price_unit': amount,
                        'tax_ids': [Command.set(self.taxes[company.root_id, tax].ids)],
                    }
                )
            ],
        }

    def _do_invoice(
        self, amount, quantity=1, company='main', customer='hengda', currency=None, term='net30', tax='none', ago=0
    ):
        """Make and post an invoice without an order, some days ago."""
        vals = self._invoice_vals(company, customer, amount, quantity, currency, term, tax, ago)
        move = self._as_user(self.env['account.move'], self.companies[company]).create(
            {'move_type': 'out_invoice', **vals}
        )
        move.action_post()
        effect = Effect(1)
        effect[self._key(move.company_id, move.partner_id)] = move.amount_total_signed
        return effect

    def _do_free_credit(self, amount, company='main', customer='hengda', currency=None, tax='none', then_post=True):
        """Make a credit note that names no invoice."""
        vals = self._invoice_vals(company, customer, amount, 1, currency, 'now', tax, 0)
        move = self._as_user(self.env['account.move'], self.companies[company]).create(
            {'move_type': 'out_refund', **vals}
        )
        effect = Effect(1)
        if then_post:
            move.action_post()
            effect[self._key(move.company_id, move.partner_id)] = move.amount_total_signed
        return effect

    def _do_edit_draft(self, move, line=0, quantity=None, price=None, rebate=None, remove=False, unit=None):
        """Change a line of a draft invoice or credit note, take it out, or add a rebate."""
        move = self._move(move, 'draft', ('out_invoice', 'out_refund'))
        lines = move.invoice_line_ids.filtered(lambda line: line.display_type == 'product')
        commands = []
        if rebate is not None:
            commands.append(
                Command.create({'name': "Rebate", 'quantity': 1, 'price_unit': -rebate, 'tax_ids': [Command.clear()]})
            )
        elif remove:
            commands.append(Command.delete(self._choose(lines, line).id))
        else:
            vals = {'quantity': quantity, 'price_unit': price}
            if unit:
                vals['product_uom_id'] = self.env.ref(f'uom.product_uom_{unit}').id
            vals = {name: value for name, value in vals.items() if value is not None}
            commands.append(Command.update(self._choose(lines, line).id, vals))
        move.write({'invoice_line_ids': commands})

    def _do_post(self, move):
        move = self._move(move, 'draft', ('out_invoice', 'out_refund'))
        linked = move.invoice_line_ids.sale_line_ids or move.reversed_entry_id
        move.action_post()
        effect = Effect(self._units(move.company_id, move.currency_id, 1))
        if move.move_type == 'out_refund':
            effect[self._key(move.company_id, move.partner_id)] = move.amount_total_signed
            return None if linked else effect
        # Odoo books a draft at the rate of its date or of its creation, as the case may be.
        if self.rates_moved and move.currency_id != move.company_currency_id:
            return None
        if move.sudo().search([('reversed_entry_id', '=', move.id), ('state', '=', 'posted')]):
            return None
        return effect

    def _do_credit(self, move, modify=False, percent=100, then_post=True):
        """Reverse a posted invoice through the wizard: in full, in part, or with a new invoice in its place."""
        move = self._move(move, 'posted')
        wizard = (
            self.env['account.move.reversal']
            .with_context(**move.env.context, active_model='account.move', active_ids=move.ids)
            .create({'reason': "as agreed", 'journal_id': move.journal_id.id})
        )
        if modify:
            wizard.modify_moves()
            return
        action = wizard.refund_moves()
        note = self._as_user(self.env['account.move'].browse(action['res_id']), move.company_id)
        if percent != 100:
            note.write(
                {
                    'invoice_line_ids': [
                        Command.update(line.id, {'quantity': line.quantity * percent / 100})
                        for line in note.invoice_line_ids
                        if line.display_type == 'product'
                    ]
                }
            )
        if not then_post:
            return Effect()
        note.action_post()

    def _do_redraft(self, move):
        move = self._move(move, 'posted', ('out_invoice', 'out_refund'))
        credited = move.sudo().search_count([('reversed_entry_id', '=', move.id)])
        plain = move.move_type == 'out_invoice' and move.currency_id == move.company_currency_id
        self._avoid_matched(move.line_ids)
        move.button_draft()
        return Effect(1) if plain and not credited else None

    def _avoid_matched(self, lines):
        matched = lines.matched_debit_ids or lines.matched_credit_ids
        if matched and 'matched with a draft' in self.known:
            raise Impossible

    def _do_cancel(self, move):
        self._move(move, 'draft', ('out_invoice', 'out_refund')).button_cancel()

    # -------------------------------------------------------------------------
    # Payments
    # -------------------------------------------------------------------------

    def _do_pay(self, move, percent=100, close=False, in_home_currency=False):
        """Register a payment on an invoice or credit note: what Odoo proposes, or a part or more of it."""
        move = self._move(
            move, 'posted', ('out_invoice', 'out_refund'), [('payment_state', 'in', ('not_paid', 'partial'))]
        )
        wizard = (
            self.env['account.payment.register']
            .with_context(**move.env.context, active_model='account.move', active_ids=move.ids)
            .create({})
        )
        if in_home_currency:
            wizard.currency_id = move.company_currency_id
        plain = move.currency_id == move.company_currency_id
        if percent != 100:
            wizard.amount = wizard.currency_id.round(wizard.amount * percent / 100)
        if close and percent != 100:
            wizard.payment_difference_handling = 'reconcile'
            accounts = self.env['account.account'].with_company(move.company_id.root_id)
            wizard.writeoff_account_id = accounts.search(
                [('account_type', '=', 'expense'), ('company_ids', 'in', move.company_id.root_id.ids)], limit=1
            )
        closing = wizard.payment_difference_handling == 'reconcile'
        difference = wizard.payment_difference if closing else 0.0
        amount = wizard.amount
        sign = -1 if wizard.payment_type == 'inbound' else 1
        wizard.action_create_payments()
        effect = Effect(1)
        effect[self._key(move.company_id, move.partner_id)] = sign * (amount + difference)
        return effect if plain else None

    def _do_prepay(self, amount, company='main', customer='hengda', currency=None, refund=False):
        """Book a payment on account, or money given back."""
        company = self.companies[company]
        payment = self._as_user(self.env['account.payment'], company).create(
            {
                'company_id': company.id,
                'payment_type': 'outbound' if refund else 'inbound',
                'partner_type': 'customer',
                'partner_id': self.partners[customer].id,
                'amount': amount,
                'currency_id': self.currencies[currency or self.home[company]].id,
            }
        )
        payment.action_post()
        effect = Effect(1)
        home = self._home_amount(company, amount, payment.currency_id)
        effect[self._key(company, payment.partner_id)] = home if refund else -home
        return effect

    def _open_lines(self, sign):
        operator = '>' if sign > 0 else '<'
        return [
            ('parent_state', '=', 'posted'),
            ('account_id.account_type', '=', 'asset_receivable'),
            ('reconciled', '=', False),
            ('amount_residual', operator, 0),
        ]

    def _do_match(self, line, against=0):
        """Match an open credit with an invoice of the same customer, as the invoice's form offers it."""
        line = self._find('account.move.line', self._open_lines(-1), line)
        domain = [
            *self._open_lines(1),
            ('account_id', '=', line.account_id.id),
            ('partner_id', '=', line.partner_id.id),
            ('move_id.move_type', '=', 'out_invoice'),
        ]
        move = self._find('account.move.line', domain, against).move_id
        move = self._as_user(move, move.company_id)
        move.js_assign_outstanding_line(line.id)
        return Effect() if line.currency_id == move.currency_id == move.company_currency_id else None

    def _do_unmatch(self, move):
        move = self._move(move, 'posted', domain=[('payment_state', '!=', 'not_paid')])
        partials = move.line_ids.matched_debit_ids + move.line_ids.matched_credit_ids
        plain = not partials.exchange_move_id
        move.line_ids.remove_move_reconcile()
        return Effect() if plain else None

    def _do_drop_payment(self, payment, draft=False):
        """Cancel a payment, or set it back to draft."""
        payment = self._find('account.payment', [('state', 'in', ('in_process', 'paid'))], payment)
        home = payment.currency_id == payment.company_id.currency_id
        plain = home and not payment.move_id.line_ids.filtered(
            lambda line: line.account_id.account_type in ('expense', 'income', 'income_other')
        )
        effect = Effect(1)
        sign = 1 if payment.payment_type == 'inbound' else -1
        effect[self._key(payment.company_id, payment.partner_id)] = sign * payment.amount
        if draft:
            self._avoid_matched(payment.move_id.line_ids)
        payment.action_draft()
        if not draft:
            payment.action_cancel()
        return effect if plain else None

    # -------------------------------------------------------------------------
    # Other accounts that count
    # -------------------------------------------------------------------------

    def _book(self, company, partner, debit, credit, amount, currency, ago=0):
        """Book an amount from one account to another with the customer on both sides; return the entry."""
        sides = ((debit, amount), (credit, -amount))
        move = self._as_user(self.env['account.move'], company).create(
            {
                'move_type': 'entry',
                'company_id': company.id,
                'journal_id': self.env['account.journal']
                .search([('type', '=', 'general'), ('company_id', '=', company.root_id.id)], limit=1)
                .id,
                'date': self._today() - timedelta(days=ago),
                'ref': "Booked",
                'line_ids': [
                    Command.create(
                        {
                            'account_id': account.id,
                            'partner_id': partner.id,
                            'currency_id': currency.id,
                            'amount_currency': signed,
                        }
                    )
                    for account, signed in sides
                ],
            }
        )
        move.action_post()
        return move

    def _booked(self):
        return [('state', '=', 'posted'), ('move_type', '=', 'entry'), ('ref', '=', "Booked")]

    def _do_book(self, account, amount, company='main', customer='hengda', currency=None, ago=0):
        """Book money paid out to a customer, or below 0 received from him, on an account of its own."""
        company, partner = self.companies[company], self.partners[customer]
        counting, money = self.accounts[company.root_id, account], self.accounts[company.root_id, 'money']
        currency = self.currencies[currency or self.home[company]]
        move = self._book(company, partner, counting, money, amount, currency, ago)
        effect = Effect(1)
        if account != 'till':
            effect[self._key(company, partner)] = sum(
                move.line_ids.filtered(lambda line: line.account_id == counting).mapped('balance')
            )
        return effect

    def _do_unbook(self, move):
        """Set such an entry back to draft."""
        move = self._find('account.move', self._booked(), move)
        self._avoid_matched(move.line_ids)
        move.button_draft()

    def _do_transfer(self, account, move, percent=100):
        """Settle an invoice from an account: with an advance, by a bill, or by owing it there."""
        move = self._move(move, 'posted', domain=[('payment_state', 'in', ('not_paid', 'partial'))])
        owed = move.line_ids.filtered(
            lambda line: line.account_id.account_type == 'asset_receivable' and line.amount_residual > 0
        )
        amount = move.currency_id.round(sum(owed.mapped('amount_residual_currency')) * percent / 100)
        if not owed or not amount:
            raise Impossible
        company, receivable = move.company_id, owed.account_id[:1]
        counting = self.accounts[company.root_id, account]
        entry = self._book(company, owed.partner_id[:1], counting, receivable, amount, move.currency_id)
        (owed + entry.line_ids.filtered(lambda line: line.account_id == receivable)).reconcile()
        if move.currency_id != move.company_currency_id:
            return None
        effect = Effect(1)
        if account == 'till':
            effect[self._key(company, move.partner_id)] = -amount
        return effect

    def _settled_later(self, sign):
        operator = '>' if sign > 0 else '<'
        items = [account.id for account in self.accounts.values() if account.reconcile]
        return [
            ('parent_state', '=', 'posted'),
            ('account_id', 'in', items),
            ('move_id.move_type', '=', 'entry'),
            ('amount_residual', operator, 0),
        ]

    def _do_settle(self, line, against=0):
        """Match two entries of one customer on such an account, as a bill with the money that came for it."""
        line = self._find('account.move.line', self._settled_later(-1), line)
        domain = [
            *self._settled_later(1),
            ('account_id', '=', line.account_id.id),
            ('partner_id.commercial_partner_id', '=', line.partner_id.commercial_partner_id.id),
        ]
        other = self._find('account.move.line', domain, against)
        home = line.company_currency_id
        (line + other).reconcile()
        return Effect() if line.currency_id == other.currency_id == home else None

    def _do_floors(self, policy, item, customer):
        """Change what is too small to be overdue."""
        self.policies[policy].write({'item_floor_percent': item, 'customer_floor': customer})
        return Effect()

    # -------------------------------------------------------------------------
    # Time
    # -------------------------------------------------------------------------

    def _do_days(self, days):
        self.clock.move_to(self.clock() + timedelta(days=days))

    def _do_rate(self, currency, percent):
        """Set today's rate of a foreign currency in both companies, in percent of the last."""
        self.rates_moved = True
        for root in self.roots:
            if self.home[root] != currency:
                last = self.currencies[currency].with_company(root).rate
                self._rate(root, currency, last * percent / 100, self._today())
