"""What the measurements need in the database: a user, a policy, quotations. All is committed, in a throw-away copy."""

from itertools import cycle, islice

from odoo.fields import Command

LINES = 5
GROUPS = (
    "credit_management.group_credit_manager",
    "sales_team.group_sale_manager",
    "account.group_account_manager",
)


class Stage:
    """Ids of what was made; a policy that is switched on and off inside transactions."""

    def __init__(self, env, runs: int) -> None:
        """Make and commit what the measurements need."""
        self.company_id = env.company.id
        env = env(context={**env.context, "no_reset_password": True, "tracking_disable": True})
        groups = [env.ref(group).id for group in GROUPS]
        user = env["res.users"].create({"name": "Bench", "login": "bench", "group_ids": [Command.set(groups)]})
        self.uid = user.id
        self._use_core_limits(env)
        self.policy_id = self._policy(env).id
        # Room for a small order, and a limit: a sum decides.
        roomy = list(env["credit.account"].search([("available", ">", 1_000)], limit=runs + 1))
        self.quotations = {
            kind: [
                self._quotation(env, account.partner_id, product, 20).id
                for account in islice(cycle(roomy), runs + 1)
                for _side in range(2)
            ]
            for kind, product in self._products(env).items()
        }
        over = env["credit.account"].search([("excess", ">", 0)], limit=runs + 1)
        self.excessive = [
            self._quotation(env, account.partner_id, self._products(env)["services"], 20).id for account in over
        ]
        env.cr.commit()

    def _use_core_limits(self, env) -> None:
        """Switch core's credit limits on, and give customers there what they have here."""
        env.company.account_use_credit_limit = True
        env.flush_all()
        env.cr.execute(
            """
            UPDATE res_partner partner
               SET credit_limit = jsonb_build_object(%s, decision.amount)
              FROM credit_limit decision
             WHERE decision.partner_id = partner.id AND decision.state = 'approved'
            """,
            [str(env.company.id)],
        )
        env.invalidate_all()

    def _policy(self, env):
        """Return an enforcing policy with the usual rules; not the company's default yet."""
        rules = [
            {"kind": "utilisation", "outcome": "hold", "threshold": 100},
            {"kind": "utilisation", "outcome": "warn", "threshold": 90},
            {"kind": "overdue_amount", "outcome": "hold", "threshold": 1_000_000, "grace_days": 30},
            {"kind": "days_overdue", "outcome": "warn", "threshold": 60},
            {"kind": "order_amount", "outcome": "warn", "threshold": 1_000_000},
        ]
        return env["credit.policy"].create(
            {
                "name": "Bench",
                "mode": "enforcing",
                "default_limit_kind": "amount",
                "default_limit_amount": 5_000,
                "rule_ids": [Command.create(rule) for rule in rules],
            }
        )

    def _products(self, env) -> dict:
        service = env["product.product"].search([("name", "=", "Bench Service")], limit=1)
        service = service or env["product.product"].create(
            {"name": "Bench Service", "type": "service", "invoice_policy": "order"}
        )
        return {"services": service, "goods": env["product.product"].search([("name", "=", "Article 1")], limit=1)}

    def _quotation(self, env, partner, product, price: float):
        line = {"product_id": product.id, "price_unit": price}
        return env["sale.order"].create(
            {
                "partner_id": partner.id,
                "user_id": self.uid,
                "order_line": [Command.create(line) for _line in range(LINES)],
            }
        )

    def pairs(self, env, count: int) -> list[list[int]]:
        """Return pairs of quotations of 600 of new customers with a limit of 1,000 each."""
        product = self._products(env)["services"]
        partners = env["res.partner"].create([{"name": "Racer", "is_company": True} for _pair in range(count)])
        accounts = env["credit.account"]._for_partners(partners, env.company)
        limits = env["credit.limit"].create([{"account_id": account.id, "amount": 1_000} for account in accounts])
        limits.with_context(mail_activity_quick_update=True).action_submit()
        limits.action_approve()
        orders = [
            [
                env["sale.order"]
                .create(
                    {
                        "partner_id": partner.id,
                        "order_line": [
                            Command.create({"product_id": product.id, "price_unit": 600, "tax_ids": [Command.clear()]})
                        ],
                    }
                )
                .id
                for _side in range(2)
            ]
            for partner in partners
        ]
        env.cr.commit()
        return orders

    def reminders(self, env) -> None:
        """Give all customers an e-mail address and a plan of e-mails, the user the rights to remind them."""
        env["res.users"].browse(self.uid).group_ids += env.ref("dunning_followup.group_collections_manager")
        text = {"subject": "Open: {{numbers}}", "body": "<p>Dear {{contact}},</p>{{items}}<p>{{bank}}</p>"}
        steps = ((3, "Reminder"), (14, "Second reminder"), (30, "Last reminder"))
        env.company.dunning_plan_id = env["dunning.plan"].create(
            {
                "name": "Bench",
                "step_ids": [Command.create({"days": days, "name": name, **text}) for days, name in steps],
            }
        )
        env.company.email = "accounts@seller.example"
        env.flush_all()
        env.cr.execute("UPDATE res_partner SET email = 'c' || id || '@example.com' WHERE email IS NULL")
        env.cr.commit()

    def enforce(self, env, on: bool) -> None:
        """Make the policy the company's default, or let there be none, as far as this transaction sees."""
        env.cr.execute(
            "UPDATE res_company SET credit_policy_id = %s WHERE id = %s",
            [self.policy_id if on else None, self.company_id],
        )
        env.registry.clear_cache()
        env.invalidate_all()
