// A still Plotly figure: drawn in place, saved as PNG, SVG or HTML, and asked for what was clicked or lassoed.
const mounted = new WeakMap();

function fitted(figure, room) {  // where there is less room than a figure's own width, all of it becomes smaller
  const { width = room, text = 0 } = figure.layout.meta ?? {};  // pixels; text keeps its size
  const scale = Math.min(1, room / width) || 1;  // no room: it is hidden
  if (scale === 1) return figure;
  const smaller = (trace) => ["textfont", "marker"].filter((part) => trace[part]?.size)
    .map((part) => [part, { ...trace[part], size: trace[part].size * scale }]);
  const data = figure.data.map((trace) => ({ ...trace, ...Object.fromEntries(smaller(trace)) }));
  return { data, layout: { ...figure.layout, height: text + (figure.layout.height - text) * scale } };
}

const HEAD = 54;  // pixels above a saved figure, for its title

const escaped = (name) => name.replace(/[<>&]/g, (c) => `&#${c.charCodeAt(0)};`);

function printed(figure, name, width) {  // the figure for paper: white, with its title
  const { layout } = figure;
  const height = layout.height + HEAD;
  const margin = { ...layout.margin, t: (layout.margin?.t ?? 36) + HEAD };
  return { data: figure.data, layout: { ...layout, width, height, margin, font: { ...layout.font, color: "#222", family: "sans-serif" },
           paper_bgcolor: "#fff", plot_bgcolor: "#fff",
           title: { text: escaped(name), x: 0, xanchor: "left", y: 1, yanchor: "top", yref: "container", pad: { t: 14, l: 14 }, font: { size: 16 } } } };
}

