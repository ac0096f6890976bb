"""What a scorecard can look at: the metrics, each with its unit, direction and origin.

Only what is in METRICS, and outside factors entered under a code of their own
(`factor:<code>`), can become a characteristic: no attribute of a person (gender,
age, nationality and the like) is here, so none can be scored. An add-on adds a
metric of its own with `METRICS[code] = Metric(...)` and returns its values from
`scoring.score._entered_values` or `_ledger_values`.
"""

from dataclasses import dataclass

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)
FACTOR = 'factor:'

# How a value can be made better, for what a score says it takes.
ON_TIME = 'on_time'  # by paying further invoices by their due date
PAY = 'pay'  # by paying what is overdue
WAIT = 'wait'  # by time passing without another such event


@dataclass(frozen=True)
class Metric:
    """One thing that can be measured of a customer as of a date.

    `stake` metrics measure how much is at stake, not how the customer behaves:
    they are summed into a score of their own. `by_invoice` metrics are means
    over the customer's invoices: with few of them they say little and are
    drawn towards the segment. What is `shared` is true of many customers alike: it
    makes a score better or worse, but alone says nothing of one of them.
    """

    code: str
    label: str
    unit: str  # days, percent, months, points, count, ratio, class
    source: str  # ledger or entered
    higher_is_better: bool
    help: str = ''
    stake: bool = False
    by_invoice: bool = False
    shared: bool = False
    improved_by: str = ''


LEDGER = 'ledger'
ENTERED = 'entered'
_UP, _DOWN = True, False

