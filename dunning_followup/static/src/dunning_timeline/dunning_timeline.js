import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    email: "fa-envelope-o",
    letter: "fa-file-text-o",
    sms: "fa-mobile",
    sms_gateway: "fa-mobile",
    webhook: "fa-share-alt",
    call: "fa-phone",
    visit: "fa-map-marker",
    internal: "fa-sticky-note-o",
};

/** The steps of a plan before and after the due date; beside each other, on a phone below each other. */
export class DunningTimeline extends Component {
    static template = "dunning_followup.DunningTimeline";
    static props = { ...standardFieldProps };

    get points() {
        const steps = this.props.record.data[this.props.name] || [];
        const points = steps.map((step) => ({ ...step, icon: ICONS[step.channel] || "fa-circle-o" }));
        if (points.length && !points.some((point) => point.days === 0)) {
            const index = points.findIndex((point) => point.days > 0);
            const due = { id: "due", due: true, days: 0, name: "", when: _t("Due date"), icon: "fa-flag-o", flags: [] };
            points.splice(index < 0 ? points.length : index, 0, due);
        }
        return points;
    }
}

registry.category("fields").add("dunning_timeline", { component: DunningTimeline, supportedTypes: ["json"] });
