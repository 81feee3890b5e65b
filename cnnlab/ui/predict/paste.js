const listening = new WeakMap();
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".predict-paste"), status = root.querySelector("span");
  const send = (blob) => {
    if (!blob) { status.textContent = "There is no picture in the clipboard."; return; }
    if (blob.size > data.most) { status.textContent = "That picture is too large: upload it as a file."; return; }
    status.textContent = "";
    const reader = new FileReader();
    reader.onload = () => setStateValue("picture", { content: reader.result, number: Date.now() });
    reader.readAsDataURL(blob);
  };
  const onPaste = (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((i) => i.type.startsWith("image/"));
    if (item) { event.preventDefault(); send(item.getAsFile()); }
  };
  document.removeEventListener("paste", listening.get(root));
  listening.set(root, onPaste);
  document.addEventListener("paste", onPaste);
  root.querySelector("button").onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((t) => t.startsWith("image/"));
        if (type) return send(await item.getType(type));
      }
      send(null);
    } catch { status.textContent = "This browser does not give the clipboard to a button: press Ctrl+V instead."; }
  };
  return () => { document.removeEventListener("paste", onPaste); };
}
