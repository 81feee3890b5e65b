const visits = new WeakMap();  // the root -> what was last given to it, and the request that is on its way

const number = (n) => n.toLocaleString("en");
const files = (n) => `${number(n)} file${n === 1 ? "" : "s"}`;
const memory = (n) => n < 1 << 20 ? `${number(Math.ceil(n / 1024))} KB` : `${number(Math.round(n / (1 << 20)))} MB`;

async function walk(entry, found, most) {  // what lies in a dropped folder, until there is too much of it
  if (found.length > most) return;
  if (entry.isFile) {
    const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
    if (file) found.push([entry.fullPath.replace(/^\//, ""), file]);
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const part = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));  // at most 100
    if (!part.length) return;
    for (const inner of part) await walk(inner, found, most);
  }
}

function wanted(chosen, data) {  // pictures and zips, by their names; in the order of their names
  const known = ([name]) => {
    const hidden = name.split("/").some((part) => part.startsWith(".") || part.startsWith("__MACOSX"));
    return !hidden && data.endings.some((ending) => name.toLowerCase().endsWith(ending));
  };
  return chosen.filter(known).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

function refusal(chosen, kept, data) {  // why it is not sent at all
  const bytes = kept.reduce((sum, [, file]) => sum + file.size, 0);
  if (!chosen.length) return "There is no file in it: choose another folder.";
  if (!kept.length) return `${chosen.length === 1 ? chosen[0][0] + " has no" : "None of these files has an"} ending of a picture or a zip (${data.endings.join(", ")}): choose another.`;
  if (kept.length > data.mostFiles) return `There are more than ${number(data.mostFiles)} files, the most at a time: choose fewer.`;
  if (bytes > data.mostBytes) return `${files(kept.length)} with ${memory(bytes)} are too many at a time, for at most ${memory(data.mostBytes)} are taken: choose fewer, or give their folder by its path.`;
}

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = parentElement.querySelector(".predict-drop");
  const part = (name) => root.querySelector("." + name);
  const visit = visits.get(root) ?? { request: null };
  visits.set(root, visit);
  const zone = part("zone"), input = root.querySelector("input");

  const show = () => {
    part("going").hidden = !visit.request;
    part("held").hidden = Boolean(visit.request) || !data.count;
    part("held").firstChild.textContent = `${data.count === 1 ? data.name : files(data.count)}, ${memory(data.bytes)}`;
  };
  const tell = (problem, note) => {
    part("problem").textContent = problem || note || "";
    part("problem").hidden = !problem && !note;
    part("problem").classList.toggle("note", !problem);
  };
  const cancel = () => {
    visit.request?.abort();
    visit.request = null;
    show();
  };
  const send = (chosen) => {
    cancel();
    const kept = wanted(chosen, data), problem = refusal(chosen, kept, data);
    tell(problem);
    if (problem) return;
    const listing = new TextEncoder().encode(JSON.stringify(kept.map(([name, file]) => [name, file.size])));
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, listing.length);
    const request = new XMLHttpRequest(), status = part("going").querySelector("span");
    const end = (problem, note) => {
      if (visit.request !== request) return;
      visit.request = null;
      tell(problem, note);
      show();
    };
    const progress = (share) => {
      part("going").firstChild.value = share;
      status.textContent = `Sending ${files(kept.length)} … ${Math.floor(100 * share)} %`;
    };
    request.upload.onprogress = (event) => progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status !== 200) return end(request.responseText || "The server took nothing: load the page again.");
      const left = chosen.length - kept.length;
      data.count = 0;  // until the server says what it holds
      end("", left && `Left out ${files(left)} whose name does not end as a picture's or a zip's.`);
      setStateValue("received", Number(request.responseText));
    };
    request.onerror = () => end("The files could not be sent: one was changed or removed, or the server is gone. Choose them again.");
    request.open("POST", data.url);
    visit.request = request;
    progress(0);
    show();
    request.send(new Blob([length, listing, ...kept.map(([, file]) => file)]));
  };
  const pasted = (blob, type) => send([["Pasted picture." + type.split("/")[1].replace(/\W.*/, ""), blob]]);

  part("call").textContent = "or drop them here, or press Ctrl+V";
  part("limits").textContent = `Pictures or zips, at most ${number(data.mostFiles)} files and ${memory(data.mostBytes)} at a time`;
  show();
  const browse = (folder) => {
    input.webkitdirectory = folder;
    input.click();
  };
  part("browse").onclick = () => browse(false);
  part("folder").onclick = () => browse(true);
  part("cancel").onclick = cancel;
  part("remove").onclick = () => setTriggerValue("removed", data.number);
  part("paste").onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((t) => t.startsWith("image/"));
        if (type) return pasted(await item.getType(type), type);
      }
      tell("There is no picture in the clipboard.");
    } catch { tell("This browser does not give the clipboard to a button: press Ctrl+V instead."); }
  };
  input.onchange = () => {
    const chosen = [...input.files].map((file) => [file.webkitRelativePath || file.name, file]);
    input.value = "";  // so that the same files can be chosen again
    send(chosen);
  };
  zone.ondragover = (event) => {
    event.preventDefault();
    zone.classList.add("over");
  };
  zone.ondragleave = (event) => { if (!zone.contains(event.relatedTarget)) zone.classList.remove("over"); };
  zone.ondrop = async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean), found = [];
    for (const entry of entries) await walk(entry, found, data.mostFiles);
    send(found);
  };
  const onPaste = (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((i) => i.type.startsWith("image/"));
    if (!item) return;
    event.preventDefault();
    pasted(item.getAsFile(), item.type);
  };
  document.removeEventListener("paste", visit.onPaste);
  visit.onPaste = onPaste;
  document.addEventListener("paste", onPaste);
  return () => {
    document.removeEventListener("paste", onPaste);
    visit.request?.abort();
  };
}
