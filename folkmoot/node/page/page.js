"use strict";
// Fills the page in from the node's events. It asks no other host, and writes text only, never markup.

const $ = (id) => document.getElementById(id);
const text = (id, value) => { const node = $(id); if (node.textContent !== String(value)) node.textContent = value; };
const short = (value) => (value === null || value === undefined ? "–" : String(Number(Number(value).toPrecision(3))));
const bytes = (n) => (n < 1e3 ? `${n} B` : n < 1e6 ? `${(n / 1e3).toFixed(1)} kB` : n < 1e9 ? `${(n / 1e6).toFixed(1)} MB` : `${(n / 1e9).toFixed(2)} GB`);
const seconds = (x) => (Math.abs(x) < 0.005 ? "0.00 s" : `${x > 0 ? "+" : "−"}${Math.abs(x).toFixed(2)} s`);
const SVG = "http://www.w3.org/2000/svg";

function cell(row, tag, className, value) {
  const node = document.createElement(tag);
  if (tag === "th") node.scope = "row";
  if (className) node.className = className;
  if (value !== undefined) node.textContent = value;
  row.append(node);
  return node;
}

function troubles(state) {
  const list = $("troubles").querySelector("ul");
  const grave = ["stopped", "following"].includes(state.phase) || state.troubles.some((words) => words.includes("needed"));
  $("troubles").className = grave ? "bad" : "";
  const before = Array.from(list.children, (one) => one.textContent).join("\n");
  if (before === state.troubles.join("\n")) return;
  list.replaceChildren(...state.troubles.map((words) => { const one = document.createElement("li"); one.textContent = words; return one; }));
}

function numbers(state) {
  text("phase", state.phase);
  $("phase").className = { stopped: "bad", following: "bad", starting: "warn", waiting: "warn" }[state.phase] || "";
  text("waits", state.waits_for || "");
  const since = new Date(1000 * (state.since || 0)).toISOString().slice(11, 16);
  for (const node of document.getElementsByClassName("since")) node.textContent = `since this node started, ${since} UTC`;
  text("round", state.round);
  text("best", state.best_name || "not known yet");
  text("settled", state.best < 0 ? "" : state.settled ? "sure" : "not sure yet");
  text("decided", state.decided.toLocaleString("en"));
  const last = state.history[state.history.length - 1];
  text("heard", last ? `${last.heard.length + 1} of ${state.members.length}` : "–");
  text("stage", state.stage || "none");
  $("chain").hidden = state.system === "bandit";
  text("height", state.height);
}

function arms(state) {
  const [low, high] = state.scale;
  const halves = state.arms.map((arm) => arm.interval).filter((half) => half);
  const decimals = halves.length ? Math.max(0, Math.min(6, 1 - Math.floor(Math.log10(Math.max(...halves))))) : null;
  const told = (x) => (decimals === null ? short(x) : x.toFixed(decimals));
  text("low", short(low));
  text("high", short(high));
  text("agreed-what", state.system === "bandit" ? "mean over all members, as far as this one knows" : "what the members agreed on");
  const place = (x) => `${Math.max(0, Math.min(100, (100 * (x - low)) / (high - low)))}%`;
  $("agreed-none").hidden = state.arms.some((arm) => arm.agreed !== null);
  const rows = state.arms.map((arm) => {
    const row = document.createElement("tr");
    if (arm.arm === state.best) row.className = "best";
    cell(row, "th", "", arm.name);
    const scale = document.createElement("div");
    scale.className = "scale";
    if (arm.mean !== null) {
      const half = arm.interval || 0, from = Math.max(low, arm.mean - half), to = Math.min(high, arm.mean + half);
      const band = document.createElement("i"), middle = document.createElement("b");
      band.style.left = place(from);
      band.style.width = `${(100 * (to - from)) / (high - low)}%`;
      middle.style.left = place(arm.mean);
      scale.append(band, middle);
    }
    if (arm.agreed !== null) {
      const mark = document.createElement("em");
      mark.textContent = "◆";
      mark.style.left = place(arm.agreed);
      scale.append(mark);
    }
    cell(row, "td", "wide").append(scale);
    const number = cell(row, "td", "n", arm.mean === null ? "–" : told(arm.mean));
    if (arm.interval !== null) {
      const spread = document.createElement("span");
      spread.className = "spread";
      spread.textContent = ` ± ${told(arm.interval)}`;
      number.append(spread);
    }
    cell(row, "td", "n", arm.pulls.toLocaleString("en"));
    return row;
  });
  $("arms").tBodies[0].replaceChildren(...rows);
}

