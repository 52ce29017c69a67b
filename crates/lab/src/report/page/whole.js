// Temperatures of whole texts: what a text costs, and the thermodynamics of texts, as two tables.

import { at, report, short } from "./data.js";
import { number, settingColumn, sortable, temperatureColumn } from "./tables.js";

/** @import { Column } from "./tables.js" */
/** @import { Estimate, Setting, Whole, WholeHeat } from "./types.js" */

/** @typedef {Setting & Whole & { base: boolean }} CostRow */
/** @typedef {Setting & WholeHeat & { base: boolean }} HeatRow */

export function showWhole() {
  const whole = report.whole ?? [];
  if (whole.length === 0) {
    document.querySelector('nav a[href="#whole"]')?.remove();
    at("whole").remove();
    return;
  }
  /** @type {CostRow[]} */
  const costs = whole.map((one) => ({ ...report.settings[one.setting], ...one, base: false }));
  sortable(at("cost-table"), costColumns(), costs);
  /** @type {HeatRow[]} */
  const heats = whole.flatMap(({ setting, heat }) =>
    heat ? [{ ...report.settings[setting], ...heat, base: false }] : [],
  );
  if (heats.length === 0) at("heat-of-texts").remove();
  else sortable(at("heat-table"), heatColumns(), heats);
}

/** @returns {Column<CostRow>[]} */
function costColumns() {
  return [
    settingColumn,
    number("tokens", (row) => row.tokens),
    number("computed", (row) => row.computed),
    number("computed a token", (row) => row.computed / Math.max(row.tokens, 1)),
    {
      name: "not accepted",
      key: (row) => row.not_accepted,
      show: (row) => ({ text: `${row.not_accepted}` }),
    },
    { name: "quality", key: (row) => row.quality, show: (row) => ({ text: row.quality ?? "–" }) },
  ];
}

/** @returns {Column<HeatRow>[]} */
function heatColumns() {
  return [
    settingColumn,
    temperatureColumn,
    estimate("free energy", (row) => row.free_energy),
    estimate("energy", (row) => row.energy),
    estimate("entropy", (row) => row.entropy),
    estimate("heat capacity", (row) => row.heat_capacity),
  ];
}

/**
 * A column of figures with their standard errors.
 * @param {string} name
 * @param {(row: HeatRow) => Estimate} of
 * @returns {Column<HeatRow>}
 */
function estimate(name, of) {
  return {
    name,
    key: (row) => of(row).value,
    show: (row) => {
      const { value, error } = of(row);
      return { text: error === null ? short(value) : `${short(value)} ± ${short(error)}` };
    },
  };
}
