from odoo import api, models
from odoo.tools import SQL


class CreditExposure(models.Model):
    _inherit = 'credit.exposure'

    @api.model
    def _sources(self):
        # EXTENDS credit_management
        return super()._sources() | {
            'stock.move': [
                'location_dest_id', 'location_final_id', 'move_dest_ids', 'origin_returned_move_id', 'product_id',
                'product_uom', 'product_uom_qty', 'sale_line_id', 'state', 'to_refund',
            ],
        }  # fmt: skip

    @api.model
    def _demand_sql(self, common):
        # EXTENDS credit_management: a line with stock moves owes what was
        # delivered and what its moves will still deliver. The moves of a kit
        # are those of its components; such a line stays with its own quantity.
        base = super()._demand_sql(common)
        # For a few customers line by line; OFFSET keeps the planner from weighing
        # the other way too.
        line_open = (
            """
                sol.id IN (
                    SELECT sale_line_id
                      FROM stock_move
                     WHERE state NOT IN ('done', 'cancel') AND sale_line_id IS NOT NULL)
                """
            if common['partner_ids'] is None
            else """
                EXISTS (
                    SELECT 1
                      FROM stock_move move
                     WHERE move.sale_line_id = sol.id AND move.state NOT IN ('done', 'cancel')
                    OFFSET 0)
                """
        )
        return {
            'join': SQL(
                """
                LEFT JOIN (
                    SELECT move.sale_line_id, SUM(move.product_uom_qty::float8 * %(uom_ratio)s) AS quantity
                      FROM candidate sol
                      JOIN stock_move move ON move.sale_line_id = sol.id AND move.product_id = sol.product_id
                     WHERE %(open)s
                  GROUP BY move.sale_line_id
                ) AS demand ON demand.sale_line_id = sol.id
                """,
                open=self._open_demand_sql(common),
                uom_ratio=self._uom_ratio_sql("move.product_uom", "sol.product_uom_id"),
            ),
            'due': SQL(
                """
                CASE WHEN demand.quantity IS NOT NULL THEN sol.qty_delivered + demand.quantity
                     WHEN EXISTS (
                        SELECT 1
                          FROM stock_move move
                         WHERE move.sale_line_id = sol.id AND move.product_id = sol.product_id
                        OFFSET 0)
                     THEN sol.qty_delivered
                     ELSE %s END
                """,
                base['due'],
            ),
            'open': SQL(line_open),
        }

    @api.model
    def _open_demand_sql(self, common):
        """Return the condition that a move (alias move) will still deliver to the customer.

        In several steps, either the first move exists and makes the next when it
        is done, or all exist in a chain: then only the last one of the chain
        that is still open counts. A second delivery of returned goods counts
        only if the return was to be refunded.
        """
        # For all customers the open moves that have one behind them are found once, in a table that is small.
        followed = (
            SQL(
                """
                move.id IN (
                    SELECT chain.move_orig_id
                      FROM stock_move_move_rel chain
                      JOIN stock_move next_move ON next_move.id = chain.move_dest_id
                      JOIN stock_move first_move ON first_move.id = chain.move_orig_id
                     WHERE next_move.sale_line_id = first_move.sale_line_id
                       AND next_move.state NOT IN ('done', 'cancel'))
                """
            )
            if common['partner_ids'] is None
            else SQL(
                """
                EXISTS (
                    SELECT 1
                      FROM stock_move_move_rel chain
                      JOIN stock_move next_move ON next_move.id = chain.move_dest_id
                     WHERE chain.move_orig_id = move.id
                       AND next_move.sale_line_id = move.sale_line_id
                       AND next_move.state NOT IN ('done', 'cancel')
                    OFFSET 0)
                """
            )
        )
        return SQL(
            """
            move.state NOT IN ('done', 'cancel')
            AND COALESCE(move.location_final_id, move.location_dest_id) = ANY(%(customers)s::int[])
            AND (move.origin_returned_move_id IS NULL OR move.to_refund)
            AND NOT %(followed)s
            """,
            followed=followed,
            # A literal, for the planner: see `_branches_sql`.
            customers=list(self.env['stock.location']._credit_customer_ids()),
        )
