export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".predict-bars");
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const same = root.dataset.shape === data.shape;  // then the bars stay and move
  if (!same) {
    root.dataset.shape = data.shape;
    root.replaceChildren(...data.panels.map((panel) => {
      const section = make("section"), table = make("table"), head = make("tr"), body = make("tbody");
      if (panel.title) section.append(make("h4", "", panel.title));
      head.append(...["", "", "sure", "network says"].map((t) => make("th", "", t)));
      const top = make("thead"); top.append(head); table.append(top, body);
      for (const row of panel.rows) {
        const line = make("tr"), track = make("td", "track"), rail = make("div", "rail");
        rail.append(make("div", "fill"), make("div", "mark"));
        track.append(rail);
        line.append(make("th"), track, make("td", "sure"), make("td", "plain"));
        body.append(line);
      }
      section.append(table);
      return section;
    }));
  }
  data.panels.forEach((panel, p) => panel.rows.forEach((row, r) => {
    const line = root.children[p].querySelectorAll("tbody tr")[r];
    const name = line.querySelector("th");
    name.textContent = name.title = row.name;
    line.querySelector(".sure").textContent = row.sure;
    line.querySelector(".plain").textContent = row.plain;
    line.querySelector(".fill").style.width = 100 * row.confidence + "%";
    line.querySelector(".mark").style.left = `calc(${100 * row.probability}% - ${2 * row.probability}px)`;
  }));
  root.dataset.drawn = data.id;
}