async function save(state, plot, format) {
  const Plotly = await plotly();
  const { name } = state.data;
  const width = Math.max(Math.round(plot.clientWidth), state.figure.layout.meta?.width ?? 0);
  const paper = printed(state.figure, name, width);
  const filename = name.replace(/[^\p{L}\p{N}._-]+/gu, "_");
  if (format !== "html") {
    const { height } = paper.layout;
    return Plotly.downloadImage(paper, { format, filename, width, height, scale: format === "png" ? 2 : 1 });
  }
  const source = await (await fetch("/lab/plotly.js")).text();
  const given = JSON.stringify([paper.data, paper.layout]).replaceAll("</", "<\\/");
  const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(name)}</title><script>${source}</` +
    `script></head><body><div id="figure"></div><script>Plotly.newPlot("figure", ...${given})</` + `script></body></html>`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([page], { type: "text/html" }));
  link.download = filename + ".html";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function place(plot, point) {  // where a point is, in pixels of the plot
  const { xaxis: x, yaxis: y } = plot._fullLayout;
  const trace = plot.data[point.curveNumber];
  const size = trace.marker?.size ?? 10;
  return { x: x._offset + x.d2p(trace.x[point.pointNumber]), y: y._offset + y.d2p(trace.y[point.pointNumber]), size };
}

function answering(plot) {  // all points that a click or a key can pick; a heatmap's cells answer to clicks alone
  return plot.data.flatMap((trace, curveNumber) => (trace.type === "heatmap" ? [] : trace.customdata ?? []).map((value, pointNumber) => ({ curveNumber, pointNumber, value })));
}

function step(plot, from, dx, dy) {  // the nearest point in the direction of an arrow key
  const all = answering(plot).map((point) => ({ ...point, at: place(plot, point) }));
  if (!from || !all.length) return all[0] ?? null;
  const here = place(plot, from);
  const cost = ({ at }) => {
    const [x, y] = [at.x - here.x, at.y - here.y];
    const ahead = x * dx + y * dy;
    return ahead > 1 ? ahead + 3 * Math.abs(x * dy + y * dx) : Infinity;
  };
  const best = all.reduce((a, b) => (cost(b) < cost(a) ? b : a), all[0]);
  return cost(best) < Infinity ? best : from;
}

export default function ({ data, parentElement, setTriggerValue, setStateValue }) {
  const root = parentElement.querySelector(".lab-plot");
  const [plot, ring, tip, told] = [".plot", ".ring", ".tip", ".told"].map((name) => root.querySelector(name));
  const state = mounted.get(root) ?? {};
  mounted.set(root, state);
  if (state.data?.figure !== data.figure) state.figure = JSON.parse(data.figure);
  state.data = data;
  root.querySelector(".save").hidden = !data.name;
  root.classList.toggle("picks", data.picks);
  root.classList.toggle("labels", data.labels);
  root.classList.toggle("halo", Boolean(state.figure.layout.meta?.halo));
  const keys = data.picks && answering(state.figure).length > 0;
  plot.setAttribute("aria-label", keys ? `${data.alt} Arrow keys go from one to the next, Enter opens it.` : data.alt);
  plot.setAttribute("role", keys ? "application" : "img");
  if (keys) plot.tabIndex = 0; else plot.removeAttribute("tabindex");

  const point_out = (point) => {
    state.at = point && { ...point, value: String(plot.data[point.curveNumber].customdata[point.pointNumber]) };
    ring.hidden = tip.hidden = !point;
    if (!point) return;
    const at = place(plot, point);
    const side = Math.max(at.size, 12) + 4;
    Object.assign(ring.style, { left: at.x - side / 2 + "px", top: at.y - side / 2 + "px", width: side + "px", height: side + "px" });
    tip.hidden = !data.thumbs;
    if (!data.thumbs) return;
    const { url, columns, side: thumb } = data.thumbs;
    const n = plot.data[point.curveNumber].customdata[point.pointNumber];
    const zoom = 96 / thumb;
    Object.assign(tip.firstElementChild.style, { backgroundImage: `url(${url})`, backgroundSize: columns * 96 + "px",
      backgroundPosition: `${-(n % columns) * thumb * zoom}px ${-Math.floor(n / columns) * thumb * zoom}px` });
    tip.lastElementChild.innerText = wordsOf(point).replaceAll("<br>", "\n");  // a class may be called <b>
    const left = at.x + 130 > plot.clientWidth ? at.x - 128 : at.x + 14;
    Object.assign(tip.style, { left: left + "px", top: Math.min(Math.max(at.y - 60, 0), plot.clientHeight - 160) + "px" });
  };
  const wordsOf = (point) => plot.data[point.curveNumber].text?.[point.pointNumber] ?? "";
  const pick = (point) => setTriggerValue("picked", plot.data[point.curveNumber].customdata[point.pointNumber]);

  const fit = () => {
    const figure = fitted(state.figure, plot.clientWidth);
    plot.style.height = figure.layout.height + "px";
    return figure;
  };
  fit();

  const paint = async () => {
    const Plotly = await plotly();
    if (!root.isConnected) return;
    const figure = fit();
    const width = figure.layout.meta?.width;
    const draw = width === state.width ? Plotly.react : Plotly.newPlot;  // react keeps the wider of two constrained axes
    state.width = width;
    await draw(plot, figure.data, themed(figure.layout, root), { displayModeBar: false, doubleClick: "reset", showTips: false });
    for (const name of ["plotly_click", "plotly_hover", "plotly_unhover", "plotly_selected", "plotly_deselect"]) plot.removeAllListeners(name);
    const answer = (event) => event?.points?.find((p) => p.customdata !== undefined);
    const { labels } = state.figure.layout.meta ?? {};
    if (data.picks) plot.on("plotly_click", (event) => {
      const p = answer(event);
      const cell = event.points.find((point) => point.data.type === "heatmap" && Array.isArray(point.pointNumber));
      if (p) pick(p); else if (cell && labels) setTriggerValue("picked", cell.pointNumber.map((n) => labels[n]));
    });
    if (data.picks || data.thumbs) {
      plot.on("plotly_hover", (event) => point_out(answer(event) ?? null));
      plot.on("plotly_unhover", () => point_out(null));
    }
    if (data.lasso) {
      plot.on("plotly_selected", (event) => { if (event) setStateValue("chosen", event.points.map((p) => p.customdata)); });
      plot.on("plotly_deselect", () => setStateValue("chosen", []));
    }
    point_out(answering(plot).find(({ value }) => String(value) === state.at?.value) ?? null);  // keys go on from there
    root.dataset.painted = (+(root.dataset.painted ?? 0) + 1).toString();
  };
  paint();

  plot.onkeydown = (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (!keys || !(event.key in arrows || event.key === "Enter")) return;
    event.preventDefault();
    if (event.key === "Enter") { if (state.at) pick(state.at); return; }
    point_out(step(plot, state.at, ...arrows[event.key]));
    const words = state.at ? wordsOf(state.at).replaceAll("<br>", ", ") : "";
    told.textContent = data.thumbs ? words : new DOMParser().parseFromString(words, "text/html").body.textContent;
    if (!data.thumbs && state.at) window.Plotly.Fx.hover(plot, [state.at]);
  };
  plot.onclick = (event) => {  // the name of a class beside the matrix
    const tick = data.labels && event.target.closest?.(".xtick, .ytick");
    if (tick) setTriggerValue("label", state.figure.layout.meta.labels[Math.round(tick.__data__.x)]);
  };
  for (const button of root.querySelectorAll("[data-format]")) {
    button.ariaLabel = `Save ${data.name} as ${button.innerText}`;
    button.onclick = () => save(state, plot, button.dataset.format);
  }
  state.watcher?.disconnect();
  state.watcher = new ResizeObserver(() => {  // it also hears of the plot's going, when there is nothing left to resize
    if (!window.Plotly || !plot._fullLayout || !plot.offsetParent) return;
    const before = plot.style.height;
    fit();
    if (plot.style.height !== before) paint(); else window.Plotly.Plots.resize(plot).catch(() => {});
  });
  state.watcher.observe(root);
  return () => requestAnimationFrame(() => { if (!root.isConnected) state.watcher.disconnect(); });
}
