"""What a score found, said to the customer itself: one sentence for each metric.

An add-on with a metric of its own adds its sentence to SENTENCES; without one
the metric's name and the value are said.
"""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

# What would tell the customer our own figures: said without the value.
WITHHELD = {'concentration'}

# By metric a function of the value with its unit and of the bare number.
SENTENCES = {
    'payment_index': lambda value, number: _lt(
        "How promptly you pay, on a scale on which 80 is on the due date and 50 is 30 days late: %(number)s.",
        number=number,
    ),
    'on_time_ratio': lambda value, number: _lt("You paid %(value)s of your invoices by their due date.", value=value),
    'days_late_average': lambda value, number: _lt(
        "From due date to payment, on average (below 0: paid early): %(value)s.", value=value
    ),
    'days_late_median': lambda value, number: _lt(
        "Half of your invoices were paid within this time from their due date (below 0: paid early): %(value)s.",
        value=value,
    ),
    'days_late_recent': lambda value, number: _lt(
        "From due date to payment, where recent invoices count more (below 0: paid early): %(value)s.", value=value
    ),
    'days_late_worst': lambda value, number: _lt(
        "From due date to payment of your slowest invoice, or until now if it is still unpaid: %(value)s.", value=value
    ),
    'days_late_trend': lambda value, number: _lt(
        "How much later than before you paid in the last 180 days (below 0: sooner): %(value)s.", value=value
    ),
    'weekday_late_ratio': lambda value, number: _lt(
        "Of your invoices that were due on the same weekdays as those open now, %(value)s were paid late.", value=value
    ),
    'written_off_share': lambda value, number: _lt(
        "Of what was due in the last 24 months, we had to write off %(value)s as lost.", value=value
    ),
    'overdue_share': lambda value, number: _lt(
        "What is overdue, compared with all that we invoiced to you in the last 12 months: %(value)s.", value=value
    ),
    'overdue_days': lambda value, number: _lt(
        "How long your oldest unpaid invoice has been overdue (0: nothing is): %(value)s.", value=value
    ),
    'customer_months': lambda value, number: _lt("How long we have been trading with you: %(value)s.", value=value),
    'invoice_frequency': lambda value, number: _lt(
        "Our invoices to you per month, on average of the last 12 months: %(number)s.", number=number
    ),
    'frequency_change': lambda value, number: _lt(
        "Change in the number of our invoices to you, last 6 months against the 6 months before: %(value)s.",
        value=value,
    ),
    'turnover_growth': lambda value, number: _lt(
        "Change in what you bought from us, last 12 months against the 12 months before: %(value)s.", value=value
    ),
    'amount_variation': lambda value, number: _lt(
        "How far the amounts of your invoices vary around their average: %(value)s.", value=value
    ),
    'months_since_invoice': lambda value, number: _lt("Time since our last invoice to you: %(value)s.", value=value),
    'promises_broken': lambda value, number: _lt(
        "Promises of payment that you did not keep in the last 12 months: %(number)s.", number=number
    ),
    'payments_returned': lambda value, number: _lt(
        "Payments of yours that came back in the last 12 months: %(number)s.", number=number
    ),
    'disputes': lambda value, number: _lt("Disputes opened in the last 12 months: %(number)s.", number=number),
    'credit_events': lambda value, number: _lt(
        "Orders held, agreements about them not kept, and stops of your credit in the last 12 months: %(number)s.",
        number=number,
    ),
    'utilisation': lambda value, number: _lt("You use %(value)s of your credit limit.", value=value),
    'open_months': lambda value, number: _lt(
        "Your open items, compared with what you usually buy in a month: %(value)s.", value=value
    ),
    'concentration': lambda value, number: _lt("The share of your open items in those of all our customers."),
    'altman_z': lambda value, number: _lt(
        "Your danger of insolvency by your last financial statement, as the figure Altman Z″ (below 1.1 danger, above "
        "2.6 safe): %(number)s.",
        number=number,
    ),
    'equity_ratio': lambda value, number: _lt("Your equity is %(value)s of your total assets.", value=value),
    'current_ratio': lambda value, number: _lt(
        "Your current assets are %(number)s times your current liabilities.", number=number
    ),
    'cash_flow_ratio': lambda value, number: _lt(
        "The cash flow from your operations in a year is %(number)s times your current liabilities.", number=number
    ),
    'interest_cover': lambda value, number: _lt(
        "Your operating result is %(number)s times the interest that you pay.", number=number
    ),
    'return_on_sales': lambda value, number: _lt("Your net result is %(value)s of your sales.", value=value),
    'turnover_growth_statement': lambda value, number: _lt(
        "Change in your sales by your financial statements, against the year before: %(value)s.", value=value
    ),
    'external_rating': lambda value, number: _lt(
        "What outside ratings say of you, on a scale from 0 to 100 (best): %(number)s.", number=number
    ),
    'industry_risk': lambda value, number: _lt(
        "The risk of your industry on a scale from 1 (low) to 5 (high): %(number)s.", number=number
    ),
    'country_risk': lambda value, number: _lt(
        "The risk of your country on a scale from 1 (low) to 5 (high): %(number)s.", number=number
    ),
    'questionnaire': lambda value, number: _lt(
        "What our staff answered to a questionnaire about you, on a scale from 0 to 100 (best): %(number)s.",
        number=number,
    ),
    'years_in_business': lambda value, number: _lt("You have been in business for %(number)s years.", number=number),
}
