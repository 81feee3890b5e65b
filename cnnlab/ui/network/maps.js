export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".maps");
  const kept = new Map([...root.querySelectorAll(".scroll")].map((node) => [node.dataset.of, node.scrollLeft]));
  root.replaceChildren();
  const add = (parent, tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  let last = -1;
  for (const row of data.rows) {
    const block = add(root, "div", "row");
    if (row.layer !== last) {
      const title = add(block, "div", "title");
      add(title, "b", "", row.title);
      add(title, "span", "", "  " + row.note);
      last = row.layer;
    }
    const line = add(block, "div", "line");
    if (row.side) add(line, "div", "side", row.side);
    const scroll = add(line, "div", "scroll");
    scroll.dataset.of = row.layer + row.side;
    const strip = add(scroll, "div", "strip");
    const { tiles, width, height, gap, png, zoom } = row;
    const pitch = (width + gap) * zoom;
    const image = add(strip, "img");
    image.src = "data:image/png;base64," + png;
    image.alt = row.title + " " + row.side + ": " + tiles + " channels";
    image.style.width = tiles * pitch + "px";
    image.style.height = height * zoom + "px";
    image.dataset.layer = row.layer;
    image.dataset.side = row.side;
    image.onclick = (event) => {
      const x = event.offsetX / zoom, tile = Math.floor(x / (width + gap)), column = Math.floor(x - tile * (width + gap));
      const at = Math.min(height - 1, Math.floor(event.offsetY / zoom));
      if (tile < tiles) setTriggerValue("picked", [row.layer, row.channels[tile], at, Math.min(width - 1, column), row.side]);
    };
    const names = add(strip, "div", "names");
    for (const channel of row.channels) add(names, "div", "", channel).style.width = pitch + "px";
    const [layer, channel, y, x] = data.chosen, tile = row.channels.indexOf(channel);
    if (layer === row.layer && tile >= 0) {
      const spot = add(strip, "div", "spot"), size = Math.max(7, zoom);
      spot.style.cssText = `left:${tile * pitch + (x + 0.5) * zoom - size / 2}px;top:${(y + 0.5) * zoom - size / 2}px;width:${size}px;height:${size}px`;
    }
    scroll.scrollLeft = kept.get(scroll.dataset.of) ?? 0;
  }
  return () => {};
}