_METRICS = (
    # How the customer pays. Each mean is over the instalments of posted
    # customer invoices due in the last 24 months that are paid or past due.
    Metric('payment_index', _lt("Payment index"), 'points', LEDGER, _UP, _lt(
        "0 to 100 from the days beyond terms, weighted by amount: 100 is 30 days early, 80 on the due date, "
        "50 is 30 days late, 20 is 120 days late."), by_invoice=True, improved_by=ON_TIME),
    Metric('on_time_ratio', _lt("Paid on time"), 'percent', LEDGER, _UP, _lt(
        "Share of the invoices that were paid by their due date and the days of tolerance."),
        by_invoice=True, improved_by=ON_TIME),
    Metric('days_late_average', _lt("Average days beyond terms"), 'days', LEDGER, _DOWN, _lt(
        "Each invoice counts the same; what is paid early counts as negative days."),
        by_invoice=True, improved_by=ON_TIME),
    Metric('days_late_median', _lt("Median days beyond terms"), 'days', LEDGER, _DOWN, _lt(
        "Half of the invoices are paid sooner than this."), by_invoice=True, improved_by=ON_TIME),
    Metric('days_late_recent', _lt("Recent days beyond terms"), 'days', LEDGER, _DOWN, _lt(
        "Average in which an invoice due half a year ago counts half of one due today."),
        by_invoice=True, improved_by=ON_TIME),
    Metric('days_late_worst', _lt("Worst days beyond terms"), 'days', LEDGER, _DOWN, _lt(
        "The latest payment, or the oldest item still unpaid."), by_invoice=True, improved_by=WAIT),
    Metric('days_late_trend', _lt("Trend of days beyond terms"), 'days', LEDGER, _DOWN, _lt(
        "Average of the last 180 days less the average of the time before. Above 0: the customer pays later than it "
        "used to. Not in the cards that come with Odoo: having paid late long ago makes this figure better."),
        by_invoice=True, improved_by=ON_TIME),
    Metric('weekday_late_ratio', _lt("Late on the weekdays now due"), 'percent', LEDGER, _DOWN, _lt(
        "Share of late invoices among those due on the weekdays of the items that are open now; customers pay in "
        "weekly runs. Few such invoices are drawn towards the customer's own average."), by_invoice=True),
    Metric('written_off_share', _lt("Written off"), 'percent', LEDGER, _DOWN, _lt(
        "Share of the amount due in the last 24 months that was written off as lost."), improved_by=WAIT),
    # What is overdue now.
    Metric('overdue_share', _lt("Overdue share"), 'percent', LEDGER, _DOWN, _lt(
        "Overdue amount in percent of what was invoiced in the last 12 months, at most 100. Payments not yet matched "
        "are taken as paying the oldest items."), improved_by=PAY),
    Metric('overdue_days', _lt("Age of the oldest overdue item"), 'days', LEDGER, _DOWN, _lt(
        "Days since the due date of the oldest unpaid item."), improved_by=PAY),
    # The trade with the customer.
    Metric('customer_months', _lt("Months of trade"), 'months', LEDGER, _UP, _lt("Since the first invoice.")),
    Metric('invoice_frequency', _lt("Invoices per month"), 'count', LEDGER, _UP, _lt(
        "Average of the last 12 months.")),
    Metric('frequency_change', _lt("Change of invoices"), 'percent', LEDGER, _UP, _lt(
        "Number of invoices of the last 6 months compared with the 6 months before.")),
    Metric('turnover_growth', _lt("Growth of turnover"), 'percent', LEDGER, _UP, _lt(
        "Amount invoiced, less credit notes, in the last 12 months compared with the 12 months before.")),
    Metric('amount_variation', _lt("Unsteadiness of amounts"), 'percent', LEDGER, _DOWN, _lt(
        "Standard deviation of the amounts of the invoices of the last 12 months in percent of their average.")),
    Metric('months_since_invoice', _lt("Months since the last invoice"), 'months', LEDGER, _DOWN, ''),
    # The credit file, last 12 months.
    Metric('promises_broken', _lt("Broken promises"), 'count', LEDGER, _DOWN, _lt(
        "Payment promises that were not kept in the last 12 months."), improved_by=WAIT),
    Metric('payments_returned', _lt("Returned payments"), 'count', LEDGER, _DOWN, _lt(
        "Payments that came back in the last 12 months."), improved_by=WAIT),
    Metric('disputes', _lt("Disputes"), 'count', LEDGER, _DOWN, _lt(
        "Disputes opened in the last 12 months, without those in which the customer was right."), improved_by=WAIT),
    Metric('credit_events', _lt("Credit incidents"), 'count', LEDGER, _DOWN, _lt(
        "Orders held, conditions of releases broken and entries in the blacklist in the last 12 months."),
        improved_by=WAIT),
    # How much is at stake: a score apart.
    Metric('utilisation', _lt("Use of the limit"), 'percent', LEDGER, _DOWN, _lt(
        "Open items in percent of the credit limit that was decided and in force. Missing without such a limit."),
        stake=True),
    Metric('open_months', _lt("Open items in months of turnover"), 'months', LEDGER, _DOWN, _lt(
        "Open items divided by the average amount invoiced per month in the last 12 months."), stake=True),
    Metric('concentration', _lt("Share of our receivables"), 'percent', LEDGER, _DOWN, _lt(
        "Open items of this customer in percent of the open items of all customers."), stake=True),
    # What is entered.
    Metric('altman_z', _lt("Altman Z″"), 'ratio', ENTERED, _UP, _lt(
        "From the last financial statement. Below 1.1 distress, above 2.6 safe.")),
    Metric('equity_ratio', _lt("Equity ratio"), 'percent', ENTERED, _UP, _lt("Equity in percent of total assets.")),
    Metric('current_ratio', _lt("Current ratio"), 'ratio', ENTERED, _UP, _lt(
        "Current assets divided by current liabilities.")),
    Metric('cash_flow_ratio', _lt("Cash flow ratio"), 'ratio', ENTERED, _UP, _lt(
        "Operating cash flow divided by current liabilities.")),
    Metric('interest_cover', _lt("Interest cover"), 'ratio', ENTERED, _UP, _lt(
        "Operating result divided by interest paid.")),
    Metric('return_on_sales', _lt("Return on sales"), 'percent', ENTERED, _UP, _lt("Net result in percent of sales.")),
    Metric('turnover_growth_statement', _lt("Growth of the customer's sales"), 'percent', ENTERED, _UP, _lt(
        "By its financial statements, compared with the year before.")),
    Metric('external_rating', _lt("External rating"), 'points', ENTERED, _UP, _lt(
        "The newest rating of a provider, on a scale from 0 to 100.")),
    Metric('industry_risk', _lt("Industry risk"), 'class', ENTERED, _DOWN, _lt(
        "From 1, low, to 5, high."), shared=True),
    Metric('country_risk', _lt("Country risk"), 'class', ENTERED, _DOWN, _lt(
        "From 1, low, to 5, high."), shared=True),
    Metric('questionnaire', _lt("Questionnaire"), 'points', ENTERED, _UP, _lt(
        "Points of the newest questionnaire, 0 to 100.")),
    Metric('years_in_business', _lt("Years in business"), 'ratio', ENTERED, _UP, ''),
)  # fmt: skip

METRICS = {metric.code: metric for metric in _METRICS}
