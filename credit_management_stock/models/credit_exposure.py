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
            'stock.location': ['parent_path', 'usage'],
        }  # fmt: skip

    @api.model
    def _demand_sql(self):
        # EXTENDS credit_management: a line with stock moves owes what was
        # delivered and what its moves will still deliver. The moves of a kit
        # are those of its components; such a line stays with its own quantity.
        base = super()._demand_sql()
        return {
            'join': SQL(
                """
                LEFT JOIN (
                    SELECT move.sale_line_id,
                           COUNT(*) FILTER (WHERE move.product_id = sol.product_id) AS moves,
                           COALESCE(
                               SUM(move.product_uom_qty::float8 * move_uom.factor::float8 / sol.uom_factor) FILTER (
                                   WHERE move.product_id = sol.product_id AND %(open)s
                               ), 0) AS quantity
                      FROM candidate sol
                      JOIN stock_move move ON move.sale_line_id = sol.id
                      JOIN uom_uom move_uom ON move_uom.id = move.product_uom
                      JOIN stock_location destination
                        ON destination.id = COALESCE(move.location_final_id, move.location_dest_id)
                  GROUP BY move.sale_line_id
                ) AS demand ON demand.sale_line_id = sol.id
                """,
                open=self._open_demand_sql(),
            ),
            'due': SQL(
                """
                CASE WHEN demand.moves > 0 THEN sol.qty_delivered + demand.quantity ELSE %s END
                """,
                base['due'],
            ),
            'open': SQL(
                """
                EXISTS (
                    SELECT 1
                      FROM stock_move move
                     WHERE move.sale_line_id = sol.id AND move.state NOT IN ('done', 'cancel'))
                """
            ),
        }

    @api.model
    def _open_demand_sql(self):
        """Return the condition that a move (alias move, ending at destination) will still deliver to the customer.

        In several steps, either the first move exists and makes the next when it
        is done, or all exist in a chain: then only the last one of the chain
        that is still open counts. A second delivery of returned goods counts
        only if the return was to be refunded.
        """
        return SQL(
            """
            move.state NOT IN ('done', 'cancel')
            AND (destination.usage = 'customer' OR destination.parent_path LIKE (%(transit)s))
            AND (move.origin_returned_move_id IS NULL OR move.to_refund)
            AND NOT EXISTS (
                SELECT 1
                  FROM stock_move_move_rel chain
                  JOIN stock_move next_move ON next_move.id = chain.move_dest_id
                 WHERE chain.move_orig_id = move.id
                   AND next_move.sale_line_id = move.sale_line_id
                   AND next_move.state NOT IN ('done', 'cancel')
            )
            """,
            # As core: goods for a company of our own leave us when they reach transit.
            transit=SQL(
                "SELECT parent_path || '%%' FROM stock_location WHERE id = %s",
                self.env['ir.model.data']._xmlid_to_res_id('stock.stock_location_inter_company'),
            ),
        )
