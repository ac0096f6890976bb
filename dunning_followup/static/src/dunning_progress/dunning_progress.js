import { Component, onWillUnmount, useEffect } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const EVERY = 3000; // ms between two looks while a run is being sent

/** How far a run is; looks again by itself while it is being sent and nothing is edited. */
export class DunningProgress extends Component {
    static template = "dunning_followup.DunningProgress";
    static props = { ...standardFieldProps };

    setup() {
        const stop = () => clearInterval(this.timer);
        useEffect(
            (sending) => {
                if (sending) {
                    this.timer = setInterval(() => this.look(), EVERY);
                }
                return stop;
            },
            () => [this.props.record.data.state === "sending"]
        );
        onWillUnmount(stop);
    }

    get percent() {
        return this.props.record.data[this.props.name];
    }

    /** Green when all are through, unless some have failed. */
    get color() {
        if (this.percent < 100) {
            return "";
        }
        return this.props.record.data.failed_count ? "bg-warning" : "bg-success";
    }

    async look() {
        const { record } = this.props;
        if (document.visibilityState === "visible" && !(await record.isDirty())) {
            await record.load();
        }
    }
}

registry.category("fields").add("dunning_progress", {
    component: DunningProgress,
    supportedTypes: ["integer"],
    fieldDependencies: [
        { name: "failed_count", type: "integer" },
        { name: "state", type: "selection" },
    ],
});
