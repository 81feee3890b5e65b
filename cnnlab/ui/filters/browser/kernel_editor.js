// The grid of weights, editable by keyboard, and the sliders below it.

class KernelEditor {
  constructor(root, colours, changed) {
    Object.assign(this, { root, colours, changed, plane: 0, weights: [[[0]]], slides: [], params: {} });
    this.grid = root.querySelector(".grid");
    this.wrong = root.querySelector(".wrong");
  }

  get size() { return this.weights[0].length; }

  take(weights, channels) {
    Object.assign(this, { weights: weights.map((plane) => plane.map((row) => [...row])), channels });
    if (this.plane >= this.weights.length) this.plane = 0;
    this.draw();
  }

  draw() {
    if (this.grid.children.length !== this.size ** 2) this.build();
    const plane = this.weights[this.plane], most = Math.max(...plane.flat().map(Math.abs)) || 1;
    [...this.grid.children].forEach((cell, i) => {
      const value = plane[Math.floor(i / this.size)][i % this.size];
      const [r, g, b] = colourOf(value, { signed: true, end: most }, this.colours);
      cell.style.background = `rgb(${r},${g},${b})`;
      cell.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
      if (cell !== document.activeElement) { cell.value = tight(value, this.size); cell.title = short(value, 8); cell.classList.remove("bad"); }
    });
    this.root.querySelector(".size").textContent = `${this.size} × ${this.size}` + (this.weights.length > 1 ? " × 3" : "");
    this.drawPlanes();
  }

  build() {
    this.grid.replaceChildren();
    this.grid.style.gridTemplateColumns = `repeat(${this.size}, 1fr)`;
    this.grid.style.fontSize = (this.size > 8 ? 9 : this.size > 6 ? 10.5 : this.size > 4 ? 12 : 15) + "px";
    this.grid.style.maxWidth = Math.min(17.5, 4 * this.size) + "rem";
    for (let i = 0; i < this.size ** 2; i++) {
      const cell = this.grid.appendChild(document.createElement("input"));
      cell.setAttribute("aria-label", `Row ${Math.floor(i / this.size) + 1}, column ${(i % this.size) + 1}`);
      cell.inputMode = "text";
      cell.autocomplete = "off";
      cell.onfocus = () => { cell.value = String(this.value(i)); cell.select(); };
      cell.oninput = () => this.typed(cell, i);
      cell.onblur = () => { this.settle(cell); this.changed(true); };
      cell.onkeydown = (event) => this.move(event, i);
    }
  }

  value(i) { return this.weights[this.plane][Math.floor(i / this.size)][i % this.size]; }

  typed(cell, i) {
    const text = cell.value.trim().replace(",", ".").replace("−", "-");
    const value = text === "" ? NaN : Number(text);
    const unclear = /^[+-]?[1-9]\d{0,2},\d{3}$/.test(cell.value.trim().replace("−", "-"));  // thousands or decimals
    const good = Number.isFinite(value) && Math.abs(value) <= 1e6 && !unclear;
    cell.classList.toggle("bad", !good);
    this.wrong.hidden = good;
    if (!good) {
      this.wrong.textContent = unclear ? `“${cell.value}” may be ${cell.value.replace(",", "")} or ${cell.value.replace(",", ".")}: write it without a comma.`
        : text === "" ? "An empty cell is no number: give one such as 0.5 or −1."
        : Number.isFinite(value) ? `${text} is too large: give a number from −1,000,000 to 1,000,000.`
        : `“${cell.value}” is no number: give one such as 0.5 or −1.`;
      return;
    }
    this.weights[this.plane][Math.floor(i / this.size)][i % this.size] = value;
    this.own();
    this.draw();
    this.changed(false);
  }

  settle(cell) {  // what could not be read gives way to the last good number
    cell.classList.remove("bad");
    this.wrong.hidden = true;
    requestAnimationFrame(() => this.draw());
  }

  move(event, i) {
    const step = { ArrowUp: -this.size, ArrowDown: this.size, Enter: this.size }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const count = this.size ** 2, next = i + step;
    this.grid.children[next >= count ? (next + 1) % count % this.size : next < 0 ? i : next].focus();
  }

  drawPlanes() {  // a kernel has the depth of its picture: the same weights for R, G and B, or others for each
    const bar = this.root.querySelector(".planes"), many = this.weights.length > 1;
    const wanted = this.channels < 3 ? [] : many ? ["R", "G", "B", "Same for all"] : ["Different for R, G, B"];
    const focused = [...bar.children].indexOf(document.activeElement);
    bar.replaceChildren(...wanted.map((name, i) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", textContent: name });
      if (i < 3 && many) button.setAttribute("aria-pressed", i === this.plane);
      button.onclick = () => {
        if (!many) { this.weights = [0, 1, 2].map(() => this.weights[0].map((row) => [...row])); this.own(); }
        else if (i === 3) { this.weights = [this.weights[this.plane]]; this.plane = 0; }
        else this.plane = i;
        this.draw();
        this.changed(true);
      };
      return button;
    }));
    if (focused >= 0) bar.children[Math.min(focused, bar.children.length - 1)]?.focus({ preventScroll: true });
  }

  // From Python: for each parameter all its values, each with its weights. What the browser has moved since stays, and
  // a kernel that was typed into has no sliders any more.
  offer(slides, fresh) {
    if (fresh) Object.assign(this, { typedInto: false, params: Object.fromEntries(slides.map((one) => [one.name, one.at])) });
    this.slides = this.typedInto ? [] : slides;
    if (this.typedInto) this.params = {};
    this.drawSliders();
  }

  own() {
    Object.assign(this, { typedInto: true, slides: [], params: {} });
    this.drawSliders();
  }

  drawSliders() {
    const box = this.root.querySelector(".sliders:not(.after)");
    const names = this.slides.map((one) => one.name).join();
    if (box.dataset.names !== names) {
      box.dataset.names = names;
      box.replaceChildren(...this.slides.map((one) => this.slider(one.name)));
    }
    for (const one of this.slides) {
      const label = box.querySelector(`[data-name="${one.name}"]`), input = label.querySelector("input");
      input.value = one.values.indexOf(this.params[one.name]);
      label.querySelector("output").textContent = this.params[one.name];
    }
  }

  slider(name) {
    const slide = () => this.slides.find((one) => one.name === name), label = document.createElement("label");
    label.className = "slide";
    label.dataset.name = name;
    label.innerHTML = `<span></span><input type="range" min="0" step="1"><output></output>`;
    const [title, input, output] = label.children;
    title.textContent = slide().title;
    input.max = slide().values.length - 1;
    input.oninput = () => {
      const one = slide();
      if (!one) return;
      this.params[name] = one.values[+input.value];
      output.textContent = this.params[name];
      this.take(one.weights[+input.value], this.channels);
      this.changed(false);
    };
    input.onchange = () => this.changed(true);
    return label;
  }
}
