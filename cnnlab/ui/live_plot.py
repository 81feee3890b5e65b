"""Plotly charts drawn in place: no flicker, and zoom and legend stay; a live one fetches its own data, with no rerun.

Plotly itself is loaded when the browser has drawn the rest: a page is there a second earlier than with
``st.plotly_chart``, whose own copy of Plotly is read first.

>>> live_plot(curves_figure({}), "/lab/runs/my_run/curves?unit=step", live=True, key="curves")    # doctest: +SKIP
"""

import plotly.graph_objects as go
import streamlit as st

SHARE = 40  # times as long as drawing took is the least pause before the next: a training may need the same core
EVERY = 1000  # milliseconds between two questions while the run is live

HTML = """
<div class="live-plot">
  <div class="plot"></div>
  <div class="save"><button type="button" data-reset>Reset zoom</button><button type="button" data-format="png">PNG</button><button type="button" data-format="svg">SVG</button></div>
</div>
"""

CSS = """
.live-plot { position: relative; width: 100%; }
.live-plot .plot { width: 100%; }
.live-plot .save { position: absolute; top: 0; right: 0; display: flex; gap: 0.3rem; }
.live-plot .save[hidden] { display: none; }
.live-plot .save button {
  font: inherit; font-size: 0.8rem; line-height: 1; padding: 0.35rem 0.6rem; cursor: pointer;
  color: var(--st-text-color); background: transparent;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
.live-plot .save button:hover, .live-plot .save button:focus-visible { border-color: var(--st-primary-color); color: var(--st-primary-color); }
"""

JS = """
const mounted = new WeakMap();
let library;

function plotly() {
  library ??= window.Plotly ? Promise.resolve(window.Plotly) : new Promise((resolve, reject) => {
    const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 100));
    idle(() => {
      const script = document.createElement("script");
      script.src = "/lab/plotly.js";
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    }, { timeout: 500 });
  });
  return library;
}

function colours(element) {
  const style = getComputedStyle(element);
  return { text: style.getPropertyValue("--st-text-color").trim() || style.color,
           back: style.getPropertyValue("--st-background-color").trim() || "#fff",
           font: style.getPropertyValue("--st-font").trim() || "sans-serif" };
}

function themed(figure, c) {
  return { ...figure.layout, font: { ...figure.layout.font, color: c.text, family: c.font },
           hoverlabel: { ...figure.layout.hoverlabel, bgcolor: c.back, font: { color: c.text } } };
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".live-plot");
  const plot = root.querySelector(".plot");
  const state = mounted.get(root) ?? {};
  mounted.set(root, state);
  if (state.src !== data.src || (!data.src && state.given !== data.figure)) {
    Object.assign(state, { src: data.src, given: data.figure, figure: JSON.parse(data.figure), version: "", shown: false });
  }
  root.querySelector(".save").hidden = !data.src;
  state.live = data.live;
  plot.style.height = state.figure.layout.height + "px";

  const paint = async () => {
    const Plotly = await plotly();
    const c = colours(root);
    state.painted = c.text;
    const layout = { ...themed(state.figure, c), uirevision: data.src };
    if (data.src && !state.figure.data.some((trace) => trace.x?.length)) {  // nothing yet: no axis that means something
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
      if (trace.legendgroup) {
        trace.showlegend = trace.x.length > 0 && !named.has(trace.legendgroup);
        if (trace.showlegend) named.add(trace.legendgroup);
      }
    }
  };

  const ask = async () => {
    if (!data.src) {  // a still figure
      if (!state.shown) { state.shown = true; await paint(); }
      return true;
    }
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

  const turn = state.turn = (state.turn ?? 0) + 1;  // a later call of this function takes over from an earlier
  const round = async () => {
    if (turn !== state.turn) return;
    if (!document.hidden && (state.live || !state.settled)) state.settled = (await ask()) && !state.live;
    if (state.painted && colours(root).text !== state.painted) await paint();
    const waiting = state.live && !state.drawn;  // for the first point: a person has just pressed Start
    const pause = Math.min(Math.max(data.every, data.share * (state.cost ?? 0)), 5 * data.every);
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
  return () => { state.turn += 1; clearTimeout(state.timer); };
}
"""

_component = st.components.v2.component("cnnlab_live_plot", html=HTML, css=CSS, js=JS, isolate_styles=False)


def live_plot(figure: go.Figure, src: str, live: bool, name: str, key: str) -> None:
    """Show ``figure``, filled again and again with the series that ``src`` answers, while ``live``, and once if not.

    Each trace takes the series that its ``meta`` names. ``name`` is the title and file name of a saved picture.
    """
    _draw(figure, src, live, name, key)


def still_plot(figure: go.Figure, key: str) -> None:
    """Show ``figure`` as it is."""
    _draw(figure, "", False, "", key)


def _draw(figure: go.Figure, src: str, live: bool, name: str, key: str) -> None:
    data = {"figure": figure.to_json(), "src": src, "live": live, "every": EVERY, "share": SHARE, "name": name}
    _component(data=data, key=key, height="content")
