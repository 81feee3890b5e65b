// Input, kernel, output: every change is computed here and drawn in the next frame; Python is told when it settles.

const mounted = new WeakMap();
const pictures = new Map();  // src and size -> Promise of { width, height, planes }
const PAUSE = 250;  // milliseconds of rest before Python is told
const ANSWER = 1000, REPEATS = 5;  // milliseconds until an unanswered edit is told again, and how often

async function fetched({ src, width, height, channels }) {
  const name = [src, width, height].join();  // equal bytes may be pictures of other sizes
  if (!pictures.has(name)) {
    if (pictures.size > 8) pictures.delete(pictures.keys().next().value);
    pictures.set(name, fetch(src).then(async (answer) => {
      if (!answer.ok) throw new Error("The picture is no longer on the server: reload the page.");
      const bytes = new Uint8Array(await answer.arrayBuffer()), count = width * height;
      return { width, height, planes: Array.from({ length: channels }, (_, c) => bytes.subarray(c * count, (c + 1) * count)) };
    }));
    pictures.get(name).catch(() => pictures.delete(name));
  }
  return pictures.get(name);
}

class Playground {
  constructor(root, colours) {
    this.root = root;
    this.colours = table(colours);
    this.q = (selector) => root.querySelector(selector);
    this.camera = { zoom: 1, x: 0.5, y: 0.5 };
    this.input = new View(this.q(".input canvas"), this.camera);
    this.output = new View(this.q(".output .hold canvas"), this.camera);
    this.arithmetic = new Arithmetic(this.q(".arithmetic"), this.colours);
    this.editor = new KernelEditor(this.q(".kernel"), this.colours, (now) => { this.compute(); this.tell(now); });
    this.finish = { bias: 0, absolute: false, threshold: null };
    this.paints = 0;
    this.wire();
    new ResizeObserver(() => this.draw()).observe(this.q(".three"));
  }

  async update(data, setStateValue) {
    this.data = data;
    this.send = setStateValue;
    const fresh = this.stamp !== data.stamp;
    if (fresh) {  // Python has set kernel and finish: a preset, a link, a file
      this.stamp = data.stamp;
      Object.assign(this.finish, data.finish);
      this.editor.plane = 0;
      clearTimeout(this.telling);
      this.editor.take(data.kernel, data.picture.channels);
      this.drawFinish();
    } else if (this.editor.channels !== data.picture.channels) {
      this.editor.take(this.editor.weights, data.picture.channels);
    }
    this.editor.offer(data.slides, fresh);
    try {
      const picture = await fetched(data.picture);
      if (this.data !== data) return;
      if (this.picture !== picture) {
        Object.assign(this.camera, { zoom: 1, x: 0.5, y: 0.5 });
        this.borders = null;
        const begun = this.heldTold !== undefined;  // a place that is held is one of this picture
        if (!begun) this.heldTold = data.held;
        this.place = begun || !data.held ? null : data.held.split(",").map(Number).reverse();
        if (this.place || this.held) this.hold(Boolean(this.place));
      }
      this.picture = picture;
    } catch (error) { this.picture = null; this.problem(error.message); return; }
    this.compute();
  }

  compute() {
    if (!this.picture) return;
    const s = this.data.settings, size = this.editor.size;
    if (this.data.problem) { this.fail(this.data.problem); return; }
    const total = s.dilation * (size - 1), pad = s.padding;
    const settings = this.settings = { ...s, before: pad === "same" ? Math.floor(total / 2) : pad, after: pad === "same" ? Math.ceil(total / 2) : pad };
    const key = [settings.before, settings.after, settings.border].join();
    if (!this.borders || this.borders.key !== key) this.borders = { key, inputs: null };
    const result = this.result = convolve(this.picture, this.editor.weights, settings, this.finish, this.borders.inputs);
    if (!result) { this.fail("The kernel does not fit: choose a smaller one, or more padding."); return; }
    this.problem("");
    const fresh = !this.borders.inputs;
    this.borders.inputs = result.inputs;
    this.scale = scaleOf(result.planes);
    if (this.data.clipped || result.planes.length > 1) Object.assign(this.scale, { signed: false, end: WHITE });
    if (fresh || !this.input.shown) this.input.show(this.shownInput(result.inputs), -settings.before);
    this.output.show(this.shownOutput(result.planes, result.width, result.height, this.scale));
    this.place ??= this.interesting();
    this.place = [Math.min(this.place[0], result.width - 1), Math.min(this.place[1], result.height - 1)];
    this.prepareChannels();
    this.draw();
  }

  fail(sentence) {  // the picture alone, and why there is no output
    Object.assign(this, { result: null, borders: null });
    const { width, height, planes } = this.picture;
    this.input.show(this.shownInput(planes.map((values) => ({ values, width, height }))));
    this.problem(sentence);
    this.draw();
  }

  shownInput(inputs) {
    const { width, height } = inputs[0], scale = { signed: false, end: WHITE }, values = inputs.map((one) => one.values);
    const colour = (at) => (values.length > 1 ? values.map((plane) => plane[at]) : [values[0][at], values[0][at], values[0][at]]);
    return { image: pictureOf(values, width, height, scale, this.colours), width, height, values, colour };
  }

