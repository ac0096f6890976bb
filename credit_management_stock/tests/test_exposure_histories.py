"""Histories that once came out wrong, or that show a rule at its simplest."""

from .trader import Trader, bill, credit, deliver, drop_payment, invoice, pay, post, redraft, sell


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
