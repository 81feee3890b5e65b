const NS = "http://www.w3.org/2000/svg";
const NAMES = { convolution: "convolution", pooling: "pooling", linear: "linear", norm: "batch norm",
                activation: "activation", add: "sum with a shortcut", other: "flatten, dropout, padding" };
const LEAST = 0.8;  // how small a drawing becomes to be seen whole, its words 9 pixels high; where that is too wide, it scrolls

function make(parent, tag, attributes, text) {
  const node = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const scroll = parentElement.querySelector(".network .scroll");
  const kept = scroll.scrollLeft;
  const focused = parentElement.contains(document.activeElement);
  const { drawing, middle, titles, chosen } = data;
  scroll.replaceChildren();
  const width = drawing.width + 24, height = drawing.height - drawing.top;
  const svg = make(scroll, "svg", { width, height, viewBox: `-16 ${drawing.top} ${width} ${height}`, role: "group", "aria-label": "Drawing of the network" });
  svg.style.minWidth = LEAST * width + "px";
  const order = drawing.marks.filter((m) => m.index >= 0).map((m) => m.index).sort((a, b) => a - b);
  make(svg, "line", { class: "flow", x1: 0, x2: drawing.width - 40, y1: middle, y2: middle });
  for (const bow of drawing.bows) {
    make(svg, "path", { class: "bow", d: `M ${bow.start} ${middle} L ${bow.start} ${bow.y + 10} Q ${bow.start} ${bow.y} ${bow.start + 10} ${bow.y} L ${bow.end - 10} ${bow.y} Q ${bow.end} ${bow.y} ${bow.end} ${bow.y + 10} L ${bow.end} ${bow.foot}` });
  }
  for (const mark of drawing.marks) {
    const image = mark.index < 0;
    const group = make(svg, "g", image ? { class: "image" } : {
      class: "layer", role: "button", "data-index": mark.index, "aria-label": titles[mark.index],
      "aria-pressed": mark.index === chosen, tabindex: mark.index === (order.includes(chosen) ? chosen : order[0]) ? 0 : -1 });
    make(group, "title", {}, image ? "the image" : titles[mark.index]);
    if (mark.family === "add") {
      make(group, "circle", { class: "shape f-add", cx: mark.x + 9, cy: mark.y + 9, r: 9 });
      make(group, "text", { x: mark.x + 9, y: mark.y + 13.5, style: "font-size:15px" }, "+");
    } else {
      make(group, "rect", { class: "shape f-" + mark.family, x: mark.x, y: mark.y, width: mark.width, height: mark.height, rx: 2 });
    }
    if (mark.above) make(svg, "text", { x: mark.x + mark.width / 2, y: mark.y - 6 }, mark.above);
    if (mark.below) make(svg, "text", { x: mark.x + mark.width / 2, y: mark.y + mark.height + 14, class: "output" }, mark.below);
    if (image) continue;
    group.addEventListener("click", () => setTriggerValue("picked", mark.index));
    group.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const to = event.key === "Enter" || event.key === " " ? mark.index : order[order.indexOf(mark.index) + (step ?? NaN)];
      if (to === undefined) return;
      event.preventDefault();
      setTriggerValue("picked", to);
    });
  }
  const base = drawing.height - 38;
  for (const bracket of drawing.brackets) {
    const { start, end } = bracket, centre = (start + end) / 2, wide = bracket.title.length * 6.4 < end - start + 22;
    make(svg, "path", { class: "bracket", d: `M ${start} ${base - 5} L ${start} ${base} L ${end} ${base} L ${end} ${base - 5}` });
    make(svg, "text", { class: "title", x: centre, y: base + 15 }, wide ? bracket.title : bracket.title.replace("Residual ", "R").replace("Group ", "G"));
    make(svg, "text", { class: "output", x: centre, y: base + 30 }, wide || bracket.output.length * 6 < end - start + 16 ? bracket.output : "");
  }
  const legend = parentElement.querySelector(".network .legend");
  legend.replaceChildren();
  const there = new Set(drawing.marks.map((m) => m.family));
  for (const [family, name] of Object.entries(NAMES)) {
    if (!there.has(family)) continue;
    const item = document.createElement("span");
    make(make(item, "svg", { viewBox: "0 0 12 12" }), family === "add" ? "circle" : "rect",
         family === "add" ? { class: "f-add", cx: 6, cy: 6, r: 5 } : { class: "f-" + family, width: 12, height: 12, rx: 2 });
    item.append(name);
    legend.append(item);
  }
  scroll.scrollLeft = kept;
  const current = svg.querySelector('[aria-pressed="true"]');
  if (current && focused) current.focus({ preventScroll: true });
}
