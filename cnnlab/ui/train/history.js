const mounted = new WeakMap();

export default function ({ parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".train-history");
  window.removeEventListener("popstate", mounted.get(root));
  const tell = () => setTriggerValue("went", window.location.search);
  mounted.set(root, tell);
  window.addEventListener("popstate", tell);
  return () => window.removeEventListener("popstate", tell);
}
