// What a person does with the playground: hover, hold, keys, zoom, play, and what is done with each sum.

Object.assign(Playground.prototype, {
  wire() {
    this.wirePictures();
    this.wireZoom();
    this.wirePlay();
    this.wireFinish();
  },

  go(column, row, follow = false) {
    const { width, height } = this.result;
    this.place = [Math.max(0, Math.min(width - 1, column)), Math.max(0, Math.min(height - 1, row))];
    if (follow && this.camera.zoom > 1) {
      const p = this.output.place, [x, y] = this.place;
      if (x < p.left || y < p.top || x + 1 > p.left + p.seen.width || y + 1 > p.top + p.seen.height) this.look();
    }
    this.draw();
  },

  look() {  // turn the camera to the place
    Object.assign(this.camera, { x: (this.place[0] + 0.5) / this.result.width, y: (this.place[1] + 0.5) / this.result.height });
  },

  wirePictures() {
    const under = (view, event) => {
      const at = this.result && view.at(event);
      if (!at || view === this.output) return at;
      const s = this.settings, half = Math.floor((s.dilation * (this.editor.size - 1)) / 2);
      return at.map((n) => Math.round((n - half) / s.stride));
    };
    for (const view of [this.input, this.output]) {
      const { canvas } = view;
      let drag = null;
      canvas.onpointerdown = (event) => { drag = { x: event.clientX, y: event.clientY, cx: this.camera.x, cy: this.camera.y, far: false }; canvas.setPointerCapture(event.pointerId); };
      canvas.onpointermove = (event) => {
        if (drag && this.camera.zoom > 1 && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 4) {
          drag.far = true;
          const { cell } = view.place, limit = (n, room) => Math.max(room / 2, Math.min(1 - room / 2, n));
          this.camera.x = limit(drag.cx - (event.clientX - drag.x) / cell / view.shown.width, view.place.seen.width / view.shown.width);
          this.camera.y = limit(drag.cy - (event.clientY - drag.y) / cell / view.shown.height, view.place.seen.height / view.shown.height);
          this.draw();
          return;
        }
        if (this.held || this.playing || drag?.far) return;
        const at = under(view, event);
        if (at) { this.revealing = false; this.go(...at); }
      };
      canvas.onpointerup = (event) => {
        const at = !drag?.far && under(view, event);
        drag = null;
        if (at) { this.pause(); this.revealing = false; this.hold(!this.held); this.go(...at); }
      };
      canvas.onpointercancel = () => { drag = null; };  // the finger scrolls
      canvas.ondblclick = (event) => { const at = under(view, event); if (at) { this.hold(false); this.go(...at); this.zoomTo(Math.min(this.most(), this.camera.zoom * 4)); } };
      canvas.onwheel = (event) => { if (event.ctrlKey) { event.preventDefault(); this.zoomTo(this.camera.zoom * Math.exp(-event.deltaY / 100)); } };
      canvas.onkeydown = (event) => {
        const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
        if (!step || !this.result) return;
        event.preventDefault();
        this.go(this.place[0] + step[0], this.place[1] + step[1], true);
        this.tellPlace();
        this.tellHeld();
      };
    }
  },

  tellPlace() {  // for those who do not see it
    const { planes, width } = this.result, [column, row] = this.place;
    const values = planes.map((plane) => short(plane[row * width + column], 6));
    this.q(".told").textContent = `row ${row}, column ${column}: output ${values.join(", ")}`;
  },

  hold(held) {
    this.held = held;
    this.q(".hint").textContent = held ? "This place is held: click a picture to let go." : "Point at a picture; a click holds the place, arrow keys move it.";
    this.tellHeld();
  },

  // Python hears which place is held, as row and column: the page's address leads there
  tellHeld() {
    clearTimeout(this.holding);
    this.holding = setTimeout(() => {
      const held = this.held && this.place ? `${this.place[1]},${this.place[0]}` : "";
      if (held === this.heldTold) return;
      this.heldTold = held;
      this.send("held", held);
    }, PAUSE);
  },

  // Zoom: from the whole picture to pixels of 44 screen pixels

  most() {
    const p = this.input.place;
    return Math.max(1, 44 / (p.cell / this.camera.zoom));
  },

  zoomTo(zoom) {
    this.camera.zoom = Math.max(1, Math.min(this.most(), zoom));
    for (const view of [this.input, this.output]) view.canvas.style.touchAction = this.camera.zoom > 1 ? "none" : "";  // else a finger scrolls the page
    this.look();
    this.q(".zoom input").value = this.most() > 1 ? Math.log(this.camera.zoom) / Math.log(this.most()) : 0;
    this.q("[data-zoom=pixels]").textContent = this.camera.zoom > 1 ? "Whole picture" : "Read pixels";
    this.draw();
  },

  wireZoom() {
    this.q(".zoom input").oninput = (event) => this.result && this.zoomTo(this.most() ** +event.target.value);
    const to = { in: () => this.camera.zoom * 1.6, out: () => this.camera.zoom / 1.6, pixels: () => (this.camera.zoom > 1 ? 1 : this.most()) };
    for (const button of this.root.querySelectorAll("[data-zoom]")) button.onclick = () => this.result && this.zoomTo(to[button.dataset.zoom]());
  },

  // The sliding kernel: from the top left, row by row

  pause() {
    this.playing = false;
    cancelAnimationFrame(this.frameId);
    this.q(".run").textContent = "Play";
  },

  step(count) {
    const { width, height } = this.result, all = width * height;
    const next = Math.max(0, Math.min(all - 1, this.place[1] * width + this.place[0] + count));
    this.go(next % width, Math.floor(next / width), true);
    return next < all - 1;
  },

  wirePlay() {
    this.q(".run").onclick = () => {
      if (this.playing || !this.result) { this.pause(); return; }
      this.hold(false);
      if (!this.revealing || this.place[0] + this.place[1] * this.result.width >= this.result.width * this.result.height - 1) this.place = [0, 0];
      Object.assign(this, { playing: true, revealing: true, owed: 0, last: performance.now() });
      this.q(".run").textContent = "Pause";
      const beat = (now) => {
        if (!this.playing || !this.result) return;
        this.owed += ((now - this.last) / 1000) * 10 ** +this.q(".speed input").value;  // places a second
        this.last = now;
        const whole = Math.floor(this.owed);
        this.owed -= whole;
        if (whole && !this.step(whole)) { this.pause(); this.revealing = false; this.draw(); return; }
        this.frameId = requestAnimationFrame(beat);
      };
      this.frameId = requestAnimationFrame(beat);
    };
    for (const button of this.root.querySelectorAll("[data-step]")) {
      button.onclick = () => { if (this.result) { this.pause(); this.revealing = true; this.step(+button.dataset.step); this.tellHeld(); } };
    }
  },

  // Bias, absolute value, threshold

  wireFinish() {
    const changed = (now) => { this.drawFinish(); this.compute(); this.tell(now); };
    const slide = (name, range) => { range.oninput = () => { this.finish[name] = +range.value; changed(false); }; range.onchange = () => changed(true); };
    const typed = (name, box, range) => {
      box.oninput = () => {
        const value = Number(box.value.trim().replace(",", ".").replace("−", "-"));
        const good = box.value.trim() !== "" && Number.isFinite(value) && Math.abs(value) <= 1e6;
        box.classList.toggle("bad", !good);
        this.q(".wrong").hidden = good;
        if (!good) { this.q(".wrong").textContent = `“${box.value}” is no number that can be used: give one such as 0.5 or −1.`; return; }
        this.finish[name] = value;
        changed(false);
      };
      box.onblur = () => { box.classList.remove("bad"); this.q(".wrong").hidden = true; this.drawFinish(); this.tell(true); };
    };
    slide("bias", this.q("input.bias[type=range]"));
    typed("bias", this.q("input.number.bias"));
    slide("threshold", this.q("input.threshold[type=range]"));
    typed("threshold", this.q("input.number.threshold"));
    this.q(".absolute").onchange = (event) => { this.finish.absolute = event.target.checked; changed(true); };
    this.q(".cut").onchange = (event) => { this.finish.threshold = event.target.checked ? 100 : null; changed(true); };
  },

  drawFinish() {
    const { bias, absolute, threshold } = this.finish, write = (box, value) => { if (box !== document.activeElement) box.value = short(value, 6); };
    this.q("input.bias[type=range]").value = bias;
    write(this.q("input.number.bias"), bias);
    this.q(".absolute").checked = absolute;
    this.q(".cut").checked = threshold !== null;
    for (const part of [this.q("input.threshold[type=range]"), this.q("input.number.threshold")]) part.style.visibility = threshold === null ? "hidden" : "";
    if (threshold !== null) { this.q("input.threshold[type=range]").value = threshold; write(this.q("input.number.threshold"), threshold); }
  },

  tell(now) {
    clearTimeout(this.telling);
    if (now) this.say(0); else this.telling = setTimeout(() => this.say(0), PAUSE);
  },

  // An edit that is sent while the page's script runs may go unheard: it is told again until Python's answer shows it.
  say(times) {
    const mine = [this.editor.weights, this.finish];
    const edit = JSON.stringify({ kernel: mine[0], params: this.editor.params, finish: mine[1], stamp: this.stamp, times });
    if (edit === this.told) return;
    this.told = edit;
    this.send("edit", edit);
    clearTimeout(this.waiting);
    if (times === REPEATS) return;
    this.waiting = setTimeout(() => {
      const heard = JSON.stringify([this.data.kernel, this.data.finish]) === JSON.stringify([this.editor.weights, this.finish]);
      if (this.root.isConnected && !heard) this.say(times + 1);
    }, ANSWER);
  },
});

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".playground");
  const playground = mounted.get(root) ?? new Playground(root, data.colours);
  mounted.set(root, playground);
  playground.update(data, setStateValue);
  return () => requestAnimationFrame(() => { if (!root.isConnected) playground.pause(); });
}
