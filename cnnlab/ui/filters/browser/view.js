// A picture on a canvas that can be enlarged until each pixel is a square with its value. All views of the playground
// share a camera: { zoom: 1 to …, x, y: the middle as a share of the picture }.

const MARGIN = { left: 30, top: 2, right: 2, bottom: 18 };
const READABLE = 27;  // pixels of the screen that a value needs

function short(value, digits = 3) {  // "−0.25": a true minus, and no more digits than tell
  const text = Number.isInteger(value) ? String(value) : String(+value.toPrecision(Math.max(digits, String(Math.trunc(Math.abs(value))).length)));
  return text.replace("-", "−");
}

class View {
  constructor(canvas, camera) {
    Object.assign(this, { canvas, camera, shown: null, from: 0 });
  }

  // shown: { image, width, height, values: [plane], colour }; `from` is the number of the first row and column
  show(shown, from = 0) { Object.assign(this, { shown, from }); }

  layout() {
    const ratio = window.devicePixelRatio || 1, { shown, canvas } = this;
    const wide = Math.max(60, Math.floor(canvas.parentElement.clientWidth));
    const plot = wide - MARGIN.left - MARGIN.right;
    const high = Math.round(Math.min(plot * 1.05, (plot * shown.height) / shown.width)) + MARGIN.top + MARGIN.bottom;
    if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio)) {
      canvas.width = Math.round(wide * ratio); canvas.height = Math.round(high * ratio);
      canvas.style.width = wide + "px"; canvas.style.height = high + "px";
    }
    const room = { width: plot, height: high - MARGIN.top - MARGIN.bottom };
    const cell = Math.min(room.width / shown.width, room.height / shown.height) * this.camera.zoom;
    const seen = { width: Math.min(shown.width, room.width / cell), height: Math.min(shown.height, room.height / cell) };
    const left = Math.max(0, Math.min(shown.width - seen.width, this.camera.x * shown.width - seen.width / 2));
    const top = Math.max(0, Math.min(shown.height - seen.height, this.camera.y * shown.height - seen.height / 2));
    this.place = { ratio, room, cell, left, top, seen };
  }

  toScreen(x, y) { const p = this.place; return [MARGIN.left + (x - p.left) * p.cell, MARGIN.top + (y - p.top) * p.cell]; }

  at(event) {  // [column, row] of the pixel below the pointer, or null
    if (!this.place) return null;
    const box = this.canvas.getBoundingClientRect(), p = this.place;
    const x = Math.floor((event.clientX - box.left - MARGIN.left) / p.cell + p.left);
    const y = Math.floor((event.clientY - box.top - MARGIN.top) / p.cell + p.top);
    const inside = x >= p.left - 1 && y >= p.top - 1 && x < p.left + p.seen.width && y < p.top + p.seen.height;
    return inside && x >= 0 && y >= 0 && x < this.shown.width && y < this.shown.height ? [x, y] : null;
  }

  draw(colours, over) {
    if (!this.shown) return;
    this.layout();
    const { place: p, shown } = this, g = this.canvas.getContext("2d");
    g.setTransform(p.ratio, 0, 0, p.ratio, 0, 0);
    g.clearRect(0, 0, this.canvas.width, this.canvas.height);
    g.save();
    g.beginPath();
    g.rect(MARGIN.left, MARGIN.top, p.seen.width * p.cell, p.seen.height * p.cell);
    g.clip();
    g.imageSmoothingEnabled = p.cell * p.ratio < 1;
    g.drawImage(shown.image, p.left, p.top, p.seen.width, p.seen.height, MARGIN.left, MARGIN.top, p.seen.width * p.cell, p.seen.height * p.cell);
    if (p.cell >= 7) this.grid(g);
    if (p.cell >= READABLE) this.numbers(g);
    over?.(g, p.cell);
    g.restore();
    this.ticks(g, colours);
  }

  each(visit) {  // every pixel that is seen
    const p = this.place;
    for (let y = Math.floor(p.top); y < Math.min(this.shown.height, p.top + p.seen.height); y++)
      for (let x = Math.floor(p.left); x < Math.min(this.shown.width, p.left + p.seen.width); x++) visit(x, y, ...this.toScreen(x, y));
  }

  grid(g) {
    g.strokeStyle = "rgba(128,128,128,0.35)";
    g.lineWidth = 0.5;
    this.each((x, y, left, top) => g.strokeRect(left, top, this.place.cell, this.place.cell));
  }

  numbers(g) {
    const { cell } = this.place, { values, width, colour } = this.shown;
    g.textAlign = "center";
    g.textBaseline = "middle";
    g.font = `${Math.min(13, cell * (values.length > 1 ? 0.25 : 0.33))}px ui-monospace, monospace`;
    this.each((x, y, left, top) => {
      const at = y * width + x, [r, gr, b] = colour(at);
      g.fillStyle = 0.299 * r + 0.587 * gr + 0.114 * b > 140 ? "#111" : "#fff";
      values.forEach((plane, c) => g.fillText(short(plane[at]), left + cell / 2, top + (cell * (c + 1)) / (values.length + 1), cell - 2));
    });
  }

  ticks(g, colours) {
    const p = this.place, wanted = 52 / p.cell;
    const step = [1, 2, 4, 5, 7, 10, 14, 20, 25, 28, 50, 64, 100, 128, 200, 256].find((s) => s >= wanted) ?? 500;
    g.fillStyle = colours.text;
    g.globalAlpha = 0.75;
    g.font = "11px system-ui, sans-serif";
    const numbers = (start, length) => Array.from({ length: Math.ceil(length) + 1 }, (_, i) => Math.ceil(start) + i).filter((n) => (n + this.from) % step === 0 && n + 0.5 >= start && n + 0.5 <= start + length);
    g.textAlign = "center"; g.textBaseline = "top";
    for (const n of numbers(p.left, p.seen.width)) g.fillText(short(n + this.from), Math.min(this.toScreen(n + 0.5, 0)[0], MARGIN.left + p.room.width - g.measureText(n + this.from).width / 2), MARGIN.top + p.seen.height * p.cell + 4);
    g.textAlign = "right"; g.textBaseline = "middle";
    for (const n of numbers(p.top, p.seen.height)) g.fillText(short(n + this.from), MARGIN.left - 5, Math.max(8, this.toScreen(0, n + 0.5)[1]));
    g.globalAlpha = 1;
  }
}