  shownOutput(planes, width, height, scale) {
    const colour = (at) => (planes.length > 1 ? planes.map((plane) => plane[at]) : colourOf(planes[0][at], scale, this.colours));
    return { image: pictureOf(planes, width, height, scale, this.colours), width, height, values: planes, colour };
  }

  interesting() {  // where the output is strongest, away from the border
    const { planes, width, height } = this.result, edge = (n) => Math.min(Math.floor(n / 6), 12);
    let best = [Math.floor(width / 2), Math.floor(height / 2)], most = -1;
    for (const plane of planes)
      for (let y = edge(height); y < height - edge(height); y++)
        for (let x = edge(width); x < width - edge(width); x++) {
          const value = Math.abs(plane[y * width + x]);
          if (value > most) { most = value; best = [x, y]; }
        }
    return best;
  }

  problem(sentence) {
    this.q(".problem").textContent = sentence;
    this.q(".problem").hidden = !sentence;
    this.q(".output .hold canvas").style.display = sentence ? "none" : "";
    for (const part of [".legend", ".histogram", ".arithmetic", ".play", ".place"]) this.q(part).style.visibility = sentence ? "hidden" : "";
    if (sentence) { this.q(".output .size").textContent = ""; this.q(".channels").hidden = true; }
  }

  draw() {
    if (!this.picture || this.drawing) return;
    this.drawing = requestAnimationFrame(() => { this.drawing = null; this.paint(); });
  }

  paint() {
    const style = getComputedStyle(this.root), colours = { text: style.color, accent: style.getPropertyValue("--st-primary-color").trim() };
    const { result, settings: s } = this;
    this.q(".input .size").textContent = `${this.picture.width} × ${this.picture.height}` + (this.picture.planes.length > 1 ? " × 3" : "");
    if (!this.input.shown) return;
    this.input.draw(colours, (g, cell) => { if (result) { this.drawBorder(g); this.drawField(g, cell); } });
    if (!result) return;
    const [column, row] = this.place;
    this.q(".output .size").textContent = `${result.width} × ${result.height}` + (result.planes.length > 1 ? " × 3" : "");
    this.output.draw(colours, (g, cell) => {
      if (this.revealing) this.drawVeil(g, cell);
      this.frame(g, ...this.output.toScreen(column, row), Math.max(cell, 5), "#d6006c");
    });
    this.arithmetic.show(result, this.editor.weights, s, this.finish, row, column);
    this.q(".where").textContent = `row ${row}, column ${column}`;
    this.drawLegend(colours);
    this.drawChannels(colours);
    Object.assign(this.root.dataset, { paints: ++this.paints, row, column });
  }

  frame(g, x, y, side, colour) {
    g.lineWidth = 4; g.strokeStyle = "#fff"; g.strokeRect(x, y, side, side);
    g.lineWidth = 2; g.strokeStyle = colour; g.strokeRect(x, y, side, side);
  }

  drawBorder(g) {  // a veil over the pixels that padding adds
    const { before, after } = this.settings, { width, height } = this.input.shown;
    if (before + after === 0) return;
    const [left, top] = this.input.toScreen(0, 0), [right, bottom] = this.input.toScreen(width, height);
    const [x0, y0] = this.input.toScreen(before, before), [x1, y1] = this.input.toScreen(width - after, height - after);
    g.fillStyle = "rgba(120, 150, 190, 0.45)";
    g.beginPath(); g.rect(left, top, right - left, bottom - top); g.rect(x0, y0, x1 - x0, y1 - y0); g.fill("evenodd");
  }

  drawField(g, cell) {  // the receptive field, and the kernel on top where there is room to read it
    const s = this.settings, size = this.editor.size, [column, row] = this.place;
    const [x, y] = this.input.toScreen(column * s.stride, row * s.stride), reach = s.dilation * (size - 1) + 1;
    if (cell >= READABLE) this.drawWeights(g, cell, x, y);
    else if (s.dilation > 1 && cell >= 4) {
      g.fillStyle = "rgba(214, 0, 108, 0.6)";
      for (let u = 0; u < size; u++) for (let v = 0; v < size; v++) g.fillRect(x + (v * s.dilation + 0.25) * cell, y + (u * s.dilation + 0.25) * cell, cell / 2, cell / 2);
    }
    this.frame(g, x, y, Math.max(reach * cell, 6), "#d6006c");
  }

  drawWeights(g, cell, x, y) {
    const { editor, settings: s } = this, plane = editor.weights[editor.plane], size = editor.size;
    g.font = `600 ${Math.min(11, cell * 0.26)}px system-ui, sans-serif`;
    g.textAlign = "right"; g.textBaseline = "bottom";
    for (let u = 0; u < size; u++)
      for (let v = 0; v < size; v++) {
        const weight = s.turn ? plane[size - 1 - u][size - 1 - v] : plane[u][v];
        const text = "×" + short(weight, 2), right = x + (v * s.dilation + 1) * cell, bottom = y + (u * s.dilation + 1) * cell;
        const wide = Math.min(cell, g.measureText(text).width + 3);
        g.fillStyle = "rgba(214, 0, 108, 0.92)";
        g.fillRect(right - wide, bottom - cell * 0.3, wide, cell * 0.3);
        g.fillStyle = "#fff";
        g.fillText(text, right - 1.5, bottom - 1, cell - 2);
      }
  }