// Of a consortium of models.
function learning(state) {
  const told = state.learning;
  if (!told) return;
  const here = told.models.filter((one) => one.here).length;
  text("models-here", `${here} of ${told.models.length}`);
  text("own-samples", told.samples.toLocaleString("en"));
  const named = (c) => (told.labels.length ? told.labels[c] : String(c));
  const rows = told.models.map((one) => {
    const row = document.createElement("tr"), why = Object.entries(one.refused);
    cell(row, "th", "", one.gone ? `${one.member} (gone)` : one.here ? one.member : `${one.member} (still to be fetched)`);
    cell(row, "td", "", one.classes.map(named).join(", "));
    cell(row, "td", "n", one.accepted.toLocaleString("en"));
    cell(row, "td", "n", one.revealed.toLocaleString("en"));
    cell(row, "td", "n", why.reduce((sum, [, n]) => sum + n, 0).toLocaleString("en"));
    cell(row, "td", "faults", why.map(([reason, n]) => `${reason}: ${n}`).join(", ") || "–");
    return row;
  });
  $("models").tBodies[0].replaceChildren(...rows);
  exchanges(told);
  accuracy(told);
}

function exchanges(told) {
  $("exchanges-part").hidden = !told.exchanges.length && !told.exchange && !told.waiting.length;
  const rows = told.exchanges.slice().reverse().map((one) => {
    const row = document.createElement("tr"), taken = one.candidates.filter((name) => !one.rolled_back.includes(name));
    cell(row, "td", "n", one.height.toLocaleString("en"));
    cell(row, "td", "", one.accepted ? "accepted" : "refused");
    cell(row, "td", "n", `${(100 * one.gain).toFixed(2)} %`);
    cell(row, "td", "", taken.join(", ") || "–");
    cell(row, "td", "faults", one.rolled_back.join(", ") || "–");
    cell(row, "td", "n", one.after === null ? "–" : `${(100 * one.before).toFixed(1)} % → ${(100 * one.after).toFixed(1)} %`);
    return row;
  });
  $("exchanges").tBodies[0].replaceChildren(...rows);
  const said = told.waiting.map((one) => {
    const by = one.signed.length ? `, signed by ${one.signed.join(", ")}` : "";
    return `${one.what} of ${one.party}${one.reason ? ` (${one.reason})` : ""}${by}${one.not_here ? `; not approved here: ${one.not_here}` : ""}`;
  });
  if (told.exchange) said.unshift(`The last exchange that this member asked for: ${told.exchange}`);
  $("acts-waiting").hidden = !said.length;
  text("acts-waiting", said.join(". "));
}

const WAYS = { mean: "the mean of all models", screened: "the mean of those that do well on it", alone: "this member's model alone" };

function accuracy(told) {
  const known = told.accuracy || {};
  text("accuracy-about", told.checked
    ? `Share of this member's check set, ${told.checked.toLocaleString("en")} samples, that comes out right. It has classes that this member knows, and no others.`
    : "This member has no check set, so this node cannot tell.");
  const rows = Object.keys(known).filter((name) => WAYS[name]).map((name) => {
    const row = document.createElement("tr"), scale = document.createElement("div"), mark = document.createElement("b");
    cell(row, "th", "", WAYS[name]);
    scale.className = "scale";
    mark.style.left = `${100 * known[name]}%`;
    scale.append(mark);
    cell(row, "td", "wide").append(scale);
    cell(row, "td", "n", known[name].toFixed(3));
    return row;
  });
  $("accuracy").tBodies[0].replaceChildren(...rows);
}

const LEVELS = { "this node": "", present: "", slow: "warn", behind: "warn", away: "bad", "wrong clock": "bad" };

