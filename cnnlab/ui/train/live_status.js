const mounted = new WeakMap();

function draw(root, now) {
  root.querySelector(".text").textContent = now.text;
  const said = root.querySelector(".said"), stage = now.state + now.text.match(/^Epoch \d+/);
  if (said.dataset.stage !== stage) { said.textContent = now.text; said.dataset.stage = stage; }  // each step would be too much to hear
  const bar = root.querySelector(".bar");
  bar.setAttribute("aria-valuenow", Math.round(100 * now.share));
  bar.firstElementChild.style.transform = `scaleX(${now.share})`;
  const tiles = root.querySelector(".tiles");
  while (tiles.children.length < now.tiles.length) {
    const tile = document.createElement("div");
    tile.append(...["dt", "dd", "dd"].map((tag) => document.createElement(tag)));
    tile.lastChild.className = "help";  // for whom a title is nothing
    tiles.append(tile);
  }
  now.tiles.forEach((tile, i) => {
    const [label, value, help] = tiles.children[i].children;
    tiles.children[i].title = help.textContent = tile.help;
    if (label.textContent !== tile.label) label.textContent = tile.label;
    if (value.textContent !== tile.value) value.textContent = tile.value;
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".live-status");
  const state = mounted.get(root) ?? { turn: 0 };
  mounted.set(root, state);
  draw(root, data.status);
  const tell = (now) => setTriggerValue("changed", now.state);  // the page's buttons are others now
  const turn = state.turn += 1;  // a later call of this function takes over from an earlier
  const look = async () => {
    if (turn !== state.turn) return;
    let pause = data.status.pause;
    if (!document.hidden) {
      try {
        const answer = await fetch(data.src);
        if (turn !== state.turn) return;
        if (answer.status === 404) return tell({ state: "gone" });  // somebody deleted it
        if (answer.ok) {
          const now = await answer.json();
          draw(root, now);
          pause = now.pause;
          if (now.state !== data.shown) return tell(now);
        }
      } catch { /* the server is away: the next look may find it */ }
    }
    state.timer = setTimeout(look, 1000 * pause);
  };
  clearTimeout(state.timer);
  if (data.src && data.status.state !== data.shown) tell(data.status);  // it changed while the page was being made
  else if (data.src) state.timer = setTimeout(look, 1000 * data.status.pause);
  return () => requestAnimationFrame(() => { if (!root.isConnected) { state.turn += 1; clearTimeout(state.timer); } });
}
