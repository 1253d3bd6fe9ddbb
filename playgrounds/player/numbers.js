// A number as its metric (playgrounds/kit/metrics.py) wants it: 98.5 %, 138 million, 0.0231, 3.2·10⁻⁷.

/**
 * @param {number | null} value
 * @param {{unit?: string, digits?: number}} metric
 */
export function readable(value, { unit = "", digits = 4 } = {}) {
  if (value === null) return "not finite";
  if (unit === "%") return `${precise(100 * value, Math.max(digits, 3))} %`;
  const text = unit === "count" || Number.isInteger(value) ? counted(value) : precise(value, digits);
  return unit && unit !== "count" ? `${text} ${unit}` : text;
}

/** @param {number} value */
function counted(value) {
  const size = Math.abs(value);
  if (size >= 1e12) return power(value, 3);
  if (size >= 1e9) return `${precise(value / 1e9, 3)} billion`;
  if (size >= 1e6) return `${precise(value / 1e6, 3)} million`;
  return value.toLocaleString("en", { maximumFractionDigits: 1 }).replace("-", "−");
}

/**
 * @param {number} value
 * @param {number} digits significant ones
 */
function precise(value, digits) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return power(value, digits);
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/**
 * @param {number} value
 * @param {number} digits
 */
function power(value, digits) {
  const [head, tail] = value.toExponential(Math.max(0, Math.min(2, digits - 1))).split("e");
  const raised = [...String(Number(tail))].map((sign) => (sign === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(sign)])).join("");
  return `${head.replace("-", "−")}·10${raised}`;
}
