import { Component } from "@odoo/owl";
import { formatCurrency, getCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/**
 * A bar of the limit with the exposure and the document at hand on it, and the
 * figures in words beside it. What is beyond the limit stands out past a mark.
 */
export class CreditMeter extends Component {
    static template = "credit_management.CreditMeter";
    static props = {
        meter: Object,
    };

    get exposure() {
        return Math.max(0, this.props.meter.exposure);
    }

    get document() {
        return Math.max(0, this.props.meter.document);
    }

    get limit() {
        return Math.max(0, this.props.meter.effective_limit);
    }

    get total() {
        // A customer in credit has that much more room for the document.
        return Math.max(0, this.props.meter.exposure + this.props.meter.document);
    }

    get over() {
        const over = this.props.meter.unlimited ? 0 : this.total - this.limit;
        return this.isZero(over) ? 0 : Math.max(0, over);
    }

    get scale() {
        return Math.max(this.limit, this.total) || 1;
    }

    /** Share of the bar, in percent, of each part that is not empty. */
    get segments() {
        const { limit, total } = this;
        const used = Math.min(this.exposure, total, limit);
        const document = Math.min(total, limit) - used;
        return [
            { name: "exposure", amount: used, label: _t("Exposure") },
            { name: "document", amount: document, label: _t("This order") },
            { name: "over", amount: this.over, label: _t("Over the limit") },
        ]
            .filter((segment) => segment.amount > 0)
            .map((segment) => ({
                ...segment,
                width: (100 * segment.amount) / this.scale,
                title: `${segment.label}: ${this.format(segment.amount)}`,
            }));
    }

    /** Where the limit is on the bar, in percent; null where it is its end. */
    get mark() {
        return this.over && this.limit ? (100 * this.limit) / this.scale : null;
    }

    get figures() {
        const { meter } = this.props;
        const figures = [{ name: "exposure", label: _t("Exposure"), value: this.format(meter.exposure) }];
        if (!this.isZero(meter.document)) {
            figures.push({ name: "document", label: _t("This order"), value: this.format(meter.document) });
        }
        if (meter.unlimited) {
            figures.push({ name: "limit", label: _t("Limit"), value: _t("Unlimited") });
            return figures;
        }
        figures.push({
            name: "limit",
            label: _t("Limit"),
            value: this.isZero(meter.effective_limit) ? _t("No credit") : this.format(meter.effective_limit),
        });
        if (this.over) {
            figures.push({ name: "over", label: _t("Over by"), value: this.format(this.over) });
        } else {
            const left = meter.effective_limit - meter.exposure - meter.document;
            figures.push({
                name: "available",
                label: this.isZero(meter.document) ? _t("Available") : _t("Left after this order"),
                value: this.format(left),
            });
        }
        return figures;
    }

    get percent() {
        return this.limit ? Math.round((100 * this.total) / this.limit) : this.total ? 100 : 0;
    }

    get summary() {
        return this.figures.map((figure) => `${figure.label}: ${figure.value}`).join(", ");
    }

    isZero(amount) {
        const digits = getCurrency(this.props.meter.currency_id)?.digits?.[1] ?? 2;
        return Math.abs(amount) < 0.5 * 10 ** -digits;
    }

    format(amount) {
        return formatCurrency(amount, this.props.meter.currency_id);
    }
}

export class CreditMeterField extends Component {
    static template = "credit_management.CreditMeterField";
    static components = { CreditMeter };
    static props = { ...standardFieldProps };

    get meter() {
        return this.props.record.data[this.props.name];
    }
}

export const creditMeterField = {
    component: CreditMeterField,
    displayName: _t("Credit Meter"),
    supportedTypes: ["json"],
};

registry.category("fields").add("credit_meter", creditMeterField);
