const mounted = new WeakMap();
const MARKED = 50;  // points of a line up to which each has its marker: a node of its own that takes time to paint

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".live-plot");
  const plot = root.querySelector(".plot");
  const state = mounted.get(root) ?? {};
  mounted.set(root, state);
  if (state.src !== data.src || state.drawing !== data.figure) {  // of a queued run, classes are known only later
    Object.assign(state, { src: data.src, drawing: data.figure, figure: JSON.parse(data.figure), version: "" });
  }
  state.live = data.live;
  plot.setAttribute("aria-label", data.alt);
  plot.style.height = state.figure.layout.height + "px";

  const paint = async () => {
    const Plotly = await plotly();
    if (!root.isConnected) return;
    state.painted = textColour(root);
    const layout = { ...themed(state.figure.layout, root), uirevision: data.src };
    if (!state.figure.data.some((trace) => trace.x?.length)) {  // nothing yet: no axis that means something
      for (const name of Object.keys(layout).filter((n) => /^[xy]axis/.test(n))) layout[name] = { ...layout[name], range: [0, 1] };
    }
    const started = performance.now();
    await Plotly.react(plot, state.figure.data, layout,
                       { responsive: true, displayModeBar: false, doubleClick: "autosize", showTips: false });
    state.cost = performance.now() - started;
    state.drawn = state.figure.data.reduce((sum, trace) => sum + (trace.x?.length ?? 0), 0);
    plot.dataset.points = state.drawn;
  };

  const fill = (series) => {
    const named = new Set();
    for (const trace of state.figure.data) {
      [trace.x, trace.y] = series[trace.meta] ?? [[], []];
      if (trace.mode === "lines+markers" && trace.x.length > MARKED) trace.mode = "lines";
      if (trace.legendgroup) {
        trace.showlegend = trace.x.length > 0 && !named.has(trace.legendgroup);
        if (trace.showlegend) named.add(trace.legendgroup);
      }
    }
  };

  const ask = async () => {
    try {
      const answer = await fetch(data.src + (data.src.includes("?") ? "&" : "?") + "have=" + state.version);
      if (answer.status !== 200) return answer.status === 204;
      const { version, series } = await answer.json();
      fill(series);
      state.version = version;
      await paint();
      return true;
    } catch { return false; }
  };

  const inView = () => {
    const { top, bottom } = root.getBoundingClientRect();
    return !document.hidden && bottom > 0 && top < window.innerHeight;
  };

  const turn = state.turn = (state.turn ?? 0) + 1;  // a later call of this function takes over from an earlier
  const round = async () => {
    if (turn !== state.turn) return;
    const seen = inView();
    if (state.live ? seen : !state.settled && !document.hidden) state.settled = (await ask()) && !state.live;
    if (state.painted && textColour(root) !== state.painted) await paint();
    const waiting = state.live && !state.drawn;  // for the first point: a person has just pressed Start
    const young = !seen || (state.drawn ?? 0) < data.young;  // each point is news, and there are few to draw
    const pause = young ? data.every : Math.min(Math.max(data.every, data.share * state.cost), 10 * data.every);
    if (turn === state.turn) state.timer = setTimeout(round, waiting ? data.every / 4 : pause);
  };
  clearTimeout(state.timer);
  state.settled = false;
  round();

  root.querySelector("[data-reset]").onclick = async () => {
    const Plotly = await plotly();
    const axes = Object.keys(plot.layout).filter((name) => /^[xy]axis/.test(name));
    Plotly.relayout(plot, Object.fromEntries(axes.map((name) => [name + ".autorange", true])));
  };
  for (const button of root.querySelectorAll("[data-format]")) {
    button.onclick = async () => {
      const Plotly = await plotly();
      const layout = { ...state.figure.layout, font: { ...state.figure.layout.font, color: "#222" },
                       paper_bgcolor: "#fff", plot_bgcolor: "#fff", title: { text: data.name }, width: 1200, height: 480,
                       margin: { ...state.figure.layout.margin, t: 96 } };
      Plotly.downloadImage({ data: state.figure.data, layout }, { format: button.dataset.format, filename: data.name,
                           width: 1200, height: 480, scale: button.dataset.format === "png" ? 2 : 1 });
    };
  }
  return () => requestAnimationFrame(() => {
    if (root.isConnected) return;
    state.turn += 1;
    clearTimeout(state.timer);
    window.Plotly?.purge(plot);  // it listens to the window
  });
}
