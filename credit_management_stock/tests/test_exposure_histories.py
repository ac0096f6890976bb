"""Histories that once came out wrong, or that show a rule at its simplest."""

from .trader import (
    Trader,
    bill,
    book,
    cancel_order,
    credit,
    days,
    deliver,
    drop_payment,
    floors,
    give_back,
    invoice,
    pay,
    post,
    redraft,
    sell,
    settle,
    transfer,
    unbook,
)


class TestExposureHistories(Trader):
    """Each history is compared with the slow sum over the documents after each step."""

    def test_order_to_payment(self):
        self.play(
            sell(lines=[('goods', 3, 33.33, 0, 't15')]),
            deliver(picking=0, percent=50),
            deliver(picking=0),
            bill(order=0),
            post(move=0),
            pay(move=0),
        )

    def test_part_of_dozens_delivered_in_units(self):
        self.play(
            sell(lines=[('goods', 2.75, 20.0, 0, 't15', 'dozen')]),
            deliver(picking=0, percent=30),
            bill(order=0),
            deliver(picking=0),
            bill(order=0),
        )

    # What is set back to draft stays matched in Odoo, but has left the ledger.

    def test_paid_invoice_set_back_to_draft_leaves_the_payment_open(self):
        self.play(invoice(amount=100.0), pay(move=0), redraft(move=0))

    def test_payment_set_back_to_draft_leaves_the_invoice_open(self):
        self.play(invoice(amount=100.0, ago=45), pay(move=0), drop_payment(payment=0, draft=True))

    def test_part_payment_set_back_to_draft_leaves_the_whole_invoice_open(self):
        self.play(invoice(amount=100.0, ago=45), pay(move=0, percent=30), drop_payment(payment=0, draft=True))

    def test_credit_note_set_back_to_draft_leaves_the_invoice_open(self):
        self.play(invoice(amount=100.0), credit(move=0), redraft(move=1))

    # A credit note counts once it is posted, also one that Odoo makes of an order.

    def test_rebate_billed_before_the_goods_counts_until_its_credit_note_is_posted(self):
        self.play(
            sell(lines=[('goods', 1, 100.0), ('service', 1, -30.0)]),
            bill(order=0),
            post(move=0),
            deliver(picking=0),
            bill(order=0),
            post(move=1),
        )

    def test_more_taken_back_than_was_delivered_lowers_nothing_before_its_credit_note(self):
        self.play(
            sell(lines=[('goods', 2, 100.0), ('service', 1, 500.0)]),
            deliver(picking=0),
            give_back(picking=0, percent=150),
        )

    # Other accounts that count, by entry and by balance.

    def test_bill_in_clearing_counts_until_its_money_comes(self):
        for account in ('bills', 'bill_items', 'bill_receivables'):
            self.play(
                invoice(amount=100.0, ago=45),
                transfer(account=account, move=0, percent=50),
                book(account=account, amount=-50.0),
            )
        self.play(
            invoice(amount=100.0),
            transfer(account='bill_items', move=0),
            book(account='bill_items', amount=-60.0),
            settle(line=0),
            unbook(move=1),
        )

    def test_advance_pays_the_oldest_item_virtually_and_an_invoice_in_fact(self):
        for account in ('advances', 'advance_items'):
            self.play(
                book(account=account, amount=-250.0),
                invoice(amount=100.0, ago=100),
                invoice(amount=100.0, ago=45),
                invoice(amount=100.0),
                transfer(account=account, move=2),
            )

    def test_down_payment_booked_as_advance_comes_off_its_order_alone(self):
        for company in ('main', 'branch', 'abroad'):
            self.play(
                sell(lines=[('service', 10, 100.0, 0, 't15')], company=company),
                bill(order=0, method='fixed', amount=300.0),
                post(move=0),
                pay(move=0),
                bill(order=0),
                post(move=1),
            )

    def test_tax_booked_with_its_down_payment_comes_off_the_order_too(self):
        self.play(
            sell(lines=[('service', 10, 100.0, 0, 't15_on_base')]),
            bill(order=0, method='fixed', amount=300.0),
            post(move=0),
            pay(move=0),
            bill(order=0),
            post(move=1),
        )

    def test_advance_paid_to_the_root_and_used_up_by_its_branch_pays_nothing(self):
        self.play(
            invoice(amount=500.0, ago=45),
            book(account='advances', amount=-100.0),
            book(account='advances', amount=150.0, company='branch'),
        )

    def test_down_payment_of_a_cancelled_order_is_the_customers_money(self):
        self.play(
            sell(lines=[('service', 10, 100.0)]),
            bill(order=0, method='fixed', amount=300.0, then_post=True),
            cancel_order(order=0),
        )

    # The floors of the policy that fits best; abroad there is none.

    def test_residue_below_the_floors_is_not_overdue(self):
        for company, customer in (
            ('main', 'hengda'),
            ('main', 'subsidiary'),
            ('main', 'person'),
            ('branch', 'person'),
            ('abroad', 'hengda'),
        ):
            self.play(
                invoice(amount=1000.0, ago=45, company=company, customer=customer),
                pay(move=0, percent=99),
                invoice(amount=50.0, ago=100, company=company, customer=customer),
                invoice(amount=10.0, ago=45, company=company, customer=customer),
                pay(move=1, percent=50),
                days(days=40),
            )

    def test_floors_changed_hold_at_once(self):
        self.play(
            invoice(amount=1000.0, ago=45),
            pay(move=0, percent=70),
            floors(policy='default', item=50.0, customer=0.0),
            floors(policy='default', item=30.0, customer=0.0),
            floors(policy='default', item=29.9, customer=300.0),
            floors(policy='default', item=29.9, customer=299.99),
        )