function members(state) {
  const heads = Array.from($("members").tHead.rows[0].cells, (one) => one.textContent);
  const rows = state.members.map((one) => {
    const row = document.createElement("tr"), here = one.round === undefined;
    cell(row, "th", "", one.name);
    cell(row, "td", `state ${LEVELS[one.state] || ""}`, one.state);
    cell(row, "td", "n", here ? state.round : one.round);
    cell(row, "td", "n", here || one.clock === null ? "–" : seconds(one.clock));
    cell(row, "td", "n", here ? "–" : one.missed.toLocaleString("en"));
    cell(row, "td", "n", here ? "–" : `${bytes(one.sent)} / ${bytes(one.received)}`);
    const late = one.stretched ? [["marks at the last moment", one.stretched]] : [];
    const told = here ? [] : [...Object.entries(one.faults), ...late, ...Object.entries(one.refused)].map(([why, n]) => `${why}: ${n}`);
    cell(row, "td", here || !Object.keys(one.faults).length ? "faults" : "faults bad", told.join(", ") || "–");
    Array.from(row.cells).forEach((one, at) => { one.dataset.head = heads[at]; });
    return row;
  });
  $("members").tBodies[0].replaceChildren(...rows);
}

function presence(state) {
  const last = state.history.slice(-60);
  const rows = state.members.map((one, number) => {
    const row = document.createElement("div"), name = document.createElement("span"), svg = document.createElementNS(SVG, "svg");
    name.textContent = one.name;
    svg.setAttribute("viewBox", `0 0 ${10 * Math.max(20, last.length)} 14`);
    svg.setAttribute("preserveAspectRatio", "none");
    last.forEach((round, at) => {
      const mark = document.createElementNS(SVG, "rect"), heard = one.state === "this node" || round.heard.includes(number);
      mark.setAttribute("x", at * 10 + 1.5);
      mark.setAttribute("y", heard ? 1 : 4);
      mark.setAttribute("width", 7);
      mark.setAttribute("height", heard ? 12 : 6);
      mark.setAttribute("class", heard ? "yes" : "no");
      svg.append(mark);
    });
    row.append(name, svg);
    return row;
  });
  if (last.length) {
    const head = document.createElement("div"), blank = document.createElement("span"), words = document.createElement("span");
    head.className = "head";
    words.textContent = `rounds ${last[0].round} to ${last[last.length - 1].round}`;
    head.append(blank, words);
    rows.push(head);
  }
  const height = Math.max(14, Math.min(46, Math.floor(215 / state.members.length))); // as high as the curve beside it
  $("presence").style.setProperty("--row", `${height}px`);
  $("presence").replaceChildren(...rows);
}

let curve = null;
const WHOLE = [1, 2, 5].flatMap((n) => Array.from({ length: 9 }, (_, power) => n * 10 ** power)).sort((a, b) => a - b);

function reward(state) {
  const xs = [], raw = [], mean = [], window = [];
  for (const round of state.history) {
    if (round.reward !== null) { window.push(round.reward); if (window.length > 20) window.shift(); }
    xs.push(round.round);
    raw.push(round.reward);
    mean.push(window.length ? window.reduce((a, b) => a + b, 0) / window.length : null);
  }
  $("reward-none").hidden = !xs.length || window.length > 0;
  const data = [xs, raw, mean], style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  if (curve) { curve.setData(data); return; }
  if (xs.length < 2) return;
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const box = $("reward");
  curve = new uPlot({
    width: box.clientWidth, height: 240, cursor: { show: false }, legend: { show: false },
    scales: { x: { time: false } },
    axes: [{ ...axis, incrs: WHOLE, label: "round", labelSize: 18, size: 34 }, { ...axis, label: "reward", labelSize: 18, size: 48 }],
    series: [
      { label: "round" },
      { label: "one round", stroke: colour("--soft"), width: 0, points: { show: true, size: 3, fill: colour("--soft") }, paths: () => null },
      { label: "mean of 20", stroke: colour("--mark"), width: 2, points: { show: false } },
    ],
  }, data, box);
  new ResizeObserver(() => curve.setSize({ width: box.clientWidth, height: 240 })).observe(box);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (curve) { curve.destroy(); curve = null; } });

const source = new EventSource("/events");
source.onmessage = (event) => {
  const state = JSON.parse(event.data);
  $("link").hidden = true;
  troubles(state); numbers(state); members(state); presence(state);
  if (state.system === "bema") learning(state);
  else { arms(state); reward(state); }
  document.body.dataset.round = state.round;
};
source.onerror = () => { $("link").hidden = false; };
