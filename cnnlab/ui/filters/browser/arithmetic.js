// What happens at one place, written out: the pixels below the kernel, the weights, every product, and the sum.

const CHANNELS = ["R", "G", "B"];

function numbersGrid(size, className) {
  const grid = document.createElement("div"), side = size > 8 ? 27 : size > 5 ? 34 : 42;
  grid.className = "numbers " + className;
  grid.style.gridTemplateColumns = `repeat(${size}, ${side}px)`;
  grid.style.fontSize = (size > 8 ? 9 : size > 5 ? 11 : 13) + "px";
  for (let i = 0; i < size * size; i++) {
    const cell = grid.appendChild(document.createElement("span"));
    cell.style.height = (size > 5 ? 22 : 30) + "px";
  }
  return grid;
}

function tight(value, size) {  // as many digits as a cell of a kernel of this size has room for
  if (Number.isInteger(value) || size <= 3) return short(value);
  return Math.abs(value) < 10 ? short(+value.toFixed(size > 8 ? 2 : 3)) : short(value, 3);
}

function element(className, text = "") {
  const made = document.createElement("div");
  made.className = className;
  made.textContent = text;
  return made;
}

class Arithmetic {
  constructor(root, colours) { Object.assign(this, { root, colours, shape: "" }); }

  build(size, channels) {
    if (this.shape === `${size}x${channels}`) return;
    this.shape = `${size}x${channels}`;
    this.root.replaceChildren();
    this.rows = Array.from({ length: channels }, (_, c) => {
      const row = element("sum-row"), label = channels > 1 ? CHANNELS[c] + ": " : "";
      const part = (name, className) => {
        const block = element("block"), grid = numbersGrid(size, className);
        block.append(element("name", label + name), grid);
        row.append(block);
        return [...grid.children];
      };
      const pixels = part("pixels", "pixels");
      row.append(element("sign", "×"));
      const weights = part("weights", "weights");
      row.append(element("sign", "="));
      const products = part("products", "products");
      row.append(element("sign", "→ sum"));
      const partial = row.appendChild(element("partial"));
      this.root.append(row);
      return { pixels, weights, products, partial };
    });
    this.total = this.root.appendChild(element("total"));
  }

  tint(cell, value, end) {
    const [r, g, b] = colourOf(value, { signed: true, end: end || 1 }, this.colours);
    cell.style.background = `rgb(${r},${g},${b})`;
    cell.style.color = 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#111" : "#fff";
  }

  // Fills in the place (row, column) of `result` and returns its output value.
  show(result, kernel, s, f, row, column) {
    const size = kernel[0].length, sums = [];
    this.build(size, result.inputs.length);
    this.rows.forEach((line, c) => {
      const plane = kernel[kernel.length === 1 ? 0 : c], input = result.inputs[c], found = [];
      for (let u = 0; u < size; u++) {
        for (let v = 0; v < size; v++) {
          const weight = s.turn ? plane[size - 1 - u][size - 1 - v] : plane[u][v];
          const pixel = input.values[(row * s.stride + u * s.dilation) * input.width + column * s.stride + v * s.dilation];
          found.push([pixel, weight, pixel * weight]);
        }
      }
      const most = [1, 2].map((k) => Math.max(...found.map((one) => Math.abs(one[k]))));
      found.forEach(([pixel, weight, product], i) => {
        line.pixels[i].textContent = short(pixel);
        line.pixels[i].style.background = `rgb(${pixel},${pixel},${pixel})`;
        line.pixels[i].style.color = pixel > 140 ? "#111" : "#fff";
        line.weights[i].textContent = tight(weight, size);
        this.tint(line.weights[i], weight, most[0]);
        line.products[i].textContent = tight(product, size);
        this.tint(line.products[i], product, most[1]);
      });
      sums.push(found.reduce((sum, one) => sum + one[2], 0));
      line.partial.textContent = short(sums[c], 6);
    });
    return this.finish(sums, s, f);
  }

  finish(sums, s, f) {
    const step = (value) => short(value, 6), together = s.summed || sums.length === 1;
    const whole = sums.reduce((a, b) => a + b, 0), parts = [];
    const results = together ? [finished(whole, f)] : sums.map((sum) => finished(sum, f));
    if (together && sums.length > 1) parts.push(sums.map((v) => `(${step(v)})`).join(" + ") + ` = ${step(whole)}`);
    if (f.bias) parts.push(`${f.bias < 0 ? "−" : "+"} bias ${step(Math.abs(f.bias))}`);
    if (f.absolute) parts.push("absolute value");
    if (f.threshold !== null) parts.push(`above ${step(f.threshold)}? white (255), else black (0)`);
    this.total.textContent = (parts.length ? parts.join("  →  ") + "  →  " : "") + "Output ";
    const shown = this.total.appendChild(document.createElement("b"));
    shown.textContent = results.map(step).join(", ");
    this.root.dataset.value = results.join(" ");
    return results;
  }
}
