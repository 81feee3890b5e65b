const pending = new WeakMap(); // root -> the place that a key has chosen and the server has not answered yet
const PAUSE = 80; // milliseconds: a held key is sent when it rests

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".maps");
  const kept = new Map([...root.querySelectorAll(".scroll")].map((node) => [node.dataset.of, node.scrollLeft]));
  const focused = root.contains(document.activeElement) ? document.activeElement.dataset.of : null;
  if (String(pending.get(root)) === String(data.chosen)) pending.delete(root);
  const told = root.querySelector(".told"), rows = root.querySelector(".rows");
  let timer;
  rows.replaceChildren();
  const add = (parent, tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    parent.append(node);
    return node;
  };
  const pick = (row, tile, y, x) => setTriggerValue("picked", [row.layer, row.channels[tile], y, x, row.side]);

  function show(row, scroll, value) {
    const [layer, channel, y, x] = pending.get(root) ?? data.chosen;
    scroll.querySelector(".spot")?.remove();
    const tile = layer === row.layer ? row.channels.indexOf(channel) : -1;
    const what = `${row.title} ${row.side}`.trim();
    scroll.ariaLabel = tile < 0 ? `${what}: ${row.tiles} channels. The arrow keys choose a pixel.`
      : `${what}: ${row.height > 1 ? `channel ${channel}, row ${y}, column ${x}` : `feature ${channel}`}${value ? `, value ${value}` : ""}`;
    if (tile < 0) return;
    const size = Math.max(7, row.zoom), left = tile * (row.width + row.gap) * row.zoom + (x + 0.5) * row.zoom - size / 2;
    const spot = add(scroll.querySelector(".strip"), "div", "spot");
    spot.style.cssText = `left:${left}px;top:${(y + 0.5) * row.zoom - size / 2}px;width:${size}px;height:${size}px`;
    if (document.activeElement !== scroll) return;
    told.textContent = scroll.ariaLabel;
    const room = scroll.clientWidth;
    if (left < scroll.scrollLeft || left + size > scroll.scrollLeft + room) scroll.scrollLeft = left + size / 2 - room / 2;
  }

  function moved(row, event) {
    const [layer, channel, y, x] = pending.get(root) ?? data.chosen;
    const tile = layer === row.layer ? row.channels.indexOf(channel) : -1;
    const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (tile < 0) return [row.layer, row.channels[0], row.height >> 1, row.width >> 1];
    const across = event.shiftKey ? tile * row.width + x + right * row.width : tile * row.width + x + right;
    if (across < 0 || across >= row.tiles * row.width) return [layer, channel, y, x];
    const beside = Math.floor(across / row.width);
    return [layer, row.channels[beside], Math.min(row.height - 1, Math.max(0, y + down)), across - beside * row.width];
  }

  let last = null;
  for (const row of data.rows) {
    const block = add(rows, "div", "row");
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
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "application");
    scroll.setAttribute("aria-roledescription", "feature maps");
    const strip = add(scroll, "div", "strip");
    const { tiles, width, height, gap, png, zoom } = row;
    const pitch = (width + gap) * zoom;
    const image = add(strip, "img");
    image.src = "data:image/png;base64," + png;
    image.alt = "";
    image.style.width = tiles * pitch + "px";
    image.style.height = height * zoom + "px";
    image.dataset.layer = row.layer;
    image.dataset.side = row.side;
    image.onclick = (event) => {
      const x = event.offsetX / zoom, tile = Math.floor(x / (width + gap)), column = Math.floor(x - tile * (width + gap));
      if (tile >= tiles) return;
      pending.delete(root);
      pick(row, tile, Math.min(height - 1, Math.floor(event.offsetY / zoom)), Math.min(width - 1, column));
    };
    scroll.onkeydown = (event) => {
      if (!event.key.startsWith("Arrow") || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const place = moved(row, event);
      pending.set(root, place);
      show(row, scroll, "");
      clearTimeout(timer);
      timer = setTimeout(() => pick(row, row.channels.indexOf(place[1]), place[2], place[3]), PAUSE);
    };
    const names = add(strip, "div", "names");
    for (const channel of row.channels) add(names, "div", "", channel).style.width = pitch + "px";
    scroll.scrollLeft = kept.get(scroll.dataset.of) ?? 0;
    if (scroll.dataset.of === focused) scroll.focus({ preventScroll: true });
    show(row, scroll, pending.has(root) ? "" : row.value);
  }
}
