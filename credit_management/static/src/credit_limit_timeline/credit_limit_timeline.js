import { Component } from "@odoo/owl";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The limits of a customer over time: one bar per period, base and temporary apart; a click opens the decision. */
export class CreditLimitTimeline extends Component {
    static template = "credit_management.CreditLimitTimeline";
    static props = { ...standardFieldProps };

    get value() {
        return this.props.record.data[this.props.name];
    }

    get rows() {
        const { periods, today } = this.value;
        if (!periods.length) {
            return [];
        }
        const now = deserializeDate(today);
        const days = (date) => date.diff(now, "days").days;
        const starts = periods.map((period) => days(deserializeDate(period.start)));
        const ends = periods.map((period) => (period.until ? days(deserializeDate(period.until)) + 1 : 0));
        const first = Math.min(...starts, 0);
        // What has no end goes on beyond the right edge.
        const last = Math.max(...ends, ...starts, 0) + Math.max(30, (0 - first) / 8);
        const place = (day) => (100 * (day - first)) / (last - first);
        this.axis = {
            today: place(0),
            now: formatDate(now),
            first: formatDate(now.plus({ days: first })),
            last: formatDate(now.plus({ days: last })),
        };
        const bars = periods.map((period, index) => {
            const end = period.until ? ends[index] : last;
            const graceStart = period.end ? days(deserializeDate(period.end)) + 1 : end;
            const width = place(end) - place(starts[index]);
            return {
                ...period,
                className: {
                    o_credit_limit_timeline_temporary: period.kind === "temporary",
                    o_credit_limit_timeline_in_force: period.in_force,
                },
                title: `${period.limit}, ${period.text}. ${period.people}`,
                style: `left: ${place(starts[index])}%; width: ${width}%`,
                grace: graceStart < end ? `width: ${(100 * (end - graceStart)) / (end - starts[index])}%` : false,
            };
        });
        return [
            { kind: "base", label: _t("Base"), bars: bars.filter((bar) => bar.kind === "base") },
            { kind: "temporary", label: _t("Temporary"), bars: bars.filter((bar) => bar.kind === "temporary") },
        ].filter((row) => row.bars.length);
    }

    async open(id) {
        await this.env.services.action.doAction({
            type: "ir.actions.act_window",
            res_model: "credit.limit",
            res_id: id,
            views: [[false, "form"]],
        });
    }
}

registry.category("fields").add("credit_limit_timeline", { component: CreditLimitTimeline, supportedTypes: ["json"] });