  drawVeil(g, cell) {  // what the sliding kernel has not reached
    const { result } = this, [column, row] = this.place, [x, y] = this.output.toScreen(column + 1, row);
    const [left, top] = this.output.toScreen(0, row + 1), [right, bottom] = this.output.toScreen(result.width, result.height);
    g.fillStyle = "rgba(128, 128, 128, 0.85)";
    g.fillRect(x, y, right - x, cell);
    g.fillRect(left, top, right - left, bottom - top);
  }

  drawLegend(colours) {
    const { scale, result } = this, apart = result.planes.length > 1;
    const low = this.q(".legend .low"), high = this.q(".legend .high"), bar = this.q(".legend .scale"), g = bar.getContext("2d");
    const over = (value) => (Math.abs(value) > scale.end + 1e-9 ? " and beyond" : "");
    low.textContent = scale.signed ? short(-scale.end) + over(scale.low) : "0" + (scale.low < -1e-9 ? " and below" : "");
    high.textContent = short(scale.end) + (scale.high > scale.end + 1e-9 ? over(scale.high) : "");
    bar.width = 255;
    for (let i = 0; i < 255; i++) {
      const [r, gr, b] = colourOf(scale.signed ? ((i - 127) / 127) * scale.end : (i / 254) * scale.end, apart ? { signed: false, end: scale.end } : scale, this.colours);
      g.fillStyle = `rgb(${r},${gr},${b})`;
      g.fillRect(i, 0, 1, 12);
    }
    this.drawHistogram(colours);
  }

  drawHistogram(colours) {
    const { scale, result } = this, canvas = this.q(".histogram"), ratio = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth, high = 46, low = scale.signed ? -scale.end : 0, bins = 101;
    if (!wide) return;
    canvas.width = wide * ratio; canvas.height = high * ratio;
    if (this.counted !== result || this.countedTo !== scale.end) Object.assign(this, { counted: result, countedTo: scale.end, counts: histogram(result.planes, bins, low, scale.end) });
    const g = canvas.getContext("2d"), most = Math.log1p(Math.max(...this.counts));
    g.scale(ratio, ratio);
    g.fillStyle = colours.text;
    g.globalAlpha = 0.55;
    this.counts.forEach((count, i) => { const h = (Math.log1p(count) / most) * (high - 12); g.fillRect((i * wide) / bins, high - 12 - h, wide / bins - 0.5, h); });
    g.font = "10px system-ui, sans-serif"; g.textAlign = "left"; g.textBaseline = "bottom";
    g.globalAlpha = 0.75;
    g.fillText("how often each value occurs (logarithmic)", 0, high);
  }

  // Colour: three pictures, three two-dimensional convolutions, one sum.

  prepareChannels() {
    const box = this.q(".channels"), colour = this.picture.planes.length === 3;
    box.hidden = !colour;
    if (!colour) return;
    if (!box.childElementCount) {
      const hold = () => { const holder = element("hold"); holder.append(document.createElement("canvas")); return holder; };
      const line = (name, count) => { box.append(element("name", name)); return Array.from({ length: count }, () => { const h = hold(); box.append(h); return new View(h.firstChild, this.camera); }); };
      box.append(element("name"), ...["Red", "Green", "Blue"].map((c) => element("name", c)), element("name total-name"));
      this.before = line("Channel", 3);
      box.append(element("name"));
      this.after = line("After its kernel", 4);
    }
    const { low, high } = this.scale, cut = !this.settings.summed && (low < -0.5 || high > WHITE + 0.5);
    this.q(".total-name").textContent = this.settings.summed ? "Sum of the three" : cut ? "Together, cut off at 0 and 255; the channels keep all" : "Together";
    const { inputs, channels, planes, width, height } = this.result, grey = { signed: false, end: WHITE };
    inputs.forEach((one, c) => this.before[c].show(this.shownOutput([one.values], one.width, one.height, grey), -this.settings.before));
    const common = scaleOf(channels);
    channels.forEach((values, c) => this.after[c].show(this.shownOutput([values], width, height, common)));
    this.after[3].show(this.shownOutput(planes, width, height, this.scale));
  }

  drawChannels(colours) {
    if (this.q(".channels").hidden) return;
    const s = this.settings, [column, row] = this.place, reach = s.dilation * (this.editor.size - 1) + 1;
    for (const view of this.before) view.draw(colours, (g, cell) => this.frame(g, ...view.toScreen(column * s.stride, row * s.stride), Math.max(reach * cell, 5), "#d6006c"));
    for (const view of this.after) view.draw(colours, (g, cell) => this.frame(g, ...view.toScreen(column, row), Math.max(cell, 4), "#d6006c"));
  }
}
