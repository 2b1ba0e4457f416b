// Lets a reader move in the report: hover, choose, zoom, log axes, download. It asks no host and writes text, never markup.
(() => {
const { min: least, max: most } = Math, doc = document, $ = (id) => doc.getElementById(id), D = JSON.parse($("data").textContent), C = D.cells, many = C.length > 16, ink = getComputedStyle(doc.body), dark = matchMedia("(prefers-color-scheme: dark)");
const put = (of, tag, words, more) => { const n = doc.createElement(tag); n.textContent = words ?? ""; Object.assign(n, more); of.append(n); return n; };
const said = (x) => (x == null ? "–" : (+x.toPrecision(4)).toLocaleString("en", { maximumFractionDigits: 6 }));
const HUES = ["#0072B2", "#D55E00", "#000000", "#E69F00", "#009E73", "#CC79A7", "#56B4E9"], DASHES = [[], [8, 3], [2, 2], [10, 3, 2, 3]];
const hue = (n) => { const c = HUES[n % 7]; return dark.matches && c === "#000000" ? "#eeeeee" : c; };
const colour = (c, n) => (c.at === null || !many ? hue(n) : `hsl(${265 - 215 * c.at} 65% ${(dark.matches ? 55 : 28) + 22 * c.at}%)`);
let u = null, shown = [];
const unit = () => (shown[0].points ? "agent" : D.step);

function choice(of, words, options, act) {
  const label = put(of, "label", `${words} `), box = put(label, "select");
  options.forEach((one, n) => put(box, "option", one, { value: n }));
  box.onchange = act;
  return box;
}
function tick(of, words, act) {
  const label = put(of, "label"), box = put(label, "input", void 0, { type: "checkbox", onchange: act });
  label.append(words);
  return box;
}
const tools = $("tools"), chart = $("chart"), list = $("curves"), now = $("now");
const view = choice(tools, "Show", ["all agents together", ...D.each.map((e) => `each agent of ${C[e.cell].name}`)], draw);
const what = choice(tools, "of", D.what, draw);
const only = D.keys.map((key, k) => { const values = [...new Set(C.map((c) => c.set[k]))].filter((v) => v !== null); const box = choice(tools, key, ["all", ...values], draw); box.values = values; return box; });
const logX = tick(tools, "log horizontal", draw), logY = tick(tools, "log vertical", draw);
[["Whole range", () => draw()], ["All on", () => all(true)], ["All off", () => all(false)], ["CSV", csv], ["PNG", png]].map(([words, act]) => put(tools, "button", words, { onclick: act }));
const boxes = C.map((c, n) => {
  const label = put(list, "label"), box = put(label, "input", void 0, { type: "checkbox", checked: true, onchange: draw });
  box.mark = put(label, "i");
  put(label, "span", c.name);
  box.told = put(label, "output");
  return box;
});
function all(on) { boxes.forEach((box) => { if (!box.parentNode.hidden) box.checked = on; }); draw(); };

// The curves to draw: name, colour, x, mean and half-width.
function chosen() {
  const v = +view.value, w = +what.value;
  if (v) {
    const a = D.each[v - 1], ys = a.y[0];
    return a.x ? ys.map((y, i) => ({ name: `agent ${i}`, ink: hue(i), dash: DASHES[i % 4], x: a.x, y }))
      : [{ name: C[a.cell].name, ink: hue(0), x: ys.map((_, i) => i), y: ys, points: true }];
  }
  return C.map((c, n) => ({ name: c.name, ink: colour(c, n), dash: many ? [] : DASHES[n % 4], x: D.x[c.x], y: c.y[w], half: c.half[w], box: boxes[n], set: c.set }))
    .filter((s) => !s.box.parentNode.hidden && s.box.checked && s.y);
}
const positive = (list_, log) => list_.map((x) => (x === null || (log && x <= 0) ? null : x));

function draw() {
  C.forEach((c, n) => { boxes[n].parentNode.hidden = only.some((box, k) => box.value > 0 && c.set[k] !== box.values[box.value - 1]); boxes[n].mark.style.background = colour(c, n); });
  list.hidden = view.value !== "0";
  shown = chosen();
  if (u) u.destroy();
  u = null;
  now.textContent = shown[0] ? "" : "No curve is on.";
  if (!shown[0]) return;
  const lx = logX.checked && !shown[0].points, ly = logY.checked, bands = shown.length <= 8;
  const series = [{}], tables = [], areas = [];
  for (const s of shown) {
    const x = lx ? s.x.filter((r) => r > 0) : s.x, cut = s.x.length - x.length, columns = [x, positive(s.y.slice(cut), ly)];
    series.push({ label: s.name, stroke: s.ink, width: many ? 1 : 2, dash: s.dash, spanGaps: true, points: { show: !!s.points }, ...(s.points && { paths: () => null }) });
    s.at = series.length - 1;
    if (bands && s.half) {
      for (const sign of [1, -1]) { columns.push(positive(s.y.slice(cut).map((y, i) => (y === null || s.half[i + cut] === null ? null : y + sign * s.half[i + cut])), ly)); series.push({ stroke: null, width: 0, spanGaps: true, points: { show: false } }); }
      areas.push({ series: [s.at + 1, s.at + 2], fill: `color-mix(in srgb, ${s.ink} 18%, transparent)` });
    }
    tables.push(columns);
  }
  const grid = { stroke: ink.getPropertyValue("--grid"), width: 1 }, axis = (label, size) => ({ label, size, stroke: ink.color, grid, ticks: grid });
  u = new uPlot({
    width: chart.clientWidth, height: most(260, least(420, chart.clientWidth * 0.6)), series, bands: areas, legend: { show: false },
    scales: { x: { time: false, distr: lx ? 3 : 1 }, y: { distr: ly ? 3 : 1 } },
    axes: [axis(unit(), 34), axis(+view.value ? "regret of an agent" : D.what[what.value], 64)],
    cursor: { focus: { prox: 30 }, drag: { x: true, y: false } }, focus: { alpha: many ? 0.25 : 1 },
    hooks: { setCursor: [tell], setSeries: [tell] },
  }, uPlot.join(tables), chart);
}
// The values at the cursor; of the nearest curve in words.
let near = null;
function tell(plot, n, how) {
  if (how && how.focus) near = n;
  const i = plot.cursor.idx;
  for (const box of boxes) box.told.textContent = "";
  if (i == null) return (now.textContent = "");
  const words = shown.map((s) => { const y = plot.data[s.at][i]; if (s.box) s.box.told.textContent = said(y); return [s, y]; }), one = words.find(([s]) => s.at === near) || (words[1] ? 0 : words[0]);
  now.textContent = `${unit()} ${said(plot.data[0][i])}${one ? `: ${one[0].name} ${said(one[1])}` : ""}`;
}
chart.onkeydown = (e) => {
  if (!u) return;
  const x = u.data[0], { min, max } = u.scales.x, i = u.cursor.idx ?? x.length - 1, middle = x[i];
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -x.length, End: x.length }[e.key], zoom = { "+": 0.5, "-": 2 }[e.key];
  if (step) { const to = x[most(0, least(x.length - 1, i + step))]; u.setCursor({ left: u.valToPos(to, "x"), top: u.over.clientHeight / 2 }); }
  else if (zoom) u.setScale("x", { min: most(x[0], middle - (middle - min) * zoom), max: least(x.at(-1), middle + (max - middle) * zoom) });
  else if (e.key === "Escape" || e.key === "0") draw();
  else return;
  e.preventDefault();
};
function save(name, blob) {
  const link = put(doc.body, "a", "", { href: URL.createObjectURL(blob), download: name });
  link.click();
  link.remove();
}
const quoted = (x) => (x == null ? "" : /[",\n\r]/.test(x) ? `"${String(x).replaceAll('"', '""')}"` : String(x));
function csv() {
  if (!u) return;
  const rows = [["name", ...D.keys, unit(), "mean", "half_width_95"]];
  for (const s of shown) s.x.forEach((x, i) => { if (x >= u.scales.x.min && x <= u.scales.x.max) rows.push([s.name, ...(s.set || D.keys.map(() => null)), x, s.y[i], s.half ? s.half[i] : null]); });
  save("curves.csv", new Blob([rows.map((row) => row.map(quoted).join(",")).join("\n") + "\n"]));
}
function png() {
  if (!u) return;
  const from = u.ctx.canvas, k = devicePixelRatio, line = 18 * k, names = shown.slice(0, 24), to = doc.createElement("canvas"), pen = to.getContext("2d");
  to.width = from.width;
  to.height = from.height + line * (names.length + 1);
  pen.fillStyle = ink.backgroundColor;
  pen.fillRect(0, 0, to.width, to.height);
  pen.drawImage(from, 0, 0);
  pen.font = `${13 * k}px sans-serif`;
  names.forEach((s, n) => { pen.fillStyle = s.ink; pen.fillText(`■ ${s.name}`, 8 * k, from.height + line * (n + 1)); });
  to.toBlob((blob) => save("curves.png", blob));
}

// The graph: what each agent holds.
function graph(G) {
  const bar = $("held"), held = choice(bar, "What", G.held.map((h) => h.name), turn), label = put(bar, "label", `${D.step} `);
  const time = put(label, "input", void 0, { type: "range", min: 0, oninput: turn }), at = put(label, "output");
  const nodes = [...doc.querySelectorAll("#graph g[data-agent]")];
  for (const node of nodes) node.onfocus = node.onclick = () => { G.agent = +node.dataset.agent; turn(); };
  function turn(e) {
    const h = G.held[held.value];
    time.max = h.at.length - 1;
    if (!e || e.target === held) time.value = time.max;
    const v = h.v[time.value];
    at.textContent = said(h.at[time.value]);
    nodes.forEach((node) => {
      const own = v[node.dataset.agent], best = own.reduce((a, x, k) => (x !== null && (a < 0 || x > own[a]) ? k : a), -1);
      node.querySelector("circle").style.fill = best < 0 ? "none" : HUES[best % 7];
      node.querySelector("text").textContent = best < 0 ? "–" : best;
      node.querySelector("title").textContent = `${G.names[node.dataset.agent]}: ${own.map((x, k) => `${G.arms[k]} ${said(x)}`).join(", ")}`;
      node.classList.toggle("on", +node.dataset.agent === G.agent);
    });
    $("holds").textContent = G.agent == null ? "Choose an agent to read what it holds." : nodes[G.agent].querySelector("title").textContent;
  }
  turn();
  $("holding").hidden = false;
}
$("live").hidden = false;
doc.body.dataset.live = "";
draw();
if (D.graph) graph(D.graph);
dark.addEventListener("change", draw);
new ResizeObserver(() => { if (u && Math.abs(chart.clientWidth - u.width) > 2) draw(); }).observe(chart);
})();
