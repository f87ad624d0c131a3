// Equity and balance over time, and under them every floor, until the account ends.

import {
  BaselineSeries, CrosshairMode, LineSeries, LineStyle, LineType, createChart, createSeriesMarkers,
} from "./vendor/lightweight-charts/lightweight-charts.mjs";
import { all, find, put } from "./dom.js";
import { ZONE, money } from "./words.js";

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const CELLS = 400;
const SAMPLE_CELLS = 8; // samples are never that far apart
const MOST_CELLS = 900; // then the curve is asked for again, in wider steps
const STYLES = { daily: LineStyle.Dashed, max: LineStyle.SparseDotted, other: LineStyle.LargeDashed };
const ENDS = { breached: "Breached", passed: "Passed", expired: "Expired", frozen: "Frozen" };

export class Curve {
  #figure;
  #chart;
  #equity;
  #balance;
  #floors = new Map(); // rule -> series
  #markers;
  #step = 1;
  #start = 0;
  #last = null;
  #isOver = false;
  #isWhole = true; // until somebody drags it: then their part of it stays

  constructor(figure) {
    this.#figure = figure;
    this.#chart = createChart(find(".plot", figure), {
      autoSize: true,
      layout: { attributionLogo: false, background: { color: "transparent" }, fontFamily: "Inter, system-ui, sans-serif", fontSize: 12 },
      rightPriceScale: { borderVisible: false, scaleMargins: { top: 0.1, bottom: 0.08 } },
      timeScale: { borderVisible: false, timeVisible: true, secondsVisible: true, rightOffsetPixels: 28, minBarSpacing: 0.1, lockVisibleTimeRangeOnResize: true },
      crosshair: { mode: CrosshairMode.Magnet },
      handleScroll: { mouseWheel: false, vertTouchDrag: false },
      handleScale: { mouseWheel: false },
      localization: { locale: "en-GB", priceFormatter: money, timeFormatter: readable },
    });
    this.#equity = this.#chart.addSeries(BaselineSeries, { lineWidth: 2, priceLineVisible: false });
    this.#balance = this.#line({ lineWidth: 1, lineType: LineType.WithSteps });
    this.#markers = createSeriesMarkers(this.#equity, []);
    put(figure, "zone", ZONE);
    find(".plot", figure).addEventListener("pointerdown", () => (this.#isWhole = false));
    addEventListener("theme", () => this.#paint());
  }

  // What stood at every point so far; `kinds` tells of each rule what it is.
  show(curve, kinds) {
    const points = curve.points.map((point) => ({ ...point, second: second(point.at) }));
    this.#isOver = curve.ended_at !== null;
    this.#last = null;
    this.#start = points[0].second;
    const span = points.at(-1).second - this.#start;
    this.#step = STEPS.find((step) => span / step <= CELLS) || STEPS.at(-1);
    for (const series of this.#floors.values()) this.#chart.removeSeries(series);
    this.#floors.clear();
    for (const rule of Object.keys(points[0].floors)) this.#addFloor(rule, kinds[rule] || "other");
    const cells = new Map(points.map((point) => [this.#cell(point.second), point]));
    const filled = [...cells].map(([time, point]) => ({ time, point }));
    this.#equity.applyOptions({ baseValue: { type: "price", price: Number(curve.deposit) } });
    this.#equity.setData(this.#spread(filled));
    this.#balance.setData(filled.map(({ time, point }) => value(time, point.balance)));
    for (const [rule, series] of this.#floors) {
      series.setData(filled.map(({ time, point }) => value(time, point.floors[rule])));
    }
    this.#last = { time: filled.at(-1).time, point: points.at(-1) };
    this.#mark(curve.status);
    this.#paint();
    this.#tell(curve.status, curve.currency);
    this.#chart.timeScale().fitContent();
    this.#isWhole = true;
  }

  // One more point of a living account; true when it is time to ask for the whole again.
  add(account) {
    if (this.#isOver || this.#last === null) return false;
    const floors = Object.fromEntries(account.limits.map((limit) => [limit.rule, limit.floor]));
    const point = { equity: account.equity, balance: account.balance, floors };
    const time = this.#cell(second(account.valued_at));
    if (time < this.#last.time) return false;
    for (const gap of this.#between(this.#last, time)) this.#equity.update(gap);
    this.#equity.update(value(time, point.equity));
    this.#balance.update(value(time, point.balance));
    for (const [rule, series] of this.#floors) series.update(value(time, floors[rule]));
    const isNext = time > this.#last.time;
    this.#last = { time, point };
    if (isNext && this.#isWhole) this.#chart.timeScale().fitContent();
    this.#tell(account.status, account.currency);
    const isEnding = account.status in ENDS;
    return isEnding || (time - this.#start) / this.#step > MOST_CELLS;
  }

  // Equal steps of time, so that equal times are equally wide.
  #spread(filled) {
    const spread = [];
    let last = null;
    for (const each of filled) {
      if (last) spread.push(...this.#between(last, each.time));
      spread.push(value(each.time, each.point.equity));
      last = each;
    }
    return spread;
  }

  // With nothing open, or no quote, the last valuation stands; else it is a sample's gap.
  #between({ time, point }, until) {
    const isLevel = Number(point.equity) === Number(point.balance) || (until - time) / this.#step > SAMPLE_CELLS;
    const gaps = [];
    for (let gap = time + this.#step; gap < until; gap += this.#step) {
      gaps.push(isLevel ? value(gap, point.equity) : { time: gap });
    }
    return gaps;
  }

  #cell(at) {
    return Math.floor(at / this.#step) * this.#step;
  }

  #line(options) {
    return this.#chart.addSeries(LineSeries, { priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false, ...options });
  }

  #addFloor(rule, kind) {
    const name = kind in STYLES ? kind : "other";
    const series = this.#line({ lineWidth: 2, lineStyle: STYLES[name], lineType: LineType.WithSteps, lastValueVisible: true });
    series.kind = name;
    this.#floors.set(rule, series);
  }

  #mark(status) {
    const { time, point } = this.#last;
    const end = { time, position: "atPriceMiddle", price: Number(point.equity), shape: "circle", size: 0.7, color: this.#colour("end") };
    this.#markers.setMarkers(this.#isOver ? [end] : []);
    const legend = find(".legend .end", this.#figure);
    legend.hidden = !this.#isOver;
    legend.textContent = `${ENDS[status] || "Ended"} at ${readable(time)}`;
  }

  // Colours are the style sheet's: the legend has them already, resolved for the theme.
  #paint() {
    const [ink, grid] = [this.#colour("ink"), this.#colour("grid")];
    this.#chart.applyOptions({
      layout: { textColor: ink },
      grid: { vertLines: { color: grid }, horzLines: { color: grid } },
      crosshair: { vertLine: { color: ink, labelBackgroundColor: this.#colour("label") }, horzLine: { color: ink, labelBackgroundColor: this.#colour("label") } },
    });
    const line = this.#colour("equity");
    this.#equity.applyOptions({
      topLineColor: line, bottomLineColor: line,
      topFillColor1: this.#colour("gain"), topFillColor2: faded(this.#colour("gain")),
      bottomFillColor1: faded(this.#colour("loss")), bottomFillColor2: this.#colour("loss"),
    });
    this.#balance.applyOptions({ color: this.#colour("balance") });
    const used = new Set();
    for (const series of this.#floors.values()) {
      series.applyOptions({ color: this.#colour(series.kind) });
      used.add(series.kind);
    }
    for (const item of all(".legend .line", this.#figure)) {
      const name = item.classList[1];
      if (name in STYLES) item.hidden = !used.has(name);
    }
  }

  #colour(name) {
    return getComputedStyle(this.#figure).getPropertyValue(`--curve-${name}`);
  }

  #tell(status, currency) {
    const { point } = this.#last;
    const floors = Object.entries(point.floors).map(([rule, floor]) => `${rule} floor ${money(floor)}`);
    put(this.#figure, "summary", `Equity ${money(point.equity)} ${currency}, balance ${money(point.balance)}, ${floors.join(", ")}; the account is ${status}.`);
  }
}

const faded = (colour) => colour.replace(/[\d.]+\)$/, "0)"); // not to black

const value = (time, amount) => ({ time, value: Number(amount) });

// Seconds by the reader's wall clock, so that days and hours on the axis are theirs.
function second(text) {
  const at = new Date(text);
  return Math.floor(at / 1000) - at.getTimezoneOffset() * 60;
}

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" });

function readable(seconds) {
  return FULL.format(new Date(seconds * 1000));
}
