// A convolution as PyTorch's conv2d and OpenCV's filter2D define it, in 64-bit numbers, fast enough for each move of a
// slider. A picture is { width, height, planes: [Uint8Array] }, and a kernel [plane][row][column].

const WHITE = 255;

function sources(length, before, after, border) {  // for each place of a padded row the pixel it shows; -1 is zero
  const inside = (i) => i >= 0 && i < length;
  const of = { zero: () => -1, replicate: (i) => Math.max(0, Math.min(length - 1, i)),
               reflect: (i) => (i < 0 ? -i : 2 * length - 2 - i), wrap: (i) => ((i % length) + length) % length }[border];
  return Int32Array.from({ length: length + before + after }, (_, i) => (inside(i - before) ? i - before : of(i - before)));
}

function padded(picture, plane, s) {  // Float64Array of the picture with its border
  const xs = sources(picture.width, s.before, s.after, s.border), ys = sources(picture.height, s.before, s.after, s.border);
  const out = new Float64Array(xs.length * ys.length);
  for (let y = 0, at = 0; y < ys.length; y++) {
    for (let x = 0; x < xs.length; x++, at++) {
      if (xs[x] >= 0 && ys[y] >= 0) out[at] = picture.planes[plane][ys[y] * picture.width + xs[x]];
    }
  }
  return { values: out, width: xs.length, height: ys.length };
}

function sums(p, kernel, s, width, height) {  // one channel's products, summed at each place
  const out = new Float64Array(width * height), size = kernel.length;
  for (let u = 0; u < size; u++) {
    for (let v = 0; v < size; v++) {
      const weight = s.turn ? kernel[size - 1 - u][size - 1 - v] : kernel[u][v];
      if (weight === 0) continue;
      for (let y = 0, at = 0; y < height; y++) {
        let from = (y * s.stride + u * s.dilation) * p.width + v * s.dilation;
        for (let x = 0; x < width; x++, at++, from += s.stride) out[at] += weight * p.values[from];
      }
    }
  }
  return out;
}

function finished(value, f) {
  const biased = value + f.bias, whole = f.absolute ? Math.abs(biased) : biased;
  return f.threshold === null ? whole : whole > f.threshold ? WHITE : 0;
}

function convolve(picture, kernel, s, f, borders) {  // null where it does not fit
  const reach = s.dilation * (kernel[0].length - 1) + 1;
  const most = { reflect: -1, wrap: 0 }[s.border];
  if (most !== undefined && Math.max(s.before, s.after) > Math.min(picture.width, picture.height) + most) return null;
  const width = Math.floor((picture.width + s.before + s.after - reach) / s.stride) + 1;
  const height = Math.floor((picture.height + s.before + s.after - reach) / s.stride) + 1;
  if (width < 1 || height < 1) return null;
  const inputs = borders ?? picture.planes.map((_, c) => padded(picture, c, s));
  const channels = inputs.map((p, c) => sums(p, kernel[kernel.length === 1 ? 0 : c], s, width, height));
  const apart = !s.summed && channels.length > 1;
  let planes;
  if (!apart && channels.length > 1) {
    planes = [new Float64Array(width * height)];
    for (const channel of channels) for (let i = 0; i < channel.length; i++) planes[0][i] += channel[i];
  } else {
    planes = channels.map((channel) => Float64Array.from(channel));
  }
  if (f.bias || f.absolute || f.threshold !== null) {
    for (const plane of planes) for (let i = 0; i < plane.length; i++) plane[i] = finished(plane[i], f);
  }
  return { width, height, inputs, channels, planes };
}

// How values become colours: grey from 0 to white where none is negative, else two colours that meet at zero. The few
// largest (one in 200) may lie beyond the end of the scale, or one bright spot would leave all else pale.

function scaleOf(planes) {
  let low = Infinity, high = -Infinity;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) { const v = plane[i]; if (v < low) low = v; if (v > high) high = v; }
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (low >= -1e-9 && high <= WHITE + 1e-9) return { signed: false, low, high, end: WHITE };
  const bins = new Uint32Array(1024);
  let count = 0;
  for (const plane of planes) for (let i = 0; i < plane.length; i++) { bins[Math.min(1023, (Math.abs(plane[i]) / most) * 1024) | 0]++; count++; }
  let bin = 1023, above = bins[1023];
  while (bin > 0 && above < count / 200) above += bins[--bin];
  return { signed: low < -1e-9, low, high, end: (most * (bin + 1)) / 1024 };
}

function histogram(planes, bins, low, high) {
  const counts = new Uint32Array(bins), width = (high - low) / bins || 1;
  for (const values of planes) for (let i = 0; i < values.length; i++) counts[Math.max(0, Math.min(bins - 1, Math.floor((values[i] - low) / width)))]++;
  return counts;
}

function table(stops) {  // 511 colours between the stops, from -1 over 0 to +1
  const rgb = stops.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: 511 }, (_, i) => {
    const place = (i / 510) * (rgb.length - 1), left = Math.min(rgb.length - 2, Math.floor(place)), part = place - left;
    return rgb[left].map((a, c) => Math.round(a + (rgb[left + 1][c] - a) * part));
  });
}

function colourOf(value, scale, colours) {
  if (!scale.signed) { const g = Math.round(255 * Math.max(0, Math.min(1, value / scale.end))); return [g, g, g]; }
  return colours[Math.round(255 + 255 * Math.max(-1, Math.min(1, value / scale.end)))];
}

function pictureOf(planes, width, height, scale, colours) {  // an off-screen canvas, a pixel a value
  const canvas = new OffscreenCanvas(width, height), g = canvas.getContext("2d"), image = g.createImageData(width, height);
  const out = new Uint32Array(image.data.buffer), pack = ([r, gr, b]) => (255 << 24) | (b << 16) | (gr << 8) | r;
  if (planes.length === 3) {
    const byte = (v) => Math.max(0, Math.min(255, Math.round(v)));
    for (let i = 0; i < out.length; i++) out[i] = pack([byte(planes[0][i]), byte(planes[1][i]), byte(planes[2][i])]);
  } else {
    const packed = scale.signed ? Uint32Array.from(colours, pack) : Uint32Array.from({ length: 256 }, (_, v) => pack([v, v, v]));
    const factor = 255 / scale.end, shift = scale.signed ? 255 : 0, least = scale.signed ? -255 : 0, plane = planes[0];
    for (let i = 0; i < out.length; i++) {
      const v = plane[i] * factor;
      out[i] = packed[((v < least ? least : v > 255 ? 255 : v) + shift + 0.5) | 0];
    }
  }
  g.putImageData(image, 0, 0);
  return canvas;
}
