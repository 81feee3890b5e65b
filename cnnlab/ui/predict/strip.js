export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".predict-strip");
  const focused = root.contains(document.activeElement) ? document.activeElement.name : null;
  root.replaceChildren(...data.steps.map((step) => {
    const figure = document.createElement("figure"), picture = document.createElement("img");
    figure.className = (step.on ? "" : "off ") + (step.smooth ? "smooth" : "");
    figure.title = step.help;
    picture.src = step.src;
    picture.alt = step.label + ": " + step.help;
    const label = document.createElement("label");
    label.className = step.switchable ? "" : "fixed";
    if (step.switchable) {
      const box = document.createElement("input");
      box.type = "checkbox";
      box.name = step.name;
      box.checked = step.on;
      box.onchange = () => {
        const { [step.name]: before, ...others } = data.switched;  // what is as by default is not switched
        setStateValue("switched", box.checked === step.default ? others : { ...others, [step.name]: box.checked });
      };
      label.append(box);
    }
    label.append(step.label);
    figure.append(picture, label);
    return figure;
  }));
  if (focused) root.querySelector(`input[name="${focused}"]`)?.focus({ preventScroll: true });
}
