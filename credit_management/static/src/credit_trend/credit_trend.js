import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { formatCurrency } from "@web/core/currency";
import { deserializeDate, formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

// As many points tell by themselves since when a trend is kept.
const YOUNG = 30;

/**
 * Exposure and limit day by day. The ledger side goes back before the
 * installation; the whole exposure begins where it was first written down, and
 * before that there is a gap, not a 0.
 */
export class CreditTrendField extends Component {
    static template = "credit_management.CreditTrendField";
    static props = { ...standardFieldProps };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                if (!this.canvas.el) {
                    return;
                }
                const chart = new Chart(this.canvas.el, this.config);
                return () => chart.destroy();
            },
            () => [JSON.stringify(this.points), this.canvas.el]
        );
    }

    get trend() {
        return this.props.record.data[this.props.name] || { points: [] };
    }

    get points() {
        return this.trend.points;
    }

    /** What is not known, where there are such days. */
    get note() {
        const first = this.points.find((point) => point.known);
        if (!first) {
            return _t("Only the open items are known so far, from the ledger. Orders and drafts follow day by day.");
        }
        if (first === this.points[0]) {
            return this.points.length < YOUNG ? _t("Kept once a day since %(date)s.", { date: this.day(first) }) : "";
        }
        return _t("Orders and drafts are known since %(date)s. Before that only the open items are, from the ledger.", {
            date: this.day(first),
        });
    }

    get summary() {
        const last = this.points.at(-1);
        const exposure = last.known ? this.format(last.exposure) : _t("not known");
        return _t("Exposure from %(from)s to %(to)s, last %(exposure)s", {
            from: this.day(this.points[0]),
            to: this.day(last),
            exposure,
        });
    }

    day(point) {
        return formatDate(deserializeDate(point.date));
    }

    format(amount) {
        return formatCurrency(amount, this.trend.currency_id);
    }

    series(name) {
        return this.points.map((point) => ({ x: point.date, y: point[name] }));
    }

    get config() {
        const style = getComputedStyle(this.canvas.el);
        const [exposure, ledger, ledgerFill, limit] = ["exposure", "ledger", "ledger-fill", "limit"].map((name) =>
            style.getPropertyValue(`--credit-${name}`).trim()
        );
        const line = { pointHitRadius: 8, borderWidth: 2, spanGaps: false };
        const datasets = [
            {
                ...line,
                label: _t("Exposure"),
                data: this.series("exposure"),
                borderColor: exposure,
                backgroundColor: exposure,
            },
            {
                ...line,
                label: _t("Open items"),
                data: this.series("ledger"),
                borderColor: ledger,
                backgroundColor: ledgerFill,
                borderWidth: 1,
                fill: "origin",
            },
        ];
        if (this.points.some((point) => point.limit !== null)) {
            datasets.push({
                ...line,
                label: _t("Limit"),
                data: this.series("limit"),
                borderColor: limit,
                backgroundColor: limit,
                borderDash: [6, 4],
                stepped: true,
            });
        }
        for (const dataset of datasets) {
            // A line of one or two points would hardly be seen.
            dataset.pointRadius = dataset.data.filter((point) => point.y !== null).length < 3 ? 3 : 0;
        }
        return {
            type: "line",
            data: { datasets },
            options: {
                animation: false,
                maintainAspectRatio: false,
                interaction: { mode: "index", intersect: false },
                plugins: {
                    legend: { position: "bottom" },
                    tooltip: {
                        callbacks: {
                            title: ([item]) => (item ? this.day(this.points[item.dataIndex]) : ""),
                            label: (item) => `${item.dataset.label}: ${this.format(item.parsed.y)}`,
                            afterBody: ([item]) =>
                                item && !this.points[item.dataIndex].known ? _t("Orders and drafts: not known") : "",
                        },
                    },
                },
                scales: {
                    x: { type: "time", time: { minUnit: "day" }, grid: { display: false }, ticks: { maxRotation: 0 } },
                    y: { beginAtZero: true, ticks: { maxTicksLimit: 6, callback: (value) => this.format(value) } },
                },
            },
        };
    }
}

export const creditTrendField = {
    component: CreditTrendField,
    displayName: _t("Credit Trend"),
    supportedTypes: ["json"],
};

registry.category("fields").add("credit_trend", creditTrendField);
