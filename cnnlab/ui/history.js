const mounted = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".page-history");
  window.removeEventListener("popstate", mounted.get(root));
  const tell = () => {
    const page = window.location.pathname.split("/").pop();
    if (data.own.includes(page)) setTriggerValue("went", window.location.search);  // else another page is opening
  };
  mounted.set(root, tell);
  window.addEventListener("popstate", tell);
  return () => window.removeEventListener("popstate", tell);
}
