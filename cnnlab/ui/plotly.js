// What figures share: Plotly itself, and the page's colours.
let library;
const AGAIN = 2000;  // milliseconds until it is asked for anew, where it did not come

function plotly() {
  library ??= window.Plotly ? Promise.resolve(window.Plotly) : new Promise((resolve) => {
    const load = () => {
      if (window.Plotly) return resolve(window.Plotly);  // another figure's script has come meanwhile
      let script = document.querySelector("script[src='/lab/plotly.js']");  // perhaps on its way already
      if (!script) {
        script = document.createElement("script");
        script.src = "/lab/plotly.js";
        document.head.append(script);
      }
      script.addEventListener("load", () => resolve(window.Plotly));
      script.addEventListener("error", () => {
        script.remove();
        setTimeout(load, AGAIN);
      });
    };
    const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 100));
    idle(load, { timeout: 500 });
  });
  return library;
}

const textColour = (root) => getComputedStyle(root).getPropertyValue("--st-text-color").trim();

function themed(layout, root) {
  const style = getComputedStyle(root);
  const colour = (name, other) => style.getPropertyValue(name).trim() || other;
  const text = colour("--st-text-color", style.color);
  const swiped = matchMedia("(pointer: coarse)").matches && layout.dragmode !== "lasso";  // a finger scrolls, and does not zoom
  return { ...layout, dragmode: swiped ? false : layout.dragmode, font: { ...layout.font, color: text, family: colour("--st-font", "sans-serif") },
           ...(layout.hovermode === "x unified" && { plot_bgcolor: colour("--st-background-color", "#fff") }),  // its line is edged with it
           newselection: { line: { color: text, width: 2, dash: "dot" } },
           hoverlabel: { ...layout.hoverlabel, bgcolor: colour("--st-background-color", "#fff"), font: { color: text } } };
}
