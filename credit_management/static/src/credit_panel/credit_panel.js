import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { CreditMeter } from "../credit_meter/credit_meter";

const ICONS = {
    success: "fa-check-circle",
    info: "fa-info-circle",
    warning: "fa-exclamation-triangle",
    danger: "fa-pause-circle",
};
const VERDICTS = {
    warn: { label: _t("Warning"), class: "text-bg-warning" },
    hold: { label: _t("Hold"), class: "text-bg-danger" },
    block: { label: _t("Block"), class: "text-bg-danger" },
};

/** What an order form says about credit: the outcome, every reason, the ways out and the figures. */
export class CreditPanel extends Component {
    static template = "credit_management.CreditPanel";
    static components = { CreditMeter };
    static props = { ...standardFieldProps };

    setup() {
        this.action = useService("action");
    }

    get panel() {
        return this.props.record.data[this.props.name];
    }

    get icon() {
        return ICONS[this.panel.level] || ICONS.info;
    }

    verdict(reason) {
        return VERDICTS[reason.verdict];
    }

    /** Do what a button of the panel says: a method of the record, as it is saved. */
    async act(name) {
        const { record } = this.props;
        if (await record.save()) {
            await this.action.doActionButton({
                type: "object",
                name,
                resModel: record.resModel,
                resId: record.resId,
                resIds: [record.resId],
                context: record.context,
                onClose: () => record.load(),
            });
        }
    }
}

export const creditPanel = {
    component: CreditPanel,
    displayName: _t("Credit Panel"),
    supportedTypes: ["json"],
};

registry.category("fields").add("credit_panel", creditPanel);
